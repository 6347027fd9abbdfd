"""Boxes around the joints in a picture, and what stands in for those too small to be cropped."""

import numpy as np
import pytest
from joint_boxes import box_around_joints, box_or_picture

from i2l_plugin.geometry.crop import MIN_BOX_PX

SIZE, PICTURE = (320, 240), [0, 0, 319, 239]


@pytest.mark.parametrize(
    ('inside', 'expected'),
    [
        ([(10, 20), (60, 40)], [5, 18, 65, 42]),  # 1.2 times as large
        ([], PICTURE),
        ([(10, 20)], PICTURE),
        ([(2, 100), (5, 100.3)], PICTURE),  # 0.36 px high
        ([(319.2, 100), (319.5, 120)], PICTURE),  # beyond the last pixel's centre
        ([(300, 100), (319.5, 120)], [298.05, 98, 321.45, 122]),
    ],
)
def test_boxes_hold_the_joints_in_the_picture_or_everything(inside, expected):
    outside = [(-30, 50), (400, 60), (30, 240)]
    behind = [(100, 200)]
    joints_px = np.array([*inside, *outside, *behind], float)
    in_front = np.arange(len(joints_px)) < len(joints_px) - 1
    box = box_around_joints(joints_px, in_front, SIZE)
    np.testing.assert_allclose(box, expected)


@pytest.mark.parametrize(
    ('box', 'kept'),
    [
        ([10, 20, 10 + MIN_BOX_PX, 60], True),
        ([10, 20, 9.9 + MIN_BOX_PX, 60], False),
        ([-50, 20, 0.5, 60], False),  # of 50.5 px one half is in the picture
        ([-50, 20, 1.5, 60], True),
        ([318.5, 20, 400, 60], False),
    ],
)
def test_a_box_too_small_to_be_cropped_gives_way_to_the_picture(box, kept):
    assert box_or_picture(np.array(box), SIZE).tolist() == (box if kept else PICTURE)
