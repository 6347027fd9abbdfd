"""A table's numbers, the paper's and ours, as plain data for JSON, Markdown and plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .orderings import pairs, spread
from .rows import Row

SCORES = ('MPJPE', 'PA-MPJPE')

Result = Mapping[str, Any]


def row_result(row: Row, results: Sequence[Result], **costs: Any) -> dict[str, Any]:
    """One row.

    Args:
        row: With the paper's numbers.
        results: ``result.json`` of every finished run.
        costs: As `Study` counts and times them, taken over as they are.
    """
    scores = {
        name: [r['metrics'][f'{row.prefix}/{name}'] for r in results if r['metrics']]
        for name in SCORES
    }
    return {
        'name': row.name,
        'label': row.label,
        'config': '/'.join(row.path.parts[-3:]),
        'paper': {**row.paper, 'out_of_memory': row.paper_out_of_memory},
        'scores_mm': scores,
        'mean_mm': {name: float(np.mean(values)) for name, values in scores.items() if values},
        'spread_mm': {name: spread(values) for name, values in scores.items()},
        'seeds': [result['settings']['seed'] for result in results],
        **costs,
    }


def usual_spread(tables: Sequence[Mapping[str, Any]]) -> float | None:
    """The widest spread of MPJPE over seeds in some tables; None without several seeds."""
    spreads = [row['spread_mm']['MPJPE'] for table in tables for row in table['rows']]
    return max((value for value in spreads if value is not None), default=None)


def add_orderings(table: dict[str, Any], usual: float | None) -> None:
    """Put the verdicts on all pairs of rows into a table.

    Args:
        table: With ``rows`` of `row_result`.
        usual: `usual_spread`, for rows of one seed.
    """
    rows = table['rows']
    paper = {row['name']: row['paper']['MPJPE'] for row in rows if 'MPJPE' in row['paper']}
    ours = {row['name']: row['scores_mm']['MPJPE'] for row in rows}
    table['usual_spread_mm'] = usual
    table['orderings'] = [pair.as_dict() for pair in pairs(paper, ours, usual)]
