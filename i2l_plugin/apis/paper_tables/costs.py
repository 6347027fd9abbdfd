"""What a row costs, counted and timed by `model_cost` in a process of its own.

Counted numbers are kept by a digest of the config's model, since they are the same everywhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from i2l_plugin.files import write_atomically

from .jobs import measure
from .workers import run_job

GB = 1e9
COMPLEXITY = {
    'LixelHead': 'O(V D)',
    'DenseLixelHead': 'O(V D)',
    'EarlyLixelHead': 'O(V D)',
    'PixelHead': 'O(V D²)',
    'DepthMapHead': 'O(V D²)',
    'VoxelHead': 'O(V D³)',
}
"""Memory of a head's output (Table 2); the others' does not depend on D."""


def complexity(config: Config) -> str:
    """Of a row's MeshNet."""
    return COMPLEXITY.get(config.model.mesh_head.type, 'O(V)')


class CostFolder:
    """Costs that were measured, below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def of(
        self, config: Config, batch_sizes: Sequence[int], repeats: int = 0
    ) -> list[dict[str, Any]]:
        """`ModelCost.as_dict` at each batch size, on a CPU.

        Args:
            config: Resolved.
            batch_sizes: At least 2 each.
            repeats: As in `model_cost`; 0 counts alone.
        """
        parts = ('model', 'optim_wrapper', 'default_scope', 'custom_imports')
        content = {name: config[name] for name in parts}
        text = ''.join(f'{k} = {v!r}\n' for k, v in Config(content).to_dict().items())
        asked = f'{text}{list(batch_sizes)}{repeats}'
        path = self.root / f'{hashlib.sha256(asked.encode()).hexdigest()[:16]}.json'
        if not path.is_file():
            source = path.with_suffix('.py')
            write_atomically(source, text.encode())
            run_job(measure, source, batch_sizes, repeats, path, log=path.with_suffix('.log'))
        return json.loads(path.read_text())


def activation_bytes(cost: Mapping[str, Any]) -> int:
    """Saved for the backward pass, all parts."""
    return sum(cost['activation_bytes'].values())


def training_bytes_at(costs: Sequence[Mapping[str, Any]], batch_size: int) -> float:
    """Training memory at a batch size, from those at two smaller ones.

    What autograd saves is a constant and a share of each person, so a line through two counts is
    exact; parameters, gradients and the optimizer's state do not depend on the batch.
    """
    few, more = costs
    each = (activation_bytes(more) - activation_bytes(few)) / (
        more['batch_size'] - few['batch_size']
    )
    return few['training_bytes'] + each * (batch_size - few['batch_size'])
