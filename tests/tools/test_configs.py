"""Every mesh config of synthetic data trains and tests, shrunk; full sizes are the paper's."""

import pytest
import torch
from helpers_runs import (
    BODY_CONFIG,
    HAND_CONFIG,
    ROOT,
    is_second_stage,
    make_project,
    tiny_config,
)
from mmengine.hooks import Hook
from mmpose.registry import MODELS
from mmpose.utils import register_all_modules

import i2l_plugin.models  # noqa: F401
from i2l_plugin.apis.runner import build_runner, load_config

CONFIGS = sorted(
    path
    for kind in ('body', 'hand')
    for path in (ROOT / 'configs' / kind).glob('*meshnet_*_synthetic-*.py')
)


@pytest.fixture(scope='module')
def projects(tmp_path_factory):
    return {
        kind: make_project(tmp_path_factory.mktemp(kind), kind, people=8)
        for kind in ('body', 'hand')
    }


class Start(Hook):
    """Remembers the weights before the first step."""

    def before_train(self, runner):
        self.weights = {name: p.clone() for name, p in runner.model.named_parameters()}


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: f'{path.parent.name}/{path.stem}')
def test_config_trains_and_tests(path, projects, tmp_path):
    config = tiny_config(path, projects[path.parent.name])
    config.work_dir = str(tmp_path)
    runner = build_runner(config)
    start = Start()
    runner.register_hook(start)
    runner.train()
    moved = [n for n, p in runner.model.named_parameters() if not torch.equal(p, start.weights[n])]
    parts = {name.split('.')[0] for name in start.weights}
    names = ['joint/{}MPJPE', 'vertex/{}MPVPE', 'posenet/{}MPJPE']
    if is_second_stage(path):
        parts = {'parameter_regressor'}
        names += ['param_joint/{}MPJPE', 'param_vertex/{}MPVPE']
    assert {name.split('.')[0] for name in moved} == parts
    metrics = runner.test()
    for name in names:
        raw, aligned = metrics[name.format('')], metrics[name.format('PA-')]
        assert 0 < aligned < raw < 2000
        assert metrics[name.split('/')[0] + '/N'] == 5


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_config_opens_with_the_command_that_runs_it(path):
    header = path.read_text().split('"""')[1]
    assert f'configs/{path.parent.name}/{path.name}' in header


def build_full_size(path):
    register_all_modules()
    config = load_config(str(path))
    with torch.device('meta'):
        return MODELS.build(config.model)


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_full_size_body_has_the_papers_parameters_and_shapes():
    """141,628,949; with the release's never-used second stem 141,638,485 (facts section 2)."""
    model = build_full_size(BODY_CONFIG)
    assert count(model) == 141_628_949
    assert count(model) + 9_536 == 141_638_485
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
    assert shapes['mesh_head.conv_x.weight'] == (6890, 256, 1)
    assert shapes['pose_head.conv_z.weight'] == (29, 256, 1)
    assert shapes['pose_head.depth_block.0.weight'] == (256 * 64, 2048)
    assert shapes['mesh_head.upsample.0.weight'] == (2048, 256, 4, 4)
    assert shapes['pose_to_feature.conv.weight'] == (64, 64 + 29 * 64, 3, 3)


def test_meshnet_alone_is_the_73m_of_table_1():
    path = BODY_CONFIG.with_name('meshnet_res50_3xb16-12e_synthetic-256x256.py')
    assert count(build_full_size(path)) == 72_911_102


def test_full_size_hand_has_the_releases_parameters():
    model = build_full_size(HAND_CONFIG)
    assert count(model.pose_head) == 44_107_071
    assert count(model.mesh_head) == 44_690_718
    assert count(model.pose_to_feature) == 811_200
    assert model.codec.depth_range_mm == 300


def test_hands_are_prepared_as_bodies_but_never_mirrored():
    body, hand = (load_config(str(path)) for path in (BODY_CONFIG, HAND_CONFIG))
    pipelines = [config.train_dataloader.dataset.pipeline for config in (body, hand)]
    steps = [[step.type for step in pipeline] for pipeline in pipelines]
    assert 'RandomMirror' in steps[0]
    assert 'RandomMirror' not in steps[1]
    assert [step for step in pipelines[0] if step.type != 'RandomMirror'] == pipelines[1]
    base = (ROOT / 'configs/_base_/datasets/synthetic_hand.py').read_text()
    assert 'TopdownAffine' not in base  # stated once, for bodies
