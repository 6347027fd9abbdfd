"""Files of boxes and depths: what they say, and which file is refused with which words."""

import json

import numpy as np
import pytest

from i2l_plugin.datasets.person_results import read_person_results

ROOTNET = {'image_id': 7, 'bbox': [10, 20, 30, 40], 'root_cam': [1.0, -2.0, 3000.0]}
DETECTION = {'image_id': 7, 'category_id': 1, 'bbox': [10, 20, 30, 40], 'score': 0.75}


@pytest.fixture
def read(tmp_path):
    def write_and_read(content):
        path = tmp_path / 'results.json'
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return read_person_results(path)

    return write_and_read


def test_rootnets_entries_are_grown_boxes_and_depths(read):
    results = read([ROOTNET, {**ROOTNET, 'image_id': 9, 'root_cam': [0, 0, 4]}])
    assert results.grown
    assert results.source == 'RootNet'
    assert results.ann_id is None
    assert results.image_id.tolist() == [7, 9]
    assert results.box_px.tolist() == [[10, 20, 40, 60]] * 2
    assert results.root_depth.tolist() == [3000, 4]
    assert results.score.tolist() == [1, 1]


def test_rootnets_entries_of_3dpw_name_the_person(read):
    assert read([{**ROOTNET, 'ann_id': 55}]).ann_id.tolist() == [55]


def test_detections_are_boxes_with_scores_and_other_categories_are_left_out(read):
    dog = {**DETECTION, 'category_id': 18, 'score': 0.9}
    results = read([dog, DETECTION, {**DETECTION, 'bbox': [0.5, 0, 0, 0], 'image_id': 8}])
    assert not results.grown
    assert results.source == 'detector'
    assert results.image_id.tolist() == [7, 8]
    assert results.box_px.tolist() == [[10, 20, 40, 60], [0.5, 0, 0.5, 0]]
    assert results.score.tolist() == [0.75, 0.75]
    assert results.root_depth is None


def without(entry, key):
    return {name: value for name, value in entry.items() if name != key}


NAN = float('nan')


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('', r'not a complete JSON file .* RootNet'),
        ('[{"image_id": 7, "bb', r'not a complete JSON file'),
        ({'images': [], 'annotations': []}, "got a dict; expected RootNet's list of"),
        ([], "got an empty list; expected RootNet's list"),
        ([[1, 2]], "got a list; expected RootNet's list"),
        ([DETECTION, 3], r"entry 1 has no \['image_id', 'category_id', 'bbox', 'score'\]"),
        ([without(DETECTION, 'score')], r"entry 0 has no \['score'\]; expected RootNet"),
        ([ROOTNET, without(ROOTNET, 'root_cam')], r"entry 1 has no \['root_cam'\]"),
        ([DETECTION, {**DETECTION, 'bbox': [1, 2, 3]}], r'bbox that is not 4 .* first \[1\]'),
        ([{**DETECTION, 'bbox': [1, 2, 3, NAN]}], 'bbox that is not 4 finite numbers in 1 of 1'),
        ([{**DETECTION, 'bbox': 'no'}], 'bbox that is not 4 finite numbers'),
        ([{**DETECTION, 'bbox': {'x': 1}}], 'bbox that is not 4 finite numbers'),
        ([{**DETECTION, 'score': NAN}], 'score that is not a finite number'),
        ([{**DETECTION, 'score': None}], 'score that is not a finite number'),
        ([{**ROOTNET, 'root_cam': [0, 0, NAN]}], 'root_cam that is not 3 finite numbers'),
        ([{**ROOTNET, 'root_cam': [0, 0, -3]}], r'root_cam behind the camera .* expected z > 0'),
        ([{**ROOTNET, 'bbox': [1, 2, 0, 5]}], 'bbox without area in 1 of 1 entries'),
        ([{**ROOTNET, 'image_id': '7'}], 'image_id that is no whole number in 1 of 1'),
        ([{**ROOTNET, 'image_id': 7.5}], 'image_id that is no whole number'),
        ([{**ROOTNET, 'ann_id': 1}, ROOTNET], 'ann_id that is no whole number in 1 of 2'),
        ([{**DETECTION, 'category_id': 3}], r'got category_id \[3\], expected 1 \(person, or'),
    ],
)
def test_other_files_are_refused_by_name(read, content, message):
    with pytest.raises(ValueError, match=rf'results.json: .*{message}'):
        read(content)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'none.json: no such file; .*check bbox_file'):
        read_person_results(tmp_path / 'none.json')


def test_an_entry_more_does_not_move_the_others(read):
    entries = [{**DETECTION, 'image_id': i, 'bbox': [i, 0, 1, 1]} for i in range(5)]
    entries.insert(2, {**DETECTION, 'category_id': 2})
    results = read(entries)
    np.testing.assert_array_equal(results.box_px[:, 0], results.image_id)
