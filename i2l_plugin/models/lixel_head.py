"""LixelHead: feature map to three 1D heatmaps a point (Eqs. 1, 2, 5, 6; Fig. 3).

PoseNet (N = joints) and MeshNet (N = vertices) are this same class.
Shapes: B batch, N points, C channels of the feature, D lixels of an axis, h and w of the feature.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

GAUSSIAN_INIT = (
    dict(type='Normal', std=0.001, layer=['Conv1d', 'Conv2d', 'ConvTranspose2d', 'Linear']),
    dict(type='Constant', val=1, layer=['BatchNorm1d', 'BatchNorm2d']),
)
"""Paper section 4: "the remaining part are initialized by Gaussian distribution, sigma = 0.001"."""


@MODELS.register_module()
class LixelHead(BaseModule):
    """x and y heatmaps by up-sampling and averaging, z by a fully connected layer.

    Args:
        in_channels: C of the feature map (2048 for ResNet-50).
        num_points: N, one heatmap triple each.
        heatmap_size: Lixels (x, y, z). x and y must be 2^num_upsample times the feature's width
            and height.
        up_channels: c' of the paper, channels of each up-sampling module and of the z branch.
        num_upsample: Number of stride-2 transposed convolutions.
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
        self.heatmap_size = tuple(heatmap_size)
        self.up_channels = up_channels
        depth_lixels = self.heatmap_size[2]
        channels = [in_channels] + [up_channels] * num_upsample
        self.upsample = nn.Sequential(
            *(
                layer
                for c_in, c_out in pairwise(channels)
                for layer in (
                    nn.ConvTranspose2d(c_in, c_out, 4, stride=2, padding=1, bias=False),
                    nn.BatchNorm2d(c_out),
                    nn.ReLU(inplace=True),
                )
            )
        )
        self.depth_block = nn.Sequential(
            nn.Linear(in_channels, up_channels * depth_lixels),
            nn.BatchNorm1d(up_channels * depth_lixels),
            nn.ReLU(inplace=True),
        )
        self.conv_x = nn.Conv1d(channels[-1], num_points, 1)
        self.conv_y = nn.Conv1d(channels[-1], num_points, 1)
        self.conv_z = nn.Conv1d(up_channels, num_points, 1)

    def forward(self, feature: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Heatmap logits of x, y and z. (B, C, h, w) -> 3 x (B, N, D)."""
        upsampled = self.upsample(feature)  # (B, c', Dy, Dx)
        size_lixel = (upsampled.shape[3], upsampled.shape[2])
        if size_lixel != self.heatmap_size[:2]:
            raise ValueError(
                f'a feature of {tuple(feature.shape[-2:])} (h, w) becomes {size_lixel} (x, y) '
                f'lixels, but heatmap_size is {self.heatmap_size}; for a trunk of stride 32 and '
                'three up-samplings the network input must be 4 x heatmap_size'
            )
        depth = self.depth_block(feature.mean((2, 3)))  # (B, c'*Dz), channel c*Dz + z
        depth = depth.view(len(depth), self.up_channels, self.heatmap_size[2])
        return (
            self.conv_x(upsampled.mean(2)),
            self.conv_y(upsampled.mean(3)),
            self.conv_z(depth),
        )
