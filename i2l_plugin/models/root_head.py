"""RootHead: where the root joint is in the crop, and how its depth differs from the box's.

RootNet (Moon et al., Camera distance-aware top-down approach, ICCV 2019, section 5) gives the R of
I2L-MeshNet's Eq. 7. Shapes: B batch, C channels of the feature, D lixels of an axis.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from .head_parts import GAUSSIAN_INIT, OwnLixels, pool, upsampling
from .variants.pixel_head import pixel_marginals


@MODELS.register_module()
class RootHead(BaseModule):
    """x and y by a 2D soft-argmax, gamma by a 1x1 convolution of the pooled feature.

    Args:
        in_channels: C of the feature map.
        heatmap_size: The codec's lixels (x, y, ...); x and y must be 2^num_upsample times the
            feature's width and height.
        up_channels: Channels of each up-sampling module.
        num_upsample: Number of stride-2 transposed convolutions.
        init_cfg: Weight initialisation; RootNet's Gaussian, sigma 0.001, by default.
    """

    def __init__(
        self,
        in_channels: int,
        heatmap_size: Sequence[int],
        up_channels: int = 256,
        num_upsample: int = 3,
        init_cfg: Sequence[dict] = GAUSSIAN_INIT,
    ) -> None:
        super().__init__([dict(cfg) for cfg in init_cfg])
        self.lixels = OwnLixels(tuple(heatmap_size)[:2])
        self.resolution = self.lixels.size
        self.upsample = upsampling(in_channels, up_channels, num_upsample)
        self.conv_xy = nn.Conv2d(up_channels, 1, 1)
        self.conv_gamma = nn.Conv2d(in_channels, 1, 1)

    def init_weights(self) -> None:
        """As `init_cfg` says, but gamma near 1 whatever it says."""
        super().init_weights()
        nn.init.normal_(self.conv_gamma.weight, std=0.001)

    def forward(self, feature: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """Logits of x and y, 2 x (B, 1, D), and gamma, (B,). From (B, C, h, w).

        The convolution gives gamma - 1: the network starts from the depth that the box's size says.
        """
        upsampled = self.upsample(feature)  # (B, c', Dy, Dx)
        self.lixels.check(feature, *upsampled.shape[:-3:-1])
        change = self.conv_gamma(pool(feature)[..., None, None])  # (B, 1, 1, 1)
        with torch.autocast(feature.device.type, enabled=False):
            gamma = 1 + change.float().flatten()
        return pixel_marginals(self.conv_xy(upsampled)), gamma

    def coordinates(self, heatmaps: Sequence[Tensor]) -> Tensor:
        """Soft-argmax of both axes' logits. 2 x (B, 1, D) -> (B, 1, 2) lixels."""
        return self.lixels.coordinates(heatmaps)
