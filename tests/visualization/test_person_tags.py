"""Boxes and tags: inside the picture, off one another, the near box on top."""

import numpy as np
import pytest

from i2l_plugin.visualization.person_tags import draw_boxes, draw_tags

RED, GREEN, BLUE = np.eye(3)


def areas(picture, colors):
    """The rectangle (x0, y0, x1, y1, ends included) that spans each plain colour."""
    boxes = []
    for color in colors:
        y, x = np.nonzero((picture == np.rint(255 * color)).all(-1))
        boxes.append((x.min(), y.min(), x.max(), y.max()))
    return boxes


def apart(a, b):
    return a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]


@pytest.mark.parametrize('height', [120, 480, 1080])
def test_tags_stand_on_their_anchors_with_readable_text(height):
    image = np.full((height, 2 * height, 3), 90, np.uint8)
    anchor = np.array([0.4 * height, 0.6 * height])
    picture = draw_tags(image, [anchor], ['3: 4.1 m'], [BLUE])
    x0, _, _, y1 = areas(picture, [BLUE])[0]
    np.testing.assert_allclose((x0, y1 + 1), anchor, atol=1)
    changed = (picture != 90).any(-1)
    assert 8 <= np.flatnonzero(changed.any(axis=1)).size < 0.12 * height + 8
    assert picture[..., 0].max() > 180  # white on dark
    yellow = np.array([1.0, 1.0, 0])
    picture = draw_tags(image, [anchor], ['3: 4.1 m'], [yellow])
    assert picture[picture[..., 0] != 90].min(axis=0)[0] < 80  # black on light
    assert (image == 90).all()


def test_tags_at_one_place_move_apart_and_stay_inside():
    image = np.full((100, 160, 3), 90, np.uint8)
    colors = np.random.default_rng(0).integers(0, 100, (5, 3)) / 255
    picture = draw_tags(image, np.full((5, 2), 150.0), ['12: 3.4 m'] * 5, colors)
    boxes = areas(picture, colors)
    for i, a in enumerate(boxes):
        assert a[0] >= 0
        assert a[1] >= 0
        assert all(apart(a, b) for b in boxes[:i])
    # none is covered: all are as large as a tag alone
    alone = areas(draw_tags(image, [[10.0, 50]], ['12: 3.4 m'], [RED]), [RED])[0]
    assert {(b[2] - b[0], b[3] - b[1]) for b in boxes} == {
        (alone[2] - alone[0], alone[3] - alone[1])
    }


def test_too_many_tags_and_anchors_anywhere_do_no_harm():
    image = np.zeros((40, 60, 3), np.uint8)
    anchors = np.array([[1e12, -1e12], [np.nan, 5], [-50, 900], [np.inf, np.inf]] * 5)
    picture = draw_tags(image, anchors, ['17: 12.3 m'] * 20, np.tile(RED, (20, 1)))
    assert (picture == (255, 0, 0)).all(-1).mean() > 0.4
    np.testing.assert_array_equal(draw_tags(image, np.zeros((0, 2)), [], np.zeros((0, 3))), image)


def test_boxes_are_outlines_with_the_first_on_top():
    image = np.zeros((100, 160, 3), np.uint8)
    boxes = np.array(
        [[20.0, 30, 80, 70], [20, 30, 120, 90], [np.nan, 0, 5, 5], [-1e9, 5, 1e9, 1e9]]
    )
    picture = draw_boxes(image, boxes, np.stack([RED, GREEN, BLUE, BLUE]))
    places = {(30, 50): RED, (50, 20): RED, (30, 100): GREEN, (90, 100): GREEN, (5, 60): BLUE}
    for (y, x), color in places.items():  # the first two lie where both boxes are; lines are smooth
        np.testing.assert_allclose(picture[y, x], 255 * color, atol=40)
    assert not picture[45, 50].any()
    assert not image.any()
