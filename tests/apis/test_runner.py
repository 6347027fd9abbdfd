"""Configs and launchers: what is accepted, and one line for what is not."""

import os

import pytest
import torch
from mmengine.config import Config

from i2l_plugin.apis import runner as api


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


@pytest.mark.parametrize('error', [FileNotFoundError('x is not there'), ValueError('x is odd')])
def test_a_users_mistake_ends_in_one_line(error, monkeypatch):
    @api.one_line_errors
    def tool():
        raise error

    with pytest.raises(SystemExit, match=f'error: {error}'):
        tool()
    monkeypatch.setenv(api.TRACEBACK_VARIABLE, '1')
    with pytest.raises(type(error)):
        tool()


def test_ctrl_c_says_what_is_left():
    @api.one_line_errors
    def tool():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit, match='whole'):
        tool()


def test_our_own_bugs_keep_their_traceback():
    @api.one_line_errors
    def tool():
        return 1 / 0

    with pytest.raises(ZeroDivisionError):
        tool()
