"""Parts of a network, and which of them is at work: stem, stages, heads, f_M, losses (Fig. 2).

A part is a direct child of the model, by its name; a ResNet is cut where the paper cuts it, into
stem and stages. What runs in no child (soft-argmax, targets, joint regression) is `REST`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.autograd.graph import Node

REST = 'rest'
"""What runs outside all parts: soft-argmax, targets, regressed joints."""
LOSSES = 'losses'
BODY_MODEL = 'body model'
_TITLES = {'pose_head': 'pose head', 'pose_to_feature': 'f_M', 'mesh_head': 'mesh head'}
_BODY_MODELS = {'body_model', 'truth_models'}


class ModelParts:
    """The parts of a model.

    Args:
        model: Any module; the estimators of this plugin get the paper's names.

    Attributes:
        members: Modules by part, in the order in which the model holds them. Together they hold
            all parameters but those of the model itself.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.members: dict[str, list[nn.Module]] = {}
        for name, child in model.named_children():
            if name == 'data_preprocessor':
                continue
            for part, member in _split(name, child):
                self.members.setdefault(part, []).append(member)

    def names(self) -> list[str]:
        """All parts, `REST` last."""
        return [*self.members, REST]

    def parameters(self) -> dict[str, int]:
        """Number of parameters by part, each counted once, at the first part that holds it."""
        seen: set[int] = set()
        counts = dict.fromkeys(self.names(), 0)
        for part, members in {**self.members, REST: [self.model]}.items():
            for parameter in (p for member in members for p in member.parameters()):
                if id(parameter) not in seen:
                    seen.add(id(parameter))
                    counts[part] += parameter.numel()
        return counts

    @contextmanager
    def watch(self, watcher: PartWatcher) -> Iterator[None]:
        """Tell `watcher` which part begins and ends, while the context lasts."""
        handles = []
        for part, members in self.members.items():
            for member in members:
                handles.append(member.register_forward_pre_hook(_entering(watcher, part)))
                handles.append(member.register_forward_hook(_leaving(watcher)))
        try:
            yield
        finally:
            watcher.forget()
            for handle in handles:
                handle.remove()


class PartWatcher:
    """Knows the part at work: innermost module in the forward pass, autograd's node in the other.

    Args:
        on_switch: Called with the part that has just ended, whenever the part changes.
        backward: Also follow the backward pass of losses that `follow` is called with.
    """

    def __init__(self, on_switch: Callable[[str], None], backward: bool = False) -> None:
        self.current = REST
        self._on_switch = on_switch
        self._stack: list[str] = []
        self._backward = backward
        self._nodes: dict[Node, str] = {}  # keeps the nodes alive, by which they stay the same
        self._hooks: list[Any] = []

    def switch(self, part: str) -> None:
        """From now on `part` is at work."""
        if part != self.current:
            self._on_switch(self.current)
            self.current = part

    def enter(self, part: str, inputs: Any) -> None:
        """A module of `part` begins; what made its inputs belongs to the part before."""
        if self._backward:
            self._claim(inputs, self.current)
        self._stack.append(self.current)
        self.switch(part)

    def leave(self, outputs: Any) -> None:
        """The innermost module ends."""
        if self._backward:
            self._claim(outputs, self.current)
        self.switch(self._stack.pop())

    def follow(self, loss: Tensor) -> None:
        """Watch the backward pass of `loss`; what no module has made is `REST`."""
        self._claim(loss, REST)
        for node, part in self._nodes.items():
            self._hooks.append(node.register_prehook(lambda _, part=part: self.switch(part)))

    def forget(self) -> None:
        """Let go of the graph, which would hold its hooks and be held by them for ever."""
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        self._nodes.clear()

    def _claim(self, tensors: Any, part: str) -> None:
        """All nodes behind `tensors` that no earlier part made belong to `part`."""
        found = [t.grad_fn for t in _tensors(tensors) if t.grad_fn is not None]
        while found:
            node = found.pop()
            if node not in self._nodes:
                self._nodes[node] = part
                found += [parent for parent, _ in node.next_functions if parent is not None]


def _split(name: str, child: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """(part, module) of one child of the model."""
    if name in _BODY_MODELS:
        # BodyModelsByGender is never called itself: its models are
        yield from ((BODY_MODEL, model) for model in _called(child))
    elif name == LOSSES or name.endswith('_loss'):
        yield LOSSES, child
    elif hasattr(child, 'res_layers'):  # a ResNet, whose halves the estimators call apart
        prefix = name.removesuffix('backbone').replace('_', ' ')
        for layer_name, layer in child.named_children():
            half = 'stages' if layer_name in child.res_layers else 'stem'
            yield f'{prefix}{half}', layer
    else:
        yield _TITLES.get(name, name.replace('_', ' ')), child


def _called(module: nn.Module) -> Iterable[nn.Module]:
    """The innermost modules that are models of their own: those of the module without a list."""
    children = list(module.children())
    if not children:
        return [module]
    return dict.fromkeys(model for child in children for model in _called(child))


def _entering(watcher: PartWatcher, part: str) -> Callable[..., None]:
    return lambda _module, inputs: watcher.enter(part, inputs)


def _leaving(watcher: PartWatcher) -> Callable[..., None]:
    return lambda _module, _inputs, outputs: watcher.leave(outputs)


def _tensors(value: Any) -> Iterator[Tensor]:
    """All tensors in nested lists and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)
