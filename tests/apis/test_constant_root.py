"""Answers without looking: their gamma and place, and that the config's metrics score them."""

import numpy as np
import pytest
from helpers_runs import ROOT, TINY_PX, make_project
from mmpose.registry import DATASETS, MODELS
from mmpose.utils import register_all_modules

from i2l_plugin.apis.constant_root import evaluate_constant_roots, mean_root
from i2l_plugin.apis.runner import load_config

CONFIG = ROOT / 'configs/body/rootnet_res18_2xb8-8e_synthetic-64x64.py'


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    """The small config on eight toy people, of whom five are tested."""
    folder = make_project(tmp_path_factory.mktemp('roots'))
    config = load_config(str(CONFIG))
    for split in ('train', 'test'):
        data_root = f'{folder}/data/{split}/'
        config[f'{split}_dataloader'].dataset.update(data_root=data_root, ann_file='record.npz')
    config.model.body_model.path = str(folder / 'model.npz')
    config.test_evaluator[0].body_model.path = str(folder / 'model.npz')
    config.test_evaluator[1].out_file = str(folder / 'roots.json')
    return config


def true_roots(config, split):
    """Roots (N, 3) in mm, depths k (N,), places in the crop (N, 2) px and x of the boxes' middles
    at the depth k (N,) mm: by hand from the record and the fitted mesh."""
    register_all_modules()
    options = dict(config[f'{split}_dataloader'].dataset)
    dataset = DATASETS.build({**options, 'pipeline': config.test_dataloader.dataset.pipeline})
    body = MODELS.build(config.model).body_model
    roots, depths, places, middles = [], [], [], []
    for i in range(len(dataset)):
        sample = dataset[i]['data_samples']
        labels = sample.gt_instance_labels
        joints = body.pose_cam_mm(labels.pose, labels.betas, labels.transl_mm)[1]
        root = joints[0, body.joint_set.root].numpy()
        roots.append(root)
        x1, y1, x2, y2 = sample.bbox_px
        side_px = 1.1 * max(x2 - x1, y2 - y1)
        depths.append(np.sqrt(sample.focal_px.prod()) * 2000 / side_px)
        pixel = root[:2] / root[2] * sample.focal_px + sample.princpt_px
        middle = np.array([x1 + x2, y1 + y2]) / 2
        places.append((pixel - middle) / side_px * TINY_PX + TINY_PX / 2)
        middles.append((middle - sample.princpt_px)[0] / sample.focal_px[0] * depths[-1])
    return tuple(map(np.array, (roots, depths, places, middles)))


def test_the_mean_is_the_training_sets(config):
    """Of whom it is known: the first person's depth is not."""
    roots_mm, k_mm, places_px, _ = true_roots(config, 'train')
    dataset = DATASETS.build(
        dict(config.train_dataloader.dataset, pipeline=config.test_dataloader.dataset.pipeline)
    )
    people = [dict(dataset[i]) for i in range(len(dataset))]
    people[0]['data_samples'].gt_instance_labels.has_depth[:] = 0
    mean = mean_root(MODELS.build(config.model), people)
    assert mean.gamma.item() == pytest.approx((roots_mm[1:, 2] / k_mm[1:]).mean(), rel=1e-4)
    np.testing.assert_allclose(mean.xy_lixel[0, 0], places_px.mean(0) / 4, rtol=1e-3)


def test_both_are_scored_by_the_configs_metrics(config):
    results = evaluate_constant_roots(config)
    roots_mm, k_mm, _, _ = true_roots(config, 'train')
    gamma = (roots_mm[:, 2] / k_mm).mean()
    roots_mm, k_mm, _, middles_mm = true_roots(config, 'test')
    beside_mm = np.abs(middles_mm - roots_mm[:, 0]).mean()
    assert results['box size']['root/MRPE_x'] == pytest.approx(beside_mm, rel=1e-3)
    for name, factor in (('box size', 1.0), ('mean gamma', gamma)):
        expected = np.abs(factor * k_mm - roots_mm[:, 2]).mean()
        assert results[name]['root/MRPE_z'] == pytest.approx(expected, rel=1e-3)
        assert results[name]['root/N'] == 5
        assert results[name]['root/MRPE'] >= expected
    assert 'root_file/N' not in results['box size']


def test_nobodys_root_has_no_mean(config):
    dataset = DATASETS.build(
        dict(config.train_dataloader.dataset, pipeline=config.test_dataloader.dataset.pipeline)
    )
    hidden = [dict(dataset[0])]
    hidden[0]['data_samples'].gt_instance_labels.has_depth[:] = 0
    with pytest.raises(ValueError, match='no known root'):
        mean_root(MODELS.build(config.model), hidden)
