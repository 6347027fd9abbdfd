"""Frames of videos: rates, times, rotation, cut files, damaged frames, cameras."""

import contextlib
import itertools
import time
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from helpers_video import claim_seconds, grey_video, level, levels_of, turn_quarter

from i2l_plugin.apis.inference import video_reader
from i2l_plugin.apis.inference.frames import read_frames
from i2l_plugin.apis.inference.video_reader import VideoReader


@pytest.mark.parametrize('fps', [Fraction(25), Fraction(30000, 1001), Fraction(24000, 1001)])
@pytest.mark.parametrize(
    ('name', 'codec', 'clock_s'),
    [('a.mp4', 'libx264', 1e-4), ('a.avi', 'mpeg4', 1e-4), ('a.webm', 'libvpx', 1e-3)],
)
def test_frames_rate_count_and_times(tmp_path, fps, name, codec, clock_s):
    path = str(grey_video(tmp_path / name, 10, fps, codec=codec))
    frames = list(read_frames(path))
    assert np.allclose(
        levels_of(f.image_bgr for f in frames), [level(i) for i in range(10)], atol=3
    )
    assert [frame.frame_id for frame in frames] == list(range(10))
    times_s = [i / float(fps) for i in range(10)]
    np.testing.assert_allclose([frame.time_s for frame in frames], times_s, atol=clock_s)
    source = frames[0].source
    assert (source.kind, source.num_frames, source.path) == ('video', 10, path)
    assert source.fps == pytest.approx(float(fps), rel=1e-4)


def test_times_of_a_variable_rate_are_the_videos_own(tmp_path):
    ticks_ms = [0, 40, 60, 200, 210, 300]
    path = grey_video(tmp_path / 'a.mp4', 6, ticks=ticks_ms)
    with av.open(str(path)) as container:
        expected_s = [frame.time for frame in container.decode(video=0)]
    assert np.ptp(np.diff(expected_s)) > 0.1  # the test's video does vary
    times_s = [frame.time_s for frame in read_frames(path)]
    np.testing.assert_allclose(times_s, expected_s, atol=1e-6)


def test_rotation_is_applied(tmp_path):
    """The black left half is up after a quarter turn clockwise."""
    turn_quarter(path := grey_video(tmp_path / 'a.mp4', 3))
    for i, frame in enumerate(read_frames(path)):
        assert frame.image_bgr.shape == (64, 48, 3)
        assert frame.image_bgr[:24].mean() < 3
        assert frame.image_bgr[40:].mean() == pytest.approx(level(i), abs=3)


def test_a_cut_video_is_reported_after_its_last_frame(tmp_path):
    path = grey_video(tmp_path / 'a.mp4', 100)
    with av.open(str(path)) as container:
        ends = [packet.pos + packet.size for packet in container.demux(video=0) if packet.size]
    path.write_bytes(path.read_bytes()[: sorted(ends)[59]])
    reported = []
    frames = list(read_frames(path, on_skip=lambda *report: reported.append(report)))
    assert 50 <= len(frames) <= 60  # frames may wait for one another's packets
    reason = f'{len(frames)} of 100 frames decoded; the rest is cut or damaged'
    assert reported == [(str(path), reason)]


def test_a_header_that_claims_years_is_not_tried_for_hours(tmp_path, monkeypatch):
    path = grey_video(tmp_path / 'years.mkv', num_frames=12, fps=10)
    claim_seconds(path, 2e8)
    with VideoReader(str(path)) as reader:
        monkeypatch.setattr(reader, '_capture', Patient(reader._capture, most=50_000))
        assert reader.num_frames == 2_000_000_000
        assert len(list(reader)) == 12
    assert '12 of 2000000000 frames decoded' in reader.missing()


class Patient:
    """A capture that is asked for so many frames and no more."""

    def __init__(self, capture, most):
        self._capture, self._left = capture, most

    def __getattr__(self, name):
        return getattr(self._capture, name)

    def grab(self):
        self._left -= 1
        assert self._left, 'asked again and again'
        return self._capture.grab()


@pytest.mark.parametrize('name', ['a.mp4', 'a.mkv'])
def test_damage_in_the_middle_is_skipped_and_the_rest_goes_on(tmp_path, name):
    """Three frames overwritten: PyAV, which goes on by itself, says what can still be decoded."""
    path = grey_video(tmp_path / name, 60, options={'g': '10', 'bf': '0'})
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    for start, size in places[23:26]:
        # Matroska's place is that of the block's header, which must stay
        data[start + (name == 'a.mkv') * 12 : start + size] = bytes(size - (name == 'a.mkv') * 12)
    path.write_bytes(data)
    expected = []
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            with contextlib.suppress(av.error.InvalidDataError):
                expected += [frame.to_ndarray(format='bgr24') for frame in packet.decode()]
    reported = []
    frames = list(read_frames(path, on_skip=lambda *report: reported.append(report)))
    assert 40 < len(expected) < 60
    levels = levels_of(frame.image_bgr for frame in frames)
    np.testing.assert_allclose(levels, levels_of(expected), atol=2)
    np.testing.assert_allclose(levels[-20:], [level(i) for i in range(40, 60)], atol=3)
    assert {reason for _, reason in reported} == {'the frame is damaged'}
    assert len(frames) + len(reported) == 60  # each is reported once
    times_s = [frame.frame_id * 1.001 / 30 for frame in frames]
    np.testing.assert_allclose([frame.time_s for frame in frames], times_s, atol=1e-3)


