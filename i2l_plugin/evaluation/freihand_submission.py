"""Writing a FreiHAND submission: ``pred.json``, and ``pred.zip`` that holds it in no folder.

Shape legend: N samples, V vertices, P points of either list.
"""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from i2l_plugin.files import replacing

from .freihand_files import SUBMISSION

DECIMALS = 7  # of coordinates in m: 0.1 micrometres


def write_submission(
    folder: str | os.PathLike, xyz_m: np.ndarray, verts_m: np.ndarray
) -> tuple[Path, Path]:
    """Write ``pred.json`` and ``pred.zip``, each whole or not at all; makes the folder.

    The same predictions give the same bytes. Coordinates keep `DECIMALS` decimals.

    Args:
        folder: Where to.
        xyz_m: (N, 21, 3) joints of all evaluation samples in order, in m.
        verts_m: (N, V, 3) vertices.

    Returns:
        Paths of the two files.

    Raises:
        ValueError: Other shapes, or numbers that are not finite.
    """
    for what, points in (('xyz', xyz_m), ('verts', verts_m)):
        if points.ndim != 3 or points.shape[2] != 3 or len(points) != len(xyz_m):
            raise ValueError(
                f'{what}_m must be (N, P, 3) with one N for both, got {points.shape} beside '
                f'xyz_m of {len(xyz_m)} samples'
            )
        bad = np.flatnonzero(~np.isfinite(points).all((1, 2)))
        if len(bad):
            raise ValueError(
                f'{what}_m: got NaN or inf in {len(bad)} samples, first {bad[:5].tolist()}; '
                'nothing was written'
            )
    json_path, zip_path = Path(folder) / SUBMISSION, Path(folder) / 'pred.zip'
    with replacing(json_path) as new_json, replacing(zip_path) as new_zip:
        with new_json.open('w', encoding='ascii') as file:
            file.writelines(_json_parts([xyz_m, verts_m]))
        with zipfile.ZipFile(new_zip, 'w') as archive:
            member = zipfile.ZipInfo(SUBMISSION)  # with a fixed date
            member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            with new_json.open('rb') as source, archive.open(member, 'w') as target:
                shutil.copyfileobj(source, target, 1 << 20)
    return json_path, zip_path


def _json_parts(lists: Sequence[np.ndarray]) -> Iterator[str]:
    """JSON text of lists of samples, one sample at a time."""
    for i, samples in enumerate(lists):
        yield ', [' if i else '[['
        for k, points in enumerate(samples):
            rounded = np.round(points.astype(np.float64), DECIMALS)
            yield f'{", " if k else ""}{json.dumps(rounded.tolist())}'
        yield ']'
    yield ']\n'
