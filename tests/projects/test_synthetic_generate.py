"""Writing synthetic data sets: same bytes however they are made, restarts, refusals, the tool."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.datasets import CocoDataset
from mmdet.evaluation import CocoMetric
from synthetic_humans import cli, generate
from synthetic_humans.generate import Settings

from i2l_plugin.body_models import BODY_29, HAND_21
from i2l_plugin.datasets import AnnotationRecord, HandMeshDataset, MeshDataset

ROOT = Path(__file__).resolve().parents[2]
SIZE = 40
COUNTS = {'train': 19, 'test': 3}


def make(folder, kind='hand', seed=2, counts=COUNTS, workers=1):
    settings = Settings(kind, seed, SIZE)
    if kind == 'scenes':
        settings = Settings(kind, seed, (SIZE, 32), people=(2, 3))
    return generate.generate(settings, folder, counts, workers)


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


@pytest.mark.parametrize('kind', ['body', 'scenes'])
def test_bodies_and_scenes_too(tmp_path, kind):
    counts = {'train': 5}
    make(tmp_path / 'a', kind, counts=counts)
    make(tmp_path / 'b', kind, counts=counts, workers=2)
    assert contents(tmp_path / 'a') == contents(tmp_path / 'b')


def test_restart_and_enlargement_keep_the_people_of_each_scene_together(tmp_path):
    make(tmp_path / 'whole', 'scenes', counts={'train': 6})
    make(tmp_path / 'set', 'scenes', counts={'train': 3})
    (tmp_path / 'set' / 'images' / 'train' / '000001.jpg').unlink()
    make(tmp_path / 'set', 'scenes', counts={'train': 6})
    assert contents(tmp_path / 'set') == contents(tmp_path / 'whole')
    make(tmp_path / 'set', 'scenes', counts={'train': 3})  # asked for fewer: pictures stay
    record = AnnotationRecord.load(tmp_path / 'set' / 'train.npz')
    assert set(record['image_id']) == {0, 1, 2}
    assert len(record) > 3


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
        assert name.endswith(('.npz', '_coco.json')) or finished[1][name] == data


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


def test_every_person_of_a_scene_is_read_from_the_same_picture(tmp_path):
    record = AnnotationRecord.load(make(tmp_path, 'scenes', counts={'test': 2})['test'])
    dataset = MeshDataset(ann_file='test.npz', data_root=str(tmp_path), test_mode=True)
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    assert len(infos) == len(record) in range(4, 7)
    for image_id in (0, 1):
        mine = [info for info in infos if info['image_id'] == image_id]
        assert {Path(info['img_path']).name for info in mine} == {f'00000{image_id}.jpg'}
        assert len({info['sample_id'] for info in mine}) == len(mine) >= 2
        assert all(30 <= info['id_visible_percent'] <= 100 for info in mine)
    assert cv2.imread(infos[0]['img_path']).shape == (32, SIZE, 3)


@pytest.mark.parametrize(('kind', 'name'), [('scenes', 'person'), ('hand', 'hand')])
def test_perfect_boxes_score_1_by_coco(tmp_path, kind, name):
    """MMDetection reads the boxes; COCO's evaluation counts everyone, the first included."""
    paths = make(tmp_path, kind, counts={'test': 3})
    record = AnnotationRecord.load(paths['test'])
    ann_file = str(tmp_path / 'test_coco.json')
    metainfo = dict(classes=(name,))
    dataset = CocoDataset(ann_file=ann_file, metainfo=metainfo, data_prefix=dict(img=''))
    assert len(dataset) == 3
    metric = CocoMetric(ann_file=ann_file)
    metric.dataset_meta = metainfo
    for i in range(3):
        info = dataset.get_data_info(i)
        mine = record['image_id'] == info['img_id']
        assert info['img_path'] == record['image_path'][mine][0].decode()
        boxes = record['bbox_px'][mine]
        found = [instance['bbox'] for instance in info['instances']]
        np.testing.assert_allclose(found, boxes, atol=0.01)
        result = dict(
            bboxes=torch.from_numpy(boxes),
            scores=torch.ones(len(boxes)),
            labels=torch.zeros(len(boxes), dtype=torch.long),
        )
        shape = (info['height'], info['width'])
        metric.process({}, [dict(img_id=info['img_id'], ori_shape=shape, pred_instances=result)])
    assert metric.evaluate(3)['coco/bbox_mAP'] == pytest.approx(1)


