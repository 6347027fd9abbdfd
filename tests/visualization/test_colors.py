"""Colours of people: stable, and far apart by other formulas than those that chose them."""

import cv2
import numpy as np
import pytest

from i2l_plugin.visualization.colors import FIRST_COLOR, person_colors

# Vienot, Brettel and Mollon (1999): linear RGB as people without red or green cones see it.
VIENOT = {
    'protanopia': [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    'deuteranopia': [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
}


def smallest_difference(colors, vision=None):
    """The least CIELAB distance (CIE 1976) of any two colours; 2.3 is just noticeable."""
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ np.transpose(vision), 0, 1) if vision else linear
    lab = cv2.cvtColor(linear[None].astype(np.float32), cv2.COLOR_LRGB2Lab)[0]
    distance = np.linalg.norm(lab[:, None] - lab, axis=-1)
    return distance[~np.eye(len(colors), dtype=bool)].min()


@pytest.mark.parametrize(('count', 'least'), [(3, 50), (6, 30), (10, 20), (20, 12)])
def test_people_are_told_apart(count, least):
    assert smallest_difference(person_colors(count)) > least


@pytest.mark.parametrize('vision', VIENOT.values(), ids=VIENOT)
@pytest.mark.parametrize(('count', 'least'), [(3, 45), (6, 20), (10, 14), (12, 12)])
def test_red_green_blind_people_tell_them_apart(vision, count, least):
    assert smallest_difference(person_colors(count), vision) > least


def test_a_number_has_one_colour_whoever_else_is_there():
    np.testing.assert_array_equal(person_colors([7, 2, 7]), person_colors(8)[[7, 2, 7]])
    np.testing.assert_array_equal(person_colors(3), person_colors(200)[:3])
    np.testing.assert_array_equal(person_colors(np.array([70])), person_colors([6]))
    np.testing.assert_allclose(person_colors(1)[0], FIRST_COLOR)
    assert person_colors(0).shape == (0, 3)
    with pytest.raises(ValueError, match='whole numbers, got float'):
        person_colors([0.5])


def test_changing_a_result_changes_no_other():
    person_colors(3)[:] = 0
    assert person_colors(3).min() > 0.1
