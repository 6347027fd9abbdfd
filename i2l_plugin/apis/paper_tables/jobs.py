"""What is done in processes of their own: training with its test, costs, baseline, surfaces."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from mmengine.utils import import_modules_from_strings
from mmpose.apis import init_model
from mmpose.registry import DATASETS, MODELS

from i2l_plugin.apis.checkpoints import admit_checkpoint, latest_checkpoint, pretrained_files
from i2l_plugin.apis.constant_baseline import evaluate_constant
from i2l_plugin.apis.dataset_samples import truth_models
from i2l_plugin.apis.example_batch import example_batch
from i2l_plugin.apis.model_cost import model_cost
from i2l_plugin.apis.runner import build_runner, config_mistakes, load_config
from i2l_plugin.evaluation.sample_scores import write_metrics
from i2l_plugin.files import write_atomically, write_json

from .surface import draw_meshes, edge_length_error, fold_angle_deg

TRAINED = 'trained.json'
METRICS = 'metrics.json'
EXAMINED_PEOPLE, DRAWN_PEOPLE = 64, 4
_AT_ONCE = 8


def train_and_test(folder: Path) -> None:
    """Train and test ``config.py`` of a folder; write `TRAINED` between the two, `METRICS` last.

    As ``tools/train.py --resume --no-validate`` and ``tools/test.py``: a training that was killed
    goes on from its newest whole checkpoint, and one that is done is not done again.
    """
    with config_mistakes():
        if not (folder / TRAINED).is_file():
            _train(folder)
        _test(folder)


def _train(folder: Path) -> None:
    config = _config(folder, 'train')
    for path in dict.fromkeys(pretrained_files(config.model)):
        admit_checkpoint(path)
    latest = latest_checkpoint(config.work_dir)
    if latest is not None:
        config.load_from, config.resume = latest, True
    elif config.get('load_from'):
        admit_checkpoint(config.load_from)
    config.val_cfg = config.val_dataloader = config.val_evaluator = None
    config.default_hooks.checkpoint.pop('save_best', None)
    build_runner(config).train()
    last = Path((folder / 'train' / 'last_checkpoint').read_text().strip()).name
    write_json({'checkpoint': f'train/{last}'}, folder / TRAINED)


def _test(folder: Path) -> None:
    config = _config(folder, 'test')
    config.load_from = _checkpoint(folder)
    runner = build_runner(config)
    write_metrics(runner.test(), folder / METRICS, runner.test_evaluator.metrics)


def _checkpoint(folder: Path) -> str:
    """Of a trained run, admitted."""
    path = str(folder / json.loads((folder / TRAINED).read_text())['checkpoint'])
    admit_checkpoint(path)
    return path


def _config(folder: Path, name: str) -> Config:
    config = load_config(str(folder / 'config.py'))
    config.work_dir = str((folder / name).resolve())
    config.experiment_name = f'{folder.name}-{name}'
    return config


def measure(path: Path, batch_sizes: Sequence[int], repeats: int, out: Path) -> None:
    """Write `ModelCost.as_dict` of a config's network, on the CPU, at each batch size."""
    torch.set_num_threads(1)
    config = load_config(str(path))
    import_modules_from_strings(**config.custom_imports)
    with DefaultScope.overwrite_default_scope(config.default_scope):
        model = MODELS.build(config.model)
        costs = [
            model_cost(model, example_batch(model, size), config.optim_wrapper, repeats).as_dict()
            for size in batch_sizes
        ]
    write_json(costs, out, indent=1)


def constant_baseline(path: Path, out: Path) -> None:
    """Write the metrics of the mean mesh of a config's training set on its test set."""
    write_metrics(evaluate_constant(load_config(str(path))), out)


def surface_quality(folder: Path, out: Path) -> None:
    """Write how smooth a finished run's meshes are on the first test people, and draw some.

    Args:
        folder: Of the run.
        out: JSON file; the picture lies beside it, the true meshes below the predicted ones.
    """
    config = load_config(str(folder / 'config.py'))
    model = init_model(config, _checkpoint(folder), device='cpu')
    models = truth_models(config, 'test')
    dataset = DATASETS.build(config.test_dataloader.dataset)
    samples = [dataset[i] for i in range(min(EXAMINED_PEOPLE, len(dataset)))]
    predicted, true = [], []
    for start in range(0, len(samples), _AT_ONCE):
        with torch.no_grad():
            results = model.test_step(pseudo_collate(samples[start : start + _AT_ONCE]))
        labels = InstanceData.cat([result.gt_instance_labels for result in results])
        people = [result.metainfo for result in results]
        posed, _ = models.pose_cam_mm(people, labels.pose, labels.betas, labels.transl_mm)
        true.append(posed.numpy())
        predicted += [result.pred_instances.vertices_cam for result in results]
    meshes, truth = np.concatenate(predicted), np.concatenate(true)  # (B, V, 3)
    faces = models.body_model.faces.numpy()
    rows = [draw_meshes(some[:DRAWN_PEOPLE], faces) for some in (meshes, truth)]
    picture = cv2.imencode('.png', np.concatenate(rows)[..., ::-1])[1]
    write_atomically(out.with_suffix('.png'), picture.tobytes())
    quality = {
        'people': len(samples),
        'edge_length_error': edge_length_error(meshes, truth, faces),
        'fold_angle_deg': fold_angle_deg(meshes, faces),
        'true_fold_angle_deg': fold_angle_deg(truth, faces),
    }
    write_json(quality, out, indent=1)
