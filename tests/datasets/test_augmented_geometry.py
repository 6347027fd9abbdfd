"""Records through the real pipeline, targets and decoding: nothing is lost on the way."""

import numpy as np
import pytest
import torch
from helpers_records import TRAIN_PIPELINE, save_toy_record
from helpers_toy_body import toy_body_data
from mmengine.runner import set_random_seed
from mmengine.structures import InstanceData

from i2l_plugin.body_models import BODY_29, H36M_17, BodyModel
from i2l_plugin.codecs import SoftArgmaxCodec
from i2l_plugin.datasets import MeshDataset
from i2l_plugin.geometry.camera import back_project
from i2l_plugin.geometry.crop import apply_affine, invert_affine
from i2l_plugin.models.targets import build_targets, stack_meta


def decode(codec, lixel, samples, root_depth_mm):
    """Lixels -> crop -> image -> camera mm, step by step."""
    meta = {
        key: stack_meta(samples, key, torch.device('cpu'))
        for key in ('crop_from_image', 'focal_px', 'princpt_px')
    }
    points = codec.to_crop(lixel)
    points = apply_affine(invert_affine(meta['crop_from_image']), points)
    points[..., 2] += root_depth_mm[:, None]
    return back_project(points, meta['focal_px'], meta['princpt_px'])


@pytest.fixture
def samples(tmp_path):
    save_toy_record(tmp_path, n=12)
    set_random_seed(0)
    dataset = MeshDataset('record.npz', data_root=str(tmp_path), pipeline=TRAIN_PIPELINE)
    samples = [dataset[i]['data_samples'] for i in range(len(dataset))]
    assert {sample.mirrored for sample in samples} == {True, False}
    assert len({sample.crop_from_image[0, 1] == 0 for sample in samples}) == 2
    return samples


def test_encoding_decoding_and_back_projecting_returns_camera_millimetres(samples):
    body, codec = BodyModel(toy_body_data('body')), SoftArgmaxCodec()
    targets = build_targets(samples, body, codec)
    labels = InstanceData.cat([sample.gt_instance_labels for sample in samples])
    vertices, joints = body.pose_cam_mm(
        labels.pose, labels.betas, labels.transl_mm, labels.mirrored.bool()
    )
    root_depth = joints[:, BODY_29.root, 2]
    for lixel, truth in ((targets.vertices.lixel, vertices), (targets.fitted_joints.lixel, joints)):
        decoded = decode(codec, lixel, samples, root_depth)
        torch.testing.assert_close(decoded, truth, atol=0.01, rtol=0)


def test_annotated_joints_come_back_as_the_truth_that_metrics_compare_with(samples):
    body, codec = BodyModel(toy_body_data('body')), SoftArgmaxCodec()
    targets = build_targets(samples, body, codec)
    truth = torch.from_numpy(
        np.concatenate([sample.gt_instances.annotated_joints_cam_mm for sample in samples])
    )
    decoded = decode(
        codec,
        targets.annotated_joints.lixel,
        samples,
        truth[:, H36M_17.root, 2],
    )
    for a, name in enumerate(H36M_17.joint_names):
        if name in BODY_29.joint_names:
            torch.testing.assert_close(
                decoded[:, BODY_29.index(name)], truth[:, a], atol=0.01, rtol=0
            )


def test_annotated_and_fitted_joints_agree_in_every_augmentation(samples):
    """The toy record annotates the body's own joints, mirrored by another rule than the pose."""
    targets = build_targets(samples, BodyModel(toy_body_data('body')), SoftArgmaxCodec())
    known = [i for i, name in enumerate(BODY_29.joint_names) if name in H36M_17.joint_names]
    difference = targets.annotated_joints.lixel - targets.fitted_joints.lixel
    assert difference[:, known].abs().max() < 2e-3
