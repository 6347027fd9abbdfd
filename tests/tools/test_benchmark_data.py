"""The loader benchmark: its stages, its pictures, its verdict, its answers to mistakes."""

import argparse
import importlib
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers_records import TRAIN_PIPELINE, save_toy_record
from mmengine.dataset import RepeatDataset
from mmengine.registry import DefaultScope

from i2l_plugin.datasets import EqualShareDataset, MeshDataset

ROOT = Path(__file__).parents[2]
STAGES = [
    *('look up', 'read', 'decode', 'mirror', 'box', 'scale and rotation', 'affine', 'colour'),
    'pack',
]


@pytest.fixture
def data(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools'))
    with DefaultScope.overwrite_default_scope('mmpose'):
        yield importlib.import_module('benchmarks.data')


@pytest.fixture
def small_pictures(data, monkeypatch):
    def write(folder, kind):
        save_toy_record(folder, kind=kind, n=2)

    monkeypatch.setattr(data, 'write_persons', write)


@pytest.fixture
def dataset(tmp_path, data):  # noqa: ARG001 (the host's scope)
    save_toy_record(tmp_path, n=4)
    return MeshDataset('record.npz', data_root=str(tmp_path), pipeline=TRAIN_PIPELINE)


def config_of(folder, dataset):
    path = folder / 'config.py'
    path.write_text(
        f"default_scope = 'mmpose'\nmodel = {{}}\ntrain_dataloader = dict(dataset={dataset!r})\n"
    )
    return str(path)


def benchmark(*arguments):
    command = [sys.executable, str(ROOT / 'tools' / 'benchmark.py'), 'data', *arguments]
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_a_configs_own_data_is_timed_stage_by_stage(tmp_path):
    save_toy_record(tmp_path, n=4)
    cfg = dict(
        type='MeshDataset',
        ann_file='record.npz',
        data_root=str(tmp_path),
        pipeline=TRAIN_PIPELINE,
    )
    done = benchmark(config_of(tmp_path, cfg), '--samples', '6', '--repeats', '2')
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith('stage'))
    rows = lines[start + 1 : start + 1 + len(STAGES)]
    assert [row[:24].strip() for row in rows] == STAGES
    times = [float(row[24:36]) for row in rows]
    total = float(lines[start + 1 + len(STAGES)].split()[1])
    assert sum(times) == pytest.approx(total, abs=0.01)
    slowest = STAGES[int(np.argmax(times))]
    assert lines[-1].startswith(f'slowest stage: {slowest}, ')


def test_a_users_mistake_gets_one_line():
    done = benchmark('none.py')
    assert done.returncode == 1
    assert "config 'none.py' does not exist" in done.stderr.splitlines()[-1]
    assert 'Traceback' not in done.stderr


def arguments(config, **options):
    values = dict(config=config, loader='train', generated=False, samples=2, repeats=1)
    return argparse.Namespace(**{**values, **options})


def test_what_a_config_lacks_is_named(data, tmp_path):
    cfg = dict(type='MeshDataset', ann_file='nowhere.npz', data_root=str(tmp_path), pipeline=[])
    config = config_of(tmp_path, cfg)
    with pytest.raises(ValueError, match='has no val_dataloader'):
        data.run(arguments(config, loader='val'))
    with pytest.raises(FileNotFoundError, match=r'nowhere.npz: no such file'):
        data.run(arguments(config))
    config = config_of(tmp_path, dict(type='MeshDatset'))
    with pytest.raises(ValueError, match=r'the config cannot be built: .*MeshDatset'):
        data.run(arguments(config))


