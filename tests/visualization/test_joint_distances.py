"""Distances by name, and explanations of known changes."""

import re

import numpy as np
import pytest

from i2l_plugin.body_models.joint_sets import BODY_29, HAND_21
from i2l_plugin.visualization.crop_truth import NamedPoints
from i2l_plugin.visualization.joint_distances import (
    centred_distances,
    exchange_sides,
    explain_mm,
    explain_px,
    joint_distances,
    only_sides,
)

NAMES = BODY_29.joint_names[:24]


def joints(points, names=NAMES):
    return NamedPoints(tuple(names), np.asarray(points, float))


@pytest.fixture
def body_px():
    """A standing person seen at an angle: neither symmetric nor flat."""
    return joints(np.random.default_rng(4).normal([128, 120], [30, 60], (len(NAMES), 2)))


def turned(points, degrees, scale=1.0):
    a = np.deg2rad(degrees)
    rotation = scale * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return points @ rotation.T


def test_distances_go_by_name_and_name_the_farthest():
    one = joints([[0, 0], [10, 0], [5, 5]], ['Neck', 'L_Hip', 'Head'])
    other = joints([[13, 4], [0, 1], [7, 7]], ['L_Hip', 'Neck', 'Nose'])
    distances = joint_distances(one, other)
    assert distances.names == ('Neck', 'L_Hip')
    np.testing.assert_allclose(distances.values, [1, 5])
    assert distances.median == 3
    assert distances.farthest == ('L_Hip', 5)
    np.testing.assert_allclose(centred_distances(one, other).values, np.hypot(1.5, 1.5))
    nothing = joint_distances(one, joints([[1, 1]], ['Nose']))
    assert (nothing.median, nothing.farthest) == (None, None)
    assert centred_distances(one, joints([[1, 1]], ['Nose'])).median is None


def test_sides():
    points = joints([[1, 0], [2, 0], [3, 0]], ['L_Hip', 'R_Hip', 'Neck'])
    np.testing.assert_allclose(
        exchange_sides(points).take(['R_Hip', 'L_Hip', 'Neck'])[:, 0], [1, 2, 3]
    )
    assert only_sides(points).names == ('L_Hip', 'R_Hip')


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (lambda p: joints(p.points + np.array([40, -7])), r'a shift by \(\+40, -7\) px'),
        (lambda p: joints(1.4 * p.points), 'a zoom by 1.40 .* focal length'),
        (lambda p: joints(turned(p.points, 30)), r'a turn by \+30 degrees'),
        (exchange_sides, 'left and right look exchanged'),
        (lambda p: exchange_sides(joints(p.points * (-1, 1) + [255, 0])), 'other: check the flip'),
        (lambda p: joints(p.points * (-1, 1) + [255, 0]), 'without exchanging left and right'),
    ],
)
def test_known_changes_are_told_from_each_other(body_px, change, words):
    noise = np.random.default_rng(1).normal(0, 1, body_px.points.shape)
    text = explain_px(body_px, change(joints(body_px.points + noise)))
    assert re.search(words, text), text


def test_nothing_is_explained_by_chance(body_px):
    rng = np.random.default_rng(2)
    other = joints(rng.normal([128, 120], [30, 60], (len(NAMES), 2)))
    assert explain_px(body_px, other) is None
    assert explain_px(body_px, joints(body_px.points[:3] + 50, NAMES[:3])) is None


def test_hands_have_no_sides():
    points = np.random.default_rng(3).normal(128, 40, (21, 2))
    hand = joints(points, HAND_21.joint_names)
    assert 'shift' in explain_px(hand, joints(points + np.array([9, 60]), HAND_21.joint_names))


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (lambda p: joints(p.points * (1, 1, -1) + [0, 0, 9000]), 'depth looks reversed'),
        (exchange_sides, 'left and right look exchanged'),
        (lambda p: exchange_sides(joints(p.points * (-1, 1, 1))), 'mirrored against each other'),
    ],
)
def test_changes_in_space(change, words):
    body = joints(np.random.default_rng(5).normal([0, 0, 4000], [200, 500, 150], (24, 3)))
    assert words in explain_mm(body, change(body))


def test_nothing_in_space_is_explained_by_chance():
    rng = np.random.default_rng(6)
    one, other = (joints(rng.normal(0, 300, (24, 3))) for _ in range(2))
    assert explain_mm(one, other) is None
    assert explain_mm(one, joints(np.zeros((1, 3)), ['Nose'])) is None
