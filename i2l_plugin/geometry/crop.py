"""The crop: the similarity that takes image pixels to network-input pixels, and its inverse.

It is the one that MMPose's top-down pipeline warps images with (`get_warp_matrix`), in closed form
and in double precision. Affine matrices T are (..., 2, 3): p_crop = T[:, :2] @ p_img + T[:, 2].
Shape legend: N points, ... any leading (batch) dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor


def crop_from_image(
    center_px: ArrayLike,
    scale_px: ArrayLike,
    rotation_deg: float,
    output_size: Sequence[int],
) -> NDArray[np.float64]:
    """Affine matrix (2, 3), float64, from image px to crop px.

    The box centre lands on (output_w / 2, output_h / 2) and the box width on output_w. The box
    itself is turned by `rotation_deg` clockwise as seen on the screen (y down), hence its content
    turns counter-clockwise. As in MMPose the height of the box plays no part: it follows from the
    output's aspect ratio.

    Args:
        center_px: (2,) centre of the box.
        scale_px: (2,) width and height of the box, > 0.
        rotation_deg: In-plane rotation of the box.
        output_size: Width and height of the crop.

    Raises:
        ValueError: If the box has no width.
    """
    center = np.asarray(center_px, np.float64)
    box_width_px = float(np.asarray(scale_px)[0])
    if not box_width_px > 0:
        raise ValueError(
            f'scale_px: got {scale_px!r}, expected a box width > 0; drop samples without a box'
        )
    angle = np.deg2rad(rotation_deg)
    factor = output_size[0] / box_width_px
    cos, sin = factor * np.cos(angle), factor * np.sin(angle)
    linear = np.array([[cos, sin], [-sin, cos]])
    shift = np.asarray(output_size, np.float64) / 2 - linear @ center
    return np.concatenate([linear, shift[:, None]], axis=1)


def invert_affine(affine: Tensor) -> Tensor:
    """Inverse of affine matrices, (..., 2, 3) -> (..., 2, 3). Closed form; T must be invertible."""
    (a, b, x), (c, d, y) = (row.unbind(-1) for row in affine.unbind(-2))
    det = a * d - b * c
    top = torch.stack([d, -b, b * y - d * x], dim=-1)
    bottom = torch.stack([-c, a, c * x - a * y], dim=-1)
    return torch.stack([top, bottom], dim=-2) / det[..., None, None]


def apply_affine(affine: Tensor, points: Tensor) -> Tensor:
    """Transform x and y of points; further coordinates (depth) pass unchanged.

    Args:
        affine: (..., 2, 3).
        points: (..., N, 2 or more).

    Returns:
        Same shape as `points`.
    """
    xy = points[..., :2] @ affine[..., :2].transpose(-1, -2) + affine[..., None, :, 2]
    return torch.cat([xy, points[..., 2:]], dim=-1)


def crop_rotation(affine: Tensor) -> Tensor:
    """Rotation (..., 3, 3) about the optical axis that takes camera axes to the crop's axes.

    A direction d of camera space looks in the crop as R @ d does in an upright one, exactly on the
    optical axis. The identity where the crop was not rotated.

    Args:
        affine: (..., 2, 3) similarity without reflection, as `crop_from_image`.
    """
    linear = affine[..., :2]
    turn = linear / torch.linalg.det(linear).sqrt()[..., None, None]
    rotation = torch.zeros(*affine.shape[:-2], 3, 3, dtype=affine.dtype, device=affine.device)
    rotation[..., :2, :2] = turn
    rotation[..., 2, 2] = 1
    return rotation


def cropped_box_size(affine: Tensor, output_size: Sequence[int]) -> Tensor:
    """Width and height, in image px, of the box that a crop shows; a turned box in its own frame.

    Args:
        affine: T, (..., 2, 3), a similarity.
        output_size: Width and height of the crop.

    Returns:
        (..., 2).
    """
    (a, b), (c, d) = (row.unbind(-1) for row in affine[..., :2].unbind(-2))
    scale = (a * d - b * c).abs().sqrt()  # crop px per image px
    return affine.new_tensor(list(output_size)) / scale[..., None]


MIN_BOX_PX = 1.0  # sides of the smallest box that is cropped


def box_has_area(bbox_px: ArrayLike) -> NDArray[np.bool_]:
    """Whether boxes, x1 y1 x2 y2, are at least `MIN_BOX_PX` wide and high; (..., 4) -> (...)."""
    bbox = np.asarray(bbox_px)
    return (bbox[..., 2:] - bbox[..., :2] >= MIN_BOX_PX).all(axis=-1)


def clip_box(bbox_px: ArrayLike, image_size_px: ArrayLike) -> NDArray[np.float32]:
    """Boxes cut to the pixels of the image: x in [0, W - 1], y in [0, H - 1].

    A box outside the image comes back with zero (never negative) width or height.

    Args:
        bbox_px: (..., 4), x1 y1 x2 y2.
        image_size_px: (..., 2), width and height.

    Returns:
        (..., 4) float32.
    """
    bbox = np.asarray(bbox_px, np.float32)
    last_px = np.asarray(image_size_px, np.float32) - 1
    return np.clip(bbox, 0, np.concatenate([last_px, last_px], axis=-1))
