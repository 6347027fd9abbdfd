"""What is told of a picture: the mesh survives into JSON and .npz, and anyone can read it back."""

import io
import json

import numpy as np
import pytest
from helpers_inference import Oracle, People, fields_of, noise_picture, tiny_network
from mmpose.structures import split_instances

from i2l_plugin.apis.inference.mesh_inferencer import MeshInferencer
from i2l_plugin.apis.inference.results import instances_of, npz_of
from i2l_plugin.apis.inference.tracking import track_people


@pytest.fixture(scope='module')
def network(tmp_path_factory):
    return tiny_network(tmp_path_factory.mktemp('results'))


@pytest.fixture(scope='module')
def sample(network):
    """A scene sample of two people whose truth is known."""
    people = People(network.body_model, n=2)
    inferencer = MeshInferencer(network)
    inferencer.estimate.estimator = Oracle(network, people)
    given = dict(bboxes=people.bbox_px, root_depths=people.root_depths_mm, camera=people.camera)
    (result,) = inferencer(noise_picture(), return_datasamples=True, **given)
    return result['predictions'][0]


def test_instances_hold_the_hosts_fields_as_the_host_writes_them(sample):
    hosts = json.loads(json.dumps(split_instances(sample.pred_instances), default=float))
    ours = json.loads(json.dumps(instances_of(sample), allow_nan=False))
    assert len(ours) == 2
    for own, host in zip(ours, hosts, strict=True):
        assert set(host) <= set(own)
        for name, values in host.items():
            np.testing.assert_allclose(own[name], values, atol=1e-4)


def test_instances_hold_the_mesh_the_camera_and_where_all_is_from(sample):
    ours = json.loads(json.dumps(instances_of(sample), allow_nan=False))
    people = sample.pred_instances
    for i, own in enumerate(ours):
        for name in ('vertices_cam', 'joints_cam', 'posenet_joints_cam', 'vertex_spread'):
            np.testing.assert_allclose(own[name], people[name][i], atol=1e-4)
        assert own['root_depth_mm'] == pytest.approx(float(people.root_depth_mm[i]), abs=1e-4)
        assert own['camera']['focal_px'] == [400, 420]
        assert own['camera']['princpt_px'] == [165, 118]
        assert own['camera']['source'] == 'given intrinsics'
        assert own['bbox_source'] == 'given'
        assert own['root_depth_source'] == 'given'
        assert 'track_id' not in own


def test_people_of_videos_have_their_numbers(sample):
    (tracked,) = track_people([sample.clone()])
    assert [own['track_id'] for own in instances_of(tracked)] == [0, 1]


def test_npz_holds_everything_as_it_is_and_needs_no_pickle(sample, network):
    body = network.body_model
    names = body.joint_set.joint_names
    data = npz_of(sample, body.faces.numpy(), names)
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        for name, values in fields_of(sample.pred_instances).items():
            np.testing.assert_array_equal(arrays[name], values)
            assert arrays[name].dtype == values.dtype
        np.testing.assert_array_equal(arrays['faces'], body.faces.numpy())
        assert arrays['joint_names'].tolist() == list(names)
        assert arrays['focal_px'].tolist() == [400, 420]
        assert arrays['princpt_px'].tolist() == [165, 118]
        assert arrays['ori_shape'].tolist() == [240, 320]
        assert str(arrays['camera_source']) == 'given intrinsics'
        assert str(arrays['bbox_source']) == 'given'
        assert str(arrays['root_depth_source']) == 'given'
        assert str(arrays['img_path']) == ''
        assert np.isnan(arrays['time_s'])
        x, y, z = np.moveaxis(arrays['vertices_cam'], -1, 0)
        image = np.stack([400 * x / z + 165, 420 * y / z + 118, z], axis=-1)
        np.testing.assert_allclose(arrays['vertices_img'], image, atol=1e-2)


def test_a_picture_without_people_has_empty_arrays_and_its_sources(network):
    (result,) = MeshInferencer(network)([noise_picture()], bboxes=[[]], return_datasamples=True)
    empty = result['predictions'][0]
    assert instances_of(empty) == []
    with np.load(io.BytesIO(npz_of(empty, np.zeros((1, 3)), ['a']))) as arrays:
        assert arrays['vertices_cam'].shape == (0, network.body_model.num_vertices, 3)
        assert arrays['joints_cam'].shape == (0, network.body_model.num_joints, 3)
        assert str(arrays['bbox_source']) == 'given'
    (result,) = MeshInferencer(network)(noise_picture(), return_datasamples=True)
    full = fields_of(result['predictions'][0].pred_instances)
    found = fields_of(empty.pred_instances)
    assert {name: (v.shape[1:], v.dtype) for name, v in found.items()} == {
        name: (v.shape[1:], v.dtype) for name, v in full.items()
    }


def test_a_network_that_says_nan_is_reported_by_the_picture(network):
    inferencer = MeshInferencer(network)
    sound = inferencer.estimate.estimator

    def broken(packed):
        samples = sound(packed)
        samples[0].pred_instances.vertices_cam[0, 0, 0] = np.nan
        return samples

    inferencer.estimate.estimator = broken
    with pytest.raises(ValueError, match=r'array: .*vertices_cam are not finite'):
        list(inferencer(noise_picture()))
