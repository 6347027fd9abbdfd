"""Layers that end in body-model parameters, and the regressor of "+ SMPL regress" (Table 6).

Shapes: B batch, J joints, P posed joints.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from .head_parts import GAUSSIAN_INIT, dense_block
from .parameters import BodyParameters, parameters_of_6d, upright_rot6d

_NUM_BETAS = 10
_HIDDEN_UNITS = (1024, 512)  # of the release


class ParameterLayers(BaseModule):
    """Last layers: hidden units to rotations in 6D and to shape coefficients.

    Args:
        hidden_units: Number of inputs.
        num_pose: P.
        init_cfg: Weight initialisation; the pose starts upright.
    """

    def __init__(self, hidden_units: int, num_pose: int, init_cfg: Sequence[dict]) -> None:
        super().__init__([dict(cfg) for cfg in init_cfg])
        self.pose = nn.Linear(hidden_units, num_pose * 6)
        self.betas = nn.Linear(hidden_units, _NUM_BETAS)

    def init_weights(self) -> None:
        """By `init_cfg`, and the pose upright."""
        super().init_weights()
        with torch.no_grad():
            self.pose.bias.copy_(upright_rot6d(self.pose.out_features // 6))

    def regress(self, hidden: Tensor) -> BodyParameters:
        """(B, hidden_units) -> rotations (B, P, 3, 3) and betas (B, 10)."""
        return parameters_of_6d(self.pose(hidden), self.betas(hidden))


@MODELS.register_module()
class ParameterRegressor(ParameterLayers):
    """Joints in lixels to body-model parameters: layers of 1024 and 512 units, then pose and shape.

    Names and sizes are the release's, so that its converted snapshots load.

    Args:
        num_joints: J.
        num_pose: P.
        init_cfg: Weight initialisation; the paper's Gaussian by default. The pose starts upright.
    """

    def __init__(
        self, num_joints: int, num_pose: int, init_cfg: Sequence[dict] = GAUSSIAN_INIT
    ) -> None:
        first, second = _HIDDEN_UNITS
        super().__init__(second, num_pose, init_cfg)
        self.hidden = nn.Sequential(
            *dense_block(num_joints * 3, first), *dense_block(first, second)
        )

    def forward(self, joints_lixel: Tensor) -> BodyParameters:
        """(B, J, 3) -> rotations (B, P, 3, 3) and betas (B, 10)."""
        return self.regress(self.hidden(joints_lixel.flatten(1)))
