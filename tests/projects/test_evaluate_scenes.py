"""Detector -> RootNet -> mesh on scenes: hand-made inferencers, then the real ones in the tool."""

import json
import sys

import evaluate_scenes as tool
import numpy as np
import pytest
import torch
from helpers_inference import tiny_detector, tiny_network
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from synthetic_humans.generate import Settings, generate
from synthetic_humans.scene_errors import People
from synthetic_humans.scene_evaluation import Picture, evaluate_scenes, pictures_of

from i2l_plugin.body_models import build_body_model
from i2l_plugin.datasets import AnnotationRecord

CAMERA = dict(focal_px=np.array([80.0, 80]), princpt_px=np.array([31.5, 23.5]))


def picture(path, boxes, seed):
    """People of 9 vertices and 4 joints, each of another form and at another distance."""
    rng = np.random.default_rng(seed)
    num = len(boxes)
    roots = rng.normal(0, 500, (num, 3))
    roots[:, 2] = 3000 + 700 * seed + 400 * np.arange(num)
    joints = roots[:, None] + rng.normal(0, 300, (num, 4, 3))
    joints[:, 0] = roots
    vertices = roots[:, None] + rng.normal(0, 300, (num, 9, 3))
    return Picture(path, CAMERA, np.array(boxes, float), roots[:, 2], People(vertices, joints))


def fake(pictures, detections, bias_mm, source):
    """Sees every person as is, but `bias_mm` too far away where no depth is given."""
    pictures = {picture.path: picture for picture in pictures}

    def run(path, return_datasamples, camera, bboxes=None, root_depths=None, bbox_thr=None):
        assert return_datasamples
        assert camera is CAMERA
        truth = pictures[path]
        boxes = np.reshape(detections[path] if bboxes is None else bboxes[0], (-1, 4))
        assert bboxes is not None or bbox_thr == 0.4
        distance = np.abs(boxes[:, None] - truth.boxes_px).sum(-1)
        who = distance.argmin(1)
        depths = truth.root_depth_mm[who]
        given = depths + bias_mm if root_depths is None else root_depths[0]
        shift = (given - depths)[:, None, None] * np.array([0, 0, 1.0])
        sample = PoseDataSample(metainfo=dict(root_depth_source=source))
        sample.pred_instances = InstanceData(
            bboxes=boxes,
            vertices_cam=truth.people.vertices_mm[who] + shift,
            joints_cam=truth.people.joints_mm[who] + shift,
        )
        yield {'predictions': [sample]}

    return run


@pytest.fixture
def pictures():
    left, right = [0, 0, 20, 40], [30, 0, 50, 40]
    return [picture('a', [left, right], 0), picture('b', [left], 1), picture('c', [right], 2)]


DETECTIONS = {
    'a': [[100, 0, 120, 40], [32, 0, 52, 40]],  # nobody, and the second of two
    'b': [[1, 0, 21, 40], [10, 0, 30, 40]],  # the person, and a box that overlaps by a third
    'c': [],
}


def scores_of(pictures, source='RootNet'):
    detecting = fake(pictures, DETECTIONS, 100, source)
    return evaluate_scenes(pictures, detecting, fake(pictures, {}, -250, 'box size'), 0.4)


def test_people_found_and_missed_are_counted(pictures):
    scores = scores_of(pictures)
    counted = [scores[name] for name in ('pictures', 'people', 'detections', 'found')]
    assert counted == [3, 4, 4, 2]
    assert scores['recall'] == scores['precision'] == 0.5
    numbers = {name: row['N'] for name, row in scores['errors'].items()}
    assert numbers == {
        'true boxes, true depth': 4,
        'true boxes, true depth, people found': 2,
        'detected boxes, true depth': 2,
        'detected boxes, RootNet depth': 2,
        'detected boxes, box-size depth': 2,
    }


def test_errors_are_those_of_the_source_of_depth(pictures):
    errors = scores_of(pictures)['errors']
    for name, depth_mm in (
        ('true boxes, true depth', 0),
        ('true boxes, true depth, people found', 0),
        ('detected boxes, true depth', 0),
        ('detected boxes, RootNet depth', 100),
        ('detected boxes, box-size depth', 250),
    ):
        for what in ('MPJPE', 'PA-MPJPE', 'MPVPE', 'PA-MPVPE'):
            assert errors[name][what] == pytest.approx(0, abs=1e-3)  # each compared with itself
        for what in ('root', 'root_depth', 'absolute_MPVPE'):
            assert errors[name][what] == pytest.approx(depth_mm)


