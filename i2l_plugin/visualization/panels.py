"""The parts of a result picture: skeleton, uncertainty colours with their bar, captions, a row.

Pure functions on uint8 RGB pictures. Shapes: V vertices, J joints, H x W the picture.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

FONT = cv2.FONT_HERSHEY_SIMPLEX
LEFT_COLOR, RIGHT_COLOR, MIDDLE_COLOR = (80, 160, 255), (255, 130, 60), (120, 220, 120)
_NAME_COLORS = {
    'L_': LEFT_COLOR,
    'R_': RIGHT_COLOR,
    'Thumb': (245, 165, 40),
    'Index': (225, 100, 225),
    'Middle': (80, 160, 255),
    'Ring': (240, 80, 70),
    'Pinky': (60, 200, 200),
}
# Sub-pixel positions for OpenCV's anti-aliased drawing: coordinates in 1 / 2**SHIFT px.
SHIFT = 4


def draw_skeleton(
    image: np.ndarray,
    keypoints_px: np.ndarray,
    visible: np.ndarray,
    links: Sequence[tuple[int, int]],
    names: Sequence[str] = (),
) -> np.ndarray:
    """Draw bones and joints in the colours of the joints' names, see `joint_color`.

    Args:
        image: (H, W, 3) uint8.
        keypoints_px: (J, 2) px.
        visible: (J,) bool; bones need both ends.
        links: Pairs of joint indices.
        names: J names, which choose the colours. Empty: all green.

    Returns:
        A new (H, W, 3) uint8.
    """
    image = np.ascontiguousarray(image).copy()
    thickness = max(1, round(min(image.shape[:2]) / 150))
    names = names or [''] * len(keypoints_px)
    drawable = visible & np.isfinite(keypoints_px).all(-1)
    points = fixed_point(keypoints_px, image.shape)
    for i, j in links:
        if drawable[i] and drawable[j]:
            color = joint_color(names[j])
            cv2.line(image, points[i], points[j], color, thickness, cv2.LINE_AA, SHIFT)
    for point, name in zip(points[drawable], np.asarray(names)[drawable], strict=True):
        radius = (thickness + 1) << SHIFT
        cv2.circle(image, point, radius, (255, 255, 255), -1, cv2.LINE_AA, SHIFT)
        cv2.circle(image, point, thickness << SHIFT, joint_color(name), -1, cv2.LINE_AA, SHIFT)
    return image


def fixed_point(points_px: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Points for OpenCV's sub-pixel drawing on a picture of a shape (H, W, ...).

    Far points would overflow its integers: they are brought to ten picture sides.

    Args:
        points_px: (..., 2) px; what is not finite becomes a point in the picture or near it.
        shape: Of the picture.

    Returns:
        Whole numbers (..., 2) for a `shift` argument of SHIFT.
    """
    limit = 10.0 * max(shape[:2])
    points = np.clip(np.nan_to_num(np.asarray(points_px, dtype=np.float64)), -limit, limit)
    return np.rint(points * 2**SHIFT).astype(int)


def joint_color(name: str) -> tuple[int, int, int]:
    """RGB by a joint's name: left blue, right orange, fingers one colour each, the rest green."""
    for prefix, color in _NAME_COLORS.items():
        if name.startswith(prefix):
            return color
    return MIDDLE_COLOR


def spread_mm(vertex_spread: np.ndarray, depth_mm: np.ndarray, focal_px: np.ndarray) -> np.ndarray:
    """Standard deviation in space of each vertex from its three 1D heatmaps' deviations.

    The image axes' px become mm at the vertex's depth; the three axes are independent heatmaps,
    so their variances add.

    Args:
        vertex_spread: (..., 3) std in px, px, mm.
        depth_mm: (...) depth of the vertex in mm.
        focal_px: (2,) px.

    Returns:
        (...) mm.
    """
    lateral = vertex_spread[..., :2] / np.asarray(focal_px) * np.asarray(depth_mm)[..., None]
    return np.sqrt((lateral**2).sum(-1) + vertex_spread[..., 2] ** 2)


def colorize(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Viridis colours of values between low (dark blue) and high (yellow). (...) -> (..., 3)."""
    span = max(high - low, 1e-9)
    index = np.rint(np.clip((np.asarray(values) - low) / span, 0, 1) * 255).astype(np.uint8)
    table = cv2.applyColorMap(np.arange(256, dtype=np.uint8), cv2.COLORMAP_VIRIDIS)
    return table[:, 0, ::-1][index] / 255.0  # OpenCV's tables are BGR


def draw_color_bar(image: np.ndarray, low: float, high: float, unit: str) -> np.ndarray:
    """A new picture with a vertical bar of `colorize` at its right edge and its end values."""
    image = np.ascontiguousarray(image).copy()
    height, width = image.shape[:2]
    top, bottom = int(0.25 * height), int(0.75 * height)
    bar_width = max(4, width // 40)
    left = width - 2 * bar_width
    values = np.linspace(high, low, bottom - top)[:, None].repeat(bar_width, axis=1)
    image[top:bottom, left : left + bar_width] = np.rint(255 * colorize(values, low, high))
    for value, y in ((high, top - 4), (low, bottom + int(14 * text_scale(height) / 0.5))):
        text = f'{value:.1f} {unit}'
        (text_width, _), _ = cv2.getTextSize(text, FONT, text_scale(height), 1)
        put_text(image, text, (width - text_width - 3, y))
    return image


def add_caption(image: np.ndarray, text: str) -> np.ndarray:
    """A new picture with white text on a dark outline in its upper left corner."""
    image = np.ascontiguousarray(image).copy()
    put_text(image, text, (4, int(30 * text_scale(image.shape[0]))))
    return image


def text_scale(height: int) -> float:
    """OpenCV's font scale of a caption in a picture of this height."""
    return max(0.35, height / 800)


def put_text(image: np.ndarray, text: str, origin: tuple[int, int]) -> None:
    """White text on a dark outline, drawn into the picture; `origin` is its lower left corner."""
    scale = text_scale(image.shape[0])
    for color, thickness in (((30, 30, 30), 3), ((255, 255, 255), 1)):
        cv2.putText(image, text, origin, FONT, scale, color, thickness, cv2.LINE_AA)


def side_by_side(panels: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures of one height in a row with white gaps of 2 px. -> (H, W', 3)."""
    gap = np.full((panels[0].shape[0], 2, 3), 255, np.uint8)
    row = [panels[0]]
    for panel in panels[1:]:
        row += [gap, panel]
    return np.concatenate(row, axis=1)
