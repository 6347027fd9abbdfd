"""Given what a perfect network sees, the inferencer returns the true meshes, in mm."""

from dataclasses import replace

import numpy as np
import pytest
from helpers_inference import IMAGE_SIZE, PADDING, Oracle, People, noise_picture, tiny_network

from i2l_plugin.apis.inference.crops import PersonCrops
from i2l_plugin.apis.inference.estimation import PeopleEstimator, estimate_scenes
from i2l_plugin.apis.inference.mesh_inferencer import MeshInferencer

EXACT_MM = 0.05  # of people 5 m away; float32 resolves 0.0005 mm there


@pytest.fixture(scope='module', params=['body', 'hand'])
def network(request, tmp_path_factory):
    return tiny_network(tmp_path_factory.mktemp('truth'), request.param)


def inferencer_of(network, people, **options):
    """A MeshInferencer whose network is the oracle."""
    inferencer = MeshInferencer(network, **options)
    oracle = Oracle(network, people)
    inferencer.estimate.estimator = oracle
    return inferencer, oracle


def predicted(inferencer, **options):
    (result,) = inferencer(noise_picture(), return_datasamples=True, **options)
    return result['predictions'][0]


def test_camera_boxes_and_depths_given(network):
    people = People(network.body_model, n=3, kind=network.body_model.kind)
    inferencer, _ = inferencer_of(network, people)
    given = dict(camera=people.camera, bboxes=people.bbox_px, root_depths=people.root_depths_mm)
    sample = predicted(inferencer, **given)
    found = sample.pred_instances
    np.testing.assert_allclose(found.vertices_cam, people.vertices_mm, atol=EXACT_MM)
    np.testing.assert_allclose(found.joints_cam, people.joints_mm, atol=EXACT_MM)
    np.testing.assert_allclose(found.posenet_joints_cam, people.joints_mm, atol=EXACT_MM)
    np.testing.assert_allclose(found.keypoints, people.project(people.joints_mm), atol=0.01)
    np.testing.assert_array_equal(found.root_depth_mm, people.root_depths_mm)
    assert sample.metainfo['bbox_source'] == 'given'
    assert sample.metainfo['root_depth_source'] == 'given'
    assert sample.metainfo['camera_source'] == 'given intrinsics'
    assert sample.metainfo['ori_shape'] == IMAGE_SIZE[::-1]


def test_without_a_depth_the_box_says_how_far_away_the_root_is(network):
    people = People(network.body_model, n=3, kind=network.body_model.kind)
    inferencer, _ = inferencer_of(network, people)
    sample = predicted(inferencer, camera=people.camera, bboxes=people.bbox_px)
    x1, y1, x2, y2 = people.bbox_px.T
    side_px = PADDING * np.maximum(x2 - x1, y2 - y1)
    real_mm = {'body': 2000, 'hand': 300}[network.body_model.kind]
    expected = np.sqrt(np.prod(people.focal_px)) * real_mm / side_px
    np.testing.assert_allclose(sample.pred_instances.root_depth_mm, expected, rtol=1e-5)
    assert sample.metainfo['root_depth_source'] == 'box size'
    true_xy = people.project(people.vertices_mm)
    np.testing.assert_allclose(sample.pred_instances.vertices_img[..., :2], true_xy, atol=0.01)
    depth = sample.pred_instances.vertices_cam[..., 2] - expected[:, None]
    true_depth = people.vertices_mm[..., 2] - people.root_depths_mm[:, None]
    np.testing.assert_allclose(depth, true_depth, atol=EXACT_MM)


def test_depths_of_a_rootnet_that_knows_the_truth(network):
    people = People(network.body_model, n=3, kind=network.body_model.kind)
    oracle = Oracle(network, people)
    seen = []

    def rootnet(batch):
        seen.append([person.bbox_px.tolist() for person in batch])
        return np.array([people.root_depths_mm[oracle.find(person.bbox_px)] for person in batch])

    inferencer = MeshInferencer(network)
    crops = PersonCrops(network.cfg, network.body_model)
    inferencer.estimate = PeopleEstimator(network, crops, rootnet, oracle)
    sample = predicted(inferencer, camera=people.camera, bboxes=people.bbox_px, batch_size=2)
    found = sample.pred_instances
    np.testing.assert_allclose(found.vertices_cam, people.vertices_mm, atol=EXACT_MM)
    assert sample.metainfo['root_depth_source'] == 'RootNet'
    assert [len(batch) for batch in seen] == [2, 1]


def test_another_camera_moves_the_meshes(network):
    people = People(network.body_model, kind=network.body_model.kind)
    inferencer, _ = inferencer_of(network, people)
    sample = predicted(inferencer, bboxes=people.bbox_px, root_depths=people.root_depths_mm)
    assert sample.metainfo['camera_source'] == 'default 1500 px'
    assert np.abs(sample.pred_instances.vertices_cam - people.vertices_mm).max() > 10


def test_people_of_several_pictures_share_batches_and_come_back_in_order(network):
    people = People(network.body_model, n=5, kind=network.body_model.kind)
    inferencer, oracle = inferencer_of(network, people)
    shares = [[0], [], [1, 2, 3], [4], []]
    pictures = [noise_picture(i) for i in range(len(shares))]
    results = inferencer(
        pictures,
        camera=people.camera,
        bboxes=[people.bbox_px[share] for share in shares],
        root_depths=[people.root_depths_mm[share] for share in shares],
        batch_size=2,
        return_datasamples=True,
    )
    for share, result in zip(shares, results, strict=True):
        found = result['predictions'][0].pred_instances
        np.testing.assert_allclose(found.vertices_cam, people.vertices_mm[share], atol=EXACT_MM)
        assert len(found.bboxes) == len(share)
    assert oracle.batches == [2, 2, 1]


@pytest.mark.parametrize(('kind', 'held'), [('image', 2), ('webcam', 1)])
def test_a_picture_is_returned_as_soon_as_its_people_are_done(network, kind, held):
    """So memory holds the pictures of one batch, and a camera's people are not kept waiting."""
    people = People(network.body_model, n=1, kind=network.body_model.kind)
    inferencer, oracle = inferencer_of(network, people)
    read = []

    def scenes():
        for i in range(6):
            read.append(i)
            given = dict(camera=people.camera, bboxes=people.bbox_px)
            for scene in inferencer.preprocess(noise_picture(i), **given):
                source = replace(scene.frame.source, kind=kind)
                scene.frame = replace(scene.frame, source=source)
                yield scene

    estimated = estimate_scenes(scenes(), inferencer.estimate, 2)
    for i, _ in enumerate(estimated):
        assert len(read) <= i - i % held + held
    assert oracle.batches == [held] * (6 // held)


def test_pictures_without_people_do_not_pile_up_behind_one_with(network):
    people = People(network.body_model, n=1, kind=network.body_model.kind)
    inferencer, oracle = inferencer_of(network, people)
    read = []

    def scenes():
        for i in range(9):
            read.append(i)
            boxes = [people.bbox_px] if i == 0 else [[]]
            yield from inferencer.preprocess(noise_picture(), camera=people.camera, bboxes=boxes)

    for i, scene in enumerate(estimate_scenes(scenes(), inferencer.estimate, 2)):
        assert len(scene.people) == (i == 0)
        assert len(read) <= max(4, i + 1)
    assert oracle.batches == [1]
