"""Mistakes in FreiHAND's files and on the command line of its converter are named."""

import re

import numpy as np
import pytest
from helpers_converters import edit_json
from helpers_freihand import freihand_converter, write_freihand


def put(*place, to):
    """A change of one value deep in a JSON file."""

    def change(content):
        for key in place[:-1]:
            content = content[key]
        content[place[-1]] = to

    return change


CORRUPT = [
    ('raw', 'training_mano.json', put(1, to=[[0.0] * 60]), r'training_\*.json: entry 1: mano: got'),
    ('raw', 'training_xyz.json', put(1, 0, 0, to=float('nan')), r'entry 1: xyz: got NaN'),
    ('raw', 'training_verts.json', put(1, 5, 2, to=-0.1), r'entry 1: got a depth of -0.1 m'),
    ('raw', 'training_K.json', put(1, to=[1, 2]), r'entry 1: K: got shape \(2,\)'),
    ('parsed', 'freihand_train_data.json', put('1', 'joint_3d', to=[]), 'entry 1: joint_3d: got'),
    ('parsed', 'freihand_train_data.json', put('1', 'mano_param', to=None), 'entry 1: got a None'),
    ('parsed', 'freihand_train_coco.json', put('images', 1, 'db_idx', to=9), 'db_idx: got 9'),
    ('parsed', 'freihand_train_coco.json', put('annotations', 1, to={}), r"no 'image_id'"),
    ('parsed', 'freihand_train_coco.json', put('images', 1, 'id', to='a'), r'images\[1\]: id'),
]


@pytest.mark.parametrize(('form', 'file', 'change', 'message'), CORRUPT)
def test_a_corrupt_entry_stops_or_is_left_out(tmp_path, form, file, change, message):
    truth = write_freihand(tmp_path, form)
    edit_json(tmp_path / file, change)
    convert = freihand_converter(tmp_path)
    assert re.search(message, convert.fails())
    record, _ = convert('--on-error', 'skip')
    assert 0 < len(record) < len(truth.paths)
    assert 1 not in record['image_id']
    assert record['fit_error_mm'].max() < 1e-3


def test_corrupt_cameras_of_evaluation_are_left_out_on_request(tmp_path):
    write_freihand(tmp_path, 'raw', 'eval', published=False)
    edit_json(tmp_path / 'evaluation_K.json', put(0, 0, 0, to=None))
    convert = freihand_converter(tmp_path, 'eval', model=False)
    assert 'evaluation_K.json: entry 0: K: got NaN' in convert.fails()
    record, _ = convert('--on-error', 'skip')
    assert record['image_id'].tolist() == [1, 2]


@pytest.mark.parametrize(
    ('form', 'file', 'content', 'message'),
    [
        ('raw', 'training_verts.json', '[]', r"got 0 entries in \['training_verts.json'\]"),
        ('raw', 'training_K.json', '{}', r'training_K\.json: got no list'),
        ('raw', 'training_K.json', '[[', r'training_K\.json: got a file that is cut short'),
        ('raw', 'training_xyz.json', '[[', r'training_xyz\.json: got a file that is cut short'),
        (
            'parsed',
            'freihand_train_coco.json',
            '{"images": 3}',
            r"coco\.json: got no list 'images'",
        ),
    ],
)
def test_broken_files_are_named(tmp_path, form, file, content, message):
    write_freihand(tmp_path, form)
    (tmp_path / file).write_text(content)
    assert re.search(message, freihand_converter(tmp_path).fails())


def test_another_hand_model_is_refused(tmp_path):
    write_freihand(tmp_path)
    convert = freihand_converter(tmp_path)
    arrays = dict(np.load(tmp_path / 'mano.npz'))
    np.savez(tmp_path / 'mano.npz', **{**arrays, 'hands_mean': arrays['hands_mean'] + 0.5})
    said = convert.fails()
    assert re.search(r'--body-model .*mano\.npz: its meshes are \d+\.\d mm from', said)
    assert 'MANO_RIGHT.pkl' in said
    assert 'verts: got shape (192, 3), expected (778, 3)' in convert.fails('--body-model', 'open')


def test_what_is_missing_is_named(tmp_path):
    said = freihand_converter(tmp_path).fails()
    assert re.search(r'(?s)parsed files lack.*train_coco\.json.*raw files lack.*_verts\.json', said)
    write_freihand(tmp_path)
    assert 'raw annotations are poses of MANO' in freihand_converter(tmp_path, model=False).fails()
    said = freihand_converter(tmp_path).fails('--coco-out', 'hands.txt')
    assert '--coco-out hands.txt: expected the name of a .json file' in said
    (tmp_path / 'training/rgb/00000004.jpg').unlink()
    assert '1 of 12 images are missing' in freihand_converter(tmp_path).fails()


def test_parsed_meshes_need_the_model_too(tmp_path):
    write_freihand(tmp_path, 'parsed')
    out = ('--coco-out', str(tmp_path / 'hands.json'))
    assert '--coco-out draws poses of MANO' in freihand_converter(tmp_path, model=False).fails(*out)
