"""VoxelHead: one 3D heatmap a point (Table 2, "xyz voxel hm.").

Shapes: B batch, N points, C channels of the feature, d lixels of an axis of the heatmaps.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from ..head_parts import GAUSSIAN_INIT, OwnLixels, upsampling


@MODELS.register_module()
class VoxelHead(BaseModule):
    """x, y and z from a softmax over voxels, so memory grows with d^3.

    A body at 16x16x16 takes 113 MB of logits an image; the paper's GPU ran out of memory there.

    Args:
        in_channels: C of the feature map.
        num_points: N.
        heatmap_size: The codec's lixels (x, y, z).
        up_channels: c', channels of each up-sampling module.
        num_upsample: Number of stride-2 transposed convolutions; 0 puts a 1x1 convolution there.
        resolution: Voxels (x, y, z) of the heatmaps, None is `heatmap_size`. x and y must be
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
        self.num_points = num_points
        self.upsample = upsampling(in_channels, up_channels, num_upsample)
        self.conv_xyz = nn.Conv2d(up_channels, num_points * self.resolution[2], 1)

    def forward(self, feature: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of the marginals of x, y and z. (B, C, h, w) -> 3 x (B, N, d)."""
        upsampled = self.upsample(feature)  # (B, c', dy, dx)
        self.lixels.check(feature, *upsampled.shape[:-3:-1])
        logits = self.conv_xyz(upsampled)  # channel n*dz + z
        logits = logits.unflatten(1, (self.num_points, -1))  # (B, N, dz, dy, dx)
        with torch.autocast(logits.device.type, enabled=False):
            logits = logits.float()
            return logits.logsumexp((2, 3)), logits.logsumexp((2, 4)), logits.logsumexp((3, 4))

    def coordinates(self, heatmaps: Sequence[Tensor]) -> Tensor:
        """What `forward` gave, to the codec's lixels. 3 x (B, N, d) -> (B, N, 3)."""
        return self.lixels.coordinates(heatmaps)

    def spread(self, heatmaps: Sequence[Tensor]) -> Tensor:
        """Standard deviations in the codec's lixels. 3 x (B, N, d) -> (B, N, 3)."""
        return self.lixels.spread(heatmaps)
