"""Training a second stage on a frozen first one: the optimizer, and the weights that must be there.

MMEngine gives an optimizer frozen parameters, too, and starts from whatever weights there are: with
no ``load_from``, or one of another network, from random ones, which a frozen stage keeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper
from mmengine.registry import HOOKS, OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.runner import Runner
from torch import nn

_SHOWN = 3  # tensors that an error names


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class TrainedParametersConstructor(DefaultOptimWrapperConstructor):
    """The optimizer gets the parameters that are trained, and no others.

    Raises:
        ValueError: Nothing is trained; or ``paramwise_cfg``, whose names it does not know.
    """

    def __call__(self, model: nn.Module) -> OptimWrapper:
        """The wrapper that the config asks for."""
        if self.paramwise_cfg:
            raise ValueError(
                f'TrainedParametersConstructor has no paramwise_cfg, got {self.paramwise_cfg}: '
                'leave it out'
            )
        trained = nn.ParameterList([p for p in model.parameters() if p.requires_grad])
        if not len(trained):
            raise ValueError(
                f"{type(model).__name__} has no parameter that is trained; use the host's "
                'constructor with a model that is not frozen'
            )
        return super().__call__(trained)


@HOOKS.register_module()
class FirstStageHook(Hook):
    """Refuses to train on a first stage, or to test a network, whose weights were not loaded.

    For estimators with ``first_stage``, as `MeshToParametersEstimator`. Training asks for all
    tensors of the first stage, testing for those of the whole network; MMEngine says no more than a
    log line about tensors that are missing or of another shape.
    """

    def __init__(self) -> None:
        self._not_loaded: list[str] | None = None  # None before any checkpoint

    def after_load_checkpoint(self, runner: Runner, checkpoint: Mapping[str, Any]) -> None:
        """Remember what the checkpoint has no tensor of the right shape for."""
        weights = checkpoint.get('state_dict', checkpoint)
        shapes = {name.removeprefix('module.'): tensor.shape for name, tensor in weights.items()}
        self._not_loaded = [
            name
            for name, tensor in _model_of(runner).state_dict().items()
            if shapes.get(name) != tensor.shape and not name.endswith('num_batches_tracked')
        ]  # the counters are used by nothing, and old checkpoints have none

    def before_train(self, runner: Runner) -> None:
        """The first stage must have been loaded.

        Raises:
            ValueError: There was no checkpoint, or not all of the first stage in it.
        """
        if self._not_loaded is None:
            raise ValueError(
                'load_from: got no checkpoint, expected one of the first stage, which is frozen '
                'here and would stay random: --cfg-options load_from=CHECKPOINT'
            )
        parts = tuple(f'{name}.' for name, _ in _model_of(runner).first_stage())
        _refuse([name for name in self._not_loaded if name.startswith(parts)], 'the first stage')
        self._not_loaded = []  # what was not there is trained now

    def before_test(self, runner: Runner) -> None:  # noqa: ARG002
        """The whole network must have been loaded or trained.

        Raises:
            ValueError: Not all of it was in the checkpoint.
        """
        _refuse(self._not_loaded or [], 'this network')


def _model_of(runner: Runner) -> Any:
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def _refuse(names: list[str], what: str) -> None:
    if names:
        more = ', ...' if len(names) > _SHOWN else ''
        raise ValueError(
            f'the checkpoint lacks {len(names)} tensors of {what}, or has them in another shape: '
            f'{", ".join(names[:_SHOWN])}{more}; give a checkpoint of the same network'
        )
