"""Boxes of people with small coloured tags. Colours are RGB in [0, 1]; N people."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .panels import FONT, SHIFT, fixed_point, text_scale

_TAG_SHARE = 0.6  # of a caption's size
_MIN_SCALE = 0.35  # OpenCV's font is unreadable below
_LUMA = np.array([0.299, 0.587, 0.114])


def draw_boxes(image: np.ndarray, boxes_px: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Outlines; the first box ends on top.

    Args:
        image: (H, W, 3) uint8.
        boxes_px: (N, 4) x1 y1 x2 y2; may lie outside. Boxes that are not finite are left out.
        colors: (N, 3).

    Returns:
        A new (H, W, 3) uint8.
    """
    image = np.ascontiguousarray(image).copy()
    thickness = max(1, round(min(image.shape[:2]) / 360))
    for box, color in reversed(list(zip(boxes_px, _to_uint8(colors), strict=True))):
        if np.isfinite(box).all():
            ends = fixed_point(np.reshape(box, (2, 2)), image.shape)
            cv2.rectangle(image, ends[0], ends[1], color, thickness, cv2.LINE_AA, SHIFT)
    return image


def draw_tags(
    image: np.ndarray, anchors_px: np.ndarray, texts: Sequence[str], colors: np.ndarray
) -> np.ndarray:
    """Tags that stand on their anchors, moved into the picture and off the tags before them.

    Args:
        image: (H, W, 3) uint8.
        anchors_px: (N, 2) lower left corner that a tag would like to have.
        texts: N.
        colors: (N, 3) of the tags; the text is black or white, whichever is seen better.

    Returns:
        A new (H, W, 3) uint8.
    """
    image = np.ascontiguousarray(image).copy()
    height, width = image.shape[:2]
    scale = max(_MIN_SCALE, _TAG_SHARE * text_scale(height))
    padding = max(2, round(5 * scale))
    taken: list[tuple[int, int, int, int]] = []
    for anchor, text, color in zip(anchors_px, texts, _to_uint8(colors), strict=True):
        (w, h), _ = cv2.getTextSize(text, FONT, scale, 1)
        size = (w + 2 * padding, h + 2 * padding)
        x0 = _clamp(anchor[0], width - size[0])
        y0 = _free_row(taken, x0, _clamp(anchor[1] - size[1], height - size[1]), size, height)
        taken.append((x0, y0, x0 + size[0], y0 + size[1]))
        cv2.rectangle(image, (x0, y0), (x0 + size[0] - 1, y0 + size[1] - 1), color, -1)
        ink = (0, 0, 0) if _LUMA @ color > 120 else (255, 255, 255)
        origin = (x0 + padding, y0 + size[1] - padding)
        cv2.putText(image, text, origin, FONT, scale, ink, 1, cv2.LINE_AA)
    return image


def _free_row(
    taken: list[tuple[int, int, int, int]], x0: int, y0: int, size: tuple[int, int], height: int
) -> int:
    """The nearest row, below first, where a tag covers none; `y0` if every row is taken."""
    for step in sorted(range(-height, height, 2), key=lambda s: (abs(s), -s)):
        y = y0 + step
        inside = 0 <= y <= height - size[1]
        if inside and not any(
            x0 < right and left < x0 + size[0] and y < bottom and top < y + size[1]
            for left, top, right, bottom in taken
        ):
            return y
    return y0


def _clamp(value: float, limit: int) -> int:
    """A whole coordinate in [0, limit]; 0 for what is no number."""
    return round(float(np.clip(np.nan_to_num(value), 0, max(limit, 0))))


def _to_uint8(colors: np.ndarray) -> list[tuple[int, int, int]]:
    levels = np.rint(255 * np.clip(colors, 0, 1)).astype(int)
    return [(int(r), int(g), int(b)) for r, g, b in levels.reshape(-1, 3)]
