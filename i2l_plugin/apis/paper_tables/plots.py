"""Bar plots of a table, and the memory of representations over their resolution, as PNG."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from i2l_plugin.files import write_atomically

from .costs import GB
from .memory import RESOLUTIONS, slope
from .report import heading

_BELOW = dict(loc='upper center', bbox_to_anchor=(0.5, -0.12), fontsize=8, frameon=False)
PAPER, OURS = '#9aa5b1', '#1f6fb4'


def save(figure: Figure, path: Path) -> None:
    """Write a figure, whole or not at all."""
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer)
    write_atomically(path, buffer.getvalue())


def table_bars(table: Mapping[str, Any]) -> Figure:
    """The paper's errors, ours with their range over seeds, and training memory.

    Each has its own axis, since the data sets and networks differ: compare orders, not lengths.
    """
    rows = list(reversed(table['rows']))  # the first row on top
    figure = Figure(figsize=(12, 1.4 + 0.42 * len(rows)), layout='constrained')
    errors_paper, errors, memory = figure.subplots(1, 3, sharey=True)
    figure.suptitle(heading(table['table']))
    names = [row['name'] for row in rows]
    paper = [row['paper'].get('MPJPE') for row in rows]
    _bars(errors_paper, names, paper, PAPER, 'paper, MPJPE in mm')
    ours = [row['mean_mm'].get('MPJPE') for row in rows]
    ranges = [row['spread_mm'].get('MPJPE') or 0.0 for row in rows]
    _bars(errors, names, ours, OURS, f'ours, MPJPE in mm ({table["settings"]["budget"]})', ranges)
    floor = table['settings'].get('mean_mesh_mm')
    if floor:
        errors.axvline(floor['MPJPE'], color='black', linestyle=':', label='mean mesh')
        errors.legend(**_BELOW)
    _memory(memory, rows)
    return figure


def _bars(
    axes: Axes,
    names: Sequence[str],
    values: Sequence[float | None],
    colour: str,
    title: str,
    ranges: Sequence[float] | None = None,
) -> None:
    lengths = [value or 0.0 for value in values]
    errors = [r / 2 for r in ranges] if ranges else None
    axes.barh(names, lengths, color=colour, xerr=errors, capsize=3)
    for place, value in enumerate(values):
        text = ' none' if value is None else f' {value:.1f}'
        past_the_bar = 0.0 if value is None else value + (ranges[place] / 2 if ranges else 0)
        axes.text(past_the_bar, place, text, va='center', fontsize=8)
    axes.set_title(title, fontsize=10)
    axes.set_xlim(0, 1.18 * max([*lengths, 1e-9]))


def _memory(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    """The paper's GPU memory beside what the paper's network is counted to need."""
    places = range(len(rows))
    counted = [row['training_bytes']['full'] / GB for row in rows]
    paper = [row['paper'].get('memory_GB') for row in rows]
    axes.barh([p + 0.2 for p in places], [g or 0 for g in paper], 0.38, color=PAPER, label='paper')
    axes.barh([p - 0.2 for p in places], counted, 0.38, color=OURS, label='counted, batch 16')
    for place, row in enumerate(rows):
        if row['paper']['out_of_memory']:
            axes.text(0, place + 0.2, ' out of memory', va='center', fontsize=8)
    axes.set_title('training memory of the full network in GB', fontsize=10)
    axes.legend(ncols=2, **_BELOW)


def memory_plot(
    curves: Mapping[str, Mapping[str, Sequence[int]]],
    paper: Mapping[str, Sequence[tuple[int, float]]],
    what: str,
) -> Figure:
    """Bytes over D, both logarithmic: heatmaps alone, the head, the whole network in training.

    Args:
        curves: Of `memory.memory_curves`.
        paper: The paper's GPU memory, (D, GB) by representation, drawn beside the whole network.
        what: Of what network, for the title.
    """
    figure = Figure(figsize=(13, 4.6), layout='constrained')
    figure.suptitle(f'Held in a training step, {what}')
    panels = figure.subplots(1, 3, sharey=True)
    for axes, (part, title) in zip(panels, _PARTS.items(), strict=True):
        for power, (name, parts) in enumerate(curves.items(), start=1):
            gigabytes = [value / GB for value in parts[part]]
            label = name
            if part != 'network':
                label = f'{name}: grows as D^{slope(RESOLUTIONS, gigabytes):.2f}'
                _reference(axes, gigabytes[0], power)
            (line,) = axes.plot(RESOLUTIONS, gigabytes, 'o-', label=label)
            if part == 'network' and paper.get(name):
                axes.plot(*zip(*paper[name], strict=True), 'D', color=line.get_color(), mfc='white')
        axes.set(xscale='log', yscale='log', xlabel='resolution D', ylabel='GB')
        axes.set_xticks(RESOLUTIONS, [str(d) for d in RESOLUTIONS])
        axes.set_xlim(RESOLUTIONS[0] / 1.2, RESOLUTIONS[-1] * 1.4)
        axes.minorticks_off()
        axes.set_title(title, fontsize=10)
        axes.legend(fontsize=8, loc='upper left')
        axes.grid(alpha=0.3)
    return figure


_PARTS = {
    'heatmaps': 'heatmaps alone',
    'head': 'whole head, up-sampling included',
    'network': 'whole network, parameters and Adam\n(diamonds: the paper, GPU memory)',
}


def _reference(axes: Axes, first: float, power: int) -> None:
    """A dotted line of slope `power` from the first point."""
    line = [first * (d / RESOLUTIONS[0]) ** power for d in RESOLUTIONS]
    axes.plot(RESOLUTIONS, line, ':', color='grey', linewidth=1)
    axes.annotate(f' D^{power}', (RESOLUTIONS[-1], line[-1]), color='grey', fontsize=8, va='center')