class _FakeCapture:
    """OpenCV's capture: 5 frames, the third of which cannot be decoded; time stamps stand still."""

    released = False

    def __init__(self, source):
        self.source = source
        self.position = -1

    def isOpened(self):  # noqa: N802 - OpenCV's name
        return True

    def get(self, prop):
        return {cv2.CAP_PROP_FPS: 10.0, cv2.CAP_PROP_FRAME_COUNT: 5.0}.get(prop, 0.0)

    def grab(self):
        self.position += 1
        return self.position < 5

    def retrieve(self):
        if self.position == 2:
            return False, None
        return True, np.full((4, 6, 3), self.position, np.uint8)

    def release(self):
        type(self).released = True


@pytest.fixture
def fake_capture(monkeypatch):
    monkeypatch.setattr(video_reader.cv2, 'VideoCapture', _FakeCapture)
    monkeypatch.setattr(_FakeCapture, 'released', False)


@pytest.mark.usefixtures('fake_capture')
def test_a_damaged_frame_is_reported_and_the_rest_goes_on(tmp_path):
    (tmp_path / 'clip.mp4').write_bytes(b'x')
    reported = []
    frames = list(read_frames(tmp_path / 'clip.mp4', lambda *report: reported.append(report)))
    assert [frame.frame_id for frame in frames] == [0, 1, 3, 4]
    assert [int(frame.image_bgr.max()) for frame in frames] == [0, 1, 3, 4]
    assert reported == [('clip_000002', 'the frame is damaged')]  # once
    # without usable time stamps, time goes on at the frame rate
    np.testing.assert_allclose([frame.time_s for frame in frames], [0, 0.1, 0.3, 0.4])


@pytest.mark.usefixtures('fake_capture')
def test_a_camera_streams_until_it_is_closed(monkeypatch):
    clock = itertools.count(100)
    monkeypatch.setattr(time, 'monotonic', lambda: float(next(clock)))
    frames = read_frames('webcam:2', on_skip=lambda *_: None)
    first, second = next(frames), next(frames)
    assert (first.name, first.path, first.time_s) == ('webcam_000000', None, 0.0)
    assert (second.name, second.time_s) == ('webcam_000001', 1.0)
    assert (first.source.kind, first.source.fps, first.source.num_frames) == ('webcam', 10.0, None)
    assert not _FakeCapture.released
    frames.close()
    assert _FakeCapture.released


def test_a_camera_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match='webcam:63: camera 63 cannot be opened'):
        list(read_frames('webcam:63'))


def test_headers_without_rate_and_count_say_that_they_are_unknown(tmp_path, monkeypatch):
    """Nor do they keep a damaged packet, here the second, from being passed over."""

    class _Capture(_FakeCapture):
        def grab(self):
            return super().grab() and self.position != 1

    values = {cv2.CAP_PROP_FPS: 90000.0, cv2.CAP_PROP_FRAME_COUNT: -9e18}
    monkeypatch.setattr(_Capture, 'get', lambda _, prop: values.get(prop, 0.0))
    monkeypatch.setattr(video_reader.cv2, 'VideoCapture', _Capture)
    (tmp_path / 'a.mkv').write_bytes(b'x')
    with VideoReader(str(tmp_path / 'a.mkv')) as reader:
        assert reader.fps is None
        assert reader.num_frames is None
        frames = list(reader)
        assert reader.missing() == ''
    # without time stamps, a packet that is passed over takes its time
    np.testing.assert_allclose([frames[i][1] for i in (0, 3, 4)], [0, 3 / 25, 4 / 25])
    assert [(frame_id, image is None) for frame_id, _, image in frames] == [
        (0, False),
        (1, True),
        (2, True),  # cannot be decoded
        (3, False),
        (4, False),
    ]


@pytest.mark.parametrize(('promised', 'reported'), [(6, False), (7, True)])
def test_a_count_that_is_a_guess_may_be_one_too_many(tmp_path, monkeypatch, promised, reported):
    """Matroska does not count frames: OpenCV takes duration times rate. Five are there."""
    monkeypatch.setattr(_FakeCapture, 'get', lambda *_: float(promised))
    monkeypatch.setattr(_FakeCapture, 'retrieve', lambda _: (True, np.zeros((4, 6, 3), np.uint8)))
    monkeypatch.setattr(video_reader.cv2, 'VideoCapture', _FakeCapture)
    for name, is_reported in (('a.mkv', reported), ('a.mp4', True)):
        (tmp_path / name).write_bytes(b'x')
        with VideoReader(str(tmp_path / name)) as reader:
            assert len(list(reader)) == 5
            assert bool(reader.missing()) == is_reported
