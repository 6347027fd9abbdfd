"""One equal budget for all rows of a table: the same network around the heads, recipe and steps.

``full`` leaves the configs as they are, for GPUs. The small budget is for two CPU cores: 64 px and
a narrow ResNet-18 of three stages, stride 8, so that the feature is 8 x 8 as the paper's at 256 px
and stride 32, and heatmaps keep the paper's resolutions; every head a quarter as wide as the
paper's; a body of an eighth of the vertices (`coarse_body`); no ImageNet weights, hence Kaiming's
numbers instead of N(0, 0.001) in hidden layers; light augmentation.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmpose.registry import MODELS

import i2l_plugin.models  # noqa: F401 (registers the heads)

from .coarse_body import coarsen_bodies

SMALL_STEPS = 1500
INPUT_PX = 64
FEATURE = 8
"""Width and height of the trunk's feature, in the paper and here."""
NARROWER = 4
"""By what the heads' widths are divided."""
_WITH_BODIES = ('model', 'val_evaluator', 'test_evaluator', 'visualizer')
_WIDTHS = ('up_channels', 'hidden_units', 'hidden_channels')
_KAIMING = dict(
    type='Kaiming', layer=['Conv1d', 'Conv2d', 'ConvTranspose1d', 'ConvTranspose2d', 'Linear']
)
_NORMALISATION = dict(type='Constant', val=1, layer=['BatchNorm1d', 'BatchNorm2d'])
# Layers that nothing normalises start as in the paper: at the middle of the volume, the rest pose.
_LAST_LAYERS = {
    'LixelHead': ('conv_x', 'conv_y', 'conv_z'),
    'EarlyLixelHead': ('conv_x', 'conv_y', 'conv_z'),
    'DenseLixelHead': ('conv_x', 'conv_y', 'conv_z'),
    'PixelHead': ('conv_xy', 'conv_z'),
    'DepthMapHead': ('conv_xy', 'conv_z'),
    'VoxelHead': ('conv_xyz',),
    'CoordinateHead': ('out',),
    'ParameterHead': ('pose', 'betas', 'root'),
}
# The stem keeps its 64 channels, since f_M must fit 29 joints into as many.
_TRUNK = dict(
    depth=18,
    num_stages=3,
    base_channels=16,
    strides=(1, 2, 1),
    dilations=(1, 1, 1),
    out_indices=(2,),
    zero_init_residual=False,
)
_LIGHT = {
    'GetBBoxCenterScale': dict(padding=1.1),  # few pixels: the person gets more of them
    'RandomScaleRotate': dict(scale=0.1, rotate_prob=0.0),
    'TopdownAffine': dict(input_size=(INPUT_PX, INPUT_PX)),
    'ColorScale': dict(factor=0.1),
}


@dataclass(frozen=True)
class Budget:
    """How much every row gets.

    Attributes:
        steps: Of `batch_size` people each; None leaves the configs as they are.
        batch_size: People a step.
    """

    steps: int | None = SMALL_STEPS
    batch_size: int = 8

    @property
    def name(self) -> str:
        """For reports."""
        return 'full' if self.steps is None else f'{self.steps} steps'

    def apply(self, config: Config, lixels: int, bodies: Path) -> Config:
        """A row's config under this budget.

        Args:
            config: Of a row; not changed.
            lixels: D of the table (`table_lixels`).
            bodies: Where coarse body models go.

        Raises:
            FileNotFoundError, ValueError: A body model's file is missing or wrong.
        """
        config = copy.deepcopy(config)
        if self.steps is None:
            return config
        coarsen_bodies({name: config[name] for name in _WITH_BODIES}, bodies)
        _shrink_model(config.model, lixels)
        self._shrink_data(config)
        self._schedule(config)
        return config

    def _shrink_data(self, config: Config) -> None:
        for split in ('train', 'val', 'test'):
            loader = config[f'{split}_dataloader']
            loader.update(num_workers=0)
            loader.pop('worker_init_fn', None)
            for step in pipeline_steps(loader.dataset):
                step.update(_LIGHT.get(step.type, {}))
        config.train_dataloader.update(
            batch_size=self.batch_size, sampler=dict(type='InfiniteSampler', shuffle=True)
        )

    def _schedule(self, config: Config) -> None:
        assert self.steps is not None
        warm_up = max(1, self.steps // 8)
        config.train_cfg = dict(by_epoch=False, max_iters=self.steps, val_interval=self.steps)
        constructor = config.optim_wrapper.get('constructor')
        config.optim_wrapper = dict(optimizer=dict(type='AdamW', lr=3e-3, weight_decay=0.1))
        if constructor:  # which parameters are trained is the row's
            config.optim_wrapper.constructor = constructor
        config.param_scheduler = [
            dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=warm_up),
            dict(
                type='CosineAnnealingLR',
                eta_min=1e-5,
                begin=warm_up,
                end=self.steps,
                by_epoch=False,
            ),
        ]
        config.default_hooks.checkpoint = dict(
            type='CheckpointHook',
            by_epoch=False,
            interval=max(1, self.steps // 4),
            max_keep_ckpts=1,
        )
        config.log_processor = dict(type='LogProcessor', window_size=50, by_epoch=False)


def parse_budget(text: str) -> Budget:
    """``small``, ``full`` or a number of steps.

    Raises:
        ValueError: None of these.
    """
    if text == 'full':
        return Budget(None)
    if text == 'small':
        return Budget()
    if not text.isdigit() or int(text) < 2:
        raise ValueError(f"--budget: got {text!r}, expected 'small', 'full' or at least 2 steps")
    return Budget(int(text))


def table_lixels(configs: Mapping[str, Config]) -> int:
    """D of a table's small networks: 64 as in the paper, or 16 where a row has a PoseNet.

    f_M puts the heatmaps of PoseNet's joints onto the stem's feature, which is 16 x 16 at 64 px;
    the other rows of such a table have the same D, or they would not be comparable.
    """
    with_posenet = any(config.model.get('pose_head') for config in configs.values())
    return INPUT_PX // 4 if with_posenet else 8 * FEATURE


def pipeline_steps(node: Any) -> Iterator[Any]:
    """All transforms of a data set's config, of its members too."""
    if isinstance(node, Mapping):
        yield from node.get('pipeline', ())
        node = [value for key, value in node.items() if key != 'pipeline']
    if isinstance(node, (list, tuple)):
        for part in node:
            yield from pipeline_steps(part)


def _shrink_model(model: Any, lixels: int) -> None:
    model.codec.update(input_size=(INPUT_PX, INPUT_PX), heatmap_size=(lixels,) * 3)
    for name in ('backbone', 'mesh_backbone'):
        if model.get(name):
            model[name].pop('init_cfg', None)
            model[name].update(_TRUNK)
    if model.get('pose_to_feature'):
        model.pose_to_feature.update(init_cfg=[_KAIMING, _NORMALISATION])
    for name in ('pose_head', 'mesh_head'):
        if model.get(name):
            _shrink_head(model[name], lixels)


def _shrink_head(head: Any, lixels: int) -> None:
    arguments = inspect.signature(MODELS.get(head.type).__init__).parameters
    for name in _WIDTHS:
        if name in arguments:
            head[name] = head.get(name, arguments[name].default) // NARROWER
    if 'num_upsample' in arguments and 'resolution' not in head:
        head.num_upsample = (lixels // FEATURE).bit_length() - 1
    last = [dict(type='Normal', std=0.001, name=name) for name in _LAST_LAYERS[head.type]]
    head.init_cfg = [_NORMALISATION, dict(_KAIMING, override=last)]
