"""Every RootNet config trains and tests, shrunk; mesh configs read back the file that it writes."""

import json
import re

import numpy as np
import pytest
import torch
from helpers_dataset_runs import ROOTNET_CONFIGS, config_named, members, shrunk
from helpers_runs import ROOT, make_project, tiny_config
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpose.registry import DATASETS, MODELS
from mmpose.utils import register_all_modules

from i2l_plugin.apis.runner import build_runner, load_config
from i2l_plugin.models.root_targets import build_root_target

SYNTHETIC = sorted((ROOT / 'configs').glob('*/rootnet_*_synthetic-*.py'))
(H36M,) = (path for path in ROOTNET_CONFIGS if path.stem.endswith('h36m-muco-coco-256x256'))
(PW3D,) = (path for path in ROOTNET_CONFIGS if path.stem.endswith('3dpw'))
(FREIHAND,) = (path for path in ROOTNET_CONFIGS if 'freihand' in path.stem)
by_name = dict(ids=lambda path: f'{path.parent.name}/{path.stem}')


@pytest.fixture(autouse=True)
def _short_logs(monkeypatch):
    monkeypatch.setattr(Config, 'pretty_text', '')


@pytest.fixture(scope='module')
def projects(tmp_path_factory):
    kinds = ('body', 'hand')
    return {kind: make_project(tmp_path_factory.mktemp(kind), kind) for kind in kinds}


def run(config):
    """Train and test; every part has learned. -> metrics."""
    runner = build_runner(config)
    runner.model.init_weights()
    start = {name: p.clone() for name, p in runner.model.named_parameters()}
    runner.train()
    moved = [name for name, p in runner.model.named_parameters() if not torch.equal(p, start[name])]
    assert {name.split('.')[0] for name in moved} == {'backbone', 'root_head'}
    return runner.test()


@pytest.mark.parametrize('path', SYNTHETIC, **by_name)
def test_synthetic_config_trains_and_tests(path, projects, tmp_path):
    config = tiny_config(path, projects[path.parent.name])
    config.work_dir = str(tmp_path)
    config.test_evaluator[1].out_file = str(tmp_path / 'roots.json')
    metrics = run(config)
    assert metrics['root/N'] == metrics['root_file/N'] == 5
    parts = [metrics[f'root/MRPE{axis}'] for axis in ('_x', '_y', '_z')]
    assert max(parts) <= metrics['root/MRPE'] <= sum(parts)
    assert len(json.loads((tmp_path / 'roots.json').read_text())) == 5


EXPECTED = {
    H36M: ('mm', 'h36m/paper'),
    PW3D: ('m', '3dpw/paper'),
    FREIHAND: ('m', 'freihand/paper'),
}
MESH = {
    H36M: '12e_h36m-coco-256x256',
    PW3D: '12e_h36m-muco-coco-256x256',
    FREIHAND: '12e_freihand-256x256',
}


@pytest.mark.parametrize('path', ROOTNET_CONFIGS, **by_name)
def test_mesh_configs_read_back_what_a_rootnet_config_writes(path, truths, tmp_path):  # noqa: ARG001
    """Boxes, hence crops, and depths to 1e-3 mm, of every person, through either data set."""
    config, out_file = shrunk(path, tmp_path), tmp_path / 'roots.json'
    unit, protocol = EXPECTED[path]
    assert (config.test_evaluator[1].get('unit', 'mm'), config.test_evaluator[0].protocol) == (
        unit,
        protocol,
    )
    config.test_evaluator[1].out_file = str(out_file)
    runner = build_runner(config)
    runner.train()
    with torch.no_grad():  # so that everybody's answer differs
        runner.model.root_head.conv_gamma.weight.normal_(std=0.3)
        runner.model.root_head.conv_xy.weight.normal_(std=3)
    metrics = runner.test()
    log = '\n'.join(file.read_text() for file in tmp_path.glob('*/*.log'))
    assert re.search(rf'root: MRPE .*, N \d+ \({protocol} .*; boxes: annotated\)', log)

    samples = {}
    for batch in runner.test_dataloader:
        for sample in runner.model.test_step(batch):
            samples[sample.sample_id] = sample
    assert metrics['root_file/N'] == len(samples) >= 2
    depths_mm = [sample.pred_instances.root_cam[0, 2] for sample in samples.values()]
    assert np.ptp(depths_mm) > 1

    mesh = shrunk(config_named(MESH[path]), tmp_path).test_dataloader.dataset
    mesh.update(bbox_file=str(out_file), root_depth_file=str(out_file))
    dataset = DATASETS.build(mesh)
    assert len(dataset) == len(samples)
    for i in range(len(dataset)):
        read = dataset[i]['data_samples']
        written = samples[read.sample_id]
        depth_mm = written.pred_instances.root_cam[0, 2]
        assert read.root_depth_mm == pytest.approx(depth_mm, abs=1e-3)
        np.testing.assert_allclose(read.crop_from_image, written.crop_from_image, atol=1e-4)
        assert (read.box_source, read.root_depth_source) == ('RootNet', 'RootNet')


