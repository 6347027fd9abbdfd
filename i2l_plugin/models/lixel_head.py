"""LixelHead: feature map to three 1D heatmaps a point (Eqs. 1, 2, 5, 6; Fig. 3).

PoseNet (N = joints) and MeshNet (N = vertices) are this same class; `variants` holds the heads that
the paper compares it with, under the same contract.
Shapes: B batch, N points, C channels of the feature, D lixels of an axis, h and w of the feature.
"""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from .head_parts import GAUSSIAN_INIT, OwnLixels, dense_block, pool, upsampling
from .variants.marginalisation import Marginalisation


@MODELS.register_module()
class LixelHead(BaseModule):
    """x and y heatmaps by up-sampling and averaging, z by a fully connected layer.

    Args:
        in_channels: C of the feature map (2048 for ResNet-50).
        num_points: N, one heatmap triple each.
        heatmap_size: The codec's lixels (x, y, z).
        up_channels: c' of the paper, channels of each up-sampling module and of the z branch.
        num_upsample: Number of stride-2 transposed convolutions; 0 puts a 1x1 convolution there.
        resolution: Lixels (x, y, z) of the heatmaps; None is `heatmap_size`. x and y must be
            2^num_upsample times the feature's width and height.
        marginalise: ``'mean'``, ``'max'`` or ``'weighted'``: how maps become lines (Table 9).
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
        marginalise: str = 'mean',
        init_cfg: Sequence[dict] = GAUSSIAN_INIT,
    ) -> None:
        super().__init__([dict(cfg) for cfg in init_cfg])
        self.lixels = OwnLixels(heatmap_size, resolution)
        self.resolution = self.lixels.size
        self.up_channels = up_channels
        self.upsample = upsampling(in_channels, up_channels, num_upsample)
        self.marginalise = Marginalisation(marginalise, up_channels, self.resolution[:2])
        self.depth_block = dense_block(in_channels, up_channels * self.resolution[2])
        self.conv_x = nn.Conv1d(up_channels, num_points, 1)
        self.conv_y = nn.Conv1d(up_channels, num_points, 1)
        self.conv_z = nn.Conv1d(up_channels, num_points, 1)

    def forward(self, feature: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Heatmap logits of x, y and z. (B, C, h, w) -> 3 x (B, N, D)."""
        upsampled = self.upsample(feature)  # (B, c', Dy, Dx)
        self.lixels.check(feature, *upsampled.shape[:-3:-1])
        line_x, line_y = self.marginalise(upsampled)  # (B, c', Dx), (B, c', Dy)
        depth = self.depth_block(pool(feature))  # (B, c'*Dz), channel c*Dz + z
        depth = depth.unflatten(1, (self.up_channels, -1))
        return self.conv_x(line_x), self.conv_y(line_y), self.conv_z(depth)

    def coordinates(self, heatmaps: Sequence[Tensor]) -> Tensor:
        """What `forward` gave, to the codec's lixels. 3 x (B, N, D) -> (B, N, 3)."""
        return self.lixels.coordinates(heatmaps)

    def spread(self, heatmaps: Sequence[Tensor]) -> Tensor:
        """Standard deviations in the codec's lixels. 3 x (B, N, D) -> (B, N, 3)."""
        return self.lixels.spread(heatmaps)
