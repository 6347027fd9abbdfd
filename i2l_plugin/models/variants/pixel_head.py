"""PixelHead: a 2D heatmap for x and y, a 1D heatmap for z (Table 2, "xy pixel hm. + z lixel hm.").

Shapes: B batch, N points, C channels of the feature, d lixels of an axis of the heatmaps.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from ..head_parts import GAUSSIAN_INIT, OwnLixels, dense_block, pool, upsampling


def pixel_marginals(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Logits of both marginals, in float32. (B, N, dy, dx) -> (B, N, dx) and (B, N, dy).

    The log-sum-exp of a row has the softmax that the row has in the map's softmax.
    """
    with torch.autocast(logits.device.type, enabled=False):
        logits = logits.float()
        return logits.logsumexp(2), logits.logsumexp(3)


@MODELS.register_module()
class PixelHead(BaseModule):
    """x and y from a softmax over pixels, so memory grows with d^2; the z branch is `LixelHead`'s.

    Args:
        in_channels: C of the feature map.
        num_points: N.
        heatmap_size: The codec's lixels (x, y, z).
        up_channels: c', channels of each up-sampling module and of the z branch.
        num_upsample: Number of stride-2 transposed convolutions; 0 puts a 1x1 convolution there.
        resolution: (x, y, z) of the heatmaps, None is `heatmap_size`. x and y must be
            2^num_upsample times the feature's width and height.
        init_cfg: Weight initialisation; the paper's Gaussian by default.
    """

    def __init__(
        self,
        in_channels: int,
        num_points: int,
        heatmap_size: Sequence[int],
        up_channels: int = 256,
        num_upsample: int = 3,
        resolution: Sequence[int] | None = None,
        init_cfg: Sequence[dict] = GAUSSIAN_INIT,
    ) -> None:
        super().__init__([dict(cfg) for cfg in init_cfg])
        self.lixels = OwnLixels(heatmap_size, resolution)
        self.resolution = self.lixels.size
        self.up_channels = up_channels
        self.upsample = upsampling(in_channels, up_channels, num_upsample)
        self.depth_block = dense_block(in_channels, up_channels * self.resolution[2])
        self.conv_xy = nn.Conv2d(up_channels, num_points, 1)
        self.conv_z = nn.Conv1d(up_channels, num_points, 1)

    def forward(self, feature: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of the marginals of x, y and z. (B, C, h, w) -> 3 x (B, N, d)."""
        upsampled = self.upsample(feature)  # (B, c', dy, dx)
        self.lixels.check(feature, *upsampled.shape[:-3:-1])
        depth = self.depth_block(pool(feature)).unflatten(1, (self.up_channels, -1))
        return (*pixel_marginals(self.conv_xy(upsampled)), self.conv_z(depth))

    def coordinates(self, heatmaps: Sequence[Tensor]) -> Tensor:
        """What `forward` gave, to the codec's lixels. 3 x (B, N, d) -> (B, N, 3)."""
        return self.lixels.coordinates(heatmaps)

    def spread(self, heatmaps: Sequence[Tensor]) -> Tensor:
        """Standard deviations in the codec's lixels. 3 x (B, N, d) -> (B, N, 3)."""
        return self.lixels.spread(heatmaps)
