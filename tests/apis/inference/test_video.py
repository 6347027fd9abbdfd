"""Videos that are written, read back by OpenCV and PyAV's demuxer."""

import contextlib
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from i2l_plugin.apis.inference import video
from i2l_plugin.apis.inference.video import VideoWriter


def moving_picture(height, width, i):
    """RGB, smooth, one colour channel different from the others, moving by 3 px a frame."""
    y, x = np.mgrid[:height, :width]
    red = 128 + 100 * np.sin((x + 3 * i) / 30)
    green = 128 + 100 * np.cos(y / 25)
    return np.stack([red, green, np.full_like(red, 60)], axis=-1).round().astype(np.uint8)


@pytest.mark.parametrize(
    ('fps', 'rate'),
    [
        (25, Fraction(25)),
        (30000 / 1001, Fraction(30000, 1001)),
        (24000 / 1001, Fraction(24000, 1001)),
        (29.97, Fraction(2997, 100)),
        (12.5, Fraction(25, 2)),
    ],
)
def test_rate_count_size_and_content_are_kept(tmp_path, fps, rate):
    images = [moving_picture(96, 128, i) for i in range(20)]
    with VideoWriter(tmp_path / 'new' / 'a.mp4', fps) as writer:
        for image in images:
            writer.write(image)
    capture = cv2.VideoCapture(str(tmp_path / 'new' / 'a.mp4'))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(float(fps), rel=1e-5)
    for image in images:
        read, decoded = capture.read()
        assert read
        error = np.abs(decoded[..., ::-1].astype(int) - image)
        assert error.mean() < 3
    assert not capture.read()[0]
    with av.open(str(tmp_path / 'new' / 'a.mp4')) as container:
        stream = container.streams.video[0]
        assert (stream.average_rate, stream.frames, stream.codec_context.name) == (rate, 20, 'h264')
        assert stream.codec_context.pix_fmt == 'yuv420p'  # the one that browsers play


def test_an_odd_side_grows_by_a_copy_of_its_neighbour(tmp_path):
    image = moving_picture(61, 85, 0)
    with VideoWriter(tmp_path / 'a.mp4', 25) as writer:
        writer.write(image)
    read, decoded = cv2.VideoCapture(str(tmp_path / 'a.mp4')).read()
    assert read
    assert decoded.shape == (62, 86, 3)
    rgb = decoded[..., ::-1].astype(int)
    assert np.abs(rgb[:61, :85] - image).mean() < 3
    assert np.abs(rgb[61, :85] - image[60]).mean() < 6
    assert np.abs(rgb[:61, 85] - image[:, 84]).mean() < 6


def test_the_table_of_contents_is_in_front(tmp_path):
    with VideoWriter(tmp_path / 'a.mp4', 25) as writer:
        writer.write(moving_picture(32, 32, 0))
    data = (tmp_path / 'a.mp4').read_bytes()
    assert data.index(b'moov') < data.index(b'mdat')


def write_until(error, images, path):
    with VideoWriter(path, 25) as writer:
        for image in images:
            writer.write(image)
            assert path.read_bytes() == b'old'  # until the end
        if error is not None:
            raise error


@pytest.mark.parametrize('stop', [KeyboardInterrupt, GeneratorExit])
def test_ctrl_c_leaves_the_finished_part(tmp_path, stop):
    (tmp_path / 'a.mp4').write_bytes(b'old')
    images = [moving_picture(32, 32, i) for i in range(7)]
    with pytest.raises(stop):
        write_until(stop(), images, tmp_path / 'a.mp4')
    assert [path.name for path in tmp_path.iterdir()] == ['a.mp4']
    with av.open(str(tmp_path / 'a.mp4')) as container:
        assert sum(1 for _ in container.decode(video=0)) == 7


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / 'a.mp4').write_bytes(b'old')
    images = [moving_picture(32, 32, 0), moving_picture(32, 30, 0)]
    with pytest.raises(ValueError, match='frame 1 has 30 x 32 px, but the video has 32 x 32 px'):
        write_until(None, images, tmp_path / 'a.mp4')
    with pytest.raises(OSError, match='no space left'):
        write_until(OSError('no space left'), images[:1], tmp_path / 'a.mp4')
    assert [path.name for path in tmp_path.iterdir()] == ['a.mp4']
    assert (tmp_path / 'a.mp4').read_bytes() == b'old'


@pytest.mark.parametrize('error', [None, KeyboardInterrupt()])
def test_no_picture_gives_no_file(tmp_path, error):
    with contextlib.suppress(KeyboardInterrupt):
        write_until(error, [], tmp_path / 'a.mp4')
    assert not list(tmp_path.iterdir())


def test_ctrl_c_in_the_first_picture_gives_no_file(tmp_path, monkeypatch):
    class _Interrupted:
        @staticmethod
        def from_ndarray(*_, **__):
            raise KeyboardInterrupt

    monkeypatch.setattr(video.av, 'VideoFrame', _Interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_until(None, [moving_picture(32, 32, 0)], tmp_path / 'a.mp4')
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('fps', [0, -1, float('nan'), float('inf'), 90000])
def test_impossible_rates_are_refused(tmp_path, fps):
    with pytest.raises(ValueError, match='fps: got'):
        VideoWriter(tmp_path / 'a.mp4', fps)


def test_other_extensions_and_arrays_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r'a\.avi.*\.mp4'):
        VideoWriter(tmp_path / 'a.avi', 25)
    for image in (np.zeros((4, 5), np.uint8), np.zeros((4, 5, 3)), np.zeros((4, 5, 4), np.uint8)):
        with (
            pytest.raises(ValueError, match='image_rgb: got'),
            VideoWriter(tmp_path / 'a.mp4', 25) as writer,
        ):
            writer.write(image)
    assert not list(tmp_path.iterdir())
