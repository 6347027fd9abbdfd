"""3DPW files that are broken, hostile or missing: what the converter says of them."""

import os
import pickle
import re

import numpy as np
import pytest
from helpers_converters import edit_json
from helpers_pw3d_converter import edit_pickle, keys_of, small
from PIL import Image

from i2l_plugin.datasets import MeshDataset


def test_files_without_detections_are_fine(tmp_path):
    convert, _ = small(tmp_path)
    edit_pickle(
        next(tmp_path.glob('sequenceFiles/*/*.pkl')), lambda content: content.pop('poses2d')
    )
    record, said = convert()
    assert len(record) == 3
    assert 'poses2d' not in said


def shorten(name):
    def change(content):
        content[name] = [content[name][0][:-1]]

    return change


def put(name, entry):
    def change(content):
        content[name] = entry

    return change


def spoil(name, index=0):
    def change(content):
        content[name][0] = np.array(content[name][0], float)
        content[name][0][index] = np.nan

    return change


CORRUPT_SEQUENCES = [
    (shorten('poses'), r'entry the sequence: poses: got shape \(2, 72\) of person 0, expected \(3'),
    (shorten('campose_valid'), r'campose_valid: got shape \(2,\)'),
    (lambda content: content.pop('trans'), r"the sequence: it has no 'trans'"),
    (put('genders', []), r'genders: got no entry of person 0'),
    (put('genders', ['x']), r"gender: got 'x', expected one of \['f', 'female'"),
    (put('betas', [np.zeros(9)]), r'betas: got shape \(9,\)'),
    (put('cam_poses', np.zeros((3, 3, 4))), r'cam_poses: got shape \(3, 3, 4\)'),
    (put('cam_intrinsics', np.zeros(4)), r'cam_intrinsics: got shape \(4,\)'),
]
CORRUPT_FRAMES = [
    (spoil('poses'), 'entry person 0, frame 0: poses: got NaN'),
    (spoil('trans'), 'entry person 0, frame 0: trans: got NaN'),
    (spoil('jointPositions'), 'entry person 0, frame 0: jointPositions: got NaN'),
    (put('cam_poses', np.ones((3, 4, 4))), r'entry person 0, frame 0: R: got \[\[1'),
]


@pytest.mark.parametrize(('change', 'message'), CORRUPT_SEQUENCES + CORRUPT_FRAMES)
def test_a_corrupt_entry_stops_with_file_and_key(tmp_path, change, message):
    convert, _ = small(tmp_path)
    edit_pickle(next(tmp_path.glob('sequenceFiles/*/*.pkl')), change)
    said = convert.fails()
    assert 'courtyard_toy_00.pkl: entry' in said
    assert said.count('--on-error skip') == 1
    assert re.search(message, said), said


def test_corrupt_entries_are_left_out_on_request(tmp_path):
    convert, truth = small(tmp_path)
    path = next(tmp_path.glob('sequenceFiles/*/*.pkl'))
    edit_pickle(path, spoil('poses', index=1))
    (path.parent / 'another.pkl').write_bytes(path.read_bytes()[:-50])
    (tmp_path / 'imageFiles' / 'another').mkdir()
    record, said = convert('--on-error', 'skip')
    assert keys_of(record) == [key for key in truth.kept('train') if key[2] != 1]
    assert 'dropped: 2 (corrupt entry)' in said
    assert 'another.pkl is truncated' in said


class Hostile:
    def __init__(self, folder):
        self.command = f'touch {folder}/executed'

    def __reduce__(self):
        return os.system, (self.command,)


def test_a_hostile_pickle_is_refused_by_name(tmp_path):
    convert, _ = small(tmp_path)
    path = next(tmp_path.glob('sequenceFiles/*/*.pkl'))
    path.write_bytes(pickle.dumps({'poses': [Hostile(tmp_path)]}, protocol=2))
    said = convert.fails()
    assert 'courtyard_toy_00.pkl is refused: it names posix.system' in said
    assert not (tmp_path / 'executed').exists()
    path.write_bytes(pickle.dumps([1, 2], protocol=2))
    assert 'got a list, expected a dict' in convert.fails()


