"""Configs, launchers and runners: what is accepted, and clear errors for what is not."""

import os

import pytest
import torch
from helpers_runs import BODY_CONFIG, make_project, tiny_config
from mmengine.config import Config

from i2l_plugin.apis import runner as api


@pytest.fixture(scope='module')
def project(tmp_path_factory):
    return make_project(tmp_path_factory.mktemp('runner'))


def test_a_config_takes_overrides(tmp_path):
    path = tmp_path / 'config.py'
    path.write_text('model = dict(type="X", depth=50)\n')
    assert api.load_config(str(path), {'model.depth': 18}).model.depth == 18


@pytest.mark.parametrize(
    ('text', 'message'),
    [('model = dict(', 'cannot be read'), ('x = 1\n', "no 'model'")],
)
def test_a_broken_config_is_refused_by_name(tmp_path, text, message):
    path = tmp_path / 'config.py'
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        api.load_config(str(path))
    assert str(path) in str(error.value)


def test_a_missing_config_is_refused_by_name():
    with pytest.raises(FileNotFoundError, match=r'nowhere\.py'):
        api.load_config('nowhere.py')


def test_work_dirs_follow_the_config():
    assert api.default_work_dir('configs/body/x.py') == os.path.join('work_dirs', 'x')


def test_slurm_without_gpus_names_the_launcher_that_works(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(ValueError, match='--launcher pytorch'):
        api.prepare_launcher(Config(dict(env_cfg=dict())), 'slurm')


@pytest.mark.parametrize('launcher', ['none', 'pytorch'])
def test_with_gpus_the_hosts_own_set_up_is_kept(monkeypatch, launcher):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    config = Config(dict(env_cfg=dict(dist_cfg=dict(backend='nccl'))))
    api.prepare_launcher(config, launcher)
    assert config.launcher == launcher
    assert config.env_cfg.dist_cfg.backend == 'nccl'
    assert 'model_wrapper_cfg' not in config


def test_on_cpus_processes_talk_through_gloo_whatever_the_config_has(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    started = []
    monkeypatch.setattr(torch.distributed, 'init_process_group', started.append)
    for content in ({}, {'env_cfg': {'cudnn_benchmark': True}}):
        config = Config(dict(content))
        api.prepare_launcher(config, 'pytorch')
        assert config.env_cfg.dist_cfg.backend == 'gloo'
        assert config.env_cfg.get('cudnn_benchmark') == content.get('env_cfg', {}).get(
            'cudnn_benchmark'
        )
    assert started == ['gloo', 'gloo']


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'model.backbone.depht': 18}, "argument 'depht'"),
        ({'model.backbone.type': 'StagedResnet'}, 'StagedResnet is not in the'),
        ({'model.body_model.finger_tip': 'release'}, "argument 'finger_tip'"),
    ],
)
def test_a_mistyped_model_is_refused_by_the_name_that_is_wrong(project, options, message):
    config = tiny_config(BODY_CONFIG, project)
    config.merge_from_dict(options)
    with pytest.raises(ValueError, match=f'the config cannot be built: .*{message}'):
        api.build_runner(config)


def test_what_is_built_later_is_refused_as_well(project):
    config = tiny_config(BODY_CONFIG, project)
    config.merge_from_dict({'train_cfg.max_epoch': 3})
    runner = api.build_runner(config)
    with (
        pytest.raises(ValueError, match=r"cannot be built: .*argument 'max_epoch'"),
        api.config_mistakes(),
    ):
        runner.train()


@pytest.mark.parametrize('error', [KeyError('x'), TypeError('x')])
def test_errors_that_no_config_caused_pass_unchanged(error):
    with pytest.raises(type(error)), api.config_mistakes():
        raise error


def test_processes_part_and_one_process_has_nothing_to_part_from(tmp_path):
    api.part_processes()
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{tmp_path}/meeting', rank=0, world_size=1
    )
    api.part_processes()
    assert not torch.distributed.is_initialized()
