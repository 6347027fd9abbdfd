"""DepthMapHead: the 2.5D heatmap of Iqbal et al., ECCV 2018 (supplementary section 8, Table 10).

Shapes: B batch, N points, C channels of the feature, d pixels of an axis of the maps.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from ..head_parts import GAUSSIAN_INIT, OwnLixels, upsampling
from .coordinate_head import half_ranges_to_lixel
from .pixel_head import pixel_marginals


@MODELS.register_module()
class DepthMapHead(BaseModule):
    """A 2D heatmap for x and y, and beside it a map of depths, read where the heatmap is likely.

    The depth is the mean over pixels weighted by their likelihood; it has no likelihood of its own,
    so its spread is zero. Depths are halves of the depth range from the root's.

    Args:
        in_channels: C of the feature map.
        num_points: N.
        heatmap_size: The codec's lixels (x, y, z).
        up_channels: c', channels of each up-sampling module.
        num_upsample: Number of stride-2 transposed convolutions; 0 puts a 1x1 convolution there.
        resolution: Pixels (x, y) of both maps, None is `heatmap_size`'s. They must be
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
        self.pixels = OwnLixels(heatmap_size[:2], resolution)
        self.depth_lixels = heatmap_size[2]
        self.upsample = upsampling(in_channels, up_channels, num_upsample)
        self.conv_xy = nn.Conv2d(up_channels, num_points, 1)
        self.conv_z = nn.Conv2d(up_channels, num_points, 1)

    def forward(self, feature: Tensor) -> tuple[Tensor, Tensor]:
        """Heatmap logits and depths. (B, C, h, w) -> 2 x (B, N, dy, dx)."""
        upsampled = self.upsample(feature)  # (B, c', dy, dx)
        self.pixels.check(feature, *upsampled.shape[:-3:-1])
        return self.conv_xy(upsampled), self.conv_z(upsampled)

    def coordinates(self, maps: Sequence[Tensor]) -> Tensor:
        """What `forward` gave, to the codec's lixels. 2 x (B, N, dy, dx) -> (B, N, 3)."""
        logits, depths = (values.float() for values in maps)
        xy = self.pixels.coordinates(pixel_marginals(logits))
        depth = (logits.flatten(2).softmax(-1) * depths.flatten(2)).sum(-1, keepdim=True)
        return torch.cat([xy, half_ranges_to_lixel(depth, [self.depth_lixels])], dim=-1)

    def spread(self, maps: Sequence[Tensor]) -> Tensor:
        """Standard deviations of x and y in the codec's lixels, zero for z. -> (B, N, 3)."""
        xy = self.pixels.spread(pixel_marginals(maps[0]))
        return torch.cat([xy, torch.zeros_like(xy[..., :1])], dim=-1)
