"""Writing synthetic data sets: same bytes however they are made, restarts, refusals, the tool."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from synthetic_humans import cli, generate
from synthetic_humans.generate import Settings

from i2l_plugin.body_models import BODY_29, HAND_21
from i2l_plugin.datasets import AnnotationRecord, HandMeshDataset, MeshDataset

ROOT = Path(__file__).resolve().parents[2]
SIZE = 40
COUNTS = {'train': 19, 'test': 3}


def make(folder, kind='hand', seed=2, counts=COUNTS, workers=1):
    return generate.generate(Settings(kind, seed, SIZE), folder, counts, workers)


def contents(folder):
    files = sorted(path for path in folder.rglob('*') if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    """A complete data set of hands made by one process, and its bytes."""
    folder = tmp_path_factory.mktemp('finished') / 'set'
    make(folder)
    return folder, contents(folder)


def test_two_processes_give_the_bytes_of_one(finished, tmp_path):
    make(tmp_path / 'set', workers=2)
    assert contents(tmp_path / 'set') == finished[1]


def test_bodies_too(tmp_path):
    counts = {'train': 5}
    make(tmp_path / 'a', 'body', counts=counts)
    make(tmp_path / 'b', 'body', counts=counts, workers=2)
    assert contents(tmp_path / 'a') == contents(tmp_path / 'b')


def test_restart_makes_only_what_is_missing_or_damaged(finished, tmp_path):
    make(tmp_path / 'set')
    images = tmp_path / 'set' / 'images' / 'train'
    (images / '000003.jpg').unlink()
    data = (images / '000005.jpg').read_bytes()
    (images / '000005.jpg').write_bytes(data[: len(data) // 2])
    (tmp_path / 'set' / '.blocks' / 'train' / '000016.npz').write_bytes(b'PK half')
    (tmp_path / 'set' / '.blocks' / 'test' / '000000.npz').unlink()
    (tmp_path / 'set' / 'train.npz').unlink()
    (images / '.unfinished-000007.jpg').write_bytes(b'half')
    os.utime(images / '000004.jpg', (1, 1))
    make(tmp_path / 'set')
    assert contents(tmp_path / 'set') == finished[1]
    assert (images / '000004.jpg').stat().st_mtime == 1  # kept, not made again


def test_nothing_is_made_twice(finished, monkeypatch):
    def fail(*_, **__):
        raise AssertionError('a finished sample was made again')

    monkeypatch.setattr(generate, 'draw_sample', fail)
    make(finished[0])


def test_killed_in_the_middle_of_a_block(finished, tmp_path, monkeypatch):
    """The picture that was being written is gone; the next run completes the set."""
    calls, replace = [], os.replace

    def dying(source, target):
        calls.append(target)
        if len(calls) == 9:
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(generate.os, 'replace', dying)
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / 'set')
    monkeypatch.undo()
    assert not list((tmp_path / 'set').rglob(f'{generate.TEMPORARY}*'))
    assert 0 < len(list((tmp_path / 'set').rglob('*.jpg'))) < 19
    make(tmp_path / 'set')
    assert contents(tmp_path / 'set') == finished[1]


def test_larger_set_begins_with_the_smaller_one(finished, tmp_path):
    make(tmp_path / 'set', counts={'train': 4, 'test': 1})
    small = contents(tmp_path / 'set')
    make(tmp_path / 'set')
    assert contents(tmp_path / 'set') == finished[1]
    for name, data in small.items():
        assert name.endswith('.npz') or finished[1][name] == data


@pytest.mark.parametrize('kind', ['body', 'hand'])
def test_record_and_pictures_are_what_the_data_set_reads(tmp_path, kind):
    paths = make(tmp_path, kind, counts={'test': 3})
    record = AnnotationRecord.load(paths['test'])
    joint_set = BODY_29 if kind == 'body' else HAND_21
    assert record.kind == kind
    assert record.joint_names == joint_set.joint_names
    assert record['fit_valid'].all()
    assert record['joints_valid'].all()
    dataset = {'body': MeshDataset, 'hand': HandMeshDataset}[kind](
        ann_file='test.npz', data_root=str(tmp_path), pipeline=[], test_mode=True
    )
    assert len(dataset) == 3
    image = cv2.imread(dataset.get_data_info(1)['img_path'])
    assert image.shape == (SIZE, SIZE, 3)
    assert image.std() > 10


def test_other_settings_and_foreign_folders_are_refused(finished, tmp_path):
    with pytest.raises(ValueError, match=r'seed 2 instead of 3: choose another --out'):
        make(finished[0], seed=3)
    with pytest.raises(ValueError, match=r"kind 'hand' instead of 'body'"):
        make(finished[0], kind='body')
    (tmp_path / 'thesis.tex').write_text('mine')
    with pytest.raises(ValueError, match='neither empty nor a data set'):
        make(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ['thesis.tex']


def arguments(**changes):
    values = {'kind': 'hand', 'num-train': 2, 'num-test': 1, 'out': 'x', **changes}
    return [word for name, value in values.items() for word in (f'--{name}', str(value))]


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'kind': 'foot'}, "invalid choice: 'foot'"),
        ({'num-train': -1}, 'numbers of samples must be >= 0'),
        ({'num-train': 0, 'num-test': 0}, 'nothing to make'),
        ({'seed': -4}, '--seed must be >= 0, got -4'),
        ({'image-size': 8}, '--image-size must be 32..2048 px, got 8'),
        ({'workers': 0}, '--workers must be >= 1, got 0'),
        ({'num-test': 'many'}, "invalid int value: 'many'"),
    ],
)
def test_bad_arguments_get_one_line(capsys, changes, message):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments(**changes))
    assert stop.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_tool_writes_the_set_and_says_where(tmp_path, capsys):
    words = arguments(out=tmp_path / 'set', workers=1, **{'image-size': SIZE, 'num-test': 0})
    assert cli.main(words) == 0
    output = capsys.readouterr().out
    assert f'train: {tmp_path / "set" / "train.npz"}' in output
    assert '2 pictures in' in output
    settings = json.loads((tmp_path / 'set' / 'settings.json').read_text())
    assert settings['body_model_crc'] == generate.model_crc('hand') != generate.model_crc('body')
    assert len(AnnotationRecord.load(tmp_path / 'set' / 'train.npz')) == 2


@pytest.mark.parametrize(
    ('error', 'status', 'message'),
    [
        (ValueError('the folder is wrong'), 1, 'make_synthetic.py: the folder is wrong'),
        (PermissionError(13, 'Permission denied', '/x'), 1, 'Permission denied'),
        (KeyboardInterrupt(), 130, 'run it again to continue'),
        (cli.BrokenProcessPool('gone'), 1, 'a process died'),
    ],
)
def test_failures_get_one_line(monkeypatch, capsys, error, status, message):
    def fail(*_):
        raise error

    monkeypatch.setattr(cli, 'generate', fail)
    assert cli.main(arguments()) == status
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert message in lines[0]


def test_worker_that_fails_stops_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(generate, 'draw_sample', lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        make(tmp_path / 'set', workers=2)


def test_launcher_starts_the_project(tmp_path):
    run = subprocess.run(
        [sys.executable, ROOT / 'tools' / 'make_synthetic.py', *arguments(out=tmp_path, seed=-1)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
    )
    assert run.returncode == 2
    assert '--seed must be >= 0' in run.stderr
    assert 'Traceback' not in run.stderr


def test_all_cores_are_used_by_default(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(cli, 'generate', lambda *args: asked.append(args[-1]) or {})
    cli.main(arguments(out=tmp_path))
    assert asked == [cli.available_cores()]
    assert np.ndim(asked[0]) == 0
    assert 1 <= asked[0] <= os.cpu_count()
