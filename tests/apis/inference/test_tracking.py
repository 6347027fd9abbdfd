"""Tracks of people: the best assignment by trying all, crossings, gaps, and ids used once."""

import itertools

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torchvision.ops import box_iou as torchvision_iou

from i2l_plugin.apis.inference.tracking import IouTracker, best_matches, box_iou, track_people


def box(x, y, width=60, height=120):
    return [x, y, x + width, y + height]


def run(frames, **kwargs):
    """Ids of each frame's boxes."""
    tracker = IouTracker(**kwargs)
    return [tracker.update(np.array(boxes, float).reshape(-1, 4)).tolist() for boxes in frames]


def random_boxes(rng, n):
    corner = rng.uniform(0, 60, (n, 2))
    return np.concatenate([corner, corner + rng.uniform(20, 80, (n, 2))], axis=1)


def test_iou_is_that_of_torchvision():
    rng = np.random.default_rng(0)
    first, second = random_boxes(rng, 7), random_boxes(rng, 5)
    expected = torchvision_iou(torch.from_numpy(first), torch.from_numpy(second))
    np.testing.assert_allclose(box_iou(first, second), expected.numpy(), atol=1e-12)
    empty = np.array([[5.0, 5.0, 5.0, 5.0]])
    assert box_iou(empty, empty) == 0


def best_by_trying_all(iou, min_iou):
    """Greatest sum over all ways to give rows to columns, some to none."""
    best = 0.0
    rows, columns = iou.shape
    for chosen in itertools.permutations([*range(columns), *[None] * rows], rows):
        pairs = [iou[r, c] for r, c in enumerate(chosen) if c is not None]
        if all(value >= min_iou for value in pairs):
            best = max(best, sum(pairs))
    return best


@pytest.mark.parametrize('seed', range(20))
def test_the_assignment_is_the_best_of_all(seed):
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(0, 4, 2)
    iou = rng.uniform(0, 1, (rows, columns))
    pairs = best_matches(iou, 0.4)
    assert len({r for r, _ in pairs}) == len({c for _, c in pairs}) == len(pairs)
    assert all(iou[pair] >= 0.4 for pair in pairs)
    assert sum(iou[pair] for pair in pairs) == pytest.approx(best_by_trying_all(iou, 0.4))


def test_a_pair_too_weak_does_not_keep_a_good_one_apart():
    """0.5 alone beats 0.35 + 0.35, whose sum is greater but which are below the least IoU."""
    assert best_matches(np.array([[0.5, 0.35], [0.35, 0.0]]), 0.4) == [(0, 0)]


@pytest.mark.parametrize('jitter_px', [0.0, 3.0])
def test_people_who_cross_keep_their_ids(jitter_px):
    rng = np.random.default_rng(1)
    frames = []
    for i in range(41):
        boxes = np.array([box(10 + 8 * i, 50), box(330 - 8 * i, 50)], float)
        frames.append(boxes + rng.normal(0, jitter_px, boxes.shape))
    ids = run([frame if i % 2 else frame[::-1] for i, frame in enumerate(frames)])
    assert ids == [[0, 1] if i % 2 else [1, 0] for i in range(41)] or ids == [
        [1, 0] if i % 2 else [0, 1] for i in range(41)
    ]


@pytest.mark.parametrize(('gap', 'same'), [(1, True), (5, True), (6, False)])
def test_a_person_missing_for_a_while_is_recognised_up_to_max_age(gap, same):
    """He walks 10 px a frame: after 5 frames only the expected place overlaps enough."""
    seen = [*range(8), *range(8 + gap, 16)]
    ids = run([[box(10 + 10 * i, 50)] if i in seen else [] for i in range(16)], max_age=5)
    later = 0 if same else 1
    assert ids == [[] if i not in seen else [0 if i < 8 else later] for i in range(16)]


def test_a_gap_does_not_count_as_one_long_step():
    seen = (0, 1, 2, 3, 7, 11, 15)
    ids = run([[box(10 + 10 * i, 50)] if i in seen else [] for i in range(16)])
    assert [i for i in ids if i] == [[0]] * len(seen)


def test_ids_are_never_used_again():
    """One person after another at one place, each gone longer than max_age."""
    frames = [[box(10, 10)] if i % 4 == 0 else [] for i in range(40)]
    assert [ids[0] for ids in run(frames, max_age=2) if ids] == list(range(10))


def test_an_id_belongs_to_one_box_of_a_frame():
    """Two boxes on one person: one is he, the other somebody new."""
    ids = run([[box(10, 10)], [box(30, 10), box(12, 10)], [box(30, 10), box(12, 10)]])
    assert ids == [[0], [1, 0], [1, 0]]


def test_a_box_that_shrank_is_expected_at_its_last_size():
    """A person half out of the picture who comes back: the place moves on, the size stays."""
    frames = [[box(100 + 10 * i, 100, 60 - 20 * i)] for i in range(3)]
    assert run([*frames, [], [], [], [box(120, 100, 20)]])[-1] == [0]


def test_memory_is_that_of_the_living():
    tracker = IouTracker(max_age=3)
    for i in range(200):
        tracker.update(np.array([box(1000 * i, 0)], float))
    assert len(tracker._tracks) == 4
    assert tracker.update(np.zeros((0, 4))).shape == (0,)


def test_scene_samples_get_track_ids():
    samples = []
    for boxes in ([box(0, 0), box(300, 0)], [], [box(302, 0), box(1, 0), box(600, 0)]):
        instances = InstanceData(bboxes=np.array(boxes, np.float32).reshape(-1, 4))
        sample = PoseDataSample()
        sample.pred_instances = instances
        samples.append(sample)
    ids = [sample.pred_instances.track_ids.tolist() for sample in track_people(iter(samples))]
    assert ids == [[0, 1], [], [1, 0, 2]]


@pytest.mark.parametrize('values', [{'min_iou': 0}, {'max_age': -1}, {'inertia': 1}])
def test_values_outside_their_range_are_refused(values):
    with pytest.raises(ValueError, match=f'{next(iter(values))}: got'):
        IouTracker(**values)
