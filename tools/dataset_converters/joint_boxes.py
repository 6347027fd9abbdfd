"""Boxes of people of whom a data set gives joints alone.

As in the release's parsed 3DPW files: around the joints in the picture, grown by 1.2 about their
centre, so that raw and parsed files give the same boxes. Shape legend: A joints.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from i2l_plugin.geometry.crop import box_has_area, clip_box

GROWTH = 1.2  # joints lie inside the body


def joints_in_view(
    joints_px: NDArray, in_front: NDArray, image_size_px: Sequence[int]
) -> NDArray[np.bool_]:
    """Which joints (A,) are in the picture.

    Args:
        joints_px: (A, 2).
        in_front: (A,) bool, in front of the camera.
        image_size_px: Width and height.
    """
    return in_front & ((joints_px >= 0) & (joints_px < np.asarray(image_size_px))).all(axis=1)


def box_around_joints(
    joints_px: NDArray, in_front: NDArray, image_size_px: Sequence[int]
) -> NDArray[np.float64]:
    """x1 y1 x2 y2; the whole picture if the joints in it span too little (arguments as above)."""
    inside = joints_px[joints_in_view(joints_px, in_front, image_size_px)]
    if not len(inside):
        return whole_picture(image_size_px)
    low, high = inside.min(axis=0), inside.max(axis=0)
    center, half = (low + high) / 2, GROWTH * (high - low) / 2
    return box_or_picture(np.concatenate([center - half, center + half]), image_size_px)


def box_or_picture(box_px: NDArray, image_size_px: Sequence[int]) -> NDArray[np.float64]:
    """A box (4,), or the whole picture if too little of it is inside for `MeshDataset` to crop.

    Tests refuse a record with such a box: their results must be of everyone.
    """
    if box_has_area(clip_box(box_px, image_size_px)):
        return box_px
    return whole_picture(image_size_px)


def whole_picture(image_size_px: Sequence[int]) -> NDArray[np.float64]:
    """Box (4,) of the picture, of width and height `image_size_px`."""
    width, height = image_size_px
    return np.array([0.0, 0.0, width - 1.0, height - 1.0])
