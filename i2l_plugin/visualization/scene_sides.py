"""People from the side and from above, on a grid of metres from the camera.

Where showing the camera would make the people too small, its mark stands at the border, on the
side where the camera is. Shapes: N people, V vertices, H x W the picture.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .flat_view import DEPTH_AXES, FlatView
from .panels import FONT, SHIFT, fixed_point, text_scale
from .person_tags import draw_tags
from .ray_scene import Camera
from .renderer import Mesh

MIN_SQUARE_SHARE = 0.13  # of the picture's shorter side
_GRID, _SIGHT, _INK = (222, 222, 222), (150, 180, 215), (90, 90, 90)


def draw_side(
    meshes: Sequence[Mesh],
    size_px: tuple[int, int],
    view: str,
    camera: Camera | None = None,
    labels: Sequence[str] | None = None,
) -> np.ndarray:
    """People from the side or from above.

    Args:
        meshes: Of N people in the camera frame, N may be 0.
        size_px: (width, height) of the result.
        view: 'side' (the camera is on the right) or 'top' (the camera is below).
        camera: Draws how far its picture reaches.
        labels: N words, each beside its person in the colour of the mesh's first vertex.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    canvas = np.full((size_px[1], size_px[0], 3), 255, np.uint8)
    if not meshes:
        return canvas
    points = np.concatenate([mesh.vertices_mm for mesh in meshes])
    # one person has no order in depth to show, but a pose, which wants all of the picture
    flat = FlatView.around(points, size_px, view, camera=len(meshes) > 1)
    step_mm = _grid_step_mm(flat)
    for axis in (0, 1):
        for at in np.rint(flat.grid(axis, step_mm)[0]).astype(int):
            canvas[(slice(None), at) if axis == 0 else at] = _GRID
    if camera is not None:
        _draw_sight(canvas, flat, camera)
    canvas = flat.draw(canvas, meshes)
    _draw_camera(canvas, flat)
    _write_depths(canvas, flat, step_mm)
    if labels is None:
        return canvas
    drawn = [flat.project(mesh.vertices_mm) for mesh in meshes]
    anchors = np.array([(p[:, 0].mean(), p[:, 1].min() - 1) for p in drawn])
    return draw_tags(canvas, anchors, labels, np.stack([m.vertex_colors()[0] for m in meshes]))


def _grid_step_mm(flat: FlatView) -> float:
    """Side of a square: 1, 2 or 5 times a power of ten."""
    least = MIN_SQUARE_SHARE * min(flat.size_px) / flat.px_per_mm
    power = 10.0 ** np.floor(np.log10(least))
    return float(next(power * m for m in (1, 2, 5, 10) if power * m >= least))


def _draw_sight(canvas: np.ndarray, flat: FlatView, camera: Camera) -> None:
    """Two lines along the borders of what the camera sees."""
    axis = 0 if flat.name == 'top' else 1
    far_mm = np.linalg.norm(flat.center_mm) + sum(flat.size_px) / flat.px_per_mm
    for border in (-0.5, camera.image_size_px[axis] - 0.5):
        direction = np.array([0.0, 0.0, 1.0])
        direction[axis] = (border - camera.princpt_px[axis]) / camera.focal_px[axis]
        start, end = flat.project(np.stack([np.zeros(3), far_mm * direction]))
        # long lines in many short pieces: OpenCV's integers hold no far points
        points = start + np.linspace(0, 1, 65)[:, None] * (end - start)
        near = (np.abs(points) < 4 * max(flat.size_px)).all(axis=1)
        cv2.polylines(
            canvas, [fixed_point(points[near], canvas.shape)], False, _SIGHT, 1, cv2.LINE_AA, SHIFT
        )


def _draw_camera(canvas: np.ndarray, flat: FlatView) -> None:
    """A triangle with its tip at the camera, which opens where the camera looks."""
    length = max(9.0, 0.045 * min(flat.size_px))
    at, ahead = flat.project(np.array([[0.0, 0, 0], [0, 0, 1.0]]))
    forward = (ahead - at) / np.linalg.norm(ahead - at)
    aside = 0.5 * forward[::-1]
    at = np.clip(at, 2 + length, np.array(flat.size_px) - 3)
    corners = at + length * np.array([0 * forward, forward + aside, forward - aside])
    corners = fixed_point(corners, canvas.shape)
    cv2.fillPoly(canvas, [corners], _INK, cv2.LINE_AA, SHIFT)


def _write_depths(canvas: np.ndarray, flat: FlatView, step_mm: float) -> None:
    """At each line across the depth axis its distance from the camera."""
    scale = max(0.3, 0.6 * text_scale(canvas.shape[0]))
    axis = DEPTH_AXES[flat.name]
    for at, depth_mm in zip(*flat.grid(axis, step_mm), strict=True):
        text = f'{depth_mm / 1000:.4g} m'
        (width, height), _ = cv2.getTextSize(text, FONT, scale, 1)
        if axis == 0:
            origin = (round(at) + 3, canvas.shape[0] - 4)
        else:
            origin = (canvas.shape[1] - width - 3, round(at) - 3)
        if origin[0] + width < canvas.shape[1] and origin[1] - height > 0:
            cv2.putText(canvas, text, origin, FONT, scale, _INK, 1, cv2.LINE_AA)
