"""Body-model parameters as networks regress them, and the body that they pose.

A network sees the crop, so it regresses the orientation of the root in the crop's axes: those of
the camera, turned about the optical axis with the picture (`crop_rotation`). They differ where
augmentation rotates the picture; tests do not.
Shapes: B batch, P posed joints, V vertices, J joints.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from i2l_plugin.body_models import BodyModel
from i2l_plugin.geometry.crop import crop_rotation
from i2l_plugin.geometry.rotation import (
    axis_angle_to_matrix,
    matrix_to_axis_angle,
    matrix_to_rot6d,
    rot6d_to_matrix,
)


class BodyParameters(NamedTuple):
    """Pose and shape of a batch of people."""

    rotations: Tensor  # (B, P, 3, 3), root first; a hand's mean pose is not in them
    betas: Tensor  # (B, 10)

    def pose(self) -> Tensor:
        """Axis-angle in rad, as `BodyModel` takes it. -> (B, P, 3)."""
        return matrix_to_axis_angle(self.rotations)

    def turned(self, rotation: Tensor) -> BodyParameters:
        """The same bodies in other axes, by the rotations (B, 3, 3) that take the old to them."""
        root = rotation[:, None] @ self.rotations[:, :1]
        return self._replace(rotations=torch.cat([root, self.rotations[:, 1:]], dim=1))

    def in_camera(self, crop_from_image: Tensor) -> BodyParameters:
        """From the axes of crops (B, 2, 3) to those of their cameras."""
        return self.turned(crop_rotation(crop_from_image).transpose(-1, -2))


def parameters_of_6d(rot6d: Tensor, betas: Tensor) -> BodyParameters:
    """What a network's last layers give, in float32. (B, P * 6) and (B, 10)."""
    with torch.autocast(rot6d.device.type, enabled=False):
        rotations = rot6d_to_matrix(rot6d.float().unflatten(-1, (-1, 6)))
    return BodyParameters(rotations, betas.float())


def parameters_of_pose(pose: Tensor, betas: Tensor) -> BodyParameters:
    """Of axis-angle poses (B, P, 3) and coefficients (B, 10)."""
    return BodyParameters(axis_angle_to_matrix(pose), betas)


def upright_rot6d(num_pose: int) -> Tensor:
    """The rest pose, upright before a camera whose y points down, in 6D: where regression starts.

    The start of HMR and SPIN is upright, too. (P * 6,)
    """
    pose = torch.zeros(num_pose, 3)
    pose[0, 0] = math.pi
    return matrix_to_rot6d(axis_angle_to_matrix(pose)).flatten()


def pose_about_root(body_model: BodyModel, parameters: BodyParameters) -> tuple[Tensor, Tensor]:
    """Vertices (B, V, 3) and joints (B, J, 3) in mm, the root joint at the origin; differentiable.

    Their axes are those of the parameters' root.
    """
    origin = parameters.betas.new_zeros(len(parameters.betas), 3)
    vertices, joints = body_model.pose_cam_mm(parameters.pose(), parameters.betas, origin)
    root = joints[:, body_model.joint_set.root, None]
    return vertices - root, joints - root
