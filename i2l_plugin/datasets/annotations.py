"""The canonical annotation record: the columns of one data set in memory and on disk.

The table of columns, their units and their checks are in `annotation_schema.py`.
Shape legend: N persons, P = 24 (body) or 16 (hand) body-model joints.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from .annotation_schema import COLUMNS, VERSION, find_problems
from .npz_columns import read_npz, write_npz


class AnnotationRecord:
    """The columns of one data set: ``record['pose']`` is an (N, P, 3) array.

    Build it with `create` (casts and checks) or `load` (checks). Pickling a loaded record sends
    its path only, and the other process maps the same file.

    Args:
        kind: ``'body'`` or ``'hand'``.
        columns: Arrays by name as in `COLUMNS`.
        path: The file they came from.
    """

    def __init__(
        self, kind: str, columns: Mapping[str, np.ndarray], path: str | None = None
    ) -> None:
        self.kind = kind
        self.columns = dict(columns)
        self.path = path

    @classmethod
    def create(cls, kind: str, joint_names: Sequence[str], **columns: object) -> AnnotationRecord:
        """A checked record from array-likes, cast to the schema's dtypes; strings become UTF-8.

        Raises:
            ValueError: As `validate`.
        """
        arrays = {'joint_names': _as_bytes(joint_names)}
        for name, values in columns.items():
            array = _as_bytes(values)
            dtype = COLUMNS[name].dtype if name in COLUMNS else array.dtype
            fits = dtype != 'S' and np.can_cast(array.dtype, dtype, 'same_kind')
            arrays[name] = array.astype(dtype) if fits else array
        record = cls(kind, arrays)
        record.validate()
        return record

    @classmethod
    def load(cls, path: str | os.PathLike) -> AnnotationRecord:
        """Open and check a file that `save` wrote.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: As `validate`, and if the file is no complete .npz.
        """
        record = _open(os.path.abspath(path))
        record.validate()
        return record

    def save(self, path: str | os.PathLike) -> None:
        """Write the record; an interrupted call leaves no half-written file."""
        self.validate()
        order = [*(n for n, column in COLUMNS.items() if column.required), *self.optional_columns]
        scalars = {'version': np.array(VERSION), 'kind': np.array(self.kind.encode())}
        write_npz(path, {**scalars, **{name: self.columns[name] for name in order}})

    def validate(self) -> None:
        """Raise a ValueError that names file, column, what came, what was expected, and the fix."""
        source = self.path or 'annotation record'
        for problem in find_problems(self.kind, self.columns):
            raise ValueError(f'{source}: {problem}')

    @cached_property
    def joint_names(self) -> tuple[str, ...]:
        """Names of the A annotated joints."""
        return tuple(name.decode() for name in self.columns['joint_names'].tolist())

    @cached_property
    def optional_columns(self) -> tuple[str, ...]:
        """Which of gender and id_* there are."""
        known = (name for name in self.columns if name not in COLUMNS or not COLUMNS[name].required)
        return tuple(sorted(known))

    def __len__(self) -> int:
        return len(self.columns['sample_id'])

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def __reduce__(self) -> tuple:
        if self.path is None:
            return AnnotationRecord, (self.kind, self.columns)
        return _open, (self.path,)


def _as_bytes(values: object) -> np.ndarray:
    array = np.asarray(values)
    return np.char.encode(array, 'utf-8') if array.dtype.kind == 'U' else array


def _open(path: str) -> AnnotationRecord:
    """Map the file; check the two scalars only."""
    columns = read_npz(path)
    for name in ('version', 'kind'):
        if name not in columns or columns[name].shape != ():
            raise ValueError(
                f'{path}: got no scalar {name!r}, expected a canonical annotation record; convert '
                'the data set with this plugin'
            )
    version, kind = columns.pop('version').item(), columns.pop('kind').item()
    if version != VERSION:
        raise ValueError(
            f'{path}: got version {version!r}, expected {VERSION}; convert the data set again with '
            'this version of the plugin'
        )
    return AnnotationRecord(kind.decode() if isinstance(kind, bytes) else str(kind), columns, path)
