"""What a network costs: parameters, multiply-adds, training memory, time, each by part.

Multiply-adds are those of one picture in the forward pass, as torch's own counter sees them:
convolutions and matrix products, a bias or an activation not. Memory is counted from tensors
(`training_memory`), besides a GPU's own peak. Shape legend: B people of the batch.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from mmengine.config import ConfigDict
from mmengine.optim import OptimWrapper, build_optim_wrapper
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from .example_batch import Batch
from .model_parts import ModelParts, PartWatcher
from .training_memory import SavedActivations, distinct_bytes, gradient_bytes, optimizer_bytes

ADAM = dict(optimizer=dict(type='Adam', lr=1e-4))
"""The paper's optimizer."""
OPTIMIZER = 'optimizer'
"""What of a training step's time comes after the backward pass."""


@dataclass(frozen=True)
class Times:
    """Seconds of a pass over the batch, the fastest of several.

    Attributes:
        total_s: Without watching the parts, which takes time itself.
        by_part_s: Of a pass in which the parts are watched; on a GPU each part is waited for.
    """

    total_s: float
    by_part_s: dict[str, float]


@dataclass(frozen=True)
class ModelCost:
    """Costs of a network at one batch size. Bytes are of the batch, multiply-adds of one picture.

    Attributes:
        batch_size: B.
        device: E.g. ``'cpu'``, or a GPU's name.
        parameters: Number, by part.
        multiply_adds: Of one picture in the forward pass, by part.
        activation_bytes: Saved for the backward pass, by part.
        parameter_bytes, buffer_bytes, gradient_bytes, optimizer_bytes: Of the whole network.
        forward: Evaluation, without gradients.
        step: Losses, backward pass and the optimizer's step (`OPTIMIZER`).
        peak_bytes: The allocator's peak in a training step; None on a CPU.
        notes: What was measured otherwise than asked for.
    """

    batch_size: int
    device: str
    parameters: dict[str, int]
    multiply_adds: dict[str, int]
    activation_bytes: dict[str, int]
    parameter_bytes: int
    buffer_bytes: int
    gradient_bytes: int
    optimizer_bytes: int
    forward: Times | None = None
    step: Times | None = None
    peak_bytes: int | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def total_parameters(self) -> int:
        """Of all parts."""
        return sum(self.parameters.values())

    @property
    def total_multiply_adds(self) -> int:
        """Of one picture, all parts."""
        return sum(self.multiply_adds.values())

    @property
    def training_bytes(self) -> int:
        """Parameters, gradients, optimizer state and saved activations; buffers are left out."""
        held = self.parameter_bytes + self.gradient_bytes + self.optimizer_bytes
        return held + sum(self.activation_bytes.values())

    def as_dict(self) -> dict[str, Any]:
        """For JSON, with the sums."""
        sums = ('total_parameters', 'total_multiply_adds', 'training_bytes')
        return {**asdict(self), **{name: getattr(self, name) for name in sums}}


def model_cost(
    model: nn.Module,
    batch: Batch,
    optimizer: Mapping[str, Any] | None = None,
    repeats: int = 3,
) -> ModelCost:
    """Measure a network; its weights, buffers, gradients and mode are as before afterwards.

    Args:
        model: An estimator (modes ``'tensor'`` and ``'loss'``, `parse_losses`), on the device of
            `batch`.
        batch: As `example_batch` makes them.
        optimizer: The config's ``optim_wrapper``; the paper's Adam if None.
        repeats: Passes of which the fastest counts; 0 measures no time.

    Raises:
        ValueError: `repeats` is negative.
    """
    if repeats < 0:
        raise ValueError(f'repeats: got {repeats}, expected 0 (no times) or more')
    parts, device = ModelParts(model), batch.inputs.device
    with _unchanged(model):
        notes = _prepare_training(model, batch)
        wrapper = build_optim_wrapper(model, ConfigDict({**copy.deepcopy(optimizer or ADAM)}))
        step = _TrainingStep(model, batch, wrapper)
        activations = step.saved_activations(parts)  # the first step: the optimizer has state now
        peak = step.peak_bytes()
        step_times = _times(step, parts, repeats, device)
        sizes = dict(
            parameter_bytes=distinct_bytes(model.parameters()),
            buffer_bytes=distinct_bytes(model.buffers()),
            gradient_bytes=gradient_bytes(model),
            optimizer_bytes=optimizer_bytes(wrapper.optimizer),
        )
    with _unchanged(model), torch.no_grad():
        model.eval()
        forward = _Forward(model, batch)
        multiply_adds = forward.multiply_adds(parts)
        forward_times = _times(forward, parts, repeats, device)
    return ModelCost(
        batch_size=batch.size,
        device=torch.cuda.get_device_name(device) if device.type == 'cuda' else device.type,
        parameters=parts.parameters(),
        multiply_adds=multiply_adds,
        activation_bytes=activations,
        forward=forward_times,
        step=step_times,
        peak_bytes=peak,
        notes=notes,
        **sizes,
    )


