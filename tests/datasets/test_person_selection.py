"""Which persons a protocol takes and which fits are trusted, counted by hand."""

import numpy as np
import pytest
from helpers_records import toy_columns
from mmengine.logging import MMLogger

from i2l_plugin.body_models import SMPL_24
from i2l_plugin.datasets import AnnotationRecord
from i2l_plugin.datasets.person_selection import (
    FitLimit,
    middle_in_view,
    protocol_of,
    select_persons,
)
from i2l_plugin.protocols import PROTOCOLS, get_protocol

CAMERAS, SUBJECTS, FRAMES = (1, 2, 3, 4), (9, 11), (0, 5, 64, 100, 320, 325)


@pytest.fixture
def messages(monkeypatch):
    messages = []
    logger = MMLogger.get_current_instance()
    monkeypatch.setattr(logger, 'warning', messages.append)
    monkeypatch.setattr(logger, 'info', messages.append)
    return messages


def record_of(n=3, **changes):
    return AnnotationRecord.create(**{**toy_columns(n=n), **changes})


def human36m(drop=(), subjects=SUBJECTS, cameras=CAMERAS, frames=FRAMES):
    ids = np.array([(s, c, f) for s in subjects for c in cameras for f in frames])
    columns = dict(zip(('id_subject', 'id_camera', 'id_frame'), ids.T, strict=True))
    for name in drop:
        del columns[name]
    return record_of(len(ids), **columns), ids


@pytest.mark.parametrize(
    ('name', 'cameras', 'frames'),
    [
        ('h36m/paper', {4}, {0, 64, 320}),
        ('h36m/paper-4cameras', {1, 2, 3, 4}, {0, 64, 320}),
        ('h36m/protocol1', {1, 2, 3, 4}, {0, 5, 100, 320, 325}),
        ('h36m/protocol2', {4}, {0, 5, 100, 320, 325}),
    ],
)
def test_human36m_protocols_take_their_cameras_and_frames(name, cameras, frames):
    record, ids = human36m()
    chosen = select_persons(record, get_protocol(name))
    expected = [camera in cameras and frame in frames for _, camera, frame in ids.tolist()]
    assert chosen.tolist() == expected


def test_other_subjects_are_left_out():
    record, ids = human36m(subjects=(1, 5, 6, 7, 8, 9, 11))
    train = select_persons(record, get_protocol('h36m/train'))
    assert set(ids[train, 0].tolist()) == {1, 5, 6, 7, 8}
    assert set(ids[select_persons(record, get_protocol('h36m/paper')), 0].tolist()) == {9, 11}


def test_without_a_protocol_everyone_is_taken():
    record, ids = human36m()
    assert select_persons(record, None).tolist() == [True] * len(ids)


@pytest.mark.parametrize(
    ('options', 'name', 'message'),
    [
        ({'subjects': (9,)}, 'h36m/paper', r'has no subject \[11\], expected all of h36m/paper'),
        (
            {'cameras': (4,)},
            'h36m/protocol1',
            r'has no camera \[1, 2, 3\], expected all of h36m/pr',
        ),
        ({'frames': (0, 64, 128, 320)}, 'h36m/protocol2', 'has every 320th frame of it only'),
        ({'frames': (0, 5, 10)}, 'h36m/paper', None),  # frame 0 alone says nothing
        ({'frames': (1, 2)}, 'h36m/paper', 'has nobody of it'),
        ({'drop': ['id_frame']}, 'h36m/paper', "has no column 'id_frame'"),
        ({'drop': ['id_camera']}, 'h36m/paper', "has no column 'id_camera'"),
        ({'drop': ['id_subject']}, 'h36m/paper', "has no column 'id_subject'"),
    ],
)
def test_a_record_that_holds_less_than_the_protocol_is_refused(options, name, message):
    record, _ = human36m(**options)
    if message is None:
        assert select_persons(record, get_protocol(name)).sum() == 2
        return
    with pytest.raises(ValueError, match=f'protocol: the record {message}'):
        select_persons(record, get_protocol(name))


def test_a_part_of_a_protocol_of_known_size_is_used_with_a_warning(messages):
    assert select_persons(record_of(), get_protocol('3dpw/paper')).all()
    assert "3 persons of the protocol '3dpw/paper', which has 35515" in messages[0]


# in the order of BodyNet's table of joints, whose numbers are SMPL's, counted from 1
BODYNET = (8, 5, 2, 3, 6, 9, 1, 7, 13, 16, 21, 19, 17, 18, 20, 22)


