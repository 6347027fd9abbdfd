"""Which camera took a picture: given, from its field of view, from its EXIF data, or the default.

Image frame and camera frame are those of `i2l_plugin.geometry.camera`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from i2l_plugin.geometry.camera import DEFAULT_FOCAL_PX, default_intrinsics

from .camera_files import read_camera_file
from .exif import exif_focal_px

GIVEN, FIELD_OF_VIEW, EXIF = 'given intrinsics', 'field of view', 'EXIF'
DEFAULT = f'default {DEFAULT_FOCAL_PX:g} px'


@dataclass(frozen=True)
class Camera:
    """A pinhole camera.

    Attributes:
        focal_px: (2,) fx, fy.
        princpt_px: (2,) cx, cy.
        source: ``'given intrinsics'``, ``'field of view'``, ``'EXIF'`` or ``'default 1500 px'``.
    """

    focal_px: NDArray[np.float32]
    princpt_px: NDArray[np.float32]
    source: str


class CameraFinder:
    """The camera of each picture of a call: the first of these that there is.

    1. `camera`: given intrinsics, for all pictures.
    2. `fov_deg`: f = (W / 2) / tan(fov / 2).
    3. The focal length of the picture's EXIF data (`exif_focal_px`); still pictures only.
    4. f = 1500 px (Moon et al., ICCV 2019).

    The principal point is the centre of the picture, (W / 2, H / 2), unless it is given.

    Args:
        camera: A focal length (a number or fx, fy) in px; a 3x3 matrix in px; a mapping of
            ``focal_px`` and, if known, ``princpt_px``; or a file, as `read_camera_file` reads it.
        fov_deg: Horizontal field of view, over the width of the picture, in degrees.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Both are given, or one is out of range or not to be understood.
    """

    def __init__(
        self,
        camera: ArrayLike | Mapping[str, Any] | str | os.PathLike | None = None,
        fov_deg: float | None = None,
    ) -> None:
        if camera is not None and fov_deg is not None:
            raise ValueError('got both a camera and a field of view; give one of them')
        if fov_deg is not None and not 0 < fov_deg < 180:
            raise ValueError(f'fov: got {fov_deg}, expected degrees between 0 and 180')
        self.fov_deg = fov_deg
        self.focal_px, self.princpt_px = None, None
        if camera is not None:
            self.focal_px, self.princpt_px = read_intrinsics(camera)

    def __call__(self, width_px: int, height_px: int, picture: str | None = None) -> Camera:
        """The camera of a picture of this size; `picture` is its file, None for frames."""
        default_focal, centre = (t.numpy() for t in default_intrinsics(width_px, height_px))
        princpt = centre if self.princpt_px is None else self.princpt_px
        if self.focal_px is not None:
            return Camera(self.focal_px, princpt, GIVEN)
        if self.fov_deg is not None:
            focal = width_px / 2 / math.tan(math.radians(self.fov_deg) / 2)
            return Camera(np.full(2, focal, np.float32), princpt, FIELD_OF_VIEW)
        exif_focal = None if picture is None else exif_focal_px(picture, width_px, height_px)
        if exif_focal is not None:
            return Camera(np.array(exif_focal, np.float32), princpt, EXIF)
        return Camera(default_focal, princpt, DEFAULT)


def read_intrinsics(
    camera: ArrayLike | Mapping[str, Any] | str | os.PathLike,
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Focal length (2,) and principal point (2,), None if it is not given, in px.

    Args:
        camera: As in `CameraFinder`.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It is nothing of that kind, or its numbers are not finite or the focal length
            not positive.
    """
    where = 'camera'
    if isinstance(camera, (str, os.PathLike)):
        where = f'camera {os.fspath(camera)!r}'
        camera = read_camera_file(camera)
    if isinstance(camera, Mapping):
        focal, princpt = _named(camera, where)
    else:
        focal, princpt = camera, None
    focal = _numbers(focal, where)
    if focal.shape == (3, 3):
        if princpt is not None:
            raise ValueError(f'{where}: got a 3x3 matrix and a principal point; give one of them')
        focal, princpt = _of_matrix(focal, where)
    if focal.shape not in {(), (1,), (2,)} or not (focal > 0).all():
        raise ValueError(
            f'{where}: got the focal length {focal.tolist()}, expected one or two numbers > 0 in '
            'px, or a 3x3 matrix'
        )
    if princpt is not None:
        princpt = _numbers(princpt, where)
        if princpt.shape != (2,):
            raise ValueError(f'{where}: got the principal point {princpt.tolist()}, expected x, y')
    return np.broadcast_to(focal, 2).astype(np.float32), princpt


def _named(camera: Mapping[str, Any], where: str) -> tuple[Any, Any]:
    """Focal length (or matrix) and principal point of a mapping."""
    focal = [camera[name] for name in ('focal_px', 'focal', 'K') if name in camera]
    princpt = [camera[name] for name in ('princpt_px', 'princpt') if name in camera]
    if len(focal) != 1 or len(princpt) > 1:
        raise ValueError(
            f"{where}: got {sorted(camera)}, expected 'focal_px' (and 'princpt_px') or a 3x3 'K'"
        )
    return focal[0], princpt[0] if princpt else None


def _numbers(values: Any, where: str) -> NDArray[np.float32]:
    try:
        array = np.asarray(values, np.float32)
    except (TypeError, ValueError):
        array = np.full(1, np.nan, np.float32)
    if not np.isfinite(array).all():
        raise ValueError(f'{where}: got {values!r}, expected finite numbers in px')
    return array


def _of_matrix(
    matrix: NDArray[np.float32], where: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    expected = np.array(
        [[matrix[0, 0], 0, matrix[0, 2]], [0, matrix[1, 1], matrix[1, 2]], [0, 0, 1]]
    )
    if not np.allclose(matrix, expected, atol=1e-3):
        raise ValueError(
            f'{where}: got the matrix {matrix.tolist()}, expected [[fx, 0, cx], [0, fy, cy], '
            '[0, 0, 1]] in px: a pinhole without skew'
        )
    return matrix[[0, 1], [0, 1]], matrix[:2, 2]
