"""Smoothed scene samples: scipy on whole sequences, one picture with the space, order, mistakes."""

import copy

import cv2
import numpy as np
import pytest
from helpers_scenes import FOCAL_PX, PRINCPT_PX, scene
from scipy.signal import savgol_filter

from i2l_plugin.apis.inference.smoothing import FILTERED, smooth


def noisy_walks(num_frames=40, seed=0):
    """Two people, listed in turns in either order, with 20 mm of noise on every coordinate."""
    rng = np.random.default_rng(seed)
    samples = []
    for i in range(num_frames):
        roots = np.array([[-500 + 20 * i, 0, 4000], [500, 10 * i, 3000 + 15 * i]], float)
        order = [0, 1] if i % 3 else [1, 0]
        sample = scene(i, roots[order], order, time_s=i / 25)
        for name in FILTERED:
            field = sample.pred_instances[name]
            field += rng.normal(0, 20, field.shape).astype(np.float32)
        samples.append(sample)
    return samples


def of_person(samples, person, name):
    """(frames, ...) of one person."""
    return np.stack(
        [
            sample.pred_instances[name][list(sample.pred_instances.track_ids).index(person)]
            for sample in samples
        ]
    )


def test_every_coordinate_of_everybody_is_smoothed_as_scipy_does():
    samples = noisy_walks()
    smoothed = list(smooth(iter(copy.deepcopy(samples)), 'savgol', window=7, order=2))
    for person in (0, 1):
        for name in FILTERED:
            raw = of_person(samples, person, name).astype(float)
            expected = savgol_filter(raw, 7, 2, axis=0, mode='interp')
            np.testing.assert_allclose(of_person(smoothed, person, name), expected, atol=2e-3)


@pytest.mark.parametrize('method', ['one-euro', 'savgol'])
def test_image_points_are_those_of_the_smoothed_space(method):
    samples = noisy_walks()
    smoothed = list(smooth(iter(copy.deepcopy(samples)), method))
    camera = np.array([[FOCAL_PX[0], 0, PRINCPT_PX[0]], [0, FOCAL_PX[1], PRINCPT_PX[1]], [0, 0, 1]])
    for raw, sample in zip(samples, smoothed, strict=True):
        people, before = sample.pred_instances, raw.pred_instances
        for points_cam, points_px in (
            (people.vertices_cam, people.vertices_img[..., :2]),
            (people.joints_cam, people.keypoints),
        ):
            flat = points_cam.reshape(-1, 3).astype(float)
            expected, _ = cv2.projectPoints(flat, np.zeros(3), np.zeros(3), camera, None)
            np.testing.assert_allclose(points_px.reshape(-1, 2), expected[:, 0], atol=1e-3)
        np.testing.assert_array_equal(people.vertices_img[..., 2], people.vertices_cam[..., 2])
        for name in ('bboxes', 'bbox_scores', 'vertex_spread', 'track_ids'):
            np.testing.assert_array_equal(people[name], before[name])
        assert {name: people[name].dtype for name in people.keys()} == {  # noqa: SIM118
            name: before[name].dtype
            for name in before.keys()  # noqa: SIM118
        }


@pytest.mark.parametrize(('method', 'share'), [('one-euro', 0.75), ('savgol', 0.6)])
def test_noise_shrinks(method, share):
    """Against the walks without noise; the first second is left to settle in."""
    clean = [scene(i, [[-500 + 20 * i, 0, 4000]], [0], time_s=i / 25) for i in range(60)]
    noisy = noisy_walks(60)
    truth = of_person(clean, 0, 'vertices_cam')[25:-4]
    before = of_person(noisy, 0, 'vertices_cam')[25:-4] - truth
    after = of_person(list(smooth(noisy, method)), 0, 'vertices_cam')[25:-4] - truth
    assert after.std() < share * before.std()


def test_frames_without_people_and_without_times():
    samples = [scene(i, [[0, 0, 3000 + 10 * i]] if i != 5 else []) for i in range(12)]
    smoothed = list(smooth(samples, 'savgol', fps=10.0))
    assert [sample.metainfo['frame_id'] for sample in smoothed] == list(range(12))
    assert [len(sample.pred_instances) for sample in smoothed] == [1] * 5 + [0] + [1] * 6
    depths = [float(s.pred_instances.root_depth_mm[0]) for s in smoothed if len(s.pred_instances)]
    expected = [3000 + 10 * i for i in range(12) if i != 5]
    np.testing.assert_allclose(depths, expected, atol=1e-2)


def test_the_rate_counts_where_frames_have_no_time():
    """A One-Euro filter at twice the rate trusts each frame less."""
    steps = []
    for fps in (10.0, 20.0):
        samples = [scene(i, [[0, 0, 3000 + 100 * i]]) for i in range(2)]
        last = list(smooth(samples, 'one-euro', fps=fps, beta=0.0))[-1]
        steps.append(float(last.pred_instances.root_depth_mm[0]) - 3000)
    expected = [100 / (1 + fps / (2 * np.pi)) for fps in (10, 20)]
    np.testing.assert_allclose(steps, expected, rtol=1e-4)


def test_frames_come_as_soon_as_they_can():
    """A camera's frames: at once with One-Euro, half a window later with Savitzky-Golay."""
    for method, options, delay in (('one-euro', {}, 0), ('savgol', {'window': 5}, 2)):
        taken = []
        samples = (taken.append(i) or scene(i, [[0, 0, 3000]]) for i in range(100))
        smoothed = smooth(samples, method, **options)
        for _ in range(50):
            frame_id = next(smoothed).metainfo['frame_id']
        assert (frame_id, taken[-1]) == (49, 49 + delay)


def test_people_without_meshes_are_smoothed_too():
    samples = noisy_walks(10)
    for sample in samples:
        del sample.pred_instances.vertices_cam
        del sample.pred_instances.vertices_img
    first = next(smooth(samples, 'savgol'))
    assert 'vertices_img' not in first.pred_instances


def test_mistakes_are_named():
    with pytest.raises(ValueError, match=r"method: got 'kalman', expected one of \['one-euro', 's"):
        smooth([], 'kalman')
    with pytest.raises(ValueError, match='window: got 4'):
        smooth([], 'savgol', window=4)
    sample = scene(0, [[0, 0, 3000]])
    del sample.pred_instances.track_ids
    with pytest.raises(ValueError, match='no track_ids; pass them through track_people'):
        list(smooth([sample], 'one-euro'))
    two_videos = [scene(i, [[0, 0, 3000]], time_s=i / 25) for i in (0, 1, 0, 1)]
    with pytest.raises(ValueError, match=r'frame 0 is at 0\.0 s, not after .* 0\.04 s'):
        list(smooth(two_videos, 'one-euro'))
