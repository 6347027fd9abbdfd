"""Collects people one by one into the canonical annotation record, with bounded memory.

Columns, units and frames are those of `i2l_plugin.datasets.annotation_schema`. A person takes the
bytes of their columns (under 1 KB) and nothing else.
Shape legend: N people, P = 24 (body) or 16 (hand) body-model joints, A annotated joints.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from i2l_plugin.datasets.annotation_schema import COLUMNS, NUM_POSE, Column
from i2l_plugin.datasets.annotations import AnnotationRecord

from .columns import NumberColumn, TextColumn
from .images import find_bad_images
from .person import fit_cells, optional_cell, person_cells
from .progress import SILENT, Progress
from .summary import Summary, Tally

_ENTRY_ERRORS = (ValueError, TypeError, KeyError, IndexError)


class RecordBuilder:
    """Grows the columns of a record; `finish` checks and saves them.

    Args:
        kind: ``'body'`` or ``'hand'``.
        joint_names: Names of the A annotated joints.
        optional: Optional columns that every person gives: ``'gender'``, ``'fit_error_mm'``,
            ``'fit_error_lixel'`` (None where unknown) and any ``'id_...'`` (integers); names of
            `text_ids` hold text.
        text_ids: Those of `optional` id columns that hold text.
        image_root: Folder that the image paths are relative to; images are not looked for if None.
        on_error: Whether a corrupt entry stops the conversion (``'stop'``) or is left out and
            named in the summary (``'skip'``).
        check_images: Decode every image, instead of looking only whether it is there.
        progress: Makes the bars.
    """

    def __init__(
        self,
        kind: str,
        joint_names: Sequence[str],
        optional: Sequence[str] = (),
        text_ids: Sequence[str] = (),
        image_root: Path | None = None,
        on_error: str = 'stop',
        check_images: bool = False,
        progress: Progress = SILENT,
    ) -> None:
        if on_error not in {'stop', 'skip'}:
            raise ValueError(f"on_error: got {on_error!r}, expected 'stop' or 'skip'")
        self.kind, self.joint_names = kind, tuple(joint_names)
        self.image_root, self.on_error = image_root, on_error
        self.check_images, self.progress = check_images, progress
        self.optional = tuple(optional)
        sizes = {'A': len(self.joint_names), 'P': NUM_POSE[kind]}
        required = [name for name, c in COLUMNS.items() if c.required and name != 'joint_names']
        self.columns: dict[str, NumberColumn | TextColumn] = {}
        for name in (*required, *optional):
            column = COLUMNS.get(name, Column(('N',), 'S' if name in text_ids else 'int64', ''))
            shape = [sizes.get(size, size) for size in column.shape[1:]]
            is_text = column.dtype == 'S'
            self.columns[name] = TextColumn() if is_text else NumberColumn(shape, column.dtype)
        self.notes: list[str] = []
        self.dropped: dict[str, Tally] = defaultdict(Tally)
        self.invalid_fits: dict[str, Tally] = defaultdict(Tally)
        self.missing_images = Tally()
        self._removed: list[int] = []

    @classmethod
    def from_args(
        cls, args: argparse.Namespace, kind: str, joint_names: Sequence[str], **options: Any
    ) -> RecordBuilder:
        """A builder with the common command-line options (`arguments.converter_parser`)."""
        return cls(
            kind,
            joint_names,
            on_error=args.on_error,
            check_images=args.check_images,
            progress=Progress(args.progress),
            **options,
        )

    def __len__(self) -> int:
        return len(self.columns['sample_id'])

    @contextmanager
    def entry(self, file: Path | str, key: object, row: int | None = None) -> Iterator[None]:
        """Around the reading of one entry: what is wrong with it stops the conversion or drops it.

        Args:
            file: The file that the entry is in.
            key: What the entry is called there.
            row: Person that has been added already and goes if this entry of theirs is corrupt.

        Raises:
            ValueError: With ``on_error='stop'``; names file and key.
        """
        try:
            yield
        except _ENTRY_ERRORS as error:
            what = f'no {error}' if isinstance(error, KeyError) else str(error)
            message = f'{file}: entry {key}: {what}'
            if self.on_error == 'stop':
                raise ValueError(f'{message}; --on-error skip leaves such entries out') from error
            self.drop('corrupt entry', message)
            if row is not None:
                self._removed.append(row)

    def add(
        self, *, pose: Any = None, betas: Any = None, transl_m: Any = None, **person: Any
    ) -> int:
        """Add one person and return their row.

        Args:
            pose, betas, transl_m: As in `person.fit_cells`; all None if there is no fit.
            **person: Arguments of `person.person_cells`, and the optional columns (fit errors may
                be left out and filled later).

        Raises:
            ValueError: A value is missing, has the wrong shape, or is not finite where it counts;
                nothing is added then.
        """
        optional = {name: person.pop(name) for name in self.optional if name in person}
        lacking = [n for n in self.optional if n not in optional and not n.startswith('fit_error')]
        if lacking:
            raise ValueError(f'got no optional column {lacking}, expected all of {self.optional}')
        cells = {
            **person_cells(len(self.joint_names), **person),
            **fit_cells(self.kind, pose, betas, transl_m),
            **{
                name: optional_cell(
                    name, optional.get(name), isinstance(self.columns[name], TextColumn)
                )
                for name in self.optional
            },
        }
        for name, cell in cells.items():
            self.columns[name].append(cell)
        return len(self) - 1

    def set_fit(self, row: int, pose: Any, betas: Any, transl_m: Any) -> None:
        """Give an added person their fit, where fits come from a file of their own."""
        for name, cell in fit_cells(self.kind, pose, betas, transl_m).items():
            self.columns[name][row] = cell

    def fill(self, name: str, function: Callable[[dict[str, np.ndarray]], Any], what: str) -> None:
        """Compute a number column from other columns of the people with a fit, in batches.

        Args:
            name: The column, e.g. ``'fit_error_mm'``; people without a fit keep what they have.
            function: From the number columns of up to `columns.CHUNK` people, by name, to rows.
            what: Name of the progress bar.
        """
        target = self.columns[name]
        with self.progress.bar(len(self), what) as bar:
            for i in range(len(target.chunks)):
                fitted = self.columns['fit_valid'].chunk(i).astype(bool)
                if fitted.any():
                    numbers = {
                        key: column.chunk(i)[fitted]
                        for key, column in self.columns.items()
                        if isinstance(column, NumberColumn)
                    }
                    target.chunk(i)[fitted] = function(numbers)
                bar.update(len(fitted))

    def drop(self, reason: str, key: object) -> None:
        """Note that a person (or an image) is left out; call it instead of `add`."""
        self.dropped[reason].add(str(key))

    def invalid_fit(self, reason: str, key: object) -> None:
        """Note why a person is kept without a fit."""
        self.invalid_fits[reason].add(str(key))

    def missing_image(self, path: str, problem: str = 'missing') -> None:
        """Note an image that is not there or not usable."""
        self.missing_images.add(f'{path}: {problem}')

    def note(self, line: str) -> None:
        """A line of the summary, e.g. which source was read."""
        self.notes.append(line)

    def finish(self, out: Path) -> Summary:
        """Look for the images, check all columns, save the record; the builder is empty then.

        Raises:
            ValueError: No person is left, images are bad (with ``on_error='stop'``), or as
                `AnnotationRecord.create`. Nothing is written then.
        """
        columns = {name: column.take() for name, column in self.columns.items()}
        keep = self._with_usable_images(columns)
        keep[self._removed] = False
        if not keep.all():
            columns = {name: column[keep] for name, column in columns.items()}
        if not keep.any():
            reasons = {reason: tally.count for reason, tally in self.dropped.items()}
            raise ValueError(f'no person is left; dropped: {reasons or "none was found"}')
        record = AnnotationRecord.create(self.kind, self.joint_names, **columns)
        record.save(out)
        return Summary(
            out=str(out),
            kept=len(record),
            fitted=int(record['fit_valid'].sum()),
            images=len(np.unique(record['image_path'])),
            dropped=dict(self.dropped),
            invalid_fits=dict(self.invalid_fits),
            missing_images=self.missing_images,
            notes=self.notes,
        )

    def _with_usable_images(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """Which people (N,) to keep."""
        keep = np.ones(len(columns['sample_id']), bool)
        if self.image_root is None:
            return keep
        paths, first, of_row = np.unique(
            columns['image_path'], return_index=True, return_inverse=True
        )
        bad = find_bad_images(
            self.image_root,
            [path.decode() for path in paths.tolist()],
            [tuple(size) for size in columns['image_size_px'][first].tolist()],
            self.check_images,
            self.progress,
        )
        for path, problem in bad.items():
            self.missing_image(path, problem)
        if bad and self.on_error == 'stop':
            raise ValueError(
                f'{self.image_root}: {len(bad)} of {len(paths)} images are missing or bad; '
                'complete them, or leave their people out with --on-error skip:'
                f'{self.missing_images.named("  ")}'
            )
        is_bad = np.array([path.decode() in bad for path in paths.tolist()], bool)
        for row in np.flatnonzero(is_bad[of_row]):
            keep[row] = False
            self.drop('bad image', f'sample_id {columns["sample_id"][row]}')
        return keep
