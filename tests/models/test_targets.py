"""Targets of a batch against poses, projections and masks computed one by one in numpy."""

import numpy as np
import pytest
import torch
from helpers_models import FOCAL_PX, INPUT_PX, LIXELS, PRINCPT_PX, make_sample, toy_body

from i2l_plugin.codecs import SoftArgmaxCodec
from i2l_plugin.geometry.rotation import mirror_pose
from i2l_plugin.models.targets import build_targets


@pytest.fixture(scope='module')
def body():
    return toy_body()


@pytest.fixture
def codec():
    return SoftArgmaxCodec((INPUT_PX, INPUT_PX), (LIXELS,) * 3, 2000)


def naive_lixels(points_cam_mm, root_depth_mm, crop):
    """Project, crop, encode, one point at a time."""
    out = []
    for x, y, z in points_cam_mm:
        pixel = np.array([FOCAL_PX * x / z + PRINCPT_PX, FOCAL_PX * y / z + PRINCPT_PX, 1])
        u, v = crop @ pixel
        depth = ((z - root_depth_mm) / 1000 + 1) / 2 * LIXELS
        out.append([u / INPUT_PX * LIXELS, v / INPUT_PX * LIXELS, depth])
    return np.array(out)


def pose_one(body, sample):
    labels = sample.gt_instance_labels
    out = body(labels.pose, labels.betas, labels.transl_mm / 1000)
    return out.vertices_m[0].numpy() * 1000, out.joints_m[0].numpy() * 1000


def test_targets_of_each_sample_are_its_projected_posed_body(body, codec):
    rotated = np.array([[0.18, 0.05, 10.0], [-0.05, 0.18, 15.0]])
    samples = [make_sample(body, 0), make_sample(body, 1, crop_from_image=rotated)]
    targets = build_targets(samples, body, codec)
    for i, sample in enumerate(samples):
        vertices, joints = pose_one(body, sample)
        crop = sample.metainfo['crop_from_image']
        expected = naive_lixels(vertices, joints[0, 2], crop)
        np.testing.assert_allclose(targets.vertices.lixel[i], expected, atol=1e-3)
        inside = ((expected >= 0) & (expected < LIXELS)).all(1)
        assert inside.sum() > 0
        np.testing.assert_array_equal(targets.vertices.weight[i], np.repeat(inside[:, None], 3, 1))
        expected = naive_lixels(joints, joints[0, 2], crop)
        np.testing.assert_allclose(targets.fitted_joints.lixel[i], expected, atol=1e-3)
        np.testing.assert_array_equal(targets.joints.lixel[i], targets.fitted_joints.lixel[i])


def test_points_outside_the_volume_have_no_weight(body, codec):
    far_left = make_sample(body, transl_mm=np.array([[-1500.0, 0, 3000]]))
    targets = build_targets([far_left], body, codec)
    assert targets.vertices.weight.sum() == 0
    assert targets.fitted_joints.weight.sum() == 0


def test_annotated_joints_are_cropped_encoded_and_masked(body, codec):
    joints = np.tile(np.array([[[160.0, 80.0, 500.0]]]), (1, body.num_joints, 1))
    joints[0, 1] = [330, 80, 0]  # right of the crop
    joints[0, 2] = [160, 80, 1001]  # behind the volume
    valid = np.ones((1, body.num_joints))
    valid[0, 3] = 0
    target = build_targets(
        [make_sample(body, joints_img=joints, joints_valid=valid)], body, codec
    ).annotated_joints
    np.testing.assert_allclose(target.lixel[0, 0], [8, 4, 12])
    assert target.weight[0, :4].tolist() == [[1, 1, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert target.weight[0, 4:].min() == 1


def test_without_depth_only_x_and_y_count_whatever_the_depth_says(body, codec):
    joints = np.tile(np.array([[[160.0, 80.0, 9e6]]]), (1, body.num_joints, 1))
    sample = make_sample(body, joints_img=joints, has_depth=np.zeros(1))
    weight = build_targets([sample], body, codec).annotated_joints.weight
    assert weight.unique(dim=1).tolist() == [[[1, 1, 0]]]


def test_joints_are_annotated_where_the_fit_is_invalid(body, codec):
    samples = [make_sample(body, 0), make_sample(body, 1, fit_valid=np.zeros(1))]
    targets = build_targets(samples, body, codec)
    torch.testing.assert_close(targets.joints.lixel[0], targets.fitted_joints.lixel[0])
    torch.testing.assert_close(targets.joints.lixel[1], targets.annotated_joints.lixel[1])
    torch.testing.assert_close(targets.joints.weight[1], targets.annotated_joints.weight[1])
    assert targets.vertices.weight[0].sum() > 0
    assert targets.vertices.weight[1].sum() == 0
    assert targets.fitted_joints.weight[1].sum() == 0


def test_a_missing_fit_of_zeros_leaves_the_weighted_targets_finite(body, codec):
    missing = make_sample(
        body, fit_valid=np.zeros(1), transl_mm=np.zeros((1, 3)), pose=np.zeros((1, 24, 3))
    )
    targets = build_targets([missing], body, codec)
    assert torch.isfinite(targets.joints.lixel[targets.joints.weight > 0]).all()
    assert torch.isfinite(targets.vertices.weight).all()


def test_a_mirrored_sample_has_mirrored_lixels(body, codec):
    """The mirrored body in the mirrored camera; vertices keep their order."""
    plain = make_sample(body)
    labels = plain.gt_instance_labels
    order = body.joint_set.mirror_order
    mirrored = make_sample(
        body,
        pose=mirror_pose(labels.pose, order[:24]).numpy(),
        betas=labels.betas.numpy(),
        mirrored=np.ones(1),
    )
    width = 321  # of an image whose mirrored principal point is 320 - 160 = 160
    mirrored.set_metainfo(dict(princpt_px=np.array([width - 1 - PRINCPT_PX, PRINCPT_PX])))
    targets = build_targets([plain, mirrored], body, codec)
    joints, flipped = targets.fitted_joints.lixel
    crop_width_lixel = (width - 1) * LIXELS / 320
    expected = joints[list(order)] * torch.tensor([-1.0, 1, 1])
    expected[:, 0] += crop_width_lixel
    torch.testing.assert_close(flipped, expected, atol=2e-3, rtol=0)
