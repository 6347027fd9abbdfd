"""The floor's plane, colours, and what a backdrop is. H x W the picture."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

FAR_MM = 1e6


class Ground(NamedTuple):
    """The floor's plane and the horizontal axes of the world, in the camera frame."""

    up: np.ndarray  # (3,) unit
    right: np.ndarray  # (3,) unit
    ahead: np.ndarray  # (3,) unit, horizontal viewing direction
    height_mm: float  # of the camera above the floor

    @classmethod
    def below(cls, up: np.ndarray, point_mm: np.ndarray) -> Ground:
        """The floor through a point."""
        ahead = np.array([0.0, 0.0, 1.0])
        ahead = ahead - up * (up @ ahead)
        ahead /= np.linalg.norm(ahead)
        return cls(up, np.cross(ahead, up), ahead, float(-(point_mm @ up)))


class Backdrop(NamedTuple):
    """What is behind the subject."""

    color: np.ndarray  # (H, W, 3) in [0, 1]
    points_mm: np.ndarray  # (H, W, 3) surface points; depth FAR_MM and more: nothing
    outdoors: bool


def random_color(
    rng: np.random.Generator, saturation: tuple[float, float], value: tuple[float, float]
) -> np.ndarray:
    """(3,) RGB of a random hue, more often pale and warm or blue than saturated."""
    hue = rng.uniform(0, 360) if rng.random() < 0.4 else rng.choice([35, 215]) + rng.normal(0, 15)
    low, high = saturation
    hsv = np.array([[[hue % 360, low + (high - low) * rng.beta(1, 2), rng.uniform(*value)]]])
    return cv2.cvtColor(hsv.astype(np.float32), cv2.COLOR_HSV2RGB)[0, 0]


def warm_color(rng: np.random.Generator, value: tuple[float, float]) -> np.ndarray:
    """(3,) RGB of wood, sand or earth."""
    hsv = np.array([[[rng.uniform(15, 50), rng.uniform(0.05, 0.55), rng.uniform(*value)]]])
    return cv2.cvtColor(hsv.astype(np.float32), cv2.COLOR_HSV2RGB)[0, 0]


def plane_depth(rays: np.ndarray, normal: np.ndarray, offset_mm: float) -> np.ndarray:
    """Depth along each ray (z = 1) to the plane normal . p = offset; FAR_MM if never in front."""
    slope = rays @ normal.astype(np.float32)
    with np.errstate(divide='ignore', invalid='ignore'):
        depth = offset_mm / slope
    return np.where((depth > 1) & (depth < FAR_MM), depth, FAR_MM).astype(np.float32)
