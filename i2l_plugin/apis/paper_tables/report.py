"""A table's numbers as Markdown: the paper's beside ours, and whether its ordering holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .costs import GB
from .orderings import HOLDS, REVERSED, UNDECIDED

TITLES = {
    '1': 'target representations',
    '2': 'lixels, pixels and voxels',
    '3': 'cascading PoseNet and MeshNet',
    '6': 'a regressor of SMPL parameters after the mesh',
    '8': 'when to marginalise',
    '9': 'how to marginalise',
    '10': '2.5D heatmaps',
    '11': "MeshNet's pose loss",
    '12': "PoseNet's own error",
    '13': 'quality of the fits',
    'figure4': 'normal and edge loss',
}
_COLUMNS = (
    *('row', 'MPJPE paper', 'ours', 'PA-MPJPE paper', 'ours', 'parameters paper'),
    *('counted', 'trained', 'memory', 'GB paper', 'counted', 'trained', 's a step'),
)
_SAYS = {
    HOLDS: 'Holds',
    REVERSED: 'Does not hold, ours is the other way round',
    UNDECIDED: 'Not decided, closer than the spread',
}
NONE = '-'


def heading(number: str) -> str:
    """``Table 2: ...`` or ``Figure 4: ...``."""
    name = f'Table {number}' if number.isdigit() else f'Figure {number.removeprefix("figure")}'
    return f'{name}: {TITLES[number]}'


def markdown(table: Mapping[str, Any]) -> str:
    """A whole table as `results.table_result` and `results.add_orderings` make it."""
    lines = [f'## {heading(table["table"])}', '', settings_line(table['settings']), '']
    lines.append(_line(_COLUMNS))
    lines.append(_line(['---'] * len(_COLUMNS)))
    lines += [_line(_cells(row)) for row in table['rows']]
    left_out = [row for row in table['rows'] if row['left_out']]
    lines += [''] * bool(left_out)
    lines += [f'- {row["name"]} was not trained: {row["left_out"]}.' for row in left_out]
    if table['orderings']:
        lines += ['', *ordering_lines(table['orderings'])]
    return '\n'.join(lines) + '\n'


def settings_line(settings: Mapping[str, Any]) -> str:
    """Budget, data and floor."""
    floor = settings.get('mean_mesh_mm')
    text = f'Ours: {settings["budget"]}, {settings["data"]}'
    if floor:
        text += f'; the mean mesh has MPJPE {floor["MPJPE"]:.1f}, PA-MPJPE {floor["PA-MPJPE"]:.1f}'
    return f'{text}. Errors in mm, mean over seeds (± half of their range).'


def ordering_lines(orderings: Sequence[Mapping[str, Any]]) -> list[str]:
    """The verdicts, pair by pair."""
    held = sum(pair['verdict'] == HOLDS for pair in orderings)
    lines = [f"Of the paper's {len(orderings)} pairs {held} hold."]
    for verdict, says in _SAYS.items():
        chosen = [pair for pair in orderings if pair['verdict'] == verdict]
        if chosen:
            lines += ['', f'{says}:', '']
            lines += [f'- {_sentence(pair)}' for pair in chosen]
    return lines


def _sentence(pair: Mapping[str, Any]) -> str:
    return (
        f'{pair["better"]} better than {pair["worse"]}: paper by {pair["paper_mm"]:.1f}, ours by '
        f'{pair["ours_mm"]:.1f} mm (spread {pair["spread_mm"]:.1f})'
    )


def _cells(row: Mapping[str, Any]) -> list[str]:
    paper, memory, counts = row['paper'], row['training_bytes'], row['parameters']
    out_of_memory = 'out of memory' if paper['out_of_memory'] else None
    return [
        row['label'],
        out_of_memory or _number(paper.get('MPJPE')),
        _mean(row, 'MPJPE'),
        _number(paper.get('PA-MPJPE')),
        _mean(row, 'PA-MPJPE'),
        _number(paper.get('parameters_M'), '.0f', ' M'),
        _number(counts['full'] / 1e6, '.1f', ' M'),
        _number(counts['trained'] / 1e6, '.2f', ' M'),
        row['memory_complexity'],
        out_of_memory or _number(paper.get('memory_GB')),
        _number(memory['full'] / GB, '.2f'),
        _number(memory['trained'] / GB, '.2f'),
        _number(row['step_s'], '.2f'),
    ]


def _mean(row: Mapping[str, Any], score: str) -> str:
    if score not in row['mean_mm']:
        return NONE
    text = f'{row["mean_mm"][score]:.1f}'
    spread = row['spread_mm'][score]
    return text if spread is None else f'{text} ± {spread / 2:.1f}'


def _number(value: float | None, form: str = '.1f', unit: str = '') -> str:
    return NONE if value is None else f'{value:{form}}{unit}'


def _line(cells: Sequence[str]) -> str:
    return f'| {" | ".join(cells)} |'


def file_stem(number: str) -> str:
    """``table02`` or ``figure04``, as the configs' names start."""
    if number.isdigit():
        return f'table{int(number):02}'
    return f'figure{int(number.removeprefix("figure")):02}'