class _Forward:
    """Pictures to coordinates."""

    def __init__(self, model: nn.Module, batch: Batch) -> None:
        self.model, self.batch = model, batch

    def __call__(self, watcher: PartWatcher | None = None) -> None:
        del watcher
        self.model(*self.batch, mode='tensor')

    def multiply_adds(self, parts: ModelParts) -> dict[str, int]:
        """Of one picture, by part."""
        counts = dict.fromkeys(parts.names(), 0)
        counted = 0

        def count(part: str) -> None:
            nonlocal counted
            total = counter.get_total_flops()
            counts[part] += total - counted
            counted = total

        watcher = PartWatcher(count)
        with FlopCounterMode(display=False) as counter, parts.watch(watcher):
            self()
            count(watcher.current)
        # the counter takes a multiplication and an addition for two
        return {part: flops // (2 * self.batch.size) for part, flops in counts.items()}


class _TrainingStep:
    """Pictures and labels to changed weights."""

    def __init__(self, model: nn.Module, batch: Batch, optimizer: OptimWrapper) -> None:
        self.model, self.batch, self.optimizer = model, batch, optimizer

    def __call__(self, watcher: PartWatcher | None = None) -> None:
        loss = self._loss()
        if watcher is not None:
            watcher.follow(loss)
        self._update(loss, watcher)

    def _loss(self) -> Tensor:
        with self.optimizer.optim_context(self.model):  # autocast, where the config has it
            return self.model.parse_losses(self.model(*self.batch, mode='loss'))[0]

    def _update(self, loss: Tensor, watcher: PartWatcher | None = None) -> None:
        self.optimizer.backward(loss)
        if watcher is not None:
            watcher.switch(OPTIMIZER)
        self.optimizer.step()
        self.optimizer.zero_grad()

    def saved_activations(self, parts: ModelParts) -> dict[str, int]:
        """Take a step; bytes saved in its forward pass, by part."""
        watcher = PartWatcher(lambda _: None)
        saved = SavedActivations(self.model, lambda: watcher.current)
        with parts.watch(watcher), saved:
            loss = self._loss()
        self._update(loss)
        return {part: saved.by_part.get(part, 0) for part in parts.names()}

    def peak_bytes(self) -> int | None:
        """Take a step; the most that the GPU's allocator handed out during it, None on a CPU."""
        device = self.batch.inputs.device
        if device.type != 'cuda':
            return None
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        self()
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device)


def _times(
    run: _Forward | _TrainingStep, parts: ModelParts, repeats: int, device: torch.device
) -> Times | None:
    """The fastest pass, and the fastest one in which parts are watched; the first warms up."""
    if not repeats:
        return None
    run()
    total_s = min(_time(run, device) for _ in range(repeats))
    watched = [_time_by_part(run, parts, device) for _ in range(repeats)]
    return Times(total_s, min(watched, key=lambda by_part: sum(by_part.values())))


def _time(run: Callable[[], None], device: torch.device) -> float:
    start = _now(device)
    run()
    return _now(device) - start


def _time_by_part(
    run: _Forward | _TrainingStep, parts: ModelParts, device: torch.device
) -> dict[str, float]:
    names = [*parts.names(), *([OPTIMIZER] if isinstance(run, _TrainingStep) else [])]
    seconds = dict.fromkeys(names, 0.0)

    def clock(part: str) -> None:
        nonlocal start
        now = _now(device)
        seconds[part] += now - start
        start = now

    watcher = PartWatcher(clock, backward=isinstance(run, _TrainingStep))
    with parts.watch(watcher):
        start = _now(device)
        run(watcher)
        clock(watcher.current)
    return seconds


def _now(device: torch.device) -> float:
    """Seconds, once all that was asked of a GPU is done."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _prepare_training(model: nn.Module, batch: Batch) -> list[str]:
    """Training mode; notes on what cannot be as in training."""
    model.train()
    one_value = [m for m in model.modules() if isinstance(m, nn.BatchNorm1d) and m.training]
    if batch.size > 1 or not one_value:
        return []
    for module in one_value:  # normalising one value by itself is an error in torch
        module.eval()
    return ['batch 1: BatchNorm1d, which cannot train on one person, uses its running statistics']


@contextmanager
def _unchanged(model: nn.Module) -> Iterator[None]:
    """Put back weights, buffers, gradients and modes."""
    state = {name: t.detach().cpu().clone() for name, t in model.state_dict().items()}
    modes = {module: module.training for module in model.modules()}
    gradients = [(p, p.grad) for p in model.parameters()]
    for parameter, _ in gradients:
        parameter.grad = None
    try:
        yield
    finally:
        model.load_state_dict(state)
        for module, mode in modes.items():
            module.training = mode
        for parameter, gradient in gradients:
            parameter.grad = gradient
