"""People without truth are cropped as those of a data set; the function that needs no class."""

import cv2
import numpy as np
import pytest
import torch
from helpers_inference import noise_picture, tiny_network
from helpers_runs import HAND_CONFIG, make_project, tiny_config
from mmengine.registry import DefaultScope
from mmpose.registry import DATASETS

from i2l_plugin.apis import MeshInferencer, infer_meshes
from i2l_plugin.apis.inference.boxes import given_boxes
from i2l_plugin.apis.inference.cameras import CameraFinder
from i2l_plugin.apis.inference.crops import PersonCrops, find_test_pipeline
from i2l_plugin.apis.inference.frames import read_frames
from i2l_plugin.apis.inference.scene import GIVEN, Scene


@pytest.fixture(scope='module')
def network(tmp_path_factory):
    return tiny_network(tmp_path_factory.mktemp('crops'))


@pytest.fixture(scope='module')
def record(network):
    """The test set of the network's config."""
    with DefaultScope.overwrite_default_scope('mmpose'):
        return DATASETS.build(network.cfg.test_dataloader.dataset)


def test_the_crops_are_those_of_the_data_set(network, record):
    crops = PersonCrops(network.cfg, network.body_model)
    for i in range(len(record)):
        expected = record[i]
        meta = expected['data_samples'].metainfo
        (frame,) = read_frames(meta['img_path'])
        size = frame.image_bgr.shape[1::-1]
        camera = dict(focal_px=meta['focal_px'], princpt_px=meta['princpt_px'])
        boxes = given_boxes(record.record['bbox_px'][[i]], *size, 'a')
        depth = np.array([meta['root_depth_mm']], np.float32)
        scene = Scene.of(frame, CameraFinder(camera)(*size), boxes, GIVEN, depth)
        packed = crops(scene.people[0])
        assert torch.equal(packed['inputs'], expected['inputs'])
        found = packed['data_samples']
        for name in ('crop_from_image', 'focal_px', 'princpt_px', 'root_depth_mm', 'bbox_px'):
            np.testing.assert_array_equal(found.metainfo[name], meta[name], err_msg=name)
        assert 'gt_instance_labels' not in found
        assert set(found.gt_instances.keys()) == {'bboxes', 'bbox_scores'}


def test_the_network_says_the_same_of_a_picture_and_of_its_data_set(network, record):
    from mmengine.dataset import pseudo_collate

    with torch.no_grad():
        samples = network.test_step(pseudo_collate([record[i] for i in range(len(record))]))
    for i, expected in enumerate(samples):
        meta = expected.metainfo
        found = infer_meshes(
            network,
            meta['img_path'],
            record.record['bbox_px'][[i]],
            [meta['root_depth_mm']],
            dict(focal_px=meta['focal_px'], princpt_px=meta['princpt_px']),
        )
        np.testing.assert_allclose(
            found.pred_instances.vertices_cam, expected.pred_instances.vertices_cam, atol=0.05
        )


def test_the_function_and_the_class_agree(network, tmp_path):
    boxes, depths = [[10, 20, 100, 200], [50, 60, 300, 230]], [3000, 4000]
    cv2.imwrite(str(tmp_path / 'a.png'), noise_picture())
    given = dict(bboxes=boxes, root_depths=depths, fov=50)
    sample = infer_meshes(network, tmp_path / 'a.png', batch_size=2, **given)
    (result,) = MeshInferencer(network)(
        str(tmp_path / 'a.png'), return_datasamples=True, batch_size=2, **given
    )
    theirs = result['predictions'][0]
    for name, values in sample.pred_instances.items():
        np.testing.assert_array_equal(values, theirs.pred_instances[name])
    assert {k: str(v) for k, v in sample.metainfo.items()} == {
        k: str(v) for k, v in theirs.metainfo.items()
    }
    array = infer_meshes(network, noise_picture(), batch_size=2, **given)
    np.testing.assert_array_equal(
        array.pred_instances.vertices_cam, sample.pred_instances.vertices_cam
    )


def test_the_whole_picture_is_the_box_that_is_not_given(network):
    sample = infer_meshes(network, noise_picture())
    assert sample.pred_instances.bboxes.tolist() == [[0, 0, 319, 239]]
    assert sample.metainfo['bbox_source'] == 'whole image'


def test_a_picture_that_cannot_be_read_is_an_error_of_the_function(network, tmp_path):
    (tmp_path / 'a.png').write_bytes(b'junk')
    with pytest.raises(ValueError, match=r'a\.png: the file is damaged'):
        infer_meshes(network, tmp_path / 'a.png')
    with pytest.raises(FileNotFoundError, match='nowhere'):
        infer_meshes(network, tmp_path / 'nowhere.png')


def test_pipelines_are_found_in_wrapped_data_sets_and_missed_by_name():
    pipeline = [dict(type='LoadImage')]
    inner = dict(type='MeshDataset', pipeline=pipeline)
    for dataset in (
        inner,
        dict(type='Repeat', dataset=inner),
        dict(type='CombinedDataset', pipeline=[], datasets=[inner, {}]),
    ):
        assert find_test_pipeline(dict(test_dataloader=dict(dataset=dataset))) == pipeline
    for config in ({}, dict(test_dataloader=dict(dataset=dict(type='MeshDataset')))):
        with pytest.raises(ValueError, match=r'no test_dataloader\.dataset\.pipeline'):
            find_test_pipeline(config)


def test_hands_are_never_mirrored(tmp_path):
    config = tiny_config(HAND_CONFIG, make_project(tmp_path / 'project', 'hand', people=2))
    config.test_dataloader.dataset.pipeline.insert(1, dict(type='RandomMirror'))
    hand = tiny_network(tmp_path, 'hand')
    with pytest.raises(ValueError, match='RandomMirror makes left hands'):
        PersonCrops(config, hand.body_model)
