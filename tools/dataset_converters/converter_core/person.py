"""One person's values, checked and in the form of the record's columns.

Shape legend: P = 24 (body) or 16 (hand) body-model joints, A annotated joints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from i2l_plugin.datasets.annotation_schema import NUM_POSE

from .entries import as_numbers, integer

_NUM_BETAS = 10


def person_cells(
    num_joints: int,
    *,
    sample_id: int,
    image_id: int,
    image_path: str,
    image_size_px: Sequence[int],
    bbox_px: Sequence[float],
    focal_px: Sequence[float],
    princpt_px: Sequence[float],
    joints_cam_mm: Any = None,
    joints_px: Any = None,
    joints_valid: Any = None,
    root_depth_mm: float | None = None,
) -> dict[str, Any]:
    """Cells of a person by column, those of the fit and the optional ones apart.

    Args:
        num_joints: A.
        sample_id, image_id: Numbers of the person (unique) and of the image.
        image_path: Relative to the image folder.
        image_size_px: Width and height.
        bbox_px: x1 y1 x2 y2.
        focal_px, princpt_px: (2,) each.
        joints_cam_mm: (A, 3); may be None without a depth.
        joints_px: (A, 2); None if no joint is annotated.
        joints_valid: (A,) bool; by default all if there are `joints_px`, else none. The
            coordinates of the others may hold anything.
        root_depth_mm: Absolute depth of the root; None if neither it nor `joints_cam_mm` is known.

    Raises:
        ValueError: A value is missing, has the wrong shape, or is not finite where it counts.
    """
    valid = np.full(num_joints, joints_px is not None)
    if joints_valid is not None:
        valid = as_numbers(joints_valid, 'joints_valid', (num_joints,)).astype(bool)
    has_depth = root_depth_mm is not None
    depth_mm = as_numbers(root_depth_mm, 'root_depth_mm', ()) if has_depth else np.zeros(())
    size_px = as_numbers(image_size_px, 'image_size_px', (2,))
    focal = as_numbers(focal_px, 'focal_px', (2,))
    for name, got in (('image_size_px', size_px), ('focal_px', focal)):
        if not (got > 0).all():
            raise ValueError(f'{name}: got {got.tolist()}, expected numbers > 0')
    if has_depth and not depth_mm > 0:
        raise ValueError(f'root_depth_mm: got {depth_mm:g}, expected > 0: in front of the camera')
    if not image_path:
        raise ValueError('image_path: got no path, expected a file name')
    return {
        'sample_id': integer({'sample_id': sample_id}, 'sample_id'),
        'image_id': integer({'image_id': image_id}, 'image_id'),
        'image_path': image_path,
        'image_size_px': size_px,
        'bbox_px': as_numbers(bbox_px, 'bbox_px', (4,)),
        'focal_px': focal,
        'princpt_px': as_numbers(princpt_px, 'princpt_px', (2,)),
        'joints_cam_mm': _joints(joints_cam_mm, 'joints_cam_mm', valid & has_depth, 3),
        'joints_px': _joints(joints_px, 'joints_px', valid, 2),
        'joints_valid': valid,
        'has_depth': has_depth,
        'root_depth_mm': depth_mm,
    }


def fit_cells(kind: str, pose: Any, betas: Any, transl_m: Any) -> dict[str, Any]:
    """Cells of a person's fit by column; zeros and not valid if all three are None.

    Args:
        kind: ``'body'`` or ``'hand'``.
        pose: (P, 3) or (3 P,), rad.
        betas: (10,) or longer, of which the first 10 count.
        transl_m: (3,) m, camera frame.

    Raises:
        ValueError: Only a part is given, or one is no finite numbers of its shape.
    """
    given = [part is not None for part in (pose, betas, transl_m)]
    if not any(given):
        return {'pose': 0.0, 'betas': 0.0, 'transl_m': 0.0, 'fit_valid': False}
    if not all(given):
        raise ValueError('got a part of pose, betas and transl_m, expected all three or none')
    try:
        betas = np.ravel(betas)[:_NUM_BETAS]
    except ValueError:
        raise ValueError('betas: got no array of numbers') from None
    return {
        'pose': as_numbers(pose, 'pose', (NUM_POSE[kind], 3)),
        'betas': as_numbers(betas, 'betas', (_NUM_BETAS,)),
        'transl_m': as_numbers(transl_m, 'transl_m', (3,)),
        'fit_valid': True,
    }


def optional_cell(name: str, cell: Any, is_text: bool) -> Any:
    """Cell of an optional column: text, a whole number (id_...), or a number or None.

    Raises:
        ValueError: It is something else.
    """
    if is_text:
        if not isinstance(cell, (str, bytes)) or not cell:
            raise ValueError(f'{name}: got {cell!r}, expected text')
        return cell
    if name.startswith('id_'):
        return integer({name: cell}, name)
    return np.nan if cell is None else as_numbers(cell, name, ())


def _joints(points: Any, name: str, valid: np.ndarray, size: int) -> np.ndarray:
    """(A, size) with zeros where not valid."""
    if points is None:
        if valid.any():
            raise ValueError(f'{name}: got none, expected {int(valid.sum())} valid joints')
        return np.zeros((len(valid), size))
    points = np.array(points, np.float64)
    if points.shape == (len(valid), size):
        points[~valid] = 0
    return as_numbers(points, name, (len(valid), size))
