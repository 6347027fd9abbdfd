"""Rows of the paper's tables: configs of ``configs/ablations/``, whose headers hold its numbers.

A header's first line is ``Table N, LABEL. Paper (DATA SET): MPJPE 86.2, PA-MPJPE 59.8 mm, 73M
parameters, 4.6 GB.`` or says ``out of memory``; it is the one place where these numbers stand.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TRAINED = ('1', '2', '3', '6', '8', '9', '10', '11', '12', 'figure4')
"""Tables whose rows are trained."""
_HEADER = re.compile(r'(Table|Fig\.) (\d+), (.+?)(?:[.:] (?=Paper \(|MPJPE \d).*|\.)$')
_NUMBERS = {
    'MPJPE': r'(?<!PA-)MPJPE (\d+\.\d)',
    'PA-MPJPE': r'PA-MPJPE (\d+\.\d)',
    'parameters_M': r'(\d+)M parameters',
    'memory_GB': r', (\d+\.\d) GB',
}
_FIRST_STAGE = re.compile(r'FIRST_STAGE is a checkpoint of (\w+_(\S+))\.py')
_POSENET = re.compile(r"PoseNet's own joints: (\d+\.\d) / (\d+\.\d) mm \(Table 12\)")


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        table: E.g. ``'2'`` or ``'figure4'``.
        name: In a word, e.g. ``lixel-64`` of ``table02_lixel-64.py``.
        label: What the paper compares, in words.
        path: Of its config.
        paper: The paper's numbers by name: ``MPJPE`` and ``PA-MPJPE`` in mm, ``parameters_M`` in
            millions, ``memory_GB``; what it does not print is missing.
        paper_out_of_memory: Whether the paper could not train it.
        prefix: Of the metrics that it is about.
        first_stage: Name of the table's row from whose checkpoint it starts.
    """

    table: str
    name: str
    label: str
    path: Path
    paper: dict[str, float]
    paper_out_of_memory: bool = False
    prefix: str = 'joint'
    first_stage: str | None = None


def read_row(path: Path) -> Row:
    """A row from its config's docstring; the config itself is not executed.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The docstring's first line is not a row's.
    """
    text = docstring(path)
    first_line = text.split('\n')[0]
    match = _HEADER.match(first_line)
    if match is None:
        raise ValueError(
            f"{path}: its docstring starts with {first_line!r}, expected e.g. 'Table 2, LABEL. "
            "Paper (Human3.6M): MPJPE 86.2 mm, 4.6 GB.'"
        )
    kind, number, label = match.groups()
    first_stage = _FIRST_STAGE.search(text)
    return Row(
        table=number if kind == 'Table' else f'figure{number}',
        name=path.stem.split('_', 1)[1],
        label=label,
        path=path,
        paper=paper_numbers(first_line),
        paper_out_of_memory='out of memory' in first_line,
        prefix='param_joint' if first_stage else 'joint',
        first_stage=first_stage[2] if first_stage else None,
    )


def paper_numbers(line: str) -> dict[str, float]:
    """The numbers of a header's line, by name."""
    found = {name: re.search(pattern, line) for name, pattern in _NUMBERS.items()}
    return {name: float(match[1]) for name, match in found.items() if match}


def docstring(path: Path) -> str:
    """A Python file's docstring, read without executing the file.

    Raises:
        FileNotFoundError: No such file.
    """
    return ast.get_docstring(ast.parse(path.read_text())) or ''


def find_rows(configs: Path, table: str) -> list[Row]:
    """The rows of a table, sorted by the paper's errors, the largest first, those without last.

    Args:
        configs: Folder of ``ablations`` and ``body``.
        table: One of `TRAINED`.

    Raises:
        ValueError: There is no such table, or a file's name and header disagree.
    """
    if table == '12':
        return posenet_rows(configs)
    prefix = f'table{int(table):02}' if table.isdigit() else f'figure{int(table[6:]):02}'
    rows = [read_row(path) for path in sorted((configs / 'ablations').glob(f'{prefix}_*.py'))]
    if not rows:
        raise ValueError(f'{configs}: no row of table {table!r} in its ablations; use {TRAINED}')
    for row in rows:
        if row.table != table:
            raise ValueError(f'{row.path}: its header is of table {row.table!r}, not {table!r}')
    return _by_error(rows)


def posenet_rows(configs: Path) -> list[Row]:
    """Table 12: two results of one network, PoseNet's joints and those of the mesh (Table 4).

    Raises:
        FileNotFoundError, ValueError: The config with the paper's numbers is missing or has none.
    """
    path = configs / 'body/i2l-meshnet_res50_3xb16-12e_h36m-coco-256x256.py'
    text = docstring(path)
    match = _POSENET.search(text)
    if match is None:
        raise ValueError(f"{path}: its docstring does not tell PoseNet's own error (Table 12)")
    posenet = dict(zip(('MPJPE', 'PA-MPJPE'), map(float, match.groups()), strict=True))
    mesh = paper_numbers(text.split('\n')[0])
    return _by_error(
        [
            Row('12', 'posenet', "PoseNet's joints", path, posenet, prefix='posenet'),
            Row('12', 'mesh', "joints of MeshNet's mesh (Table 4)", path, mesh),
        ]
    )


def _by_error(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: -row.paper.get('MPJPE', 0.0))
