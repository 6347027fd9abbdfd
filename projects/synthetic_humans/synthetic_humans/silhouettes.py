"""Which pixels show whom, and how much of each person nearer things hide.

Shapes: N silhouettes, h x w the pixels about one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from i2l_plugin.visualization.ray_scene import Camera, RayScene

from .compose import Layer


class Silhouette(NamedTuple):
    """What a camera would see of one person if nothing else were there and no border either."""

    corner_px: np.ndarray  # (2,) int, x y of the first pixel; may lie outside the picture
    depth_mm: np.ndarray  # (h, w), infinite where nothing is seen
    shown: np.ndarray  # (h, w) bool, the pixels that are to be counted


def silhouette(
    layers: Sequence[Layer],
    num_shown: int,
    camera: Camera,
    low_px: np.ndarray,
    high_px: np.ndarray,
) -> Silhouette:
    """One ray through the centre of each pixel of a region.

    Args:
        layers: What is there.
        num_shown: The first so many layers are the person; the others may hide them.
        camera: Pinhole camera; pixels may lie outside its picture.
        low_px: (2,) x y of the region's first corner.
        high_px: (2,) of the last.
    """
    corner = np.floor(low_px).astype(int)
    width, height = np.ceil(high_px).astype(int) + 1 - corner
    y, x = np.mgrid[:height, :width]
    rays = camera.directions(np.stack([x, y], axis=-1).reshape(-1, 2) + corner)
    hits = RayScene([layer[:2] for layer in layers]).cast(rays)
    hit = hits.mesh_id >= 0
    depth = np.where(hit, hits.points_mm[:, 2], np.inf)
    return Silhouette(
        corner,
        depth.reshape(height, width),
        (hit & (hits.mesh_id < num_shown)).reshape(height, width),
    )


def visible_shares(
    silhouettes: Sequence[Silhouette], image_size: tuple[int, int], num: int | None = None
) -> np.ndarray:
    """How much of each silhouette the picture shows.

    Args:
        silhouettes: All before the same camera.
        image_size: Width and height of the picture in px; what lies outside is not visible.
        num: Count the first so many, N; the others only hide. All by default.

    Returns:
        (N,) pixels that show it over all of its pixels.
    """
    low = np.min([s.corner_px for s in silhouettes], axis=0)
    high = np.max([s.corner_px + s.depth_mm.shape[::-1] for s in silhouettes], axis=0)
    nearest = np.full((high - low)[::-1], np.inf)
    places = []
    for s in silhouettes:
        (x, y), (height, width) = s.corner_px - low, s.depth_mm.shape
        places.append((slice(y, y + height), slice(x, x + width)))
        nearest[places[-1]] = np.minimum(nearest[places[-1]], s.depth_mm)
    y, x = np.ogrid[low[1] : high[1], low[0] : high[0]]
    in_picture = (x >= 0) & (x < image_size[0]) & (y >= 0) & (y < image_size[1])
    return np.array(
        [
            (s.shown & (s.depth_mm <= nearest[place]) & in_picture[place]).sum() / s.shown.sum()
            for s, place in zip(silhouettes[:num], places, strict=False)
        ]
    )
