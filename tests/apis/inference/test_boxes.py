"""Boxes of people: cut to the picture as in training, given in any of the host's shapes."""

import numpy as np
import pytest

from i2l_plugin.apis.inference.boxes import PerPicture, given_boxes, whole_image

BOX, OTHER = [10.0, 20, 50, 80], [0.0, 5, 30, 60]


def entries(values, sizes=(4, 5)):
    return [entry.tolist() for entry in PerPicture('bboxes', values, sizes).entries]


@pytest.mark.parametrize(
    ('values', 'expected'),
    [
        ([BOX], [[BOX]]),
        ([BOX, OTHER], [[BOX, OTHER]]),
        (np.array([BOX, OTHER]), [[BOX, OTHER]]),
        ([tuple(BOX), np.array(OTHER)], [[BOX, OTHER]]),
        ([[BOX, OTHER]], [[BOX, OTHER]]),
        ([[BOX], [OTHER]], [[BOX], [OTHER]]),
        ([[BOX, OTHER], []], [[BOX, OTHER], []]),
        ([np.array([BOX]), np.zeros((0, 4))], [[BOX], []]),
        ([[], []], [[], []]),
        ([], []),
        ([[*BOX, 0.5]], [[[*BOX, 0.5]]]),
    ],
)
def test_boxes_of_one_or_many_pictures(values, expected):
    assert entries(values) == expected


@pytest.mark.parametrize(
    ('values', 'expected'),
    [
        ([4000, 5000], [[4000, 5000]]),
        ([[4000, 5000], [3000]], [[4000, 5000], [3000]]),
        ([[4000.5], []], [[4000.5], []]),
        ([[]], [[]]),
    ],
)
def test_depths_of_one_or_many_pictures(values, expected):
    assert entries(values, ()) == expected


@pytest.mark.parametrize(
    ('values', 'sizes', 'message'),
    [
        ([[[1, 2, 3]]], (4, 5), r'shape \(1, 3\), expected 4 or 5 numbers'),
        ([[[1, 2, 3, 4], [1, 2, 3]]], (4, 5), 'expected 4 or 5 numbers'),
        ([['left', 2, 3, 4]], (4, 5), 'expected 4 or 5 numbers'),
        ([[[4000]]], (), 'expected a number'),
    ],
)
def test_what_are_no_boxes_or_depths_is_refused(values, sizes, message):
    with pytest.raises(ValueError, match=message):
        PerPicture('bboxes', values, sizes)


def test_a_picture_too_many_is_named():
    values = PerPicture('bboxes', [[BOX]], (4, 5))
    assert values.of(0, 'first').tolist() == [BOX]
    with pytest.raises(ValueError, match="for 1 pictures, but 'second' is number 2"):
        values.of(1, 'second')


def test_given_boxes_are_cut_to_the_pixels_of_the_picture():
    boxes = given_boxes(np.array([[-10, -20, 400, 50], BOX], np.float32), 320, 240, 'a')
    np.testing.assert_array_equal(boxes.bbox_px, [[0, 0, 319, 50], BOX])
    np.testing.assert_array_equal(boxes.score, [1, 1])
    scored = given_boxes(np.array([[*BOX, 0.25]], np.float32), 320, 240, 'a')
    assert scored.score.tolist() == [0.25]
    assert scored.source == 'given'


@pytest.mark.parametrize(
    ('box', 'message'),
    [
        ([400, 10, 500, 50], 'bboxes of a: got.*less than 1 px'),
        ([50, 10, 10, 50], 'less than 1 px'),
        ([0, 0, np.nan, 50], 'finite'),
    ],
)
def test_a_box_without_area_in_the_picture_is_named(box, message):
    with pytest.raises(ValueError, match=message):
        given_boxes(np.array([BOX, box], np.float32), 320, 240, 'a')


def test_the_whole_image_is_the_box_of_all_its_pixels():
    boxes = whole_image(320, 240)
    assert boxes.bbox_px.tolist() == [[0, 0, 319, 239]]
    assert boxes.source == 'whole image'
