"""What heads share: up-sampling, lixels of a pooled feature, the size of a head's own heatmaps.

Shapes: B batch, N points, C channels of the feature, c' channels of a head, D lixels of the codec,
d lixels of a head's own heatmaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from i2l_plugin.codecs import SoftArgmaxCodec

GAUSSIAN_INIT = (
    dict(
        type='Normal',
        std=0.001,
        layer=['Conv1d', 'Conv2d', 'ConvTranspose1d', 'ConvTranspose2d', 'Linear'],
    ),
    dict(type='Constant', val=1, layer=['BatchNorm1d', 'BatchNorm2d']),
)
"""Paper section 4: "the remaining part are initialized by Gaussian distribution, sigma = 0.001"."""


def upsampling(
    in_channels: int, up_channels: int, num_upsample: int, dimensions: int = 2
) -> nn.Sequential:
    """f_up of section 3.1: modules of transposed convolution (stride 2), normalisation and ReLU.

    Without any, a 1x1 convolution gives the c' channels: heatmaps as coarse as the feature.

    Args:
        in_channels: C.
        up_channels: c'.
        num_upsample: Number of modules, each of which doubles the size.
        dimensions: 1 for lines, 2 for maps.
    """
    conv, transposed, norm = {
        1: (nn.Conv1d, nn.ConvTranspose1d, nn.BatchNorm1d),
        2: (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d),
    }[dimensions]
    layers: list[nn.Module] = []
    for c_in, c_out in pairwise([in_channels] + [up_channels] * num_upsample):
        layers.append(transposed(c_in, c_out, 4, stride=2, padding=1, bias=False))
        layers += [norm(c_out), nn.ReLU(inplace=True)]
    if not layers:
        layers = [conv(in_channels, up_channels, 1, bias=False), norm(up_channels)]
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


def dense_block(in_channels: int, out_channels: int) -> nn.Sequential:
    """Fully connected layer, normalisation and ReLU. (B, C) -> (B, out)."""
    return nn.Sequential(
        nn.Linear(in_channels, out_channels),
        nn.BatchNorm1d(out_channels),
        nn.ReLU(inplace=True),
    )


def pool(feature: Tensor) -> Tensor:
    """Mean over rows and columns. (B, C, h, w) -> (B, C)."""
    return feature.mean((2, 3))


class OwnLixels:
    """A head's heatmaps, of `resolution` lixels, read in the codec's lixels.

    Both divide the same volume evenly and count from its border, so lixel i of d is i * D / d of D.

    Args:
        heatmap_size: D of each axis (x, y, z).
        resolution: d of each axis; None is D.
    """

    def __init__(self, heatmap_size: Sequence[int], resolution: Sequence[int] | None = None):
        self.size = tuple(heatmap_size if resolution is None else resolution)
        if len(self.size) != len(heatmap_size) or min(self.size) < 2:
            raise ValueError(
                f'resolution must be {len(heatmap_size)} numbers of lixels, each at least 2, '
                f'got {resolution}'
            )
        self._ratio = [whole / own for whole, own in zip(heatmap_size, self.size, strict=True)]

    def coordinates(self, heatmaps: Sequence[Tensor]) -> Tensor:
        """Soft-argmax of each axis' logits. 3 x (B, N, d) -> (B, N, 3) lixels of the codec."""
        points = SoftArgmaxCodec.coordinates(heatmaps)
        return points * points.new_tensor(self._ratio)

    def spread(self, heatmaps: Sequence[Tensor]) -> Tensor:
        """Standard deviation of each axis. 3 x (B, N, d) -> (B, N, 3) lixels of the codec."""
        spread = SoftArgmaxCodec.spread(heatmaps)
        return spread * spread.new_tensor(self._ratio)

    def check(self, feature: Tensor, width: int, height: int) -> None:
        """Refuse a feature (B, C, h, w) that up-sampling makes another (x, y) size of.

        Raises:
            ValueError: (width, height) is not the heatmaps' (x, y).
        """
        if (width, height) != self.size[:2]:
            raise ValueError(
                f'a feature of {tuple(feature.shape[-2:])} (h, w) becomes {(width, height)} (x, y) '
                f'lixels, but the heatmaps have {self.size}; for a trunk of stride 32 and three '
                'up-samplings the network input must be 4 x heatmap_size (each up-sampling less, '
                'num_upsample, halves the resolution)'
            )


def check_heatmap_loss(head: nn.Module, heatmap_size: Sequence[int]) -> None:
    """Refuse a head to whose output `HeatmapLoss` means nothing.

    Raises:
        ValueError: The head does not give 1D heatmaps over the codec's own lixels.
    """
    own = getattr(head, 'resolution', None)
    if own != tuple(heatmap_size):
        raise ValueError(
            f'heatmap_loss needs 1D heatmaps of {tuple(heatmap_size)} lixels, but pose_head '
            f'{type(head).__name__} gives {own or "none"}; remove heatmap_loss or use LixelHead '
            'without resolution'
        )
