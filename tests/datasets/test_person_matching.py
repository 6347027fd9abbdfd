"""Which entry is whom: overlaps by hand and by a naive search, exact boxes, units of depth."""

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger
from mmpose.datasets.transforms import GetBBoxCenterScale
from torchvision.ops import box_iou as torch_iou

from i2l_plugin.datasets.person_matching import (
    Persons,
    box_iou,
    grow_box,
    match_persons,
    matched_boxes,
    matched_depths_mm,
    shrink_box,
)
from i2l_plugin.datasets.person_results import PersonResults

SIZE = np.array([[200, 100]])


def persons_of(boxes, image_id=None, sample_id=None):
    n = len(boxes)
    return Persons(
        np.arange(n) + 100 if sample_id is None else np.array(sample_id),
        np.zeros(n, int) if image_id is None else np.array(image_id),
        np.array(boxes, np.float32),
    )


def results_of(boxes, image_id=None, score=None, ann_id=None, depth=None):
    m = len(boxes)
    return PersonResults(
        path='results.json',
        grown=depth is not None,
        image_id=np.zeros(m, int) if image_id is None else np.array(image_id),
        ann_id=None if ann_id is None else np.array(ann_id),
        box_px=np.array(boxes, float),
        score=np.ones(m) if score is None else np.array(score),
        root_depth=None if depth is None else np.array(depth, float),
    )


def random_boxes(rng, n):
    low = rng.uniform(0, 100, (n, 2))
    return np.concatenate([low, low + rng.uniform(1, 60, (n, 2))], axis=1)


def naive_match(persons, results):
    """Best pair of all, again and again, in plain Python."""
    iou = torch_iou(
        torch.tensor(persons.box_px, dtype=torch.float64), torch.tensor(results.box_px)
    ).numpy()
    taken = [-1] * len(persons.sample_id)
    free = set(range(len(results.score)))
    while True:
        pairs = [
            (iou[p, e], results.score[e], -e, p)
            for p in range(len(taken))
            for e in free
            if taken[p] < 0 and persons.image_id[p] == results.image_id[e] and iou[p, e] > 0
        ]
        if not pairs:
            return taken
        *_, minus_entry, person = max(pairs)
        taken[person] = -minus_entry
        free.remove(-minus_entry)


def test_overlap_is_torchvisions():
    rng = np.random.default_rng(0)
    one, other = random_boxes(rng, 30), random_boxes(rng, 30)
    one[0], other[0] = [5, 5, 5, 9], [5, 5, 5, 9]  # without area
    expected = torch_iou(torch.tensor(one), torch.tensor(other)).diagonal().numpy()
    np.testing.assert_allclose(box_iou(one, other)[1:], expected[1:], atol=1e-12)
    assert box_iou(one, other)[0] == 0


@pytest.mark.parametrize('seed', range(8))
def test_matching_takes_the_best_pairs_first(seed):
    rng = np.random.default_rng(seed)
    persons = persons_of(random_boxes(rng, 12), image_id=rng.integers(0, 4, 12))
    results = results_of(
        random_boxes(rng, 25), image_id=rng.integers(0, 5, 25), score=rng.random(25)
    )
    matched = match_persons(results, persons)
    assert matched.tolist() == naive_match(persons, results)
    assert (matched >= 0).any()
    used = matched[matched >= 0]
    assert len(set(used.tolist())) == len(used)


def test_the_highest_score_wins_among_equal_overlaps():
    results = results_of([[0, 0, 9, 9]] * 3, score=[0.2, 0.9, 0.4])
    assert match_persons(results, persons_of([[0, 0, 10, 10]])).tolist() == [1]
    twins = persons_of([[0, 0, 10, 10], [0, 0, 10, 10]])
    assert sorted(match_persons(results, twins).tolist()) == [1, 2]


def test_boxes_that_do_not_overlap_are_nobodys():
    persons = persons_of([[0, 0, 10, 10], [50, 50, 60, 60]])
    results = results_of([[20, 20, 30, 30], [51, 50, 60, 60]], score=[0.99, 0.1])
    assert match_persons(results, persons).tolist() == [-1, 1]


def test_persons_are_found_by_their_number_where_the_file_has_it():
    persons = persons_of([[0, 0, 10, 10]] * 3, image_id=[1, 1, 2], sample_id=[70, 71, 72])
    results = results_of(
        [[40, 40, 50, 50]] * 3, image_id=[2, 1, 9], ann_id=[72, 70, 5], depth=[3, 4, 5]
    )
    assert match_persons(results, persons).tolist() == [1, -1, 0]


@pytest.mark.parametrize(
    ('image_id', 'ann_id', 'message'),
    [
        ([1, 1], [70, 70], r'got ann_id \[70\] more than once'),
        ([1, 2], [70, 71], r'ann_id \[71\] have another image_id than the annotation'),
    ],
)
def test_numbers_that_contradict_the_annotation_are_refused(image_id, ann_id, message):
    persons = persons_of([[0, 0, 10, 10]] * 2, image_id=[1, 1], sample_id=[70, 71])
    results = results_of([[0, 0, 9, 9]] * 2, image_id=image_id, ann_id=ann_id, depth=[1, 1])
    with pytest.raises(ValueError, match=message):
        match_persons(results, persons)


