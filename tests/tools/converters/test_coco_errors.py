"""Mistakes in MSCOCO's files, in those of the fits, and on the command line are named."""

import re

import numpy as np
import pytest
from helpers_coco import coco_converter, rows_of, write_coco
from helpers_converters import edit_json

PEOPLE = 'annotations/person_keypoints_train2017.json'
FITS = 'annotations/coco_smplifyx_train.json'


def corrupt_fit(name, numbers):
    def change(content):
        group = 'cam_param' if name in {'focal', 'princpt'} else 'smpl_param'
        content['183126'][group][name] = numbers

    return FITS, change


def corrupt_person(**values):
    def change(content):
        content['annotations'][0].update(values)

    return PEOPLE, change


CORRUPT_FITS = [
    (corrupt_fit('pose', [0.0] * 71), r'coco_smplifyx_train.json: entry 183126: pose: got shape'),
    (corrupt_fit('shape', [float('nan')] * 10), r'entry 183126: shape: got NaN or inf'),
    (corrupt_fit('shape', [[1.0], [1.0, 2.0]]), r'entry 183126: shape: '),
    ((FITS, lambda content: content['183126'].pop('cam_param')), r"entry 183126: it has no 'cam_p"),
]
CORRUPT_PEOPLE = [
    (corrupt_person(keypoints=[0] * 50), r'annotations\[0\] \(id 183126\): keypoints: got shape'),
    (corrupt_person(image_id=5), r'id 183126\): image_id: got 5, expected one of the images'),
    (corrupt_person(bbox=[0, 0, -1, 5]), r'id 183126\): bbox: got width -1'),
    (corrupt_person(id=183127), r'\[1\] \(id 183127\): id: got that of another person'),
    (corrupt_person(id='x'), r"annotations\[0\] \(id x\): id: got 'x'"),
    ((PEOPLE, lambda content: content['annotations'].insert(0, 7)), r'annotations\[0\] \(id None'),
    ((PEOPLE, lambda content: content['images'][0].pop('width')), r"images\[0\]: it has no 'width"),
]


@pytest.mark.parametrize(('corrupt', 'message'), CORRUPT_FITS + CORRUPT_PEOPLE)
def test_a_corrupt_entry_stops_with_its_key(tmp_path, corrupt, message):
    write_coco(tmp_path)
    edit_json(tmp_path / corrupt[0], corrupt[1])
    assert re.search(message, coco_converter(tmp_path).fails())


@pytest.mark.parametrize('corrupt', [corrupt for corrupt, _ in CORRUPT_FITS])
def test_people_of_corrupt_fits_are_kept_without_on_request(tmp_path, corrupt):
    truth = write_coco(tmp_path)
    edit_json(tmp_path / corrupt[0], corrupt[1])
    record, said = coco_converter(tmp_path)('--on-error', 'skip')
    row = rows_of(record)[183126]
    assert not record['fit_valid'][row]
    np.testing.assert_array_equal(record['focal_px'][row], 1500)
    assert record['sample_id'].tolist() == truth.kept
    assert 'without a fit: 1 (corrupt entry)' in said
    assert f'{FITS}: entry 183126' in said


@pytest.mark.parametrize('corrupt', [corrupt for corrupt, _ in CORRUPT_PEOPLE[:3]])
def test_corrupt_people_are_left_out_on_request(tmp_path, corrupt):
    truth = write_coco(tmp_path)
    edit_json(tmp_path / corrupt[0], corrupt[1])
    record, said = coco_converter(tmp_path)('--on-error', 'skip')
    assert record['sample_id'].tolist() == truth.kept[1:]
    assert 'dropped: 1 (corrupt entry)' in said


def test_missing_files_models_and_images_are_named(tmp_path):
    assert 'person_keypoints_train2017.json: MSCOCO' in coco_converter(tmp_path).fails()
    write_coco(tmp_path)
    assert '--body-model FILE' in coco_converter(tmp_path, model=False).fails()
    next((tmp_path / 'train2017').iterdir()).unlink()
    assert '1 of 8 images are missing' in coco_converter(tmp_path).fails()
