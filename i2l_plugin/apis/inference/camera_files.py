"""Files that hold the intrinsics of a camera: JSON, .npz, or a 3x3 matrix as text."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

_EXPECTED = (
    'expected JSON or .npz with focal_px (and princpt_px) or a 3x3 K, or nine numbers as text'
)


def read_camera_file(path: str | os.PathLike) -> Mapping[str, Any] | np.ndarray:
    """What a file says of a camera; whether that makes sense, `read_intrinsics` checks.

    ``.json``: an object with ``focal_px`` (a number or fx, fy) and, if known, ``princpt_px``; or
    with a 3x3 ``K``. ``.npz``: arrays of the same names, as in this plugin's own results. Any other
    suffix: nine numbers, row by row, as ``numpy.savetxt`` writes a 3x3 matrix. Nothing is executed.

    Returns:
        A mapping of these names, or a (3, 3) matrix.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The file cannot be read or holds nothing of this kind.
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f'camera file {path!r} does not exist; {_EXPECTED}')
    try:
        if path.lower().endswith('.npz'):
            with np.load(path, allow_pickle=False) as arrays:
                names = ('focal_px', 'princpt_px', 'focal', 'princpt', 'K')
                return {name: arrays[name] for name in names if name in arrays}
        if path.lower().endswith('.json'):
            with open(path, encoding='utf-8') as file:
                content = json.load(file)
            if not isinstance(content, dict):
                raise ValueError(f'it holds a {type(content).__name__}')
            return content
        with open(path, encoding='utf-8') as file:
            numbers = [float(word) for word in file.read().replace(',', ' ').split()]
        return np.array(numbers).reshape(3, 3)
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f'camera file {path!r} cannot be read ({error}); {_EXPECTED}') from error
