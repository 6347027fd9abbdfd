"""Meshes from the side and from above without perspective, so that distances can be read off.

Shapes: N points, V vertices, H x W the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .ray_scene import Camera
from .renderer import Mesh, TurnedView, overlay, view_rotation

ANGLES_DEG = {'side': (90.0, 0.0), 'top': (0.0, 90.0)}  # azimuth, elevation
DEPTH_AXES = {'side': 0, 'top': 1}  # of the picture; near is on the right, or below
MARGIN = 0.1  # free border, a share of the picture
# The camera is shown unless people would be drawn smaller than this share of their size without.
MIN_SHRINK = 0.6
# Rays from this many times the scene's radius: parallel to a tenth of a pixel, and Embree's floats
# still tell surfaces a millimetre apart.
_DISTANCE = 1000.0


class FlatView(NamedTuple):
    """An orthographic view of camera-frame points.

    From above, the camera is below and looks up the picture; from the side it is on the right and
    looks left.
    """

    name: str  # 'side' or 'top'
    center_mm: np.ndarray  # (3,) camera-frame point in the middle of the picture
    px_per_mm: float
    size_px: tuple[int, int]  # width, height

    @classmethod
    def around(
        cls, points_mm: np.ndarray, size_px: tuple[int, int], name: str, camera: bool = True
    ) -> FlatView:
        """The view that frames points (N, 3), N >= 1, and `camera` if that is not far off."""
        if name not in ANGLES_DEG:
            raise ValueError(f'a view must be one of {", ".join(ANGLES_DEG)}, got {name!r}')
        alone = cls._framing(points_mm, size_px, name)
        if not camera:
            return alone
        with_camera = cls._framing(np.concatenate([points_mm, np.zeros((1, 3))]), size_px, name)
        return with_camera if with_camera.px_per_mm > MIN_SHRINK * alone.px_per_mm else alone

    @classmethod
    def _framing(cls, points_mm: np.ndarray, size_px: tuple[int, int], name: str) -> FlatView:
        rotation = view_rotation(*ANGLES_DEG[name])
        turned = points_mm @ rotation.T
        low, high = turned.min(0), turned.max(0)
        extent = np.maximum(high - low, 1.0)[:2]
        px_per_mm = ((1 - 2 * MARGIN) * np.array(size_px) / extent).min()
        return cls(name, (low + high) / 2 @ rotation, float(px_per_mm), size_px)

    @property
    def rotation(self) -> np.ndarray:
        """(3, 3) from the camera frame to x right, y down, z away from who looks."""
        return view_rotation(*ANGLES_DEG[self.name])

    def project(self, points_mm: np.ndarray) -> np.ndarray:
        """(..., 3) mm -> (..., 2) px."""
        turned = (np.asarray(points_mm) - self.center_mm) @ self.rotation.T
        return turned[..., :2] * self.px_per_mm + (np.array(self.size_px) - 1) / 2

    def grid(self, axis: int, step_mm: float) -> tuple[np.ndarray, np.ndarray]:
        """Lines across a picture axis at whole steps from the camera.

        Returns:
            Their coordinates px on the axis, and their distances (K,) mm from the camera: depth
            on the view's depth axis, else right or down of it.
        """
        middle = float(self.rotation[axis] @ self.center_mm)
        reach = (self.size_px[axis] - 1) / 2 / self.px_per_mm  # to the last pixels' centres
        first, last = np.ceil((middle - reach) / step_mm), np.floor((middle + reach) / step_mm)
        values = step_mm * np.arange(first, last + 1)
        at = (values - middle + reach) * self.px_per_mm
        # near lies where the picture's coordinates are large; + 0.0 makes -0.0 a zero
        return at, (-values if axis == DEPTH_AXES[self.name] else values) + 0.0

    def draw(self, canvas: np.ndarray, meshes: Sequence[Mesh]) -> np.ndarray:
        """A new picture with the meshes over the canvas (H, W, 3)."""
        points = np.concatenate([mesh.vertices_mm for mesh in meshes])
        distance = _DISTANCE * max(np.linalg.norm(points - self.center_mm, axis=1).max(), 1.0)
        focal, princpt = np.full(2, self.px_per_mm * distance), (np.array(self.size_px) - 1) / 2
        camera = Camera(focal, princpt, self.size_px)
        view = TurnedView(self.rotation, self.center_mm, distance, camera)
        turned = [replace(mesh, vertices_mm=view.turn(mesh.vertices_mm)) for mesh in meshes]
        return overlay(canvas, turned, focal, princpt)
