"""tools/train.py and tools/test.py as users run them: resume, two processes, mistakes."""

import json

import pytest
import torch
from helpers_runs import BODY_CONFIG, make_project, read_scalars, run_tool, tiny_config

LAUNCH = ('-m', 'torch.distributed.run', '--nproc_per_node=2')


@pytest.fixture(scope='module')
def project(tmp_path_factory):
    folder = make_project(tmp_path_factory.mktemp('project'))
    config = tiny_config(BODY_CONFIG, folder, epochs=2)
    config.train_dataloader.num_workers = 1
    config.dump(folder / 'tiny.py')
    return folder


@pytest.fixture(scope='module')
def trained(project):
    """Two epochs in one go."""
    run_tool('tools/train.py', project / 'tiny.py', '--work-dir', project / 'unbroken')
    return project / 'unbroken'


def losses(work_dir):
    """Every logged loss by (epoch, iteration)."""
    lines = [line for line in read_scalars(work_dir) if 'loss' in line]
    return {(line['epoch'], line['iter']): line for line in lines}


def state(path):
    return torch.load(path, weights_only=False)['state_dict']


def test_a_resumed_run_continues_exactly(project, trained):
    broken = project / 'broken'
    command = ('tools/train.py', project / 'tiny.py', '--work-dir', broken)
    run_tool(*command, '--cfg-options', 'train_cfg.max_epochs=1')
    run_tool(*command, '--resume')
    expected, resumed = losses(trained), losses(broken)
    assert {epoch for epoch, _ in resumed} == {2}
    for step, line in resumed.items():
        for name, value in line.items():
            if name.startswith('loss') or name in ('grad_norm', 'lr'):
                assert value == expected[step][name], (step, name)
    theirs = state(trained / 'epoch_2.pth')
    for name, tensor in state(broken / 'epoch_2.pth').items():
        assert torch.equal(tensor, theirs[name]), name


def test_epochs_draw_different_augmentations(trained):
    values = losses(trained)
    assert {epoch for epoch, _ in values} == {1, 2}
    assert len({line['loss'] for line in values.values()}) == len(values)


def test_two_processes_give_the_metrics_of_one(project, trained):
    arguments = ('tools/test.py', project / 'tiny.py', trained / 'epoch_2.pth')
    run_tool(*arguments, '--out', project / 'one.json', '--work-dir', project / 'one')
    run_tool(
        *LAUNCH,
        '--master_port=29611',
        *arguments,
        '--launcher=pytorch',
        '--out',
        project / 'two.json',
        '--work-dir',
        project / 'two',
    )
    one, two = (json.loads((project / f'{n}.json').read_text()) for n in ('one', 'two'))
    assert set(one) == set(two)
    assert {'joint/MPJPE', 'vertex/PA-MPVPE', 'posenet/MPJPE'} <= set(one)
    for name in one:
        # other batches, so float32 sums in another order
        assert two[name] == pytest.approx(one[name], rel=1e-4), name
    assert not list(project.glob('.*.part'))


def test_two_processes_train_one_model(project):
    work_dir = project / 'ddp'
    run_tool(
        *LAUNCH,
        '--master_port=29612',
        'tools/train.py',
        project / 'tiny.py',
        '--launcher=pytorch',
        '--work-dir',
        work_dir,
        '--cfg-options',
        'train_cfg.max_epochs=1',
        'train_dataloader.batch_size=2',
    )
    steps = losses(work_dir)
    assert len(steps) == 2  # 8 people / (2 processes x 2)
    assert all(torch.isfinite(tensor).all() for tensor in state(work_dir / 'epoch_1.pth').values())


def test_no_validate_auto_scale_lr_show_dir_and_dump(project, trained):
    work_dir = project / 'options'
    run_tool(
        *('tools/train.py', project / 'tiny.py', '--work-dir', work_dir, '--no-validate'),
        *('--auto-scale-lr', '--cfg-options', 'train_cfg.max_epochs=1'),
    )
    lines = list(losses(work_dir).values())
    assert lines[0]['lr'] == pytest.approx(1e-3 * 4 / 48)
    assert not any('joint/MPJPE' in line for line in read_scalars(work_dir))
    run_tool(
        *('tools/test.py', project / 'tiny.py', trained / 'epoch_2.pth', '--work-dir', work_dir),
        *('--show-dir', 'shown', '--dump', project / 'results.pkl'),
    )
    pictures = list(work_dir.glob('*/shown/*.jpg')) + list(work_dir.glob('*/shown/*.png'))
    assert len(pictures) == 5
    assert (project / 'results.pkl').stat().st_size > 0


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('tools/train.py', 'nowhere.py'), "config 'nowhere.py' does not exist"),
        (('tools/test.py', BODY_CONFIG, 'nowhere.pth'), "checkpoint 'nowhere.pth' does not exist"),
        (
            (
                'tools/train.py',
                BODY_CONFIG,
                '--cfg-options',
                'train_dataloader.dataset.data_root=no',
            ),
            'train.npz',
        ),
    ],
)
def test_a_users_mistake_is_one_line_without_a_traceback(arguments, message, tmp_path):
    result = run_tool(*arguments, '--work-dir', tmp_path, check=False)
    assert result.returncode != 0
    assert message in result.stderr
    assert 'Traceback' not in result.stderr
