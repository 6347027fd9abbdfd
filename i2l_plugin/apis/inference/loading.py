"""Networks from a config and a checkpoint, ready to predict; wrong files are refused in one line.

Checkpoints are read with an allow-list (`read_weights`), so nothing in them is executed, and all
of their weights must be the network's: the host only warns of parts that are missing.
"""

from __future__ import annotations

import copy
import os
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import MMLogger
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import DefaultScope, Registry
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import MODELS
from torch import nn

import i2l_plugin.datasets
import i2l_plugin.models  # noqa: F401 (both register what configs name)
from i2l_plugin.apis.checkpoints import read_weights
from i2l_plugin.apis.runner import config_mistakes, load_config
from i2l_plugin.datasets.metainfo import pose_metainfo

_DERIVED = 'num_batches_tracked'  # counters that old checkpoints lack
_SECOND_STAGE = 'parameter_regressor.'  # beside the network in converted snapshots of the release


def init_model(
    config: str | os.PathLike | Config,
    checkpoint: str | None = None,
    device: str | None = None,
    cfg_options: Mapping[str, Any] | None = None,
) -> nn.Module:
    """The mesh network of a config, in evaluation mode, for `infer_meshes` and `MeshInferencer`.

    Args:
        config: File, or config.
        checkpoint: Its weights; None leaves them random, with a warning.
        device: Such as ``'cpu'`` or ``'cuda:0'``; the host's choice by default.
        cfg_options: Overrides of the config, ``{'xxx.yyy': value}``.

    Returns:
        The network, with ``cfg`` and ``dataset_meta`` (joint names, skeleton) as in the host.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The config cannot be built or is of no mesh network; the checkpoint is broken or
            another network's; there is no such device.
    """
    model = build_mesh_network(as_config(config, cfg_options), checkpoint, device)
    if checkpoint is None:
        warn_of_random_weights(model)
    return model


def build_mesh_network(config: Config, checkpoint: str | None, device: str | None) -> nn.Module:
    """What `init_model` returns, and its errors, without its warning."""
    model = build_network(config, MODELS, checkpoint, device)
    if not (hasattr(model, 'mesh_head') and hasattr(model, 'body_model')):
        raise ValueError(
            f'{type(model).__name__} is no mesh network; give a config of configs/body or '
            'configs/hand'
        )
    if getattr(model, 'fed_pose', 'regressed') == 'truth':
        raise ValueError(
            "model.fed_pose='truth' feeds MeshNet with annotated joints, which pictures do not "
            'have; set it to regressed'
        )
    joint_set = model.body_model.joint_set
    model.dataset_meta = parse_pose_metainfo(pose_metainfo(f'i2l_{joint_set.name}', joint_set))
    return model


def as_config(
    config: str | os.PathLike | Config, cfg_options: Mapping[str, Any] | None = None
) -> Config:
    """A config from a file, or a copy of one, with overrides; errors as in `load_config`."""
    if isinstance(config, (str, os.PathLike)):
        return load_config(os.fspath(config), cfg_options)
    if not isinstance(config, Config):
        raise ValueError(f'config: got a {type(config).__name__}, expected a file or a Config')
    config = copy.deepcopy(config)
    config.merge_from_dict(dict(cfg_options or {}))
    return config


def build_network(
    config: Config,
    registry: Registry,
    checkpoint: str | None,
    device: str | None,
    more_weights: bool = False,
) -> nn.Module:
    """The network of ``config.model`` in evaluation mode.

    Args:
        config, checkpoint, device: As in `init_model`.
        registry: Of the network's library.
        more_weights: The checkpoint may hold weights that the network has not.

    Returns:
        The network with ``cfg`` and ``checkpoint_meta``, the ``meta`` of its checkpoint.
    """
    place = find_device(device)
    scope = config.get('default_scope', registry.scope)
    with DefaultScope.overwrite_default_scope(scope), config_mistakes():
        model = registry.build(config.model)
    model = revert_sync_batchnorm(model)
    model.checkpoint_meta = {}
    if checkpoint is not None:
        model.checkpoint_meta = load_weights(model, checkpoint, more_weights)
    model.cfg = config
    model.to(place)
    model.eval()  # returns nothing in some of the host's classes
    return model


def warn_of_random_weights(model: nn.Module) -> None:
    """In the host's log."""
    MMLogger.get_current_instance().warning(
        f'{type(model).__name__} has no checkpoint: its weights are random'
    )


def load_weights(model: nn.Module, checkpoint: str, more_weights: bool = False) -> dict[str, Any]:
    """Load a checkpoint that fits to the last weight. -> its ``meta``; `build_network` says more.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It cannot be read, or it lacks weights, has others, or of another size.
    """
    if '://' in checkpoint:
        raise ValueError(
            f'checkpoint {checkpoint!r} is an address; download it and give the path of the file'
        )
    state, meta = read_weights(checkpoint)
    weights = OrderedDict((name.removeprefix('module.'), v) for name, v in state.items())
    if hasattr(state, '_metadata'):  # versions, by which modules know weights of their older selves
        weights._metadata = state._metadata
    try:
        missing, unknown = model.load_state_dict(weights, strict=False)
    except RuntimeError as error:  # sizes
        details = [line.strip() for line in str(error).splitlines()[1:]] or [str(error)]
        raise ValueError(
            _wrong(model, checkpoint, f'{len(details)} differ ({details[0]})')
        ) from error
    missing = [name for name in missing if not name.endswith(_DERIVED)]
    unknown = [name for name in unknown if not (more_weights or name.startswith(_SECOND_STAGE))]
    if missing or unknown:
        what = [
            f'{len(names)} are {how} ({names[0]} ...)'
            for names, how in ((missing, 'missing'), (unknown, 'unknown to it'))
            if names
        ]
        raise ValueError(_wrong(model, checkpoint, ' and '.join(what)))
    return meta


def _wrong(model: nn.Module, checkpoint: str, what: str) -> str:
    return (
        f'checkpoint {checkpoint!r} is not of this {type(model).__name__}: of its weights {what}; '
        'give the checkpoint that was trained with this config'
    )


def find_device(device: str | None) -> torch.device:
    """The device of that name, or the host's choice; ValueError if it is not there."""
    try:
        place = torch.device(device or get_device())
    except RuntimeError as error:
        raise ValueError(f'device: got {device!r}, expected such as cpu or cuda:0') from error
    if place.type == 'cuda' and (place.index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f'device: got {device!r}, but PyTorch sees {torch.cuda.device_count()} CUDA devices '
            'here; use cpu or another one'
        )
    try:
        torch.zeros(1, device=place).cpu()
    except (RuntimeError, AssertionError) as error:  # e.g. of another build of PyTorch
        reason = str(error).splitlines()[0]
        raise ValueError(f'device: got {device!r}, but {reason}; use cpu or another one') from error
    return place
