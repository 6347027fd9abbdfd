"""Reading FreiHAND's files: a submission and the evaluation annotations, with errors by place.

``pred.json`` is ``[xyz, verts]``: for every evaluation sample in order J = 21 joints, and V = 778
vertices, in metres. ``evaluation_xyz.json`` and ``evaluation_verts.json`` hold one of the two each.
They are 200 MB of text, so one sample at a time becomes Python lists.
Shape legend: N samples, P points (J or V).
"""

from __future__ import annotations

import json
import os
import re
import zipfile
import zlib
from pathlib import Path

import numpy as np

from .freihand_definitions import NUM_JOINTS, NUM_VERTICES

SUBMISSION = 'pred.json'
NUM_POINTS = {'xyz': NUM_JOINTS, 'verts': NUM_VERTICES}
_SPACE = re.compile(r'[ \t\r\n]*')
_DECODER = json.JSONDecoder()
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
_MAX_SIZE_RATIO = 30.0  # a prediction so much larger than the truth is in another unit
_UNITS = {10.0: 'dm', 100.0: 'cm', 1000.0: 'mm'}  # that a metre has


def check_truth_files(folder: str | os.PathLike) -> None:
    """FileNotFoundError that names all the evaluation annotations that are missing in a folder."""
    names = [_truth_name(what) for what in NUM_POINTS]
    missing = [name for name in names if not (Path(folder) / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f'{folder}: no {" and no ".join(missing)} there; expected the folder of FreiHAND with '
            'its evaluation annotations, which were published after the challenge'
        )


def check_truth_lengths(folder: str | os.PathLike, xyz: np.ndarray, verts: np.ndarray) -> None:
    """ValueError unless both annotations of a folder hold the same samples, at least one."""
    if len(xyz) != len(verts) or len(xyz) == 0:
        raise ValueError(
            f'{folder}: got {len(xyz)} samples in evaluation_xyz.json and {len(verts)} in '
            'evaluation_verts.json, expected one number, not 0'
        )


def _truth_name(what: str) -> str:
    return f'evaluation_{what}.json'


def read_truth(folder: str | os.PathLike, what: str) -> np.ndarray:
    """Evaluation annotations, (N, P, 3) float64 m.

    Args:
        folder: Where FreiHAND was unpacked.
        what: ``'xyz'`` or ``'verts'``.

    Raises:
        FileNotFoundError: No such file (`check_truth_files` names both).
        ValueError: The file is cut short, or a sample has another shape or no finite numbers.
    """
    path = Path(folder) / _truth_name(what)
    text = _Text(path.read_bytes(), str(path))
    points = text.samples(what)
    text.end()
    return points


def read_submission(path: str | os.PathLike) -> tuple[np.ndarray, np.ndarray]:
    """Joints (N, 21, 3) and vertices (N, 778, 3) of a ``.json`` or ``.zip``, float64 m.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Another content, by its place: cut short, another nesting, shape or count, no
            finite numbers; or a .zip that does not hold ``pred.json`` alone.
    """
    path = Path(path)
    is_zip = path.suffix == '.zip' or zipfile.is_zipfile(path)
    content = _unzip(path) if is_zip else path.read_bytes()
    text = _Text(content, str(path))
    text.expect('[', f'the list [xyz, verts] of a submission, {SUBMISSION}')
    xyz = text.samples('xyz')
    text.expect(',', 'the second list, verts')
    verts = text.samples('verts')
    text.expect(']', 'the end after two lists, xyz and verts')
    text.end()
    if len(xyz) != len(verts):
        raise ValueError(f'{path}: got {len(xyz)} samples in xyz, but {len(verts)} in verts')
    return xyz, verts


def _unzip(path: Path) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if names != [SUBMISSION]:
                raise ValueError(
                    f'{path}: got the members {names[:5]}, expected {SUBMISSION} alone, in no '
                    f'folder: make it by zip -j pred.zip {SUBMISSION}'
                )
            return archive.read(SUBMISSION)
    except _ZIP_ERRORS as error:
        raise ValueError(f'{path}: got a .zip that cannot be read ({error}): make it again') from (
            error
        )


class _Text:
    """JSON text that is read from front to end; errors tell the place."""

    def __init__(self, content: bytes, name: str) -> None:
        try:
            self.text = content.decode('utf-8-sig')
        except UnicodeDecodeError as error:
            raise ValueError(f'{name}: got no text ({error}), expected JSON') from error
        self.name, self.position = name, 0
        self._skip_space()

    def _skip_space(self) -> None:
        self.position = _SPACE.match(self.text, self.position).end()  # type: ignore[union-attr]

    def _fail(self, where: str, expected: str) -> ValueError:
        got = repr(self.text[self.position : self.position + 20])
        if self.position >= len(self.text):
            got = 'the end of the file, which is cut short'
        return ValueError(
            f'{self.name}: {where}character {self.position}: got {got}, expected {expected}'
        )

    def peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def expect(self, character: str, meaning: str, where: str = '') -> None:
        """Go past a character."""
        if self.peek() != character:
            raise self._fail(where, f'{character!r}, {meaning}')
        self.position += 1
        self._skip_space()

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self.position != len(self.text):
            raise self._fail('', 'the end of the file')

    def samples(self, what: str) -> np.ndarray:
        """The list of samples that starts here, (N, P, 3) float64."""
        self.expect('[', f'the list {what} of samples')
        points: list[np.ndarray] = []
        while self.peek() != ']':
            where = f'{what}, sample {len(points)}: '
            if points:
                self.expect(',', f'the next sample or the end of {what}', where)
            try:
                value, self.position = _DECODER.raw_decode(self.text, self.position)
            except (json.JSONDecodeError, RecursionError) as error:
                self.position = getattr(error, 'pos', self.position)
                raise self._fail(where, 'numbers in JSON') from error
            points.append(_points(value, what, f'{self.name}: {where}'))
            self._skip_space()
        self.expect(']', f'the end of {what}')
        return np.stack(points) if points else np.empty((0, NUM_POINTS[what], 3))


def _points(value: object, what: str, where: str) -> np.ndarray:
    """One sample (P, 3)."""
    shape = (NUM_POINTS[what], 3)
    try:
        points = np.asarray(value)
    except ValueError:  # lists of several lengths
        points = np.asarray(None)
    if points.dtype.kind not in 'iuf' or points.shape != shape:
        raise ValueError(f'{where}got {_describe(points, what)}, expected {shape} numbers in m')
    if not np.isfinite(points).all():
        raise ValueError(f'{where}got NaN or inf, expected finite numbers in m')
    return points.astype(np.float64)


def _describe(points: np.ndarray, what: str) -> str:
    if points.dtype.kind not in 'iuf':
        return 'something else than a list of points'
    others = [name for name, number in NUM_POINTS.items() if points.shape == (number, 3)]
    hint = f', the shape of {others[0]} (is the order [xyz, verts]?)' if others else ''
    if what == 'verts' and not others and points.shape[1:] == (3,):
        hint = ' (another mesh than MANO has no vertex correspondences)'
    return f'{points.shape}{hint}'


def check_size(prediction_m: np.ndarray, truth_m: np.ndarray, what: str) -> None:
    """Make sure that predictions (N, P, 3) are in metres, by the size of their hands.

    Predictions of one place, as those that are all zero, pass.

    Raises:
        ValueError: They are many times as large as the truth; names the unit that they are in.
    """
    size, expected = (
        float(np.median(np.linalg.norm(points - points.mean(1, keepdims=True), axis=(1, 2))))
        for points in (prediction_m, truth_m)
    )
    if size > _MAX_SIZE_RATIO * expected:
        ratio = size / expected
        factor = min(_UNITS, key=lambda unit: abs(np.log(ratio / unit)))
        raise ValueError(
            f'{what}: the predicted hands are {ratio:.0f} times as large as the true ones; '
            f'expected metres, got what looks like {_UNITS[factor]}: divide by {factor:.0f}'
        )
