"""ParameterHead: parameters straight from two fully connected layers (Table 1, "SMPL param.").

It gives no points in lixels: `ParameterMeshEstimator` makes them, with the camera.
Shapes: B batch, C channels of the feature, P posed joints, D lixels of an axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mmpose.registry import MODELS
from torch import Tensor, nn

from ..head_parts import GAUSSIAN_INIT, dense_block, pool
from ..parameter_regressor import ParameterLayers
from ..parameters import BodyParameters
from .coordinate_head import half_ranges_to_lixel


class PlacedParameters(NamedTuple):
    """A body in the crop's axes, and where its root joint lies in the crop."""

    parameters: BodyParameters
    root_lixel: Tensor  # (B, 2), x and y


@MODELS.register_module()
class ParameterHead(ParameterLayers):
    """Pose in 6D, shape, and the root's place in the crop, from the pooled feature.

    The paper leaves the hidden units open: 30720 give 91.3M parameters with ResNet-50, its 91M.

    Args:
        in_channels: C of the feature map.
        num_pose: P.
        heatmap_size: The codec's lixels (x, y, z).
        hidden_units: Width between the two layers.
        init_cfg: Weight initialisation; the paper's Gaussian by default. The pose starts upright.
    """

    def __init__(
        self,
        in_channels: int,
        num_pose: int,
        heatmap_size: Sequence[int],
        hidden_units: int = 30720,
        init_cfg: Sequence[dict] = GAUSSIAN_INIT,
    ) -> None:
        super().__init__(hidden_units, num_pose, init_cfg)
        self.heatmap_size = tuple(heatmap_size)
        self.hidden = dense_block(in_channels, hidden_units)
        self.root = nn.Linear(hidden_units, 2)

    def forward(self, feature: Tensor) -> PlacedParameters:
        """(B, C, h, w) -> rotations (B, P, 3, 3), betas (B, 10) and the root's place (B, 2)."""
        hidden = self.hidden(pool(feature))
        place = half_ranges_to_lixel(self.root(hidden).float(), self.heatmap_size[:2])
        return PlacedParameters(self.regress(hidden), place)
