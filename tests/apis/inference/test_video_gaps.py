"""A frame that cannot be read shifts nothing, and one video knows nothing of the one before it."""

import json

import av
import numpy as np
import pytest
from helpers_inference import IMAGE_SIZE, Oracle, People, noise_picture, tiny_network

from i2l_plugin.apis.inference import frames
from i2l_plugin.apis.inference.cli import _Report
from i2l_plugin.apis.inference.mesh_inferencer import MeshInferencer
from i2l_plugin.apis.inference.video import VideoWriter

FPS, DAMAGED = 10, 2
TIMES_S = (0.0, 0.1, 0.2, 0.32, 0.4)  # no clock is exact


class _DamagedVideo:
    """In place of VideoReader: five frames of their own grey, the third of which is damaged."""

    fps, num_frames = float(FPS), 5

    def __init__(self, path):
        assert path.endswith('clip.mp4')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def __iter__(self):
        for i in range(5):
            picture = np.full((*IMAGE_SIZE[::-1], 3), 40 * i, np.uint8)
            yield i, TIMES_S[i], None if i == DAMAGED else picture

    def missing(self):
        return ''


@pytest.fixture(scope='module')
def network(tmp_path_factory):
    return tiny_network(tmp_path_factory.mktemp('gaps'))


def test_a_damaged_frame_is_a_gap_and_the_rest_keeps_its_time(network, tmp_path, monkeypatch):
    monkeypatch.setattr(frames, 'VideoReader', _DamagedVideo)
    (tmp_path / 'clip.mp4').write_bytes(b'x')
    report = _Report()
    results = MeshInferencer(network)(
        str(tmp_path / 'clip.mp4'),
        out_dir=tmp_path / 'out',
        bboxes=[[[10 * i, 20, 10 * i + 100, 200]] for i in range(5)],
        on_skip=report.skip,
        return_datasamples=True,
    )
    for result in results:
        report.add(result['predictions'][0])
    assert report.summary().startswith('4 people in 4 pictures; 1 skipped; boxes: given')
    told = json.loads((tmp_path / 'out/predictions/clip.json').read_text())
    seen = [0, 1, 3, 4]
    assert [frame['frame_id'] for frame in told] == seen
    assert [frame['time_s'] for frame in told] == [TIMES_S[i] for i in seen]
    assert [frame['instances'][0]['bbox'][0][0] for frame in told] == [10 * i for i in seen]
    names = sorted(path.stem for path in (tmp_path / 'out/predictions/clip').iterdir())
    assert names == [f'clip_{i:06d}' for i in seen]
    with av.open(str(tmp_path / 'out/visualizations/clip.mp4')) as video:
        shown = [frame.to_ndarray(format='rgb24') for frame in video.decode(video=0)]
    greys = [np.median(picture[:, -20:]) for picture in shown]
    np.testing.assert_allclose(greys, [0, 40, 40, 120, 160], atol=4)  # the last good one stays


@pytest.mark.parametrize('smooth', [False, 'one-euro', 'savgol'])
def test_a_video_starts_anew_after_another(network, tmp_path, smooth):
    """Another person at another place: with number 0, and where he is from his first frame on."""
    people = People(network.body_model, n=2)
    people.bbox_px = np.array([[5, 20, 90, 200], [220, 30, 310, 210]], np.float32)
    inferencer = MeshInferencer(network)
    inferencer.estimate.estimator = Oracle(network, people)
    for name in ('a', 'b'):
        with VideoWriter(tmp_path / f'{name}.mp4', FPS) as video:
            for _ in range(3):
                video.write(noise_picture())
    results = inferencer(
        [str(tmp_path / 'a.mp4'), str(tmp_path / 'b.mp4')],
        bboxes=[people.bbox_px[:1]] * 3 + [people.bbox_px[1:]] * 3,
        root_depths=[people.root_depths_mm[:1]] * 3 + [people.root_depths_mm[1:]] * 3,
        camera=people.camera,
        smooth=smooth,
        return_datasamples=True,
    )
    found = [result['predictions'][0].pred_instances for result in results]
    assert [instances.track_ids.tolist() for instances in found] == [[0]] * 6
    expected = people.vertices_mm[[0, 0, 0, 1, 1, 1]]
    got = np.concatenate([instances.vertices_cam for instances in found])
    np.testing.assert_allclose(got, expected, atol=0.05)
