"""All runs of some tables below one folder: what is to be trained, what was, what it cost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from i2l_plugin.files import write_json

from .budget import Budget
from .costs import GB, CostFolder, activation_bytes, complexity, training_bytes_at
from .data import fingerprint
from .jobs import constant_baseline, surface_quality
from .results import row_result
from .runs import Run, RunFolder, write_config
from .tables import Table, build_table
from .workers import run_job

PAPER_BATCH = 16
"""People on each of the paper's GPUs, whose memory it prints."""
_FEW, _MORE = 2, 3
"""Batch sizes at which the full networks are counted."""


class Study:
    """Trainings under one budget on one data set.

    Args:
        configs: Folder of ``ablations`` and ``body``.
        data: Config whose data set is taken.
        data_name: For reports.
        budget: The same for all.
        out: Folder of this budget and these data.
        max_memory_gb: Networks whose training step needs more, by count, are left out; None takes
            all.

    Raises:
        FileNotFoundError: A record of `data` is missing.
        ValueError: `out` is of another budget or other data.
    """

    def __init__(
        self,
        configs: Path,
        data: Config,
        data_name: str,
        budget: Budget,
        out: Path,
        max_memory_gb: float | None = None,
    ) -> None:
        self.configs, self.data, self.data_name = configs, data, data_name
        self.budget, self.out, self.max_memory_gb = budget, out, max_memory_gb
        self.runs = RunFolder(out / 'runs')
        self.costs = CostFolder(out / 'costs')
        self._check_settings()

    def _check_settings(self) -> None:
        settings = {
            'budget': self.budget.name,
            'batch_size': self.budget.batch_size,
            'data': fingerprint(self.data),
        }
        path = self.out / 'settings.json'
        if path.is_file():
            held = json.loads(path.read_text())
            other = sorted(name for name in settings if held.get(name) != settings[name])
            if other:
                raise ValueError(
                    f'{self.out} holds runs with another {" and ".join(other)}: choose another '
                    '--out, or remove that folder'
                )
        else:
            write_json(settings, path, indent=1)

    def table(self, number: str, seeds: Sequence[int]) -> Table:
        """A table's rows and runs; see `build_table`."""
        bodies = self.out / 'bodies'
        return build_table(self.configs, number, self.data, self.budget, seeds, bodies)

    def left_out(self, run: Run) -> str | None:
        """Why a run is not trained, or None."""
        if self.max_memory_gb is None:
            return None
        bytes_needed = self._trained_bytes(run.config)
        if bytes_needed <= self.max_memory_gb * GB:
            return None
        return (
            f'a training step needs {bytes_needed / GB:.2f} GB by count, more than '
            f'--max-memory-gb {self.max_memory_gb:g}'
        )

    def train(self, runs: Iterable[Run], say: Callable[[str], None]) -> None:
        """Finish runs that are not left out.

        Args:
            runs: In this order, e.g. with a progress bar around them.
            say: Gets a line on each.

        Raises:
            ValueError: One failed.
        """
        for run in runs:
            why = self.left_out(run)
            if why is not None:
                say(f'Table {run.name}, seed {run.seed}: left out, {why}')
                continue
            scores = self.runs.finish(run)['metrics']
            prefix = 'joint' if run.parent is None else 'param_joint'
            say(
                f'Table {run.name}, seed {run.seed}: MPJPE {scores[f"{prefix}/MPJPE"]:.1f}, '
                f'PA-MPJPE {scores[f"{prefix}/PA-MPJPE"]:.1f} mm'
            )

    def results(self, table: Table) -> dict[str, Any]:
        """A table's numbers from its finished runs, without verdicts on orderings."""
        rows = []
        for row in table.rows:
            runs = table.runs[row.name]
            found = [result for result in map(self.runs.result, runs) if result is not None]
            costs = self._costs(table.full[row.name], runs[0])
            if table.number == 'figure4' and found:
                costs['surface'] = self._surface(runs[0])
            rows.append(row_result(row, found, **costs))
        settings = {
            'budget': f'{self.budget.name} of {self._batch_size(runs[0].config)} people',
            'data': self.data_name,
            'mean_mesh_mm': self._mean_mesh(runs[0].config),
        }
        return {'table': table.number, 'settings': settings, 'rows': rows}

    def _costs(self, full: Config, run: Run) -> dict[str, Any]:
        """Counted of the config's own network and of the trained one, which is timed, too."""
        counts = self.costs.of(full, [_FEW, _MORE])
        if self.budget.steps is None:
            parameters, step_s = counts[0]['total_parameters'], self.runs.logged_step_s(run)
            saved = None
        else:
            (cost,) = self.costs.of(run.config, [self._batch_size(run.config)], repeats=3)
            parameters, step_s = cost['total_parameters'], cost['step']['total_s']
            saved = activation_bytes(cost)
        return {
            'left_out': self.left_out(run),
            'memory_complexity': complexity(full),
            'parameters': {'full': counts[0]['total_parameters'], 'trained': parameters},
            'training_bytes': {
                'full': training_bytes_at(counts, PAPER_BATCH),
                'trained': self._trained_bytes(run.config),
            },
            'saved_bytes_trained': saved,
            'step_s': step_s,
        }

    def _trained_bytes(self, config: Config) -> float:
        size = self._batch_size(config)
        if self.budget.steps is None:
            return training_bytes_at(self.costs.of(config, [_FEW, _MORE]), size)
        return self.costs.of(config, [size])[0]['training_bytes']

    @staticmethod
    def _batch_size(config: Config) -> int:
        return config.train_dataloader.batch_size

    def _mean_mesh(self, config: Config) -> dict[str, float]:
        """Errors of the training set's mean mesh in all places, the floor."""
        path = self.out / 'mean_mesh' / 'metrics.json'
        if not path.is_file():
            source = path.with_name('config.py')
            write_config(source, config)
            run_job(constant_baseline, source, path, log=path.with_suffix('.log'))
        metrics = json.loads(path.read_text())
        return {name: metrics[f'joint/{name}'] for name in ('MPJPE', 'PA-MPJPE')}

    def _surface(self, run: Run) -> dict[str, Any]:
        """How smooth the meshes of a run are, and a picture of some."""
        path = self.out / 'runs' / run.key / 'surface.json'
        if not path.is_file():
            run_job(surface_quality, path.parent, path, log=path.with_suffix('.log'))
        return json.loads(path.read_text())
