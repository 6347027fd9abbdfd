"""EarlyLixelHead: maps become lines before the up-sampling (supplementary section 7.1, Table 8).

Shapes: B batch, N points, C channels of the feature, D lixels of an axis, h and w of the feature.
"""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from ..head_parts import GAUSSIAN_INIT, OwnLixels, dense_block, pool, upsampling


@MODELS.register_module()
class EarlyLixelHead(BaseModule):
    """ "All 2D layers in the upsampling modules are converted to the 1D layers."

    x and y have up-sampling modules of their own; the z branch is `LixelHead`'s.

    Args:
        in_channels: C of the feature map.
        num_points: N.
        heatmap_size: The codec's lixels (x, y, z); x and y must be 2^num_upsample times the
            feature's width and height.
        up_channels: c', channels of each up-sampling module and of the z branch.
        num_upsample: Number of stride-2 transposed 1D convolutions.
        init_cfg: Weight initialisation; the paper's Gaussian by default.
    """

    def __init__(
        self,
        in_channels: int,
        num_points: int,
        heatmap_size: Sequence[int],
        up_channels: int = 256,
        num_upsample: int = 3,
        init_cfg: Sequence[dict] = GAUSSIAN_INIT,
    ) -> None:
        super().__init__([dict(cfg) for cfg in init_cfg])
        self.lixels = OwnLixels(heatmap_size)
        self.resolution = self.lixels.size
        self.up_channels = up_channels
        self.upsample_x = upsampling(in_channels, up_channels, num_upsample, dimensions=1)
        self.upsample_y = upsampling(in_channels, up_channels, num_upsample, dimensions=1)
        self.depth_block = dense_block(in_channels, up_channels * self.resolution[2])
        self.conv_x = nn.Conv1d(up_channels, num_points, 1)
        self.conv_y = nn.Conv1d(up_channels, num_points, 1)
        self.conv_z = nn.Conv1d(up_channels, num_points, 1)

    def forward(self, feature: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Heatmap logits of x, y and z. (B, C, h, w) -> 3 x (B, N, D)."""
        line_x = self.upsample_x(feature.mean(2))  # (B, c', Dx)
        line_y = self.upsample_y(feature.mean(3))  # (B, c', Dy)
        self.lixels.check(feature, line_x.shape[-1], line_y.shape[-1])
        depth = self.depth_block(pool(feature)).unflatten(1, (self.up_channels, -1))
        return self.conv_x(line_x), self.conv_y(line_y), self.conv_z(depth)

    def coordinates(self, heatmaps: Sequence[Tensor]) -> Tensor:
        """What `forward` gave, to lixels. 3 x (B, N, D) -> (B, N, 3)."""
        return self.lixels.coordinates(heatmaps)

    def spread(self, heatmaps: Sequence[Tensor]) -> Tensor:
        """Standard deviations in lixels. 3 x (B, N, D) -> (B, N, 3)."""
        return self.lixels.spread(heatmaps)
