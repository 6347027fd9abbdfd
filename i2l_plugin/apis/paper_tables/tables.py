"""A table to train: its rows under one budget, on one data set, and the runs that they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config

from i2l_plugin.apis.runner import load_config

from .budget import Budget, table_lixels
from .data import fingerprint, with_data
from .rows import Row, find_rows
from .runs import Run


@dataclass(frozen=True)
class Table:
    """Rows and what each needs.

    Attributes:
        number: E.g. ``'2'`` or ``'figure4'``.
        rows: As `find_rows` sorts them.
        runs: Of each row by its name, one a seed.
        full: Each row's config on the data before the budget, by its name.
    """

    number: str
    rows: list[Row]
    runs: dict[str, list[Run]]
    full: dict[str, Config]


def build_table(
    configs: Path, number: str, data: Config, budget: Budget, seeds: Sequence[int], bodies: Path
) -> Table:
    """A table whose rows train on `data`, under `budget`.

    Args:
        configs: Folder of ``ablations`` and ``body``.
        number: One of `rows.TRAINED`.
        data: Config whose data set is taken.
        budget: The same for all rows.
        seeds: One run each.
        bodies: Where a small budget's coarse body models go.

    Raises:
        FileNotFoundError, ValueError: A row's config, or the data, are missing or wrong.
    """
    rows = find_rows(configs, number)
    full = {row.name: with_data(load_config(str(row.path)), data) for row in rows}
    lixels = table_lixels(full)
    small = {name: budget.apply(config, lixels, bodies) for name, config in full.items()}
    prints = fingerprint(data)

    def run_of(row: Row, seed: int) -> Run:
        parent = None
        if row.first_stage is not None:
            parent = run_of(next(r for r in rows if r.name == row.first_stage), seed)
        return Run(f'{number} {row.name}', small[row.name], prints, seed, parent)

    runs = {row.name: [run_of(row, seed) for seed in seeds] for row in rows}
    return Table(number, rows, runs, full)


def distinct_runs(tables: Sequence[Table]) -> list[Run]:
    """Every run once: seed by seed, of each the rows last that the paper could not train."""
    once: dict[str, tuple[int, bool, Run]] = {}
    for table in tables:
        for row in table.rows:
            for run in table.runs[row.name]:
                once.setdefault(run.key, (run.seed, row.paper_out_of_memory, run))
    return [run for *_, run in sorted(once.values(), key=lambda entry: entry[:2])]
