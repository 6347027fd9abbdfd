"""Roots by people who look at no picture: floors under RootNet's errors.

Each box is answered with one place in the crop and one gamma, and scored by the config's own
metrics: with gamma = 1 at the crop's middle, which is what the box's size says, and with the mean
place and gamma of the training set. Shapes: B batch.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope
from mmengine.utils import import_modules_from_strings
from mmpose.registry import DATASETS, MODELS
from mmpose.structures import PoseDataSample

from i2l_plugin.models.decoding import add_predictions, read_views
from i2l_plugin.models.root_targets import build_root_target
from i2l_plugin.models.rootnet import RootEstimate, RootNet

BATCH_SIZE = 64


def _batches(dataset: BaseDataset) -> Iterator[list[PoseDataSample]]:
    """All samples, at most `BATCH_SIZE` at a time."""
    for start in range(0, len(dataset), BATCH_SIZE):
        rows = range(start, min(start + BATCH_SIZE, len(dataset)))
        yield [dataset[i]['data_samples'] for i in rows]


def box_size_root(model: RootNet) -> RootEstimate:
    """The crop's middle at the depth that the box's size says, of one person."""
    width, height = model.codec.heatmap_size[:2]
    return RootEstimate(torch.tensor([[[width / 2, height / 2]]]), torch.ones(1))


def mean_root(model: RootNet, dataset: BaseDataset) -> RootEstimate:
    """Mean place and mean gamma over the people of a data set of whom they are known.

    Raises:
        ValueError: They are known of nobody.
    """
    total, count = torch.zeros(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    for samples in _batches(dataset):
        target = build_root_target(samples, model.truth_models, model.codec)
        k_mm = model.box_depth_mm(read_views(samples, torch.device('cpu')))
        values = torch.cat([target.xy_lixel[:, 0], (target.depth_mm / k_mm)[:, None]], dim=1)
        weights = torch.cat([target.xy_weight[:, 0], target.depth_weight[:, None]], dim=1)
        total += torch.where(weights > 0, values, 0.0).double().sum(0)
        count += weights.double().sum(0)
    if not count.all():
        raise ValueError('the training set has no known root, in its crop and of known depth')
    mean = (total / count).float()
    return RootEstimate(mean[None, None, :2], mean[2:])


def evaluate_constant_roots(config: Config) -> dict[str, dict[str, float]]:
    """Metrics on a RootNet config's test set, by ``'box size'`` and ``'mean gamma'``.

    The training set is cropped as the test set is, so that no augmentation moves the mean.
    """
    import_modules_from_strings(**config.custom_imports)
    init_default_scope(config.get('default_scope', 'mmpose'))
    model = MODELS.build(config.model)
    test = config.test_dataloader.dataset
    training_set = DATASETS.build(dict(config.train_dataloader.dataset, pipeline=test.pipeline))
    answers = {'box size': box_size_root(model), 'mean gamma': mean_root(model, training_set)}
    test_set = DATASETS.build(test)
    metrics = [metric for metric in config.test_evaluator if metric.type != 'RootResultFile']
    evaluators = {name: Evaluator(metrics) for name in answers}
    for samples in _batches(test_set):
        views = read_views(samples, torch.device('cpu'))
        for name, answer in answers.items():
            everyone = RootEstimate(
                answer.xy_lixel.expand(len(samples), -1, -1), answer.gamma.expand(len(samples))
            )
            add_predictions(samples, model.decode(everyone, views))
            evaluators[name].process(data_samples=samples)
    return {name: evaluator.evaluate(len(test_set)) for name, evaluator in evaluators.items()}