def corrupt_parsed(group, **values):
    return lambda content: content[group][0].update(values)


CORRUPT_PARSED = [
    (corrupt_parsed('images', cam_param={}), "images, id 40: it has no 'focal'"),
    (corrupt_parsed('annotations', image_id=5), 'annotations, id 7: image_id: got 5'),
    (corrupt_parsed('annotations', joint_cam=[[0, 0, 1]]), 'id 7: joint_cam: got shape (1, 3)'),
    (corrupt_parsed('annotations', smpl_param={'gender': 3}), 'id 7: gender: got 3'),
    (corrupt_parsed('annotations', bbox=[0, 0, -1, 2]), 'id 7: bbox: got width -1'),
]


@pytest.mark.parametrize(('change', 'message'), CORRUPT_PARSED)
def test_a_corrupt_parsed_entry_stops_with_its_key(tmp_path, change, message):
    convert, _ = small(tmp_path, sources=('parsed',))
    edit_json(tmp_path / '3DPW_train.json', change)
    said = convert.fails()
    assert '3DPW_train.json: entry' in said
    assert message in said


@pytest.mark.parametrize('bbox', [[30, 20, 40, 0.4], [-60, 20, 60.5, 40], [500, 20, 40, 40]])
def test_a_box_that_tests_would_refuse_gives_way_to_the_picture(tmp_path, bbox):
    convert, _ = small(tmp_path, sources=('parsed',))
    edit_json(tmp_path / '3DPW_train.json', corrupt_parsed('annotations', bbox=bbox))
    record, _ = convert()
    assert record['bbox_px'][0].tolist() == [0, 0, 191, 107]
    assert len(MeshDataset(str(convert.out), test_mode=True)) == len(record) == 3


def test_missing_files_are_listed_together(tmp_path):
    convert, _ = small(tmp_path)
    (tmp_path / 'imageFiles').rename(tmp_path / 'elsewhere')
    said = convert.fails()
    for line in ('parsed files lack\n  3DPW_train.json:', 'imageFiles/courtyard_toy_00: folder of'):
        assert line in said
    assert '3DPW_train.json' not in convert.fails('--source', 'raw')
    said = convert.fails('--split', 'test', '--source', 'raw')
    assert 'sequenceFiles/test/*.pkl: SMPL and cameras' in said
    (tmp_path / 'elsewhere').rename(tmp_path / 'imageFiles')
    pictures = sorted(tmp_path.glob('imageFiles/*/*'))
    pictures[0].unlink()  # the size comes from another one
    assert '1 of 3 images are missing or bad' in convert.fails()
    pictures[1].write_bytes(b'no picture')
    assert f'{pictures[1].name} cannot be decoded' in convert.fails()
    for picture in pictures[1:]:
        picture.unlink()
    assert 'got no pictures, expected image_%05d.jpg of 3 frames' in convert.fails()


def test_both_models_are_needed(tmp_path, capsys):
    convert, _ = small(tmp_path)
    convert.options = convert.options[:-2]
    with pytest.raises(SystemExit):
        convert()
    assert '--body-model-female' in capsys.readouterr().err


def test_pictures_that_lie_on_their_side_have_the_size_of_the_upright_one(tmp_path):
    convert, _ = small(tmp_path)
    for path in tmp_path.glob('imageFiles/*/*'):
        with Image.open(path) as picture:
            turned = picture.transpose(Image.Transpose.ROTATE_90)
        exif = Image.Exif()
        exif[0x0112] = 6
        turned.save(path, exif=exif)
    record, _ = convert('--check-images')
    assert record['image_size_px'].tolist() == [[192, 108]] * 3