def test_grown_boxes_reach_the_pipeline_as_they_are():
    """RootNet's box is the crop: what `GetBBoxCenterScale` makes of it has its very size."""
    rng = np.random.default_rng(3)
    persons = persons_of([[60, 30, 100, 70], [5, 5, 30, 90]], image_id=[4, 5])
    grown = grow_box(persons.box_px) + rng.normal(0, 2, (2, 4))  # reach beyond the picture
    results = results_of(grown, image_id=[4, 5], depth=[3000, 3000])
    for padding in (1.25, 1.1):
        box_px, score, _ = matched_boxes(results, persons, np.repeat(SIZE, 2, 0), padding, 'error')
        assert box_px.dtype == np.float32
        assert score.tolist() == [1, 1]
        for box, expected in zip(box_px, grown, strict=True):
            step = GetBBoxCenterScale(padding=padding).transform({'bbox': box[None]})
            np.testing.assert_allclose(
                step['bbox_center'][0], (expected[:2] + expected[2:]) / 2, atol=2e-5
            )
            np.testing.assert_allclose(
                step['bbox_scale'][0], expected[2:] - expected[:2], atol=2e-5
            )


def test_growing_is_the_pipelines_and_shrinking_undoes_it():
    box = np.array([[10.0, 20, 50, 100]])
    np.testing.assert_allclose(grow_box(box), [[-20, 10, 80, 110]])
    step = GetBBoxCenterScale(padding=1.25).transform({'bbox': box})
    grown = np.concatenate(
        [
            step['bbox_center'] - step['bbox_scale'] / 2,
            step['bbox_center'] + step['bbox_scale'] / 2,
        ],
        axis=1,
    )
    np.testing.assert_allclose(shrink_box(grown, 1.25), box)


def test_detected_boxes_are_clipped_and_keep_their_scores():
    persons = persons_of([[150, 20, 199, 80]])
    results = results_of([[140, -9, 260, 90.5]], score=[0.625])
    box_px, score, found = matched_boxes(results, persons, SIZE, 1.0, 'error')
    assert found.tolist() == [True]
    assert box_px.tolist() == [[140, 0, 199, 90.5]]
    assert score.tolist() == [0.625]


def test_depths_come_in_the_unit_of_the_file():
    persons = persons_of([[0, 0, 10, 10]] * 2, image_id=[1, 2])
    for unit_mm, depth in ((1.0, [4500, 800]), (1000.0, [4.5, 0.8])):
        results = results_of([[0, 0, 12, 12]] * 2, image_id=[2, 1], depth=depth)
        depth_mm, _ = matched_depths_mm(results, persons, np.full(2, np.nan), unit_mm, 'error')
        np.testing.assert_allclose(depth_mm, [800, 4500])


@pytest.mark.parametrize(('unit_mm', 'depth'), [(1.0, 4.5), (1000.0, 4500.0)])
def test_a_file_of_another_unit_is_refused(unit_mm, depth):
    results = results_of([[0, 0, 12, 12]], depth=[depth])
    with pytest.raises(ValueError, match=r'got a median root depth of .* give the file of this'):
        matched_depths_mm(results, persons_of([[0, 0, 9, 9]]), np.ones(1), unit_mm, 'error')


def test_a_detectors_file_has_no_depths():
    results = results_of([[0, 0, 12, 12]])
    with pytest.raises(ValueError, match="got a detector's results, expected RootNet's"):
        matched_depths_mm(results, persons_of([[0, 0, 9, 9]]), np.ones(1), 1.0, 'error')


MISSING = r'got no {} for 1 of 2 persons, sample_id \[101\] in image_id \[2\]'


def test_persons_without_an_entry_are_an_error():
    persons = persons_of([[0, 0, 10, 10]] * 2, image_id=[1, 2])
    results = results_of([[0, 0, 12, 12]], image_id=[1], depth=[3000])
    with pytest.raises(ValueError, match=MISSING.format('box') + ".*unmatched='ground_truth'"):
        matched_boxes(results, persons, np.repeat(SIZE, 2, 0), 1.25, 'error')
    with pytest.raises(ValueError, match=MISSING.format('root depth')):
        matched_depths_mm(results, persons, np.ones(2), 1.0, 'error')


def test_persons_without_an_entry_keep_what_is_annotated_on_request(monkeypatch):
    messages = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'warning', messages.append)
    persons = persons_of([[0, 0, 10, 10], [3, 4, 20, 30]], image_id=[1, 2])
    results = results_of([[0, 0, 12, 12]], image_id=[1], depth=[3000])
    sizes = np.repeat(SIZE, 2, 0)
    box_px, score, found = matched_boxes(results, persons, sizes, 1.25, 'ground_truth')
    np.testing.assert_allclose(box_px, [[1.2, 1.2, 10.8, 10.8], [3, 4, 20, 30]], rtol=1e-6)
    assert score.tolist() == [1, 1]
    assert found.tolist() == [True, False]
    depth, found = matched_depths_mm(results, persons, np.array([1.0, 2500]), 1.0, 'ground_truth')
    assert depth.tolist() == [3000, 2500]
    assert found.tolist() == [True, False]
    assert [message.split(':')[-1] for message in messages] == [
        ' the annotated box is used',
        ' the annotated root depth is used',
    ]


def test_another_way_with_missing_persons_is_refused():
    with pytest.raises(ValueError, match=r"unmatched: got 'drop', expected one of \('error', 'gr"):
        matched_boxes(results_of([[0, 0, 9, 9]]), persons_of([[0, 0, 9, 9]]), SIZE, 1.0, 'drop')


def test_nobody_in_the_file_is_an_error_or_a_warning_but_never_a_crash():
    persons = persons_of([[0, 0, 10, 10]], image_id=[1])
    results = results_of([[0, 0, 12, 12]], image_id=[8], depth=[3000])
    assert match_persons(results, persons).tolist() == [-1]
    depth, found = matched_depths_mm(results, persons, np.array([7000.0]), 1.0, 'ground_truth')
    assert (depth.tolist(), found.tolist()) == ([7000], [False])
