"""Trainings of rows, each in a folder of its own, shared by rows that are the same network.

A run's folder is named by a digest of its resolved config, data and seed. ``result.json`` is
written last, whole or not at all: a run with one is finished. A run that was killed goes on from
its last checkpoint.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config

from i2l_plugin.files import write_atomically, write_json

from .jobs import METRICS, TRAINED, train_and_test
from .workers import run_job

# What of a config changes a run's results; where its data lie does not, their bytes do.
_SETTINGS = (
    *('model', 'train_dataloader', 'test_dataloader', 'test_evaluator', 'custom_hooks'),
    *('train_cfg', 'optim_wrapper', 'param_scheduler'),
)
_PLACES = {'data_root', 'data_prefix', 'ann_file'}


@dataclass(frozen=True)
class Run:
    """One training and its test.

    Attributes:
        name: Of the first row that asked for it, for messages.
        config: Resolved: data, budget and seed applied.
        data: `data.fingerprint` of it.
        parent: The run whose checkpoint this one starts from.
    """

    name: str
    config: Config
    data: Sequence[str]
    seed: int
    parent: Run | None = field(default=None, repr=False)

    @property
    def settings(self) -> dict[str, Any]:
        """What makes a run another one."""
        return {
            'config': _plain({name: self.config.get(name) for name in _SETTINGS}),
            'data': list(self.data),
            'seed': self.seed,
            'parent': self.parent.key if self.parent else None,
        }

    @property
    def key(self) -> str:
        """Digest of the settings."""
        text = json.dumps(self.settings, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class RunFolder:
    """Finished and unfinished runs below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def result(self, run: Run) -> dict[str, Any] | None:
        """``result.json`` of a run, None if it is not finished.

        Raises:
            ValueError: The folder holds another run.
        """
        path = self.root / run.key / 'result.json'
        if not path.is_file():
            return None
        result = json.loads(path.read_text())
        if result['settings'] != json.loads(json.dumps(run.settings)):
            raise ValueError(f'{path} is of other settings than its folder says; remove the folder')
        return result

    def checkpoint(self, run: Run) -> Path:
        """Of a finished run.

        Raises:
            FileNotFoundError: It is not there any more.
        """
        folder = self.root / run.key
        path = folder / json.loads((folder / TRAINED).read_text())['checkpoint']
        if not path.is_file():
            raise FileNotFoundError(
                f'{path}: the checkpoint is gone; remove {folder} to train anew'
            )
        return path

    def finish(self, run: Run) -> dict[str, Any]:
        """Train and test unless that is done; go on where a killed run stopped.

        Raises:
            ValueError: Training or testing failed; names the log and its last line.
        """
        result = self.result(run)
        if result is not None:
            return result
        folder = self.root / run.key
        start = None
        if run.parent is not None:
            self.finish(run.parent)
            start = str(self.checkpoint(run.parent).resolve())
        write_config(folder / 'config.py', run.config, run.seed, start)
        run_job(train_and_test, folder, log=folder / 'log.txt')
        result = {
            'name': run.name,
            'metrics': json.loads((folder / METRICS).read_text()),
            'settings': run.settings,
        }
        write_json(result, folder / 'result.json', indent=1)
        return result

    def logged_step_s(self, run: Run) -> float | None:
        """Median of the seconds a step in a run's log; None if it is not finished."""
        files = sorted((self.root / run.key / 'train').glob('*/vis_data/scalars.json'))
        lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
        times = [line['time'] for line in lines if 'time' in line]
        return float(np.median(times)) if times else None


def write_config(path: Path, config: Config, seed: int = 0, load_from: str | None = None) -> None:
    """A resolved config as a file, with its seed and what it starts from."""
    content = {**config.to_dict(), 'load_from': load_from}
    content['randomness'] = {**content.get('randomness', {}), 'seed': seed}
    text = ''.join(f'{name} = {value!r}\n' for name, value in content.items())
    write_atomically(path, text.encode())


def _plain(node: Any) -> Any:
    """A config without places, for JSON; of a body model's file the name is left."""
    if isinstance(node, Mapping):
        held = {key: value for key, value in node.items() if key not in _PLACES}
        return {key: Path(v).name if key == 'path' else _plain(v) for key, v in held.items()}
    if isinstance(node, (list, tuple)):
        return [_plain(value) for value in node]
    return node