@pytest.mark.parametrize('path', [H36M, FREIHAND], **by_name)
def test_config_of_a_data_set_learns_from_it(path, truths, tmp_path):  # noqa: ARG001
    metrics = run(shrunk(path, tmp_path, {'test_evaluator.1.out_file': str(tmp_path / 'r.json')}))
    assert np.isfinite(list(metrics.values())).all()


def test_2d_people_teach_x_and_y_alone(truths, tmp_path):  # noqa: ARG001
    """MSCOCO's fits stand at made-up depths."""
    register_all_modules()
    config = shrunk(H36M, tmp_path)
    model = MODELS.build(config.model)
    weights = {}
    for member in members(config.train_dataloader.dataset):
        dataset = DATASETS.build(member)
        samples = [dataset[i]['data_samples'] for i in range(len(dataset))]
        target = build_root_target(samples, model.truth_models, model.codec)
        weights[member.type] = (target.xy_weight.sum() > 0, set(target.depth_weight.tolist()))
    assert weights == {
        'Human36MMeshDataset': (True, {1}),
        'MuCo3DHPMeshDataset': (True, {1}),
        'COCOMeshDataset': (True, {0}),
    }


@pytest.mark.parametrize('path', [*SYNTHETIC, *ROOTNET_CONFIGS], **by_name)
def test_a_hand_is_a_hand_and_nothing_of_it_is_mirrored(path):
    config = load_config(str(path))
    hand = path.parent.name == 'hand'
    assert (config.model.body_model.kind == 'hand') is hand
    assert config.model.codec.depth_range_mm == (300 if hand else 2000)
    for dataset in members(config.train_dataloader.dataset):
        assert ('RandomMirror' in [step.type for step in dataset.pipeline]) is not hand
    own = config.model.body_model
    for metric in (config.val_evaluator[0], config.test_evaluator[0]):
        assert (metric.body_model.kind, metric.body_model.path) == (own.kind, own.path)


@pytest.mark.parametrize('path', [*SYNTHETIC, *ROOTNET_CONFIGS], **by_name)
def test_config_opens_with_the_command_that_runs_it(path):
    header = path.read_text().split('"""')[1]
    assert f'configs/{path.parent.name}/{path.name}' in header


def test_full_size_network_is_rootnets():
    """ResNet-50 without fc 23,508,032; three up-samplings of 256 channels; two 1x1 convolutions."""
    register_all_modules()
    path = ROOT / 'configs/body/rootnet_res50_4xb32-20e_synthetic-256x256.py'
    with torch.device('meta'), DefaultScope.overwrite_default_scope('mmpose'):
        model = MODELS.build(load_config(str(path)).model)
    upsampling = (2048 + 256 + 256) * 256 * 16 + 3 * 2 * 256
    expected = 23_508_032 + upsampling + (256 + 1) + (2048 + 1)
    assert sum(p.numel() for p in model.parameters()) == expected