def test_everyone_is_compared_with_who_they_are_in_whatever_order_they_are_found(pictures):
    left, right = pictures[0].boxes_px
    detecting = fake(pictures, {'a': [right, [100, 0, 120, 40], left]}, 100, 'RootNet')
    by_size = fake(pictures, {}, -250, 'box size')
    scores = evaluate_scenes(pictures[:1], detecting, by_size, 0.4)
    assert scores['found'] == 2
    for row in scores['errors'].values():
        assert row['N'] == 2
        assert row['MPJPE'] == pytest.approx(0, abs=1e-3)
    assert scores['errors']['detected boxes, true depth']['root'] == pytest.approx(0, abs=1e-3)


def test_without_a_rootnet_there_is_no_row_of_it(pictures):
    errors = scores_of(pictures, 'box size')['errors']
    assert 'detected boxes, RootNet depth' not in errors
    assert errors['detected boxes, box-size depth']['root'] == pytest.approx(250)


def test_a_detector_that_finds_nobody(pictures):
    blind = fake(pictures, {'a': [], 'b': [], 'c': []}, 0, 'RootNet')
    scores = evaluate_scenes(pictures, blind, fake(pictures, {}, 0, 'box size'), 0.4)
    assert (scores['recall'], scores['precision']) == (0, None)
    assert scores['errors']['true boxes, true depth']['N'] == 4
    assert scores['errors']['true boxes, true depth, people found']['N'] == 0
    assert len(scores['errors']) == 2


@pytest.fixture(scope='module')
def scenes(tmp_path_factory):
    """Two pictures of two people each. -> folder, record"""
    folder = tmp_path_factory.mktemp('scenes')
    settings = Settings('scenes', 3, (64, 48), people=(2, 2))
    paths = generate(settings, folder, {'test': 2}, 1)
    return folder, AnnotationRecord.load(paths['test'])


def test_pictures_hold_the_records_people(scenes):
    folder, record = scenes
    found = list(pictures_of(record, folder, build_body_model('body')))
    assert [picture.path for picture in found] == [
        str(folder / f'images/test/00000{i}.jpg') for i in (0, 1)
    ]
    for i, picture in enumerate(found):
        rows = record['image_id'] == i
        joints, boxes = picture.people.joints_mm, picture.boxes_px
        np.testing.assert_allclose(joints, record['joints_cam_mm'][rows], atol=0.02)
        np.testing.assert_allclose(picture.root_depth_mm, joints[:, 0, 2], atol=0.02)
        vertices = picture.people.vertices_mm
        points = vertices[..., :2] / vertices[..., 2:] * picture.camera['focal_px']
        points += picture.camera['princpt_px']
        clipped = np.concatenate([points.min(1), points.max(1)], 1).clip(0, [63, 47, 63, 47])
        np.testing.assert_allclose(boxes, clipped, atol=0.01)


def test_tool_runs_the_networks_and_reports(scenes, tmp_path, monkeypatch, capsys):
    folder, _ = scenes
    network = tiny_network(tmp_path)
    network.cfg.dump(tmp_path / 'mesh.py')
    torch.save({'state_dict': network.state_dict()}, tmp_path / 'mesh.pth')
    config, checkpoint = tiny_detector(tmp_path)
    mesh = ('--config', tmp_path / 'mesh.py', '--checkpoint', tmp_path / 'mesh.pth')
    detector = ('--det-config', config, '--det-checkpoint', checkpoint)
    out = tmp_path / 'scores.json'
    words = ('evaluate_scenes.py', folder, *mesh, *detector, '--out', out, '--device', 'cpu')
    monkeypatch.setattr(sys, 'argv', list(map(str, words)))
    tool.main()
    printed = capsys.readouterr().out
    scores = json.loads(out.read_text())
    assert (scores['pictures'], scores['people']) == (2, 4)
    row = scores['errors']['true boxes, true depth']
    assert row['N'] == 4
    assert 0 < row['PA-MPJPE'] < row['MPJPE'] < 3000
    assert f'{row["absolute_MPVPE"]:.1f}' in printed
    assert '2 pictures, 4 people' in printed


NEEDED = ['--config', 'a.py', '--checkpoint', 'a.pth']
NEEDED += ['--det-config', 'b.py', '--det-checkpoint', 'b.pth']


def test_missing_data_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['evaluate_scenes.py', str(tmp_path), *NEEDED])
    with pytest.raises(SystemExit, match=r'error: .*test\.npz'):
        tool.main()


def test_a_rootnet_needs_its_checkpoint(monkeypatch, capsys):
    words = ['evaluate_scenes.py', 'data', *NEEDED, '--root-config', 'c.py']
    monkeypatch.setattr(sys, 'argv', words)
    with pytest.raises(SystemExit) as stop:
        tool.main()
    assert stop.value.code == 2
    assert '--root-config and --root-checkpoint go together' in capsys.readouterr().err
