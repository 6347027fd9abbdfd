"""SoftArgmaxCodec: the only place that knows lixels <-> (crop px, crop px, root-relative mm).

Conventions of paper section 3.1: x and y lixels divide the network input evenly, z lixels divide
the depth range [-S/2, S/2) around the root joint evenly; no half-cell shift.
Shapes: B batch, N points.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor

from i2l_plugin.geometry.lixel import lixel_spread, soft_argmax


@KEYPOINT_CODECS.register_module()
class SoftArgmaxCodec(BaseKeypointCodec):
    """Continuous coordinates as expectations of 1D heatmaps.

    Args:
        input_size: Network input (width, height) in px.
        heatmap_size: Number of lixels (x, y, z); the paper's D = 64 on each axis for 256x256.
        depth_range_mm: Length S of the depth range that the z lixels cover, centred on the root
            joint: 2000 for bodies, 300 for hands.
    """

    def __init__(
        self,
        input_size: Sequence[int] = (256, 256),
        heatmap_size: Sequence[int] = (64, 64, 64),
        depth_range_mm: float = 2000.0,
    ) -> None:
        super().__init__()
        if len(input_size) != 2 or min(input_size) <= 0:
            raise ValueError(f'input_size must be a positive (width, height), got {input_size}')
        if len(heatmap_size) != 3 or min(heatmap_size) < 2:
            raise ValueError(
                f'heatmap_size must be (x, y, z) lixels, each at least 2, got {heatmap_size}'
            )
        if depth_range_mm <= 0:
            raise ValueError(f'depth_range_mm must be positive, got {depth_range_mm}')
        self.input_size = tuple(input_size)
        self.heatmap_size = tuple(heatmap_size)
        self.depth_range_mm = float(depth_range_mm)

    def check_input(self, images: Tensor) -> None:
        """Refuse images (B, C, H, W) of another size, in which lixels would mean other pixels.

        Raises:
            ValueError: The size is not `input_size`.
        """
        size = tuple(images.shape[:-3:-1])
        if size != self.input_size:
            raise ValueError(
                f'the input is {size} px (width, height), but model.codec.input_size is '
                f"{self.input_size}; give TopdownAffine's input_size and model.codec.input_size "
                'the same value'
            )

    def _unit_per_lixel(self, like: Tensor) -> Tensor:
        """Size of one lixel in (px, px, mm). -> (3,)"""
        extent = (*self.input_size, self.depth_range_mm)
        return like.new_tensor([e / d for e, d in zip(extent, self.heatmap_size, strict=True)])

    def _origin(self, like: Tensor) -> Tensor:
        """Coordinates (px, px, mm) of lixel zero. -> (3,)"""
        return like.new_tensor([0.0, 0.0, -self.depth_range_mm / 2])

    def to_lixel(self, points_crop: Tensor) -> Tensor:
        """Crop px, crop px, root-relative mm to lixels; not clipped. (..., 3) -> (..., 3)."""
        return (points_crop - self._origin(points_crop)) / self._unit_per_lixel(points_crop)

    def to_crop(self, points_lixel: Tensor) -> Tensor:
        """Lixels to crop px, crop px, root-relative mm: inverse of `to_lixel`. (..., 3)."""
        return points_lixel * self._unit_per_lixel(points_lixel) + self._origin(points_lixel)

    def mirror(self, points_lixel: Tensor) -> Tensor:
        """Where points land when the crop is mirrored, x_px -> W - 1 - x_px. (..., 3)."""
        last_px = self.input_size[0] - 1
        x = last_px * self.heatmap_size[0] / self.input_size[0] - points_lixel[..., :1]
        return torch.cat([x, points_lixel[..., 1:]], dim=-1)

    def spread_to_crop(self, spread_lixel: Tensor) -> Tensor:
        """Standard deviations in lixels to px, px, mm. (..., 3) -> (..., 3)."""
        return spread_lixel * self._unit_per_lixel(spread_lixel)

    def inside(self, points_lixel: Tensor) -> Tensor:
        """True where every coordinate lies in [0, D). (..., 3) -> (...)."""
        size = points_lixel.new_tensor(self.heatmap_size)
        return ((points_lixel >= 0) & (points_lixel < size)).all(-1)

    def certainty(self, spread_lixel: Tensor) -> Tensor:
        """How far from knowing nothing, averaged over the axes, in [0, 1]. (..., 3) -> (...).

        1 for a heatmap on one lixel, 0 for a uniform one, whose standard deviation is
        sqrt((D^2 - 1) / 12).
        """
        size = spread_lixel.new_tensor(self.heatmap_size)
        return (1 - spread_lixel / ((size**2 - 1) / 12).sqrt()).clamp(0, 1).mean(-1)

    @staticmethod
    def coordinates(heatmaps: Sequence[Tensor]) -> Tensor:
        """Soft-argmax of x, y and z logits. 3 x (B, N, D) -> (B, N, 3) lixels.

        In float32 also under autocast: bfloat16 resolves no better than a quarter of a lixel.
        """
        with torch.autocast(heatmaps[0].device.type, enabled=False):
            return torch.stack([soft_argmax(logits.float()) for logits in heatmaps], dim=-1)

    @staticmethod
    def spread(heatmaps: Sequence[Tensor]) -> Tensor:
        """Standard deviation of x, y and z heatmaps. 3 x (B, N, D) -> (B, N, 3) lixels."""
        with torch.autocast(heatmaps[0].device.type, enabled=False):
            return torch.stack([lixel_spread(logits.float()) for logits in heatmaps], dim=-1)

    def encode(
        self, keypoints: np.ndarray, keypoints_visible: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """The host's contract: crop coordinates to lixel labels and weights.

        Args:
            keypoints: (N, K, 3) crop px, crop px, root-relative mm.
            keypoints_visible: (N, K), all visible when None.

        Returns:
            ``keypoint_labels`` (N, K, 3) lixels and ``keypoint_weights`` (N, K): visible x inside.
        """
        labels = self.to_lixel(torch.as_tensor(keypoints, dtype=torch.float64))
        weights = self.inside(labels).numpy()
        if keypoints_visible is not None:
            weights = weights * keypoints_visible
        return dict(
            keypoint_labels=labels.numpy().astype(np.float32),
            keypoint_weights=weights.astype(np.float32),
        )

    def decode(self, encoded: Any) -> tuple[np.ndarray, np.ndarray]:
        """The host's contract: x, y, z logits, each (N, K, D), to crop coordinates and scores.

        Returns:
            keypoints (N, K, 3) crop px, crop px, root-relative mm, and scores (N, K) in [0, 1].
        """
        heatmaps = [torch.as_tensor(logits) for logits in encoded]
        keypoints = self.to_crop(self.coordinates(heatmaps))
        return keypoints.numpy(), self.certainty(self.spread(heatmaps)).numpy()
