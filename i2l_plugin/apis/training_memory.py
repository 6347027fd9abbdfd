"""Training memory counted from tensors, so that it is the same on every device and in every run.

Four things must be held at once: parameters, their gradients, the optimizer's state, and what
autograd saves in the forward pass for the backward pass ("saved activations"). The count leaves out
the buffers of single operations and what an allocator rounds up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.optim import Optimizer


class SavedActivations:
    """Counts the bytes that autograd saves while this context (``with``) lasts.

    Each storage counts once and whole, however many views of it are saved, since one view keeps all
    of it. Parameters and buffers of `model` count nothing: they are held anyway. The network's
    input counts, where a layer needs it; so does what a part of the graph saves that is dropped
    before the backward pass. What a custom autograd function keeps without
    ``save_for_backward`` is not seen.

    Args:
        model: Whose parameters and buffers are left out.
        part: Says to which part what is saved now belongs.

    Attributes:
        by_part: Bytes by part.
    """

    def __init__(self, model: nn.Module, part: Callable[[], str] = lambda: '') -> None:
        self._hooks = saved_tensors_hooks(self._pack, lambda tensor: tensor)
        self.by_part: dict[str, int] = {}
        self._part = part
        self._model_storages = {_storage_key(t) for t in _held_by(model)}
        # Held while counting: a graph that is dropped, as PoseNet's joints before f_M have one,
        # frees what it saved, and another storage may take the same place.
        self._seen: dict[tuple[str, int], Tensor] = {}

    def __enter__(self) -> SavedActivations:
        self._hooks.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._hooks.__exit__(*error)
        self._seen.clear()

    @property
    def total(self) -> int:
        """Bytes of all parts."""
        return sum(self.by_part.values())

    def _pack(self, tensor: Tensor) -> Tensor:
        saved = tensor.detach()  # the tensor itself would keep its own graph alive
        key = _storage_key(tensor)
        if key not in self._model_storages and key not in self._seen:
            self._seen[key] = saved
            part = self._part()
            self.by_part[part] = self.by_part.get(part, 0) + storage_bytes(tensor)
        return saved


def storage_bytes(tensor: Tensor) -> int:
    """Bytes of the storage that a tensor is a view of."""
    return tensor.untyped_storage().nbytes()


def distinct_bytes(tensors: Iterable[Tensor]) -> int:
    """Bytes of the storages of tensors that are alive, each counted once."""
    return sum({_storage_key(t): storage_bytes(t) for t in tensors}.values())


def gradient_bytes(model: nn.Module) -> int:
    """Bytes that the gradients take: one number for each trainable one."""
    return sum(p.numel() * p.element_size() for p in model.parameters() if p.requires_grad)


def optimizer_bytes(optimizer: Optimizer) -> int:
    """Bytes of the tensors in an optimizer's state, which is there after its first step."""
    return distinct_bytes(_tensors_in(list(optimizer.state.values())))


def _held_by(model: nn.Module) -> list[Tensor]:
    return [*model.parameters(), *model.buffers()]


def _storage_key(tensor: Tensor) -> tuple[str, int]:
    """What tells living storages apart, also those without data (meta and fake tensors)."""
    return str(tensor.device), tensor.untyped_storage()._cdata


def _tensors_in(value: Any) -> Iterator[Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _tensors_in(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors_in(item)