def test_coco_ids_are_the_records(tmp_path):
    record = AnnotationRecord.load(make(tmp_path, 'scenes', counts={'test': 2})['test'])
    content = json.loads((tmp_path / 'test_coco.json').read_text())
    assert [image['id'] for image in content['images']] == [0, 1]
    for image in content['images']:
        assert (image['height'], image['width'], 3) == cv2.imread(
            str(tmp_path / image['file_name'])
        ).shape
    people = content['annotations']
    assert [person['sample_id'] for person in people] == record['sample_id'].tolist()
    assert [person['id'] - 1 for person in people] == record['sample_id'].tolist()
    assert [person['image_id'] for person in people] == record['image_id'].tolist()
    assert content['categories'][0]['id'] == 1 == people[0]['category_id']
    for person in people:
        width, height = person['bbox'][2:]
        assert person['area'] == pytest.approx(width * height, rel=1e-3)


def test_other_settings_and_foreign_folders_are_refused(finished, tmp_path):
    with pytest.raises(ValueError, match=r'seed 2 instead of 3: choose another --out'):
        make(finished[0], seed=3)
    with pytest.raises(ValueError, match=r"kind 'hand' instead of 'body'"):
        make(finished[0], kind='body')
    with pytest.raises(ValueError, match=r'people None instead of \[2, 3\]'):
        make(finished[0], kind='scenes')
    (tmp_path / 'thesis.tex').write_text('mine')
    with pytest.raises(ValueError, match='neither empty nor a data set'):
        make(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ['thesis.tex']


def arguments(**changes):
    values = {'kind': 'hand', 'num-train': 2, 'num-test': 1, 'out': 'x', **changes}
    words = []
    for name, value in values.items():
        words += [f'--{name}', *(map(str, value) if isinstance(value, tuple) else [str(value)])]
    return words


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'kind': 'foot'}, "invalid choice: 'foot'"),
        ({'num-train': -1}, 'numbers of samples must be >= 0'),
        ({'num-train': 0, 'num-test': 0}, 'nothing to make'),
        ({'seed': -4}, '--seed must be >= 0, got -4'),
        ({'image-size': 8}, '--image-size must be 32..2048 px, got 8x8'),
        ({'image-size': '64x48'}, 'pictures of --kind hand are square, got 64x48'),
        ({'image-size': '64x48x3'}, 'expected PX or WIDTHxHEIGHT'),
        ({'image-size': 'large'}, "invalid image_size value: 'large'"),
        ({'people': (1, 2)}, '--people is for --kind scenes'),
        ({'kind': 'scenes', 'people': (3, 2)}, 'LEAST <= MOST <= 9, got 3 2'),
        ({'kind': 'scenes', 'people': (0, 2)}, 'LEAST <= MOST <= 9, got 0 2'),
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
    ('words', 'size', 'people'),
    [
        ({'kind': 'scenes'}, (256, 192), (1, 3)),
        ({'kind': 'scenes', 'image-size': '64x48', 'people': (2, 2)}, (64, 48), (2, 2)),
        ({'kind': 'body'}, 256, None),
        ({'kind': 'hand', 'image-size': 64}, 64, None),
    ],
)
def test_settings_that_the_tool_asks_for(monkeypatch, tmp_path, words, size, people):
    asked = []
    monkeypatch.setattr(cli, 'generate', lambda *args: asked.append(args[0]) or {})
    cli.main(arguments(out=tmp_path, **words))
    assert (asked[0].kind, asked[0].image_size, asked[0].people) == (words['kind'], size, people)


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
