"""Snapshots released by the authors of I2L-MeshNet as checkpoints of `CascadedMeshEstimator`.

A snapshot is a dict of ``epoch``, ``network`` (the state dict, each name behind ``module.``) and
``optimizer``. The parameter regressor stays in the state dict, as ``parameter_regressor.*``:
`MeshToParametersEstimator` has one, an estimator without passes over it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from torch import Tensor

from i2l_plugin.datasets.metainfo import pose_metainfo
from i2l_plugin.files import replacing

from .checkpoints import read_checkpoint
from .released_network import (
    BODY_MODEL_PREFIX,
    JOINT_SETS,
    KINDS,
    ReleasedTensor,
    released_tensors,
)


class Conversion(NamedTuple):
    """A converted snapshot.

    Attributes:
        kind: ``'body'`` or ``'hand'``.
        checkpoint: ``state_dict`` and ``meta``, as the host loads it.
        kept: Number of tensors and of values by part of our network.
        dropped: What was left out, and why.
    """

    kind: str
    checkpoint: dict[str, Any]
    kept: dict[str, tuple[int, int]]
    dropped: list[str]


def _named(network: Mapping[str, Any]) -> dict[str, Any]:
    """The network without ``module.`` before its names, as DataParallel writes them."""
    named: dict[str, Any] = {}
    for name, tensor in network.items():
        bare = str(name).removeprefix('module.')
        if bare in named:
            raise ValueError(f'tensor {bare} is there twice, with and without module. before it')
        named[bare] = tensor
    return named


def _misshapen(network: Mapping[str, Any], expected: Mapping[str, ReleasedTensor]) -> list[str]:
    """Known tensors that are not what they should be, each with the reason."""
    wrong = []
    for name, one in expected.items():
        tensor = network.get(name)
        if name not in network:
            continue
        if not isinstance(tensor, Tensor):
            wrong.append(f'{name} is {type(tensor).__name__}, expected a tensor')
        elif tuple(tensor.shape) != one.shape:
            wrong.append(f'{name} is {tuple(tensor.shape)}, expected {one.shape}')
        elif one.shape and not tensor.is_floating_point():
            wrong.append(f'{name} is {tensor.dtype}, expected floating point')
    return wrong


def _kind_of(network: Mapping[str, Any]) -> str:
    """The kind of which the most shapes are right."""
    return min(KINDS, key=lambda kind: len(_misshapen(network, released_tensors(kind))))


def _check(network: Mapping[str, Any], kind: str) -> None:
    """ValueError that names every unknown, missing, misshapen or broken tensor."""
    expected = released_tensors(kind)
    found = {
        'unknown': [
            n for n in network if n not in expected and not n.startswith(BODY_MODEL_PREFIX)
        ],
        'missing': [n for n, one in expected.items() if n not in network and one.name is not None],
        'misshapen': _misshapen(network, expected),
    }
    if not any(found.values()):
        found['not finite'] = [n for n in expected if n in network and not _finite(network[n])]
    if any(found.values()):
        text = '; '.join(f'{what}: {", ".join(names)}' for what, names in found.items() if names)
        other = _kind_of(network)
        hint = '' if other == kind or not found['misshapen'] else f'; its kind seems to be {other}'
        raise ValueError(f"these tensors differ from the release's {kind} network: {text}{hint}")


def _of_body_model(name: str) -> bool:
    return name.startswith(BODY_MODEL_PREFIX)


def _finite(tensor: Tensor) -> bool:
    return bool(tensor.isfinite().all())


def convert_network(
    network: Mapping[str, Any], kind: str | None = None
) -> tuple[str, OrderedDict[str, Tensor]]:
    """The state dict of `CascadedMeshEstimator`, float32, from the release's.

    Args:
        network: With or without ``module.`` before the names; any floating point type. Body-model
            buffers, and conv1 and bn1 of the second ResNet, may be there or not.
        kind: ``'body'`` or ``'hand'``; found from the shapes if None.

    Returns:
        The kind and the state dict.

    Raises:
        ValueError: Naming all tensors that are unknown, missing, misshapen or not finite.
    """
    network = _named(network)
    kind = kind or _kind_of(network)
    _check(network, kind)
    state = OrderedDict()
    for theirs, one in released_tensors(kind).items():
        if one.name is not None:
            tensor = network[theirs].detach().reshape(one.our_shape)
            state[one.name] = tensor.float() if one.shape else tensor.long()
    return kind, state


def convert_snapshot(path: str, kind: str | None = None) -> Conversion:
    """A released snapshot as a checkpoint for the configs ``*_release.py``.

    Nothing in the file can be executed (`read_checkpoint`), and the result holds tensors and plain
    values only.

    Args:
        path: Snapshot, ``.pth.tar``.
        kind: ``'body'`` or ``'hand'``; found from the shapes if None.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Not a snapshot of the release; all wrong tensors are named.
    """
    content = read_checkpoint(path)
    network = content.get('network') if isinstance(content, dict) else None
    if not isinstance(network, dict):
        keys = sorted(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise ValueError(
            f"snapshot {path!r} has no 'network', as the release's have: it holds {keys}"
        )
    try:
        kind, state = convert_network(network, kind)
    except ValueError as error:
        raise ValueError(f'snapshot {path!r}: {error}') from error
    trained = int(state['parameter_regressor.hidden.1.num_batches_tracked']) > 0
    meta = dict(
        kind=kind,
        converted_from="I2L-MeshNet's release",
        released_epoch=content.get('epoch'),
        parameter_regressor_trained=trained,
        dataset_meta=_dataset_meta(kind),
    )
    return Conversion(kind, dict(meta=meta, state_dict=state), _kept(state), _dropped(content))


def _dataset_meta(kind: str) -> dict[str, Any]:
    """The joints, as the host's `init_model` wants them; lists, which any reader admits."""
    joint_set = JOINT_SETS[kind]
    meta = parse_pose_metainfo(pose_metainfo(f'i2l_{joint_set.name}', joint_set))
    return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in meta.items()}


def _kept(state: Mapping[str, Tensor]) -> dict[str, tuple[int, int]]:
    kept: dict[str, tuple[int, int]] = {}
    for name, tensor in state.items():
        part = name.split('.')[0]
        tensors, values = kept.get(part, (0, 0))
        kept[part] = (tensors + 1, values + tensor.numel())
    return kept


def _dropped(content: Mapping[str, Any]) -> list[str]:
    names = list(_named(content['network']))
    body_model = [name for name in names if _of_body_model(name)]
    unused = [n for n in names if n.startswith(('mesh_backbone.conv1.', 'mesh_backbone.bn1.'))]
    lines = [
        f'{BODY_MODEL_PREFIX}*, {len(body_model)} tensors: the body model comes from its own file',
        f'mesh_backbone.conv1 and bn1, {len(unused)} tensors: the network never uses them',
    ]
    lines = [line for line, found in zip(lines, (body_model, unused), strict=True) if found]
    other = [str(key) for key in content if key not in ('network', 'epoch')]
    return lines + [f'{key}: not needed to predict' for key in other]


def save_atomically(checkpoint: Mapping[str, Any], path: str) -> None:
    """Write a checkpoint beside its place and move it there; its folder is made if missing.

    Raises:
        ValueError: It cannot be written there.
    """
    target = Path(path)
    if target.is_dir():
        raise ValueError(f'{path!r} is a folder; give the name of a file')
    try:
        with replacing(target) as temporary, temporary.open('wb') as file:
            torch.save(dict(checkpoint), file)
    except (OSError, RuntimeError) as error:
        raise ValueError(f'{path!r} cannot be written: {error}') from error
