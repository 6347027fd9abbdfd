"""What the Human3.6M converter says of files and options that are wrong."""

import json

import human36m
import numpy as np
import pytest
from helpers_converters import (
    Converter,
    body_off_origin,
    edit_json,
)
from helpers_human36m import write_human36m
from helpers_runs import save_toy_model


@pytest.fixture(scope='module')
def data():
    return body_off_origin()


@pytest.fixture
def small(tmp_path, data):
    """A data set of one test subject, to be broken; its converter and its people."""
    frames = {(2, 1, 0): 'good', (2, 1, 64): 'good', (3, 1, 64): 'good'}
    people = write_human36m(tmp_path, data, subjects=(9,), frames=frames).people
    model = save_toy_model(tmp_path / 'smpl.npz', data=data)
    options = ('--split', 'test', '--subjects', '9', '--body-model', str(model))
    return Converter(human36m, tmp_path, *options), people


def file_of(convert, part, subject=9):
    return convert.root / 'annotations' / f'Human36M_subject{subject}_{part}.json'


def nested_value(part, value):
    """A change of one entry: subaction 1, frame 64 of action 2."""

    def change(content):
        if value is None:
            del content['2']['1']['64']
        elif part == 'smpl_param':
            content['2']['1']['64'].update(value)
        else:
            content['2']['1']['64'] = value

    return change


@pytest.mark.parametrize(
    ('part', 'value', 'says'),
    [
        ('joint_3d', [[1.0, 2.0, float('nan')]] * 17, 'joints: got NaN or inf in 17 of 51'),
        ('joint_3d', [[1.0, 2.0, 3.0]] * 16, 'got shape (16, 3), expected (17, 3)'),
        ('joint_3d', None, 'joint_3d has no [2][1][64]'),
        ('smpl_param', {'pose': [0.0] * 71}, 'pose: got shape (71,), expected (24, 3)'),
        ('smpl_param', {'shape': [float('inf')] * 10}, 'shape: got NaN or inf in 10 of 10'),
        ('smpl_param', {'trans': 'far'}, 'trans: got no array of numbers'),
    ],
)
def test_a_corrupt_entry_is_named_and_stops_or_is_left_out(small, part, value, says):
    convert, people = small
    edit_json(file_of(convert, part), nested_value(part, value))
    message = convert.fails()
    assert says in message
    broken = [n for n, p in people.items() if p.ids['action'] == 2 and p.ids['frame'] == 64]
    assert any(
        f'Human36M_subject9_data.json: entry annotations, id {n}:' in message for n in broken
    )
    assert '[2][1][64]' in message
    record, said = convert('--on-error', 'skip', '--cameras', '1', '2', '3', '4')
    assert not set(record['sample_id'].tolist()) & set(broken)
    assert len(record) == len(people) - len(broken)
    assert 'dropped: 4 (corrupt entry)' in said


@pytest.mark.parametrize(
    ('change', 'says'),
    [
        (lambda image: image.pop('frame_idx'), "it has no 'frame_idx'"),
        (lambda image: image.update(cam_idx=2.5), 'cam_idx: got 2.5, expected a whole number'),
        (lambda image: image.update(subject=11), 'subject: got 11, expected 9'),
        (lambda image: image.update(file_name=''), "file_name: got '', expected text"),
        (lambda image: image.update(width=-5), 'image_size_px: got [-5.0, 96.0]'),
    ],
)
def test_a_corrupt_image_entry_is_named(small, change, says):
    convert, people = small
    file = file_of(convert, 'data')
    edit_json(file, lambda content: change(content['images'][3]))
    content = json.loads(file.read_text())
    message = convert.fails()
    assert f'{file}: entry ' in message
    assert any(f'id {content[part][3]["id"]}: ' in message for part in content)
    assert says in message
    record, _ = convert('--on-error', 'skip')
    assert len(record) == len([p for p in people.values() if p.ids['camera'] == 4]) - 1


def test_images_without_an_annotation_are_reported(small):
    convert, people = small
    edit_json(file_of(convert, 'data'), lambda content: content['annotations'].pop(3))
    record, said = convert()
    assert len(record) == sum(p.ids['camera'] == 4 for p in people.values()) - 1
    lost = next(p for p in people.values() if p.ids['camera'] == 4)
    assert 'dropped: 1 (image without annotation)' in said
    assert f'Human36M_subject9_data.json: {lost.image_id}' in said


@pytest.mark.parametrize(
    ('change', 'says'),
    [
        (lambda c: c.pop('4'), "camera 4: it has no '4'"),
        (lambda c: c['4'].pop('t'), "camera 4: it has no 't'"),
        (lambda c: c['4'].update(f=[1.0]), 'camera 4: f: got shape (1,), expected (2,)'),
        (lambda c: c['4']['R'].reverse(), 'camera 4: R: got'),  # a reflection
        (lambda c: c['4'].update(R=(2 * np.eye(3)).tolist()), 'expected a rotation'),
    ],
)
def test_a_wrong_camera_is_fatal_in_any_case(small, change, says):
    convert, _ = small
    edit_json(file_of(convert, 'camera'), change)
    for options in ((), ('--on-error', 'skip')):
        assert says in convert.fails(*options)


def test_people_behind_the_camera_are_corrupt(small):
    convert, _ = small

    def turn_round(cameras):
        rotation = np.diag([-1.0, 1.0, -1.0]) @ np.array(cameras['4']['R'])
        translation = np.diag([-1.0, 1.0, -1.0]) @ np.array(cameras['4']['t'])
        cameras['4'].update(R=rotation.tolist(), t=translation.tolist())

    edit_json(file_of(convert, 'camera'), turn_round)
    assert 'expected > 0: in front of the camera' in convert.fails()


def test_missing_files_are_listed_together(small):
    convert, _ = small
    file_of(convert, 'camera').unlink()
    file_of(convert, 'joint_3d').unlink()
    message = convert.fails('--subjects', '9', '11')
    assert '6 missing' in message
    for subject, part in ((9, 'camera'), (9, 'joint_3d'), (11, 'data'), (11, 'smpl_param')):
        assert f'annotations/Human36M_subject{subject}_{part}.json: subject {subject}' in message
    assert '--root /nowhere: no such folder' in convert.fails('--root', '/nowhere')


def test_a_file_cut_short_is_named(small):
    convert, _ = small
    for part in ('data', 'camera', 'joint_3d', 'smpl_param'):
        path = file_of(convert, part)
        whole = path.read_text()
        path.write_text(whole[: len(whole) * 2 // 3])
        assert f'{path}: got a file that is cut short or no JSON' in convert.fails()
        path.write_text(whole)


@pytest.mark.parametrize(
    ('options', 'says'),
    [
        (('--frame-step', '0'), '--frame-step: got 0, expected 1 or more'),
        (('--subjects', '9', '1'), '--subjects: got [1] for --split test, but'),
        (('--body-model', 'none.pkl'), 'no body-model file at none.pkl'),
        (('--out', 'record.json'), '--out record.json: expected the name of an .npz file'),
    ],
)
def test_wrong_options_end_in_one_line(small, options, says):
    assert says in small[0].fails(*options)


def test_an_older_record_survives_a_failed_conversion(small):
    convert, _ = small
    convert()
    before = convert.out.read_bytes()
    edit_json(file_of(convert, 'smpl_param'), lambda content: content['2'].update({'1': 7}))
    assert '[2][1][' in convert.fails()
    assert convert.out.read_bytes() == before
