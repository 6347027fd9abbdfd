"""The tools as users run them: killed and resumed, two processes, clusters, mistakes."""

import json
import os
import sys

import pytest
import torch
from helpers_runs import (
    BODY_CONFIG,
    ROOT,
    SMALL_CONFIG,
    make_project,
    read_scalars,
    run_tool,
    tiny_config,
)


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


def test_epochs_draw_different_augmentations(trained):
    values = losses(trained)
    assert {epoch for epoch, _ in values} == {1, 2}
    assert len({line['loss'] for line in values.values()}) == len(values)


def test_two_processes_give_the_metrics_of_one(project, trained):
    files = (project / 'tiny.py', trained / 'epoch_2.pth')
    run_tool('tools/test.py', *files, '--out', project / 'one.json', '--work-dir', project / 'one')
    out = ('--out', project / 'two.json', '--work-dir', project / 'two')
    run_tool('tools/dist_test.sh', *files, 2, *out)
    one, two = (json.loads((project / f'{n}.json').read_text()) for n in ('one', 'two'))
    assert set(one) == set(two)
    assert {'joint/MPJPE', 'vertex/PA-MPVPE', 'posenet/MPJPE'} <= set(one)
    protocols = one.pop('protocol')
    assert protocols == two.pop('protocol')
    assert protocols['vertex'].startswith('no named protocol: vertices against the fitted mesh')
    for name in one:
        # other batches, so float32 sums in another order
        assert two[name] == pytest.approx(one[name], rel=1e-4), name
    assert not list(project.glob('.*.tmp'))


@pytest.fixture(scope='module')
def small(tmp_path_factory):
    """The small config with its schedule, warm-up and cosine, over 3 epochs of 4 iterations."""
    folder = make_project(tmp_path_factory.mktemp('small'), people=16)
    config = tiny_config(SMALL_CONFIG, folder, epochs=3)
    config.train_dataloader.update(batch_size=2, num_workers=1)
    warm_up, cosine = config.param_scheduler
    assert (warm_up.type, cosine.type) == ('LinearLR', 'CosineAnnealingLR')
    warm_up.end, cosine.end = 7, 3  # the warm-up ends beyond the kill
    config.custom_imports.imports.append('helpers_kill')
    config.custom_hooks.append(dict(type='KillHook'))
    config.dump(folder / 'small.py')
    return folder


def test_two_processes_killed_and_resumed_end_where_an_unbroken_run_does(small):
    def train(name, *options, **environment):
        work_dir = ('--work-dir', small / name, '--no-validate')
        environment = {'PYTHONPATH': str(ROOT / 'tests'), **environment}
        return run_tool(
            *('tools/dist_train.sh', small / 'small.py', 2, *work_dir, *options),
            check='KILL_AT_ITERATION' not in environment,
            **environment,
        )

    train('unbroken')
    killed = train('broken', KILL_AT_ITERATION='6')  # in the middle of the second epoch
    assert killed.returncode != 0
    assert 'SIGKILL' in killed.stderr
    assert [path.name for path in (small / 'broken').glob('epoch_*.pth')] == ['epoch_1.pth']
    train('broken', '--resume')

    expected, resumed = losses(small / 'unbroken'), losses(small / 'broken')
    assert {epoch for epoch, _ in resumed} == {2, 3}
    assert len({line['lr'] for line in expected.values()}) == len(expected) == 12
    for step, line in resumed.items():
        for name, value in line.items():
            if name.startswith('loss') or name == 'lr':
                assert value == expected[step][name], (step, name)
    theirs = state(small / 'unbroken/epoch_3.pth')
    ours = state(small / 'broken/epoch_3.pth')
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        assert torch.equal(tensor, theirs[name]), name


def test_resuming_without_a_whole_checkpoint_starts_anew(project):
    work_dir = project / 'anew'
    work_dir.mkdir()
    (work_dir / 'epoch_1.pth').write_bytes(b'half')
    (work_dir / 'last_checkpoint').write_text(str(work_dir / 'epoch_1.pth'))
    command = ('tools/train.py', project / 'tiny.py', '--work-dir', work_dir, '--no-validate')
    run_tool(*command, '--resume', '--cfg-options', 'train_cfg.max_epochs=1')
    assert {epoch for epoch, _ in losses(work_dir)} == {1}
    assert (work_dir / 'last_checkpoint').read_text() == str(work_dir / 'epoch_1.pth')
    assert state(work_dir / 'epoch_1.pth')


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
        (
            ('tools/train.py', BODY_CONFIG, '--cfg-options', 'model.backbone.depht=18'),
            "the config cannot be built: ResNet.__init__() got an unexpected keyword argument 'dep",
        ),
        (
            (
                *('tools/train.py', BODY_CONFIG, '--cfg-options'),
                'model.backbone.init_cfg.type=Pretrained',
                'model.backbone.init_cfg.checkpoint=resnet.pth',
            ),
            "checkpoint 'resnet.pth' does not exist",
        ),
        (
            ('tools/train.py', BODY_CONFIG, '--cfg-options', 'load_from=torchvision://resnet50'),
            "checkpoint 'torchvision://resnet50' is an address",
        ),
    ],
)
def test_a_users_mistake_is_one_line_without_a_traceback(arguments, message, tmp_path):
    result = run_tool(*arguments, '--work-dir', tmp_path, check=False)
    assert result.returncode != 0
    assert message in result.stderr
    assert 'Traceback' not in result.stderr