def test_generated_pictures_cost_what_photographs_do(data, tmp_path):
    cfg = data.ConfigDict(type='MeshDataset', pipeline=TRAIN_PIPELINE)
    dataset = data.generated_dataset(tmp_path, cfg)
    assert len(dataset) == 8
    for i in range(8):
        path = tmp_path / f'{i}.jpg'
        assert cv2.imread(str(path)).shape == (1002, 1000, 3)
        assert 150_000 < path.stat().st_size < 400_000
    picture = cv2.imread(str(tmp_path / '0.jpg'), cv2.IMREAD_GRAYSCALE).astype(float)
    neighbours = np.corrcoef(picture[:, :-1].ravel(), picture[:, 1:].ravel())[0, 1]
    assert 0.9 < neighbours < 0.999  # smooth, not noise
    assert picture.std() > 30
    stages = data.measure(dataset, samples=2, repeats=1)
    assert list(stages) == STAGES
    assert stages['decode'] == max(stages.values())


@pytest.mark.usefixtures('small_pictures')
def test_hands_get_a_hands_pipeline(data, tmp_path):
    pipeline = [step for step in TRAIN_PIPELINE if step['type'] != 'RandomMirror']
    for type_ in ('FreiHANDMeshDataset', 'HandMeshDataset'):
        cfg = data.ConfigDict(type=type_, pipeline=pipeline)
        assert len(data.generated_dataset(tmp_path, cfg).joint_set) == 21


@pytest.mark.usefixtures('small_pictures')
def test_the_pipeline_below_wrappers_is_found(data, tmp_path):
    inner = dict(type='Human36MMeshDataset', pipeline=TRAIN_PIPELINE)
    for wrapper in (
        dict(type='EqualShareDataset', datasets=[[inner, inner], inner]),
        dict(type='RepeatDataset', dataset=inner, times=2),
    ):
        dataset = data.generated_dataset(tmp_path, data.ConfigDict(wrapper))
        assert len(dataset.pipeline.transforms) == len(TRAIN_PIPELINE)
    with pytest.raises(ValueError, match='no pipeline to time'):
        data.generated_dataset(tmp_path, data.ConfigDict(type='EqualShareDataset', datasets=[]))


def test_samples_below_wrappers_are_found(data, dataset):
    mixed = EqualShareDataset([dataset, dataset])
    assert data.locate(mixed, 6) == (dataset, 2)
    assert data.locate(RepeatDataset(dataset, times=3), 9) == (dataset, 1)
    with pytest.raises(ValueError, match='list is no data set of this plugin'):
        data.locate([1], 0)


def test_stages_are_the_least_of_the_passes(data, dataset, monkeypatch):
    reads = 3 * len(STAGES)  # of the clock a pass, each twice: when a step starts and when it ends
    ticks = [tick for step in (3.0, 0.25, 0.5) for tick in [100.0, step] * reads]
    clock = iter(np.cumsum(ticks))
    monkeypatch.setattr(data, 'time', type('Clock', (), {'process_time': lambda: next(clock)}))
    stages = data.measure(dataset, samples=3, repeats=3)
    assert next(clock, None) is None
    decode = stages.pop('decode')  # what loading takes longer than reading
    assert decode == 0
    assert stages == pytest.approx({name: 250 for name in STAGES if name != 'decode'})


def test_a_broken_promise_shows_in_the_exit_status(data, capsys):
    assert data.print_stages({'decode': 7.0, 'pack': 2.0}, 10.0) == 0
    assert data.print_stages({'decode': 7.0, 'pack': 3.5}, 10.0) == 1
    assert data.print_stages({'decode': 7.0, 'pack': 3.5}, None) == 0
    printed = capsys.readouterr().out
    assert printed.count('TOO SLOW') == 1
    assert 'slowest stage: decode, 67% of the time' in printed
    assert '95 samples a second a core' in printed


@pytest.mark.usefixtures('small_pictures')
def test_generated_pictures_are_judged(data, tmp_path, capsys):
    config = config_of(tmp_path, dict(type='MeshDataset', pipeline=TRAIN_PIPELINE))
    assert data.run(arguments(config, generated=True)) == 0
    assert 'promised: at most 10 ms' in capsys.readouterr().out
