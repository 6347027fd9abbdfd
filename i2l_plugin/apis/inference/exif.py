"""The focal length that a camera wrote into a picture's EXIF data, in px of that picture.

Two ways (EXIF 2.32, tags in hexadecimal), the first that is there:

1. FocalLengthIn35mmFilm (A405): the focal length that gives the same DIAGONAL angle of view on
   36 x 24 mm film (CIPA DCG-001), so f_px = f_35 * diagonal_px / 43.27. It holds for pictures that
   were scaled and, the diagonal being the same, for turned ones.
2. FocalLength (920A) in mm with FocalPlaneXResolution and -YResolution (A20E, A20F; px per unit
   A210 of the sensor), both along the axes of the stored picture: turned pictures (Orientation 0112
   from 5 on) swap x and y. ExifImageWidth and ExifImageHeight (A002, A003) tell by how much the
   picture was scaled since.

A picture of another aspect ratio than these dimensions was cropped: its EXIF data no longer hold,
and neither way is used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from PIL import Image

_EXIF_IFD, _ORIENTATION = 0x8769, 0x0112
_FOCAL_35MM, _FOCAL_MM = 0xA405, 0x920A
_RESOLUTION, _UNIT, _STORED_PX = (0xA20E, 0xA20F), 0xA210, (0xA002, 0xA003)
_UNIT_MM = {2: 25.4, 3: 10.0, 4: 1.0, 5: 1e-3}  # inch, cm, mm, um
_FILM_DIAGONAL_MM = math.hypot(36, 24)
_ASPECT_TOLERANCE = 0.02


def exif_focal_px(path: str, width_px: int, height_px: int) -> tuple[float, float] | None:
    """fx and fy of a picture that is shown upright at this size; None if its file does not say."""
    try:
        with Image.open(path) as image:
            exif = image.getexif()
            tags = dict(exif.get_ifd(_EXIF_IFD))
            turned = exif.get(_ORIENTATION, 1) in (5, 6, 7, 8)
    except Exception:  # whatever a broken or unusual file provokes: it says nothing
        return None
    width, height = (height_px, width_px) if turned else (width_px, height_px)  # as stored
    stored = [_positive(tags, tag) for tag in _STORED_PX]
    if None not in stored:
        aspect = (width / height) / (stored[0] / stored[1])
        if abs(math.log(aspect)) > _ASPECT_TOLERANCE:
            return None
    film_mm = _positive(tags, _FOCAL_35MM)
    if film_mm is not None:
        focal = film_mm * math.hypot(width, height) / _FILM_DIAGONAL_MM
        return focal, focal
    focal_mm = _positive(tags, _FOCAL_MM)
    unit_mm = _UNIT_MM.get(tags.get(_UNIT, 2))
    resolution = [_positive(tags, tag) for tag in _RESOLUTION]
    if focal_mm is None or unit_mm is None or None in resolution:
        return None
    scale = [size / (was or size) for size, was in zip((width, height), stored, strict=True)]
    fx, fy = (focal_mm / unit_mm * r * s for r, s in zip(resolution, scale, strict=True))
    return (fy, fx) if turned else (fx, fy)


def _positive(tags: Mapping[int, Any], tag: int) -> float | None:
    """A tag as a finite number > 0; 0 is how cameras say that they do not know."""
    try:
        value = float(tags[tag])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return value if math.isfinite(value) and value > 0 else None
