"""Reading data sets: which files there are, whole JSON files, and JSON files of gigabytes.

Every error is a FileNotFoundError or ValueError that names the file. Streams (ijson) hold one item
in memory at a time; the literals NaN and Infinity, which are no JSON but which Python writes, come
as None, so that whoever reads the entry can name it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import ijson

from .progress import SILENT, Progress

_NOT_JSON = re.compile(rb'(?:(?<=[\s\[,:])|\A)-?(?:NaN|Infinity)(?=\s*[,\]}])')
_BUFFER = 1 << 20


def require_files(root: Path, expected: Mapping[str, str]) -> None:
    """FileNotFoundError that lists all files and folders of `expected` that are not there.

    Args:
        root: Folder of the data set.
        expected: What each path, relative to `root`, is.
    """
    if not root.is_dir():
        raise FileNotFoundError(
            f'--root {root}: no such folder; expected the one that holds {list(expected)}'
        )
    missing = _missing(root, expected)
    if missing:
        raise FileNotFoundError(f'{root}: {len(missing)} missing:{_listed(missing)}')


def detect_source(root: Path, sources: Mapping[str, Mapping[str, str]]) -> str:
    """Name of the first source all of whose files are there.

    Args:
        root: Folder of the data set.
        sources: Expected files, as in `require_files`, by the name of the source, e.g.
            ``{'parsed': {...}, 'raw': {...}}``; the preferred one first.

    Raises:
        FileNotFoundError: No source is complete; it lists what each one lacks.
    """
    if not root.is_dir():
        raise FileNotFoundError(f'--root {root}: no such folder; expected the data set in it')
    lacks = {name: _missing(root, expected) for name, expected in sources.items()}
    for name, missing in lacks.items():
        if not missing:
            return name
    said = ''.join(f'\n {name} files lack{_listed(missing)}' for name, missing in lacks.items())
    raise FileNotFoundError(f'{root}: expected one complete source:{said}')


def _missing(root: Path, expected: Mapping[str, str]) -> dict[str, str]:
    return {name: what for name, what in expected.items() if not (root / name).exists()}


def _listed(missing: Mapping[str, str]) -> str:
    return ''.join(f'\n  {name}: {what}' for name, what in missing.items())


def open_json(path: Path) -> Any:
    """Contents of a JSON file that fits in memory.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It is cut short or no JSON.
    """
    require_files(path.parent, {path.name: 'a JSON file'})
    try:
        with path.open('rb') as file:
            return json.load(file)
    except ValueError as error:
        raise _broken(path, error) from error


def stream_items(path: Path, prefix: str, progress: Progress = SILENT) -> Iterator[Any]:
    """The objects at `prefix` (e.g. ``'annotations.item'``) of a JSON file, one at a time.

    Numbers are int and float; NaN and Infinity come as None. Errors as `open_json`.
    """
    yield from _stream(ijson.items, path, prefix, progress)


def stream_pairs(
    path: Path, prefix: str = '', progress: Progress = SILENT
) -> Iterator[tuple[str, Any]]:
    """Keys and values of the object at `prefix` (the file itself by default), one at a time.

    Numbers are int and float; NaN and Infinity come as None. Errors as `open_json`.
    """
    yield from _stream(ijson.kvitems, path, prefix, progress)


def _stream(parse: Any, path: Path, prefix: str, progress: Progress) -> Iterator[Any]:
    require_files(path.parent, {path.name: 'a JSON file'})
    with (
        path.open('rb') as file,
        progress.bytes_bar(path.stat().st_size, f'{path.name}: {prefix or "entries"}') as bar,
    ):
        reader = _JSONReader(file, bar)
        try:
            yield from parse(reader, prefix, use_float=True, buf_size=_BUFFER)
        except ijson.JSONError as error:
            raise _broken(path, error) from error


class _JSONReader:
    """A file without NaN and Infinity, that moves a bar as it is read."""

    def __init__(self, file: BinaryIO, bar: Any) -> None:
        self._file, self._bar, self._rest = file, bar, b''

    def read(self, size: int) -> bytes:
        """About `size` bytes, up to a place where no literal can be cut in two."""
        if size == 0:  # ijson asks what type comes
            return b''
        data, end = self._rest, 0
        while end == 0:
            new = self._file.read(size)
            self._bar.update(len(new))
            data += new
            end = max(data.rfind(b','), data.rfind(b']'), data.rfind(b'}')) + 1
            if not new:  # the end of the file
                end = len(data)
                break
        data, self._rest = data[:end], data[end:]
        if b'NaN' in data or b'Infinity' in data:
            data = _NOT_JSON.sub(b'null', data)
        return data


def _broken(path: Path, error: Exception) -> ValueError:
    return ValueError(
        f'{path}: got a file that is cut short or no JSON ({" ".join(str(error).split())[:200]}); '
        'download or copy it again'
    )
