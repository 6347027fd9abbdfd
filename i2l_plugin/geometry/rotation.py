"""Rotations as axis-angle vectors, 3x3 matrices and 6D vectors, and the mirror image of a pose.

Axis-angle: direction = axis, length = angle in rad, in [0, pi] when returned. 6D: the first two
columns of the matrix, stored as a flattened 3x2 view (Zhou et al., CVPR 2019; protocols, section
2). All functions keep finite gradients at the identity and at half turns.
Shape legend: P body-model joints, ... any leading (batch) dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

_SERIES_BELOW = 1e-6  # squared angle under which the Taylor terms are exact in double precision


def axis_angle_to_matrix(axis_angle: Tensor) -> Tensor:
    """Rodrigues' formula, R = I + sin(t)/t K + (1 - cos t)/t^2 K^2. (..., 3) -> (..., 3, 3)."""
    x, y, z = axis_angle.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1)
    cross = cross.unflatten(-1, (3, 3))

    angle2 = axis_angle.square().sum(dim=-1)
    small = angle2 < _SERIES_BELOW
    angle = torch.where(small, 1.0, angle2).sqrt()  # the unused branch stays away from sqrt'(0)
    sin_term = torch.where(small, 1 - angle2 / 6 + angle2.square() / 120, angle.sin() / angle)
    half_sinc = (angle / 2).sin() / (angle / 2)
    cos_term = torch.where(small, 0.5 - angle2 / 24 + angle2.square() / 720, half_sinc.square() / 2)
    identity = torch.eye(3, dtype=axis_angle.dtype, device=axis_angle.device)
    return identity + sin_term[..., None, None] * cross + cos_term[..., None, None] * cross @ cross


def _matrix_to_quaternion(matrix: Tensor) -> Tensor:
    """Unit quaternion (w, x, y, z) with w >= 0, found from its largest component."""
    m00, m01, m02, m10, m11, m12, m20, m21, m22 = matrix.flatten(-2).unbind(-1)
    a, b, c = m21 - m12, m02 - m20, m10 - m01
    d, e, f = m10 + m01, m02 + m20, m21 + m12
    squares = torch.stack(
        [1 + m00 + m11 + m22, 1 + m00 - m11 - m22, 1 - m00 + m11 - m22, 1 - m00 - m11 + m22], -1
    )
    w2, x2, y2, z2 = squares.unbind(-1)
    # row i = 4 * q[i] * q; the row of the largest q[i] is never near zero
    rows = torch.stack([w2, a, b, c, a, x2, d, e, b, d, y2, f, c, e, f, z2], dim=-1)
    rows = rows.unflatten(-1, (4, 4))
    largest = squares.argmax(dim=-1)[..., None, None].expand(*squares.shape[:-1], 1, 4)
    quaternion = F.normalize(rows.gather(-2, largest).squeeze(-2), dim=-1)
    return torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)


def matrix_to_axis_angle(matrix: Tensor) -> Tensor:
    """Axis-angle vector of rotation matrices, length in [0, pi]. (..., 3, 3) -> (..., 3)."""
    quaternion = _matrix_to_quaternion(matrix)
    w, xyz = quaternion[..., :1], quaternion[..., 1:]
    sin2 = xyz.square().sum(dim=-1, keepdim=True)  # of the half angle
    small = sin2 < _SERIES_BELOW
    sin = torch.where(small, 1.0, sin2).sqrt()
    # 2 asin(s) / s near 0, where w is near 1
    series = 2 + sin2 / 3 + sin2.square() * 3 / 20
    return xyz * torch.where(small, series, 2 * torch.atan2(sin, w) / sin)


def rot6d_to_matrix(rot6d: Tensor) -> Tensor:
    """Gram-Schmidt on the two columns of the 3x2 view. (..., 6) -> (..., 3, 3).

    The columns need not be orthogonal or of unit length, but neither zero nor parallel.
    """
    first, second = rot6d.unflatten(-1, (3, 2)).unbind(-1)
    x_axis = F.normalize(first, dim=-1)
    y_axis = F.normalize(second - (x_axis * second).sum(-1, keepdim=True) * x_axis, dim=-1)
    return torch.stack([x_axis, y_axis, torch.linalg.cross(x_axis, y_axis)], dim=-1)


def matrix_to_rot6d(matrix: Tensor) -> Tensor:
    """The first two columns, flattened row by row. (..., 3, 3) -> (..., 6)."""
    return matrix[..., :2].flatten(-2)


def mirror_pose(pose: Tensor, mirror_order: Sequence[int]) -> Tensor:
    """Pose of the mirror image of a body (mirrored about its plane x = 0).

    Left and right joints change places, and every rotation (a, b, c) becomes (a, -b, -c).

    Args:
        pose: (..., P, 3) axis-angle.
        mirror_order: P indices, ``mirrored[i] = pose[mirror_order[i]]``.

    Returns:
        (..., P, 3).

    Raises:
        ValueError: If `mirror_order` does not have one entry a joint.
    """
    if len(mirror_order) != pose.shape[-2]:
        raise ValueError(
            f'mirror_order: got {len(mirror_order)} indices, expected {pose.shape[-2]}, one for '
            f'each joint of the pose {tuple(pose.shape)}'
        )
    sign = torch.tensor([1, -1, -1], dtype=pose.dtype, device=pose.device)
    return pose[..., list(mirror_order), :] * sign