def bodynet_center(joints_px):
    """Of its loader, from (24, 2): a box 1.5 times as wide and 1.6 as high, more of it above."""
    x, y = ([float(joints_px[number - 1][k]) for number in BODYNET] for k in range(2))
    width, height = max(x) - min(x), max(y) - min(y)
    left, right = min(x) - 0.25 * width, max(x) + 0.25 * width
    top, bottom = min(y) - 0.35 * height, max(y) + 0.25 * height
    return (left + right) / 2, (top + bottom) / 2


def test_persons_in_view_are_those_that_bodynets_loader_keeps(messages):
    n, width, height = 300, 320, 240
    rng = np.random.default_rng(0)
    where = rng.uniform([-60, -60], [width + 60, height + 60], (n, 1, 2))
    px = (where + rng.normal(0, 40, (n, 24, 2))).astype(np.float32)
    expected = []
    for joints_px in px:
        x, y = bodynet_center(joints_px)
        expected.append(0 <= x < width and 0 <= y < height)
    anything = ((px >= 0) & (px < [width, height])).all(axis=-1).any(axis=1)
    assert 50 < sum(expected) < anything.sum() - 20  # a hand in the picture is not enough
    columns = {**toy_columns(n=n), 'joint_names': SMPL_24.joint_names, 'joints_px': px}
    columns['joints_cam_mm'] = np.zeros((n, 24, 3))
    columns['joints_valid'] = np.ones((n, 24), bool)
    columns['image_size_px'] = np.tile([width, height], (n, 1))
    record = AnnotationRecord.create(**columns)
    assert select_persons(record, get_protocol('surreal/493')).tolist() == expected
    assert select_persons(record, get_protocol('surreal/507')).all()
    assert len(messages) == 2  # neither has its known number


def test_joints_that_are_not_valid_do_not_move_the_middle():
    px = np.tile([[100.0, 100.0]], (3, 24, 1))
    valid = np.ones((3, 24), bool)
    px[0, SMPL_24.index('L_Wrist')] = [900, 100]
    px[1] = px[0]
    valid[1, SMPL_24.index('L_Wrist')] = valid[2] = False
    inside = middle_in_view(SMPL_24.joint_names, px, valid, (320, 240))
    assert inside.tolist() == [False, True, False]


def test_protocols_are_found_by_name_and_data_set():
    assert protocol_of('h36m', None) is None
    assert protocol_of('h36m', 'h36m/paper') is PROTOCOLS['h36m/paper']
    with pytest.raises(ValueError, match=r"got '3dpw/paper' of another data set.*'h36m/protocol1'"):
        protocol_of('h36m', '3dpw/paper')
    with pytest.raises(ValueError, match="unknown protocol 'paper'"):
        protocol_of('h36m', 'paper')


ERRORS = [10.0, 25.0, 25.1, np.nan, 3.0]
VALID = [True, True, True, True, False]


@pytest.mark.parametrize('column', ['fit_error_mm', 'fit_error_lixel'])
def test_fits_are_trusted_up_to_the_limit_and_where_the_error_is_known(column, messages):
    record = record_of(5, fit_valid=np.array(VALID), **{column: np.array(ERRORS, np.float32)})
    assert FitLimit(column, 25.0).trusted(record).tolist() == [True, True, False, False, False]
    assert 'of 4 fits 2 are used, 1 have' in messages[0]
    assert messages[0].endswith('above 25, 1 an unknown one')
    assert FitLimit(column, None).trusted(record).tolist() == VALID
    assert FitLimit(column, 1e9).trusted(record).tolist() == [True, True, True, False, False]
    assert len(messages) == 2


def test_a_limit_without_errors_to_judge_by_is_refused():
    record = record_of(2)
    with pytest.raises(ValueError, match=r"no column 'fit_error_mm'.*max_fit_error_mm=None to"):
        FitLimit('fit_error_mm', 25.0).trusted(record)
    unfitted = record_of(2, fit_valid=np.zeros(2, bool))
    assert not FitLimit('fit_error_mm', 25.0).trusted(unfitted).any()


@pytest.mark.parametrize('limit', [0, -3, float('nan')])
def test_a_limit_that_nothing_can_meet_is_refused(limit):
    with pytest.raises(ValueError, match=r'max_fit_error_mm: got .* expected a number > 0 or None'):
        FitLimit('fit_error_mm', limit).trusted(record_of(2))
