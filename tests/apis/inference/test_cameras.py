"""Which camera a picture is taken for: every way to give one, and what stands in for it."""

import json
import math

import numpy as np
import pytest

from i2l_plugin.apis.inference.cameras import CameraFinder, read_intrinsics

MATRIX = [[1100.0, 0, 500], [0, 1200, 400], [0, 0, 1]]


@pytest.mark.parametrize(
    ('given', 'focal', 'princpt'),
    [
        (1100, [1100, 1100], None),
        ([1100.0], [1100, 1100], None),
        ((1100, 1200), [1100, 1200], None),
        (np.array(MATRIX), [1100, 1200], [500, 400]),
        ({'focal_px': 1100}, [1100, 1100], None),
        ({'focal_px': [1100, 1200], 'princpt_px': [500, 400]}, [1100, 1200], [500, 400]),
        ({'focal': [1100, 1200], 'princpt': [500, 400]}, [1100, 1200], [500, 400]),
        ({'K': MATRIX}, [1100, 1200], [500, 400]),
    ],
)
def test_intrinsics_are_given_in_many_ways(given, focal, princpt):
    found_focal, found_princpt = read_intrinsics(given)
    assert found_focal.tolist() == focal
    assert (found_princpt is None) == (princpt is None)
    if princpt:
        assert found_princpt.tolist() == princpt


def write_camera(path):
    if path.suffix == '.json':
        path.write_text(json.dumps({'focal_px': [1100, 1200], 'princpt_px': [500, 400]}))
    elif path.suffix == '.npz':
        np.savez(path, focal_px=[1100, 1200], princpt_px=[500, 400], other=np.ones(3))
    else:
        np.savetxt(path, MATRIX)
    return path


@pytest.mark.parametrize('suffix', ['.json', '.npz', '.txt'])
def test_files_of_intrinsics_are_read_and_recorded_as_given(tmp_path, suffix):
    camera = CameraFinder(write_camera(tmp_path / f'camera{suffix}'))(640, 480)
    assert camera.focal_px.tolist() == [1100, 1200]
    assert camera.princpt_px.tolist() == [500, 400]
    assert camera.source == 'given intrinsics'


def test_the_principal_point_that_is_not_given_is_the_centre_of_each_picture():
    find = CameraFinder(1100)
    assert find(640, 480).princpt_px.tolist() == [320, 240]
    assert find(100, 50).princpt_px.tolist() == [50, 25]


@pytest.mark.parametrize('fov', [20.0, 62.2, 120.0])
def test_the_field_of_view_is_the_angle_between_the_left_and_the_right_border(fov):
    camera = CameraFinder(fov_deg=fov)(640, 480)
    assert camera.source == 'field of view'
    x = (np.array([0, 640]) - camera.princpt_px[0]) / camera.focal_px[0]
    left, right = (np.array([value, 0, 1]) / math.hypot(value, 1) for value in x)
    assert math.degrees(math.acos(left @ right)) == pytest.approx(fov, abs=1e-3)
    assert camera.focal_px[0] == camera.focal_px[1]


def test_an_unknown_camera_is_that_of_rootnet():
    camera = CameraFinder()(641, 480)
    assert camera.focal_px.tolist() == [1500, 1500]
    assert camera.princpt_px.tolist() == [320.5, 240]
    assert camera.source == 'default 1500 px'


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        (0, 'one or two numbers > 0'),
        (-5.0, 'one or two numbers > 0'),
        ([1, 2, 3], 'one or two numbers > 0'),
        (float('nan'), 'finite numbers'),
        ({'focal_px': 'wide'}, 'finite numbers'),
        ({'focal_px': 5, 'princpt_px': [1, 2, 3]}, 'principal point'),
        ({'princpt_px': [1, 2]}, "expected 'focal_px'"),
        ({'focal_px': 5, 'K': MATRIX}, "expected 'focal_px'"),
        ({'K': MATRIX, 'princpt_px': [1, 2]}, 'one of them'),
        (np.array(MATRIX).T, 'pinhole without skew'),
    ],
)
def test_what_is_no_camera_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        read_intrinsics(given)


@pytest.mark.parametrize('fov', [0, 180, -10, float('nan')])
def test_a_field_of_view_out_of_range_is_refused(fov):
    with pytest.raises(ValueError, match='between 0 and 180'):
        CameraFinder(fov_deg=fov)


def test_two_cameras_are_refused():
    with pytest.raises(ValueError, match='give one of them'):
        CameraFinder(1100, 50)


@pytest.mark.parametrize(
    ('name', 'content'),
    [
        ('a.json', b'{"focal_px": 11'),
        ('a.json', b'[1, 2]'),
        ('a.npz', b'not a zip'),
        ('a.npz', b''),
        ('a.txt', b'1 2 3 4'),
        ('a.txt', b'\xff\xfe\x00'),
    ],
)
def test_a_broken_file_is_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f'{name}.*cannot be read'):
        CameraFinder(tmp_path / name)


def test_a_file_that_would_run_code_is_refused(tmp_path):
    np.savez(tmp_path / 'camera.npz', focal_px=np.array([print], dtype=object))
    with pytest.raises(ValueError, match='cannot be read'):
        CameraFinder(tmp_path / 'camera.npz')


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'nothing\.json'):
        CameraFinder(str(tmp_path / 'nothing.json'))
