"""Shipped configs shrunk to seconds: a toy body, a handful of pictures, 8 channels, 64x64."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from helpers_records import save_toy_record
from helpers_toy_body import toy_body_data
from mmpose.registry import MODELS
from mmpose.utils import register_all_modules

from i2l_plugin.apis.runner import load_config

ROOT = Path(__file__).parents[1]
BODY_CONFIG = ROOT / 'configs/body/i2l-meshnet_res50_3xb16-12e_synthetic-256x256.py'
(SMALL_CONFIG,) = (ROOT / 'configs/body').glob('i2l-meshnet_res18_2xb8-*.py')
HAND_CONFIG = ROOT / 'configs/hand/i2l-meshnet_res50_3xb16-12e_synthetic-256x256.py'
TINY_PX = 64


def save_toy_model(path, kind='body', data=None):
    """The toy body (or `data`) in SMPL's / MANO's file format."""
    data = data or toy_body_data(kind)
    parents = data.parents.copy()
    arrays = dict(
        v_template=data.v_template,
        f=data.faces,
        shapedirs=data.shapedirs,
        posedirs=data.posedirs,
        weights=data.weights,
        J_regressor=data.j_regressor,
        kintree_table=np.stack([parents, np.arange(len(parents))]),
        **{f'J_regressor_{name}': rows for name, rows in data.regressors.items()},
        surface_joint_names=np.array(list(data.vertex_ids)),
        surface_joint_vertices=np.array(list(data.vertex_ids.values())),
    )
    if data.vertex_mirror is not None:
        arrays.update(vertex_mirror=data.vertex_mirror)
    if data.hands_mean is not None:
        arrays.update(hands_mean=data.hands_mean)
    np.savez(path, **arrays)
    return path


def make_project(folder, kind='body', people=8):
    """``folder/data`` with train and test people, ``folder/model.npz``."""
    folder = Path(folder)
    data = folder / 'data'
    data.mkdir(parents=True)
    for split, seed, number in (('train', 0, people), ('test', 1, 5)):
        (data / split).mkdir()
        save_toy_record(data / split, kind=kind, n=number, seed=seed)
    save_toy_model(folder / 'model.npz', kind)
    return folder


def tiny_options(folder, epochs=1):
    """Overrides (`--cfg-options`) that shrink any shipped config to the toy project in `folder`."""
    body = str(folder / 'model.npz')
    trunk = {'depth': 18, 'stem_channels': 8, 'base_channels': 8}
    options = {
        'model.codec.input_size': [TINY_PX, TINY_PX],
        'model.codec.heatmap_size': [TINY_PX // 4] * 3,
        'model.body_model.path': body,
        'visualizer.body_model.path': body,
        'train_cfg.max_epochs': epochs,
        'default_hooks.logger.interval': 1,
        'optim_wrapper.optimizer.lr': 1e-3,
    }
    options.update({f'model.backbone.{key}': value for key, value in trunk.items()})
    return options, body, trunk


def is_second_stage(path):
    """Whether a config regresses parameters from a frozen first stage."""
    return Path(path).stem.endswith(('_smpl', '_mano', '_smpl-regress'))


def write_first_stage(config, path):
    """Let a config of a second stage start from random weights of a first one, in a file."""
    register_all_modules()
    model = MODELS.build(config.model)
    model.init_weights()
    weights = {n: t for n, t in model.state_dict().items() if 'parameter_regressor' not in n}
    torch.save(dict(state_dict=weights, meta={}), path)
    config.load_from = str(path)


def tiny_config(path, folder, epochs=1):
    """A shipped config, shrunk; losses, pipelines, hooks and metrics stay as shipped."""
    options, body, trunk = tiny_options(folder, epochs)
    config = load_config(str(path), options)
    if config.visualizer.type != 'MeshVisualizer':
        config.visualizer.pop('body_model')
    for part in ('mesh_backbone', 'pose_head', 'mesh_head', 'root_head'):
        if config.model.get(part):
            config.model[part].update(trunk if part == 'mesh_backbone' else {'up_channels': 8})
    for split in ('train', 'val', 'test'):
        loader = config[f'{split}_dataloader']
        loader.update(batch_size=4 if split == 'train' else 2, num_workers=0)
        record = 'train' if split == 'train' else 'test'
        loader.dataset.update(data_root=str(folder / 'data' / record) + '/', ann_file='record.npz')
        for step in loader.dataset.pipeline:
            if step.type == 'TopdownAffine':
                step.input_size = (TINY_PX, TINY_PX)
    for evaluator in (config.val_evaluator, config.test_evaluator):
        for metric in evaluator:
            if 'body_model' in metric:
                metric.body_model.path = body
    config.work_dir = str(folder / 'work')
    if is_second_stage(path):
        write_first_stage(config, folder / 'first_stage.pth')
    return config


def run_tool(*arguments, check=True, **environment):
    """Run a script of the repository with this interpreter (or bash); its output as text."""
    program = 'bash' if str(arguments[0]).endswith('.sh') else sys.executable
    result = subprocess.run(
        [program, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHON': sys.executable, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not check or result.returncode == 0, result.stderr[-3000:]
    return result


def read_scalars(work_dir):
    """Every line that the logger wrote, of the only or latest run below `work_dir`."""
    files = sorted(Path(work_dir).glob('*/vis_data/scalars.json'))
    return [json.loads(line) for line in files[-1].read_text().splitlines()]
