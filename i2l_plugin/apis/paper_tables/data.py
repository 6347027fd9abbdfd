"""Putting a row on another data set: loaders, metrics and body model of that data set's config.

The network, its losses and its schedule stay the row's.
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

_PARTS = (
    'train_dataloader',
    'val_dataloader',
    'test_dataloader',
    'val_evaluator',
    'test_evaluator',
)
_PARAMETERS = 'parameters'
_OF_MESH = ('MeshVertexError', 'MeshJointError')
_OF_MODEL = ('body_model', 'truth_body_models')


def with_data(config: Config, data: Config) -> Config:
    """A row's config with the data of another config; neither is changed.

    Taken are loaders, metrics, body models and the depth range, which goes with the body's kind.
    Weights from ImageNet, which the host would download, are taken where `data` has them. A row
    that reports parameters besides the mesh has each metric of the mesh for those as well.
    """
    config, data = copy.deepcopy(config), copy.deepcopy(data)
    parameters = any(metric.get('prediction') == _PARAMETERS for metric in config.test_evaluator)
    for name in _PARTS:
        config[name] = data[name]
    if parameters:
        for name in ('val_evaluator', 'test_evaluator'):
            mesh = [m for m in data[name] if 'prediction' not in m and m.type in _OF_MESH]
            also = [dict(metric, prediction=_PARAMETERS) for metric in mesh]
            config[name] = [*data[name], *also]
    for name in _OF_MODEL:
        config.model.pop(name, None)
        if name in data.model:
            config.model[name] = data.model[name]
    config.model.codec.depth_range_mm = data.model.codec.depth_range_mm
    config.visualizer.body_model = data.visualizer.body_model
    for name in ('backbone', 'mesh_backbone'):
        if config.model.get(name):
            given = config.model[name].pop('init_cfg', {})
            trunk = data.model.get(name) or data.model.backbone
            if 'init_cfg' in trunk and given is not None:  # None: a checkpoint has all weights
                config.model[name].init_cfg = trunk.init_cfg
    return config


def set_data_root(config: Config, root: str) -> None:
    """Let all loaders of a config of one data set read below another folder."""
    for split in ('train', 'val', 'test'):
        config[f'{split}_dataloader'].dataset.data_root = f'{root}/'


def annotation_files(config: Config, split: str) -> list[Path]:
    """Records that the ``'train'`` or ``'test'`` loader reads."""
    return [
        Path(member.get('data_root', '')) / member['ann_file']
        for member in members(config[f'{split}_dataloader'].dataset)
    ]


def members(node: Any) -> Iterator[Any]:
    """The data sets with a record, of a data set's config."""
    if isinstance(node, Mapping):
        if 'ann_file' in node:
            yield node
            return
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for part in node:
            yield from members(part)


def fingerprint(config: Config) -> list[str]:
    """Name and CRC-32 of each record: runs on other data are other runs.

    Raises:
        FileNotFoundError: A record is missing.
    """
    prints = []
    for split in ('train', 'test'):
        for path in annotation_files(config, split):
            if not path.is_file():
                raise FileNotFoundError(
                    f'{path}: the {split} data are not there; make or convert them '
                    '(tools/make_synthetic.py, tools/dataset_converters/README.md)'
                )
            prints.append(f'{split} {path.name} {zlib.crc32(path.read_bytes()):08x}')
    return prints
