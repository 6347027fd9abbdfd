"""What one scene's page shows, checked and with the picture at a size for the screen.

Pictures are RGB, colours in [0, 1]. Shapes: N people, V vertices, F faces, H x W the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from .colors import person_colors
from .ray_scene import Camera
from .scene_people import SPREAD_PERCENTILES


@dataclass(frozen=True)
class ScenePage:
    """What one page shows, see `ScenePage.of`."""

    image_rgb: np.ndarray  # (H, W, 3) uint8
    camera: Camera  # of that picture
    vertices_mm: np.ndarray  # (N, V, 3) float64, camera frame
    faces: np.ndarray  # (F, 3)
    spread_mm: np.ndarray | None  # (N, V)
    names: tuple[str, ...]  # N
    colors: np.ndarray  # (N, 3)

    @classmethod
    def of(
        cls,
        image_rgb: np.ndarray,
        vertices_cam: np.ndarray,
        faces: np.ndarray,
        focal_px: np.ndarray,
        princpt_px: np.ndarray,
        vertex_spread_mm: np.ndarray | None,
        names: Sequence[str] | None,
        colors: np.ndarray | None,
    ) -> ScenePage:
        """From arguments of `scene_html`.

        Raises:
            ValueError: An array has the wrong shape or type, or numbers that are not finite.
        """
        if image_rgb.ndim != 3 or image_rgb.shape[2] != 3 or image_rgb.dtype != np.uint8:
            raise ValueError(
                f'image_rgb must be uint8 (H, W, 3), got {image_rgb.dtype} {image_rgb.shape}'
            )
        camera = Camera(focal_px, princpt_px, image_rgb.shape[1::-1])
        vertices = np.asarray(vertices_cam, dtype=np.float64)
        if vertices.ndim != 3 or vertices.shape[2] != 3:
            raise ValueError(f'vertices_cam must be (N, V, 3) mm, got {vertices.shape}')
        _check_finite('vertices_cam', vertices)
        count, spread = len(vertices), None
        if vertex_spread_mm is not None and count:
            spread = np.asarray(vertex_spread_mm, dtype=np.float64)
            if spread.shape != vertices.shape[:2]:
                raise ValueError(
                    f'vertex_spread_mm must be {vertices.shape[:2]} like vertices_cam, '
                    f'got {spread.shape}'
                )
            _check_finite('vertex_spread_mm', spread)
        if names is None:
            names = [f'person_{i}' for i in range(count)]
        if isinstance(names, str) or len(names) != count:
            raise ValueError(f'names must be one for each of {count} people, got {names!r}')
        colors = person_colors(count) if colors is None else np.asarray(colors, dtype=np.float64)
        if colors.shape != (count, 3):
            raise ValueError(f'colors must be {(count, 3)}, got {colors.shape}')
        faces = _checked_faces(np.asarray(faces), vertices)
        return cls(image_rgb, camera, vertices, faces, spread, tuple(map(str, names)), colors)

    @property
    def depths_mm(self) -> np.ndarray:
        """(N,) median depth of each mesh."""
        return np.median(self.vertices_mm[..., 2], axis=1) if len(self.names) else np.zeros(0)

    @property
    def spread_range_mm(self) -> tuple[float, float] | None:
        """Where the uncertainty's colours end; None where there is no uncertainty to show."""
        if self.spread_mm is None:
            return None
        low, high = np.percentile(self.spread_mm, SPREAD_PERCENTILES)
        return float(low), float(high)

    def scaled_to(self, max_side_px: int) -> ScenePage:
        """With the picture shrunk until its long side has at most `max_side_px`."""
        if max_side_px < 16:
            raise ValueError(f'max_side_px must be at least 16, got {max_side_px}')
        size = np.array(self.image_rgb.shape[1::-1])
        if size.max() <= max_side_px:
            return self
        small = np.maximum(np.rint(size * max_side_px / size.max()), 1).astype(int).tolist()
        image = cv2.resize(self.image_rgb, small, interpolation=cv2.INTER_AREA)
        scale = small / size
        # cv2.resize aligns outer borders, which lie half a px before the first px's centre
        princpt = (self.camera.princpt_px + 0.5) * scale - 0.5
        camera = Camera(self.camera.focal_px * scale, princpt, tuple(small))
        return replace(self, image_rgb=image, camera=camera)


def _check_finite(name: str, values: np.ndarray) -> None:
    bad = np.count_nonzero(~np.isfinite(values))
    if bad:
        raise ValueError(f'{name} must be finite, got {bad} NaN or infinite values')


def _checked_faces(faces: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    if faces.ndim != 2 or faces.shape[1] != 3 or not np.issubdtype(faces.dtype, np.integer):
        raise ValueError(f'faces must be whole numbers (F, 3), got {faces.dtype} {faces.shape}')
    if len(vertices) == 0:
        return faces[:0]
    if faces.size and (faces.min() < 0 or faces.max() >= vertices.shape[1]):
        raise ValueError(
            f'faces name vertices {faces.min()} to {faces.max()}, but vertices_cam has '
            f'{vertices.shape[1]} a person: take the faces of the same body model'
        )
    return faces
