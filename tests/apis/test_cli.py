"""The tools' shared options, and one line for a user's mistake."""

import argparse
import os

import pytest
from mmengine.config import Config
from mmengine.registry import Registry
from torch.utils.data import DataLoader, Dataset

from i2l_plugin.apis import cli


@pytest.mark.parametrize(
    'error',
    [
        FileNotFoundError('x is not there'),
        ValueError('x is odd'),
        PermissionError('x may not be written'),
        OSError('no space left for x'),
    ],
)
def test_a_users_mistake_ends_in_one_line(error, monkeypatch):
    @cli.one_line_errors
    def tool():
        raise error

    with pytest.raises(SystemExit, match=f'error: {error}'):
        tool()
    monkeypatch.setenv(cli.TRACEBACK_VARIABLE, '1')
    with pytest.raises(type(error)):
        tool()


class _Broken(Dataset):
    def __init__(self, error):
        self.error = error

    def __len__(self):
        return 1

    def __getitem__(self, index):
        try:
            raise OSError(index)
        except OSError as cause:
            raise self.error from cause


@pytest.mark.parametrize('error', [FileNotFoundError('no a.jpg: b'), ValueError('a: b\nc')])
def test_a_mistake_met_by_a_worker_is_said_without_its_traceback(error):
    @cli.one_line_errors
    def tool():
        list(DataLoader(_Broken(error), num_workers=1))

    with pytest.raises(SystemExit) as end:
        tool()
    assert end.value.code == f'error: {error}\n({cli.TRACEBACK_VARIABLE}=1 shows where)'


def test_a_mistyped_config_ends_in_one_line():
    registry = Registry('part')
    registry.register_module(module=_Broken)

    @cli.one_line_errors
    def tool():
        registry.build(dict(type='_Broken', annotations=None))

    with pytest.raises(SystemExit, match=r"cannot be built: .*argument 'annotations'"):
        tool()


def test_ctrl_c_says_what_is_left():
    @cli.one_line_errors
    def tool():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit, match='whole'):
        tool()


@pytest.mark.parametrize('error', [ZeroDivisionError, TypeError, KeyError, RuntimeError])
def test_our_own_bugs_keep_their_traceback(error):
    @cli.one_line_errors
    def tool():
        raise error

    with pytest.raises(error):
        tool()


def test_an_option_without_what_it_changes_is_refused_by_both_names():
    config = Config(dict(hooks=dict(checkpoint=dict())))
    cli.require(config, ['hooks.checkpoint'], '--x')
    for key in ('hooks.timer', 'loaders.train'):
        with pytest.raises(ValueError, match=f'--x changes {key}, which'):
            cli.require(config, [key], '--x')


@pytest.mark.parametrize(
    ('given', 'in_config', 'expected'),
    [('here', 'there', 'here'), (None, 'there', 'there'), (None, None, 'work_dirs/small')],
)
def test_the_shared_options_reach_the_config(tmp_path, monkeypatch, given, in_config, expected):
    monkeypatch.setenv('LOCAL_RANK', '0')  # undone afterwards
    monkeypatch.delenv('LOCAL_RANK')
    path = tmp_path / 'small.py'
    path.write_text(f'model = dict(depth=50)\nwork_dir = {in_config!r}\n')
    parser = argparse.ArgumentParser()
    cli.add_shared_arguments(parser)
    args = parser.parse_args(['--cfg-options', 'model.depth=18', '--local-rank', '3'])
    args.config, args.work_dir = str(path), given
    config = cli.prepare_config(args)
    assert (config.model.depth, config.work_dir, config.launcher) == (18, expected, 'none')
    assert os.environ['LOCAL_RANK'] == '3'
