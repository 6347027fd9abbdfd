import math

import cv2
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from i2l_plugin.body_models.joint_sets import BODY_29
from i2l_plugin.geometry.rotation import (
    axis_angle_to_matrix,
    matrix_to_axis_angle,
    matrix_to_rot6d,
    mirror_pose,
    rot6d_to_matrix,
)

ANGLES = [0, 1e-12, 1e-6, 9e-4, 1.1e-3, 0.3, 1.5, 3.0, math.pi - 1e-4, math.pi - 1e-9]


def vectors(angle, n=20):
    axes = torch.from_numpy(np.random.default_rng(0).normal(size=(n, 3)))
    return angle * axes / axes.norm(dim=-1, keepdim=True)


@pytest.mark.parametrize('angle', ANGLES)
def test_matrices_are_those_of_scipy_and_opencv(angle):
    axis_angle = vectors(angle)
    matrices = axis_angle_to_matrix(axis_angle)
    truth = Rotation.from_rotvec(axis_angle.numpy()).as_matrix()
    np.testing.assert_allclose(matrices, truth, atol=1e-14)
    np.testing.assert_allclose(matrices[0], cv2.Rodrigues(axis_angle[0].numpy())[0], atol=1e-12)


@pytest.mark.parametrize('angle', ANGLES)
def test_axis_angle_survives_the_round_trip_even_near_half_turns(angle):
    axis_angle = vectors(angle)
    again = matrix_to_axis_angle(axis_angle_to_matrix(axis_angle))
    torch.testing.assert_close(again, axis_angle, atol=1e-12, rtol=0)


def test_angles_beyond_a_half_turn_come_back_as_scipys_short_way_round():
    axis_angle = vectors(5.0)
    truth = Rotation.from_rotvec(axis_angle.numpy()).as_rotvec()
    np.testing.assert_allclose(
        matrix_to_axis_angle(axis_angle_to_matrix(axis_angle)), truth, atol=1e-12
    )


@pytest.mark.parametrize('axis', [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.6, 0, -0.8]])
def test_exact_half_turns_give_one_of_the_two_axes(axis):
    axis = torch.tensor(axis, dtype=torch.float64)
    matrix = 2 * torch.outer(axis, axis) - torch.eye(3, dtype=torch.float64)
    axis_angle = matrix_to_axis_angle(matrix)
    assert axis_angle.norm().item() == pytest.approx(math.pi)
    assert abs(axis_angle @ axis).item() == pytest.approx(math.pi)


@pytest.mark.parametrize('angle', [0, 1e-25, 1e-10, 1e-3, 1.0, math.pi - 1e-4])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_gradients_are_finite(angle, dtype):
    axis_angle = vectors(angle).to(dtype).requires_grad_()
    weights = torch.arange(9, dtype=dtype).reshape(3, 3)
    (axis_angle_to_matrix(axis_angle) * weights).sum().backward()
    assert axis_angle.grad.isfinite().all()

    matrix = axis_angle_to_matrix(axis_angle.detach()).requires_grad_()
    matrix_to_axis_angle(matrix).sum().backward()
    assert matrix.grad.isfinite().all()


@pytest.mark.parametrize('angle', [1e-5, 9e-4, 0.5, 3.1])
def test_gradients_are_the_numerical_ones(angle):
    assert torch.autograd.gradcheck(
        lambda v: matrix_to_axis_angle(axis_angle_to_matrix(v)),
        vectors(angle, n=3).requires_grad_(),
    )
    assert torch.autograd.gradcheck(axis_angle_to_matrix, vectors(angle, n=3).requires_grad_())


def test_rot6d_holds_the_first_two_columns():
    matrix = axis_angle_to_matrix(vectors(1.2))
    rot6d = matrix_to_rot6d(matrix)
    for i in range(3):
        torch.testing.assert_close(rot6d[:, 2 * i], matrix[:, i, 0])
        torch.testing.assert_close(rot6d[:, 2 * i + 1], matrix[:, i, 1])
    torch.testing.assert_close(rot6d_to_matrix(rot6d), matrix)


def test_rot6d_of_any_two_columns_is_the_q_of_a_qr_decomposition():
    rot6d = torch.from_numpy(np.random.default_rng(1).normal(size=(50, 6)))
    matrices = rot6d_to_matrix(rot6d)
    q, r = np.linalg.qr(rot6d.reshape(-1, 3, 2).numpy())
    signed = q * np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None]
    np.testing.assert_allclose(matrices[..., :2], signed, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(matrices), 1)


def test_a_mirrored_rotation_is_its_matrix_between_two_mirrors():
    pose = vectors(2.1, n=24)
    mirrored = mirror_pose(pose, range(24))
    flip = torch.diag(torch.tensor([-1.0, 1, 1], dtype=torch.float64))
    torch.testing.assert_close(
        axis_angle_to_matrix(mirrored), flip @ axis_angle_to_matrix(pose) @ flip
    )


def test_mirroring_a_pose_exchanges_left_and_right_and_undoes_itself():
    pose = vectors(2.1, n=48).reshape(2, 24, 3)
    order = BODY_29.mirror_order[:24]
    mirrored = mirror_pose(pose, order)
    left, right = BODY_29.index('L_Elbow'), BODY_29.index('R_Elbow')
    torch.testing.assert_close(mirrored[:, left, 0], pose[:, right, 0])
    torch.testing.assert_close(mirrored[:, left, 1:], -pose[:, right, 1:])
    assert torch.equal(mirror_pose(mirrored, order), pose)


def test_a_mirror_order_for_another_body_is_refused():
    with pytest.raises(ValueError, match='mirror_order: got 29 indices, expected 24'):
        mirror_pose(torch.zeros(24, 3), BODY_29.mirror_order)
