"""Focal lengths from EXIF data that PIL writes, against a pinhole before a sensor of known size."""

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from i2l_plugin.apis.inference.cameras import CameraFinder
from i2l_plugin.apis.inference.exif import exif_focal_px

FULL_FRAME_MM, FOUR_THIRDS_MM = (36.0, 24.0), (17.3, 12.98)
CM = 3


def save_picture(path, size, tags, orientation=1):
    """A JPEG of (width, height) as stored, with tags of the EXIF IFD by number."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8769).update(tags)
    Image.new('RGB', size).save(path, exif=exif)
    return str(path)


def sensor_tags(sensor_mm, size, focal_mm):
    """As a camera writes them: focal length, and px per cm of its sensor."""
    pixels_a_cm = [10 * px / mm for px, mm in zip(size, sensor_mm, strict=True)]
    return {
        0x920A: IFDRational(round(100 * focal_mm), 100),
        0xA20E: IFDRational(round(1000 * pixels_a_cm[0]), 1000),
        0xA20F: IFDRational(round(1000 * pixels_a_cm[1]), 1000),
        0xA210: CM,
        0xA002: size[0],
        0xA003: size[1],
    }


@pytest.mark.parametrize('size', [(600, 400), (1200, 800)])
def test_35_mm_equivalent_on_full_frame_is_the_focal_length_itself(tmp_path, size):
    path = save_picture(tmp_path / 'a.jpg', size, {0xA405: 50})
    truth = 50 / FULL_FRAME_MM[0] * size[0]
    assert exif_focal_px(path, *size) == pytest.approx((truth, truth), rel=1e-6)


def test_35_mm_equivalent_of_another_aspect_goes_by_the_diagonal(tmp_path):
    """A 25 mm lens on a Four Thirds sensor, whose diagonal is half of full frame's."""
    path = save_picture(tmp_path / 'a.jpg', (800, 600), {0xA405: 50})
    truth = 25 / FOUR_THIRDS_MM[0] * 800
    assert exif_focal_px(path, 800, 600) == pytest.approx((truth, truth), rel=2e-3)


def test_focal_length_and_resolution_of_the_sensor(tmp_path):
    size = (800, 400)  # of pixels that are not square
    path = save_picture(tmp_path / 'a.jpg', size, sensor_tags(FULL_FRAME_MM, size, 35))
    truth = 35 / 36 * 800, 35 / 24 * 400
    assert exif_focal_px(path, *size) == pytest.approx(truth, rel=1e-4)


@pytest.mark.parametrize(('unit', 'unit_mm'), [(2, 25.4), (3, 10), (4, 1), (None, 25.4)])
def test_units_of_the_resolution(tmp_path, unit, unit_mm):
    tags = sensor_tags(FULL_FRAME_MM, (720, 480), 36)
    resolution = IFDRational(round(10 * 20 * unit_mm), 10)  # 20 px per mm
    tags.update({0xA20E: resolution, 0xA20F: resolution})
    tags = {tag: value for tag, value in {**tags, 0xA210: unit}.items() if value is not None}
    path = save_picture(tmp_path / 'a.jpg', (720, 480), tags)
    assert exif_focal_px(path, 720, 480) == pytest.approx((720, 720), rel=1e-4)


def test_a_picture_that_was_scaled_since(tmp_path):
    tags = sensor_tags(FULL_FRAME_MM, (6000, 4000), 50)
    path = save_picture(tmp_path / 'a.jpg', (600, 400), tags)
    truth = 50 / 36 * 600
    assert exif_focal_px(path, 600, 400) == pytest.approx((truth, truth), rel=1e-4)


@pytest.mark.parametrize('orientation', range(1, 9))
def test_a_turned_picture_swaps_the_axes_of_its_focal_length(tmp_path, orientation):
    size = (800, 400)
    tags = sensor_tags(FULL_FRAME_MM, size, 35)
    path = save_picture(tmp_path / 'a.jpg', size, tags, orientation)
    fx, fy = 35 / 36 * 800, 35 / 24 * 400
    turned = orientation >= 5
    truth = (fy, fx) if turned else (fx, fy)
    upright = size[::-1] if turned else size
    assert exif_focal_px(path, *upright) == pytest.approx(truth, rel=1e-4)


def test_the_camera_of_a_turned_picture_as_opencv_shows_it(tmp_path):
    import cv2

    path = save_picture(tmp_path / 'a.jpg', (600, 400), {0xA405: 50}, orientation=6)
    height, width = cv2.imread(path).shape[:2]
    camera = CameraFinder()(width, height, path)
    assert (width, height) == (400, 600)
    assert camera.source == 'EXIF'
    np.testing.assert_allclose(camera.focal_px, 50 / 36 * 600, rtol=1e-6)
    assert camera.princpt_px.tolist() == [200, 300]


@pytest.mark.parametrize(
    'tags',
    [
        {},
        {0xA405: 0},
        {0x920A: IFDRational(35)},
        {0xA405: 50, 0xA002: 400, 0xA003: 400},  # cropped since
        {**sensor_tags(FULL_FRAME_MM, (600, 400), 35), 0xA210: 77},
        {**sensor_tags(FULL_FRAME_MM, (600, 400), 35), 0xA20F: IFDRational(0, 0)},
    ],
)
def test_pictures_that_do_not_say_have_the_default(tmp_path, tags):
    path = save_picture(tmp_path / 'a.jpg', (600, 400), tags)
    assert exif_focal_px(path, 600, 400) is None
    assert CameraFinder()(600, 400, path).source == 'default 1500 px'


def test_given_cameras_come_before_exif(tmp_path):
    path = save_picture(tmp_path / 'a.jpg', (600, 400), {0xA405: 50})
    assert CameraFinder(1000)(600, 400, path).source == 'given intrinsics'
    assert CameraFinder(fov_deg=50)(600, 400, path).source == 'field of view'


def test_a_file_without_exif_data_or_that_is_no_picture_does_not_say(tmp_path):
    (tmp_path / 'a.jpg').write_bytes(b'not a picture')
    assert exif_focal_px(str(tmp_path / 'a.jpg'), 600, 400) is None