@pytest.mark.parametrize(
    ('content', 'message'),
    [(None, 'No such file'), (b'', 'image '), (b'no picture', 'failed to load image')],
)
def test_a_missing_or_broken_image_in_a_worker_is_one_line(project, trained, content, message):
    path = project / 'data/test/images/3.png'
    whole = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    try:
        result = run_tool(
            *('tools/test.py', project / 'tiny.py', trained / 'epoch_2.pth'),
            *('--work-dir', project / 'broken_image'),
            *('--cfg-options', 'test_dataloader.num_workers=1'),
            check=False,
        )
    finally:
        path.write_bytes(whole)
    assert result.returncode != 0
    assert 'Traceback' not in result.stderr
    (line,) = [line for line in result.stderr.splitlines() if line.startswith('error: ')]
    assert line.startswith('error: sample_id 103 of ')
    assert 'images/3.png' in line
    assert message in line


FAKE_SRUN = '#!/usr/bin/env bash\nprintf "%s\\n" "$@"\n'


@pytest.mark.parametrize(
    ('tool', 'fourth', 'command'),
    [
        ('train', 'work dir', ('train.py', 'c.py', '--work-dir', 'work dir')),
        ('test', 'a.pth', ('test.py', 'c.py', 'a.pth')),
    ],
)
def test_slurm_runs_the_tool_on_every_gpu(tmp_path, tool, fourth, command):
    srun = tmp_path / 'srun'
    srun.write_text(FAKE_SRUN)
    srun.chmod(0o755)
    path = f'{tmp_path}{os.pathsep}{os.environ["PATH"]}'
    sizes = dict(GPUS='16', GPUS_PER_NODE='4', CPUS_PER_TASK='3', SRUN_ARGS='--quiet -t 9')
    arguments = ('gpu', 'my job', 'c.py', fourth, '--cfg-options', 'a=b c')
    printed = run_tool(f'tools/slurm_{tool}.sh', *arguments, PATH=path, **sizes).stdout.splitlines()
    assert printed == [
        *('-p', 'gpu', '--job-name=my job', '--gres=gpu:4', '--ntasks=16', '--ntasks-per-node=4'),
        *('--cpus-per-task=3', '--kill-on-bad-exit=1', '--quiet', '-t', '9'),
        *(sys.executable, '-u', f'tools/{command[0]}', *command[1:], '--launcher', 'slurm'),
        *('--cfg-options', 'a=b c'),
    ]


@pytest.mark.parametrize('tool', ['dist_train', 'dist_test', 'slurm_train', 'slurm_test'])
def test_scripts_say_how_they_are_used(tool):
    result = run_tool(f'tools/{tool}.sh', 'c.py', check=False)
    assert result.returncode == 2
    assert result.stderr.startswith(f'usage: tools/{tool}.sh ')


def test_several_machines_meet_where_the_environment_says(tmp_path):
    python = tmp_path / 'python'
    python.write_text(FAKE_SRUN)
    python.chmod(0o755)
    place = dict(NNODES='2', NODE_RANK='1', MASTER_ADDR='10.0.0.1', PYTHON=str(python))
    for tool, files in (('train', ('c.py',)), ('test', ('c.py', 'a.pth'))):
        printed = run_tool(f'tools/dist_{tool}.sh', *files, 8, '--x', **place).stdout.splitlines()
        assert printed == [
            *('-m', 'torch.distributed.run', '--nnodes=2', '--node_rank=1'),
            *('--master_addr=10.0.0.1', '--master_port=29500', '--nproc_per_node=8'),
            *(f'tools/{tool}.py', *files, '--launcher', 'pytorch', '--x'),
        ]


def test_resuming_before_the_first_checkpoint_starts_from_load_from(project, trained):
    work_dir = project / 'from_another'
    command = ('tools/train.py', project / 'tiny.py', '--work-dir', work_dir, '--no-validate')
    start = f'load_from={trained / "epoch_2.pth"}'
    still = ('optim_wrapper.optimizer.lr=0', 'train_cfg.max_epochs=1')
    run_tool(*command, '--resume', '--cfg-options', start, *still)
    theirs, ours = state(trained / 'epoch_2.pth'), state(work_dir / 'epoch_1.pth')
    for name, tensor in ours.items():
        if name.endswith(('.weight', '.bias')):
            assert torch.equal(tensor, theirs[name]), name
    # now there is one of its own, which goes before load_from
    run_tool(*command, '--resume', '--cfg-options', start, still[0], 'train_cfg.max_epochs=2')
    assert {epoch for epoch, _ in losses(work_dir)} == {2}
