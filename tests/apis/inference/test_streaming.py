"""A whole video from file to file, read, tracked, smoothed and written: content and memory."""

import os
import tracemalloc
from collections import deque
from fractions import Fraction

import av
import numpy as np
from helpers_scenes import scene
from helpers_video import grey_video, level, levels_of

from i2l_plugin.apis.inference.frames import read_frames
from i2l_plugin.apis.inference.smoothing import smooth
from i2l_plugin.apis.inference.tracking import IouTracker, track_people
from i2l_plugin.apis.inference.video import VideoWriter

VERTICES = 2000


def rss_bytes():
    """Memory of this process, native libraries included."""
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def fake_predictions(frames, waiting):
    """Two people whose place tells the frame's grey level; the frames wait for their meshes."""
    for frame in frames:
        waiting.append(frame)
        right_mm = float(frame.image_bgr[-8:, -8:].mean())
        roots_mm = [[-800 + right_mm, 0, 4000], [800, right_mm, 4000]]
        yield scene(frame.frame_id, roots_mm, time_s=frame.time_s, vertices=VERTICES)


def convert(source, target, method):
    """Copies a video through all stages; yields the number of each written frame."""
    waiting = deque()
    frames = read_frames(source)
    samples = track_people(fake_predictions(frames, waiting), IouTracker())
    with VideoWriter(target, 30000 / 1001) as writer:
        for sample in smooth(samples, method):
            frame = waiting.popleft()
            assert frame.frame_id == sample.metainfo['frame_id']
            assert sample.pred_instances.track_ids.tolist() == [0, 1]
            writer.write(frame.image_bgr[..., ::-1])
            yield frame.frame_id


def test_a_video_goes_through_frame_by_frame(tmp_path):
    grey_video(tmp_path / 'in.mp4', 23)
    assert list(convert(tmp_path / 'in.mp4', tmp_path / 'out.mp4', 'savgol')) == list(range(23))
    with av.open(str(tmp_path / 'out.mp4')) as container:
        assert container.streams.video[0].average_rate == Fraction(30000, 1001)
        images = [frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)]
    np.testing.assert_allclose(levels_of(images), [level(i) for i in range(23)], atol=4)


def test_a_stream_that_is_closed_early_leaves_a_valid_video(tmp_path):
    """As when the user stops a camera."""
    grey_video(tmp_path / 'in.mp4', 23)
    stream = convert(tmp_path / 'in.mp4', tmp_path / 'out.mp4', 'one-euro')
    for _ in range(10):
        next(stream)
    stream.close()
    with av.open(str(tmp_path / 'out.mp4')) as container:
        assert sum(1 for _ in container.decode(video=0)) == 10


def test_memory_does_not_grow_with_the_length(tmp_path):
    """Held, 200 more frames would take 28 MB for their meshes and 46 MB for their pictures."""
    peaks = []
    for num_frames in (60, 260):
        source = grey_video(tmp_path / f'{num_frames}.mp4', num_frames, width=320, height=240)
        tracemalloc.start()
        for frame_id in convert(source, tmp_path / 'out.mp4', 'savgol'):
            if frame_id == 59:
                rss_before = rss_bytes()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 1e6
    assert rss_bytes() < rss_before + 12e6
