"""DenseLixelHead: lixel heatmaps without the picture's layout (Table 1, "wo. spatial").

Shapes: B batch, N points, C channels of the feature, c hidden channels, D lixels of an axis.
"""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from ..head_parts import GAUSSIAN_INIT, OwnLixels, dense_block, pool


@MODELS.register_module()
class DenseLixelHead(BaseModule):
    """Two fully connected layers on the pooled feature, as `LixelHead` has for z, for every axis.

    The first makes c numbers of each lixel, the second, the same at each lixel, makes N of them.
    The paper leaves c open: 384 gives 81.9M parameters with ResNet-50 on a body, its 82M. (A
    second layer from all hidden units to all lixels would leave room for 43 of them.)

    Args:
        in_channels: C of the feature map.
        num_points: N.
        heatmap_size: The codec's lixels (x, y, z), all the same.
        hidden_channels: c.
        init_cfg: Weight initialisation; the paper's Gaussian by default.
    """

    def __init__(
        self,
        in_channels: int,
        num_points: int,
        heatmap_size: Sequence[int],
        hidden_channels: int = 384,
        init_cfg: Sequence[dict] = GAUSSIAN_INIT,
    ) -> None:
        super().__init__([dict(cfg) for cfg in init_cfg])
        if len(set(heatmap_size)) > 1:
            raise ValueError(
                'DenseLixelHead shares its first layer between the axes; heatmap_size must be the '
                f'same for each, got {heatmap_size}'
            )
        self.lixels = OwnLixels(heatmap_size)
        self.resolution = self.lixels.size
        self.hidden_channels = hidden_channels
        self.hidden = dense_block(in_channels, hidden_channels * self.resolution[0])
        self.conv_x = nn.Conv1d(hidden_channels, num_points, 1)
        self.conv_y = nn.Conv1d(hidden_channels, num_points, 1)
        self.conv_z = nn.Conv1d(hidden_channels, num_points, 1)

    def forward(self, feature: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Heatmap logits of x, y and z. (B, C, h, w) -> 3 x (B, N, D)."""
        hidden = self.hidden(pool(feature)).unflatten(1, (self.hidden_channels, -1))
        return self.conv_x(hidden), self.conv_y(hidden), self.conv_z(hidden)

    def coordinates(self, heatmaps: Sequence[Tensor]) -> Tensor:
        """What `forward` gave, to lixels. 3 x (B, N, D) -> (B, N, 3)."""
        return self.lixels.coordinates(heatmaps)

    def spread(self, heatmaps: Sequence[Tensor]) -> Tensor:
        """Standard deviations in lixels. 3 x (B, N, D) -> (B, N, 3)."""
        return self.lixels.spread(heatmaps)
