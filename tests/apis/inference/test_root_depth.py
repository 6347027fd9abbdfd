"""How far away people are: from a RootNet on crops of its own, or from the size of their boxes."""

import numpy as np
import pytest
import torch
from helpers_inference import IMAGE_SIZE, People, noise_picture, tiny_network
from helpers_runs import ROOT, make_project, tiny_config

from i2l_plugin.apis.inference.boxes import given_boxes
from i2l_plugin.apis.inference.cameras import CameraFinder
from i2l_plugin.apis.inference.crops import PersonCrops, predict
from i2l_plugin.apis.inference.frames import read_frames
from i2l_plugin.apis.inference.mesh_inferencer import MeshInferencer
from i2l_plugin.apis.inference.root_depth import RootNetDepths, box_depths_mm
from i2l_plugin.apis.inference.scene import ROOTNET, Scene
from i2l_plugin.models.decoding import read_views
from i2l_plugin.models.rootnet import RootEstimate

ROOTNET_CONFIG = ROOT / 'configs/body/rootnet_res50_4xb32-20e_synthetic-256x256.py'
HAND_ROOTNET = ROOT / 'configs/hand/rootnet_res50_4xb32-20e_synthetic-256x256.py'


def rootnet_config(folder, kind='body'):
    return tiny_config(
        HAND_ROOTNET if kind == 'hand' else ROOTNET_CONFIG,
        make_project(folder / f'rootnet_{kind}', kind, people=2),
    )


@pytest.fixture(scope='module')
def network(tmp_path_factory):
    return tiny_network(tmp_path_factory.mktemp('network'))


@pytest.fixture(scope='module')
def rootnet(tmp_path_factory):
    """Random weights, on the toy body."""
    torch.manual_seed(0)
    config = rootnet_config(tmp_path_factory.mktemp('rootnet'))
    return RootNetDepths(config, None, 'body', 'cpu')


@pytest.fixture
def scene(network):
    """Three people whose boxes are not grown yet."""
    people = People(network.body_model, n=3)
    (frame,) = read_frames(noise_picture())
    camera = CameraFinder(people.camera)(*IMAGE_SIZE)
    boxes = given_boxes(people.bbox_px, *IMAGE_SIZE, 'a')
    return Scene.of(frame, camera, boxes, ROOTNET), people


def test_the_boxs_depth_is_rootnets_own_with_gamma_1(scene, rootnet, monkeypatch):
    """By RootNet's crop and decoding, not by a formula of the test."""

    def gamma_1(inputs):
        return RootEstimate(torch.full((len(inputs), 1, 2), 8.0), torch.ones(len(inputs)))

    monkeypatch.setattr(rootnet.model, 'estimate', gamma_1)
    expected = rootnet(scene[0].people)
    np.testing.assert_allclose(box_depths_mm(scene[0].people, 2000.0), expected, rtol=1e-5)
    assert np.ptp(expected) > 100


def test_a_perfect_gamma_gives_the_true_depths(scene, rootnet, monkeypatch):
    scene, people = scene
    crops = PersonCrops(rootnet.model.cfg, rootnet.model.body_model)
    views = read_views([crops(person)['data_samples'] for person in scene.people], 'cpu')
    k_mm = rootnet.model.box_depth_mm(views)
    gamma = torch.from_numpy(people.root_depths_mm) / k_mm
    estimate = RootEstimate(torch.full((3, 1, 2), 8.0), gamma)
    monkeypatch.setattr(rootnet.model, 'estimate', lambda inputs: estimate)  # noqa: ARG005
    np.testing.assert_allclose(rootnet(scene.people), people.root_depths_mm, rtol=1e-6)


def test_rootnet_sees_its_own_crops_of_each_person(scene, rootnet):
    people = scene[0].people
    alone = [float(rootnet([person])[0]) for person in people]
    np.testing.assert_allclose(rootnet(people), alone, rtol=1e-5)
    crops = PersonCrops(rootnet.model.cfg, rootnet.model.body_model)
    samples = predict(rootnet.model, [crops(person) for person in people])
    np.testing.assert_allclose(
        rootnet(people), [s.pred_instances.root_cam[0, 2] for s in samples], rtol=1e-6
    )


def test_the_inferencer_places_meshes_where_its_rootnet_says(network, tmp_path, scene):
    config = rootnet_config(tmp_path)
    torch.manual_seed(0)
    inferencer = MeshInferencer(network, root_model=config, device='cpu')
    rootnet = inferencer.estimate.root_depths
    _, people = scene
    given = dict(camera=people.camera, bboxes=people.bbox_px)
    (result,) = inferencer(noise_picture(), return_datasamples=True, **given)
    found = result['predictions'][0]
    assert found.metainfo['root_depth_source'] == 'RootNet'
    expected = rootnet(scene[0].people)
    np.testing.assert_allclose(found.pred_instances.root_depth_mm, expected, rtol=1e-5)
    depths = dict(root_depths=expected)
    (result,) = MeshInferencer(network)(noise_picture(), return_datasamples=True, **given, **depths)
    np.testing.assert_allclose(
        found.pred_instances.vertices_cam,
        result['predictions'][0].pred_instances.vertices_cam,
        atol=0.1,
    )


def test_given_depths_come_before_rootnets(network, rootnet, scene):
    inferencer = MeshInferencer(network)
    inferencer.estimate.root_depths = rootnet
    given = dict(bboxes=scene[1].bbox_px, root_depths=[3000, 4000, 5000])
    (result,) = inferencer(noise_picture(), return_datasamples=True, **given)
    sample = result['predictions'][0]
    assert sample.pred_instances.root_depth_mm.tolist() == [3000, 4000, 5000]
    assert sample.metainfo['root_depth_source'] == 'given'


@pytest.mark.parametrize('depths', [[3000, 4000], [3000, 4000, -1], [3000, 4000, np.nan]])
def test_depths_that_do_not_fit_the_boxes_are_refused(network, scene, depths):
    with pytest.raises(ValueError, match=r'root_depths of array: .*3 numbers > 0 in mm'):
        list(MeshInferencer(network)(noise_picture(), bboxes=scene[1].bbox_px, root_depths=depths))


def test_depths_of_people_who_are_yet_to_be_found_are_refused(network):
    inferencer = MeshInferencer(network, det_model=lambda image: np.zeros((0, 5)))  # noqa: ARG005
    with pytest.raises(ValueError, match='give bboxes too'):
        inferencer(noise_picture(), root_depths=[3000])


def test_a_config_of_something_else_is_no_rootnet(network, tmp_path):
    with pytest.raises(ValueError, match='is no RootNet'):
        MeshInferencer(network, root_model=network.cfg, device='cpu')
    hand = rootnet_config(tmp_path, 'hand')
    with pytest.raises(ValueError, match='a RootNet of a hand, expected one of a body'):
        MeshInferencer(network, root_model=hand, device='cpu')


def test_the_longer_side_of_a_box_tells_its_depth():
    """A box that lies is as far away as one that stands: f 2000 / (1.25 longer side), f = 500."""
    from types import SimpleNamespace

    scene = SimpleNamespace(camera=SimpleNamespace(focal_px=np.full(2, 500, np.float32)))
    people = [
        SimpleNamespace(scene=scene, bbox_px=np.array(box, np.float32))
        for box in ([10, 20, 60, 220], [10, 20, 210, 70])
    ]
    np.testing.assert_allclose(box_depths_mm(people, 2000), [4000, 4000], rtol=1e-5)
