"""CoordinateHead: coordinates straight from two fully connected layers (Table 1, "xyz coord.").

Shapes: B batch, N points, C channels of the feature, D lixels of an axis.
"""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from ..head_parts import GAUSSIAN_INIT, dense_block, pool


def half_ranges_to_lixel(values: Tensor, heatmap_size: Sequence[int]) -> Tensor:
    """Numbers around 0 to lixels: -1 and 1 are the volume's borders, 0 its middle. (..., A)."""
    half = values.new_tensor(heatmap_size) / 2
    return half + half * values


@MODELS.register_module()
class CoordinateHead(BaseModule):
    """Every coordinate a number of the last layer, in halves of the volume from its middle.

    It models no uncertainty: its spread is zero. The paper leaves the hidden units open: 4096 give
    116.6M parameters with ResNet-50 on a body, its 117M.

    Args:
        in_channels: C of the feature map.
        num_points: N.
        heatmap_size: The codec's lixels (x, y, z).
        hidden_units: Width between the two layers.
        init_cfg: Weight initialisation; the paper's Gaussian by default.
    """

    def __init__(
        self,
        in_channels: int,
        num_points: int,
        heatmap_size: Sequence[int],
        hidden_units: int = 4096,
        init_cfg: Sequence[dict] = GAUSSIAN_INIT,
    ) -> None:
        super().__init__([dict(cfg) for cfg in init_cfg])
        self.heatmap_size = tuple(heatmap_size)
        self.hidden = dense_block(in_channels, hidden_units)
        self.out = nn.Linear(hidden_units, num_points * 3)

    def forward(self, feature: Tensor) -> Tensor:
        """Halves of the volume from its middle. (B, C, h, w) -> (B, N, 3)."""
        return self.out(self.hidden(pool(feature))).unflatten(1, (-1, 3))

    def coordinates(self, values: Tensor) -> Tensor:
        """What `forward` gave, to lixels. (B, N, 3) -> (B, N, 3)."""
        return half_ranges_to_lixel(values.float(), self.heatmap_size)

    def spread(self, values: Tensor) -> Tensor:
        """Zero: there is no likelihood. (B, N, 3) -> (B, N, 3)."""
        return values.new_zeros(values.shape).float()
