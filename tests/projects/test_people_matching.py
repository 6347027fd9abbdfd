"""Detections matched to people, and the errors of people, on hand-made numbers."""

from itertools import permutations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from synthetic_humans.people_matching import match_boxes
from synthetic_humans.scene_errors import People, mean_errors, person_errors


def pairs(found, true, **options):
    detection, person = match_boxes(np.array(found, float), np.array(true, float), **options)
    return dict(zip(person.tolist(), detection.tolist(), strict=True))


def test_each_person_gets_the_box_that_overlaps():
    true = [[0, 0, 10, 20], [50, 0, 60, 20]]
    found = [[51, 0, 61, 20], [100, 0, 110, 20], [0, 1, 10, 21]]
    assert pairs(found, true) == {0: 2, 1: 0}


def test_a_person_is_not_lost_to_a_greedy_choice():
    """One box overlaps with both people, best with the first, whom the other box shows as well."""
    true = [[0, 0, 100, 10], [30, 0, 130, 10]]
    found = [[5, 0, 105, 10], [-25, 0, 75, 10]]  # IoU 0.905 and 0.6 with the first, 0.6 with 2nd
    assert pairs(found, true) == {0: 1, 1: 0}


def test_two_boxes_of_one_person_are_one_pair():
    assert pairs([[0, 0, 10, 10], [0, 0, 10, 11]], [[0, 0, 10, 11]]) == {0: 1}


def test_half_an_overlap_is_needed():
    true = [[0, 0, 10, 10]]
    assert pairs([[0, 0, 10, 20]], true) == {0: 0}  # IoU 0.5
    assert pairs([[0, 0, 10, 20.1]], true) == {}
    assert pairs([[0, 0, 10, 20.1]], true, min_iou=0.4) == {0: 0}


@pytest.mark.parametrize(('num_found', 'num_true'), [(0, 2), (3, 0), (0, 0)])
def test_nobody_there(num_found, num_true):
    detection, person = match_boxes(np.zeros((num_found, 4)), np.zeros((num_true, 4)))
    assert len(detection) == len(person) == 0


def overlap(one, other):
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return shared / (sum(areas) - shared)


@pytest.mark.parametrize('seed', range(20))
def test_the_sum_of_overlaps_is_the_largest_of_all_assignments(seed):
    rng = np.random.default_rng(seed)
    true = rng.uniform(0, 10, (3, 2))
    true = np.hstack([true, true + rng.uniform(15, 25, (3, 2))])
    found = true[rng.integers(0, 3, 4)] + rng.normal(0, 3, (4, 4))
    iou = np.array([[overlap(box, person) for person in true] for box in found])
    iou[iou < 0.5] = 0
    best = max(iou[list(order), range(3)].sum() for order in permutations(range(4), 3))
    chosen = pairs(found, true)
    assert sum(iou[box, person] for person, box in chosen.items()) == pytest.approx(best)
    assert all(iou[box, person] >= 0.5 for person, box in chosen.items())


@pytest.fixture
def people():
    rng = np.random.default_rng(0)
    place = np.array([0, 0, 4000])
    return People(*(place + rng.normal(0, 300, (2, num, 3)) for num in (50, 7)))


def test_perfect_people_have_no_errors(people):
    for values in person_errors(people, people).values():
        np.testing.assert_allclose(values, [0, 0], atol=1e-4)


def test_a_wrong_place_costs_only_what_is_not_aligned(people):
    shifts = np.array([[[30.0, 0, -40]], [[0, 0, 200]]])
    errors = person_errors(People(*(field + shifts for field in people)), people)
    for name in ('MPJPE', 'PA-MPJPE', 'MPVPE', 'PA-MPVPE'):
        np.testing.assert_allclose(errors[name], [0, 0], atol=1e-4)
    np.testing.assert_allclose(errors['root'], [50, 200])
    np.testing.assert_allclose(errors['root_depth'], [40, 200])
    np.testing.assert_allclose(errors['absolute_MPVPE'], [50, 200])


def test_a_wrong_size_and_turn_cost_what_is_aligned_at_the_root(people):
    """Twice the size about the root: every error is the distance from the root."""
    root = people.joints_mm[:, :1]
    double = People(*(root + 2 * (field - root) for field in people))
    turned = Rotation.from_euler('xyz', [0.3, 1, -0.5])
    both = People(*(root + (field - root) @ turned.as_matrix().T for field in double))
    from_root = [np.linalg.norm(field - root, axis=-1).mean(1) for field in people]
    errors = person_errors(double, people)
    np.testing.assert_allclose(errors['MPVPE'], from_root[0])
    np.testing.assert_allclose(errors['absolute_MPVPE'], from_root[0])
    np.testing.assert_allclose(errors['MPJPE'], from_root[1])
    np.testing.assert_allclose(errors['root'], [0, 0], atol=1e-9)
    for name in ('PA-MPJPE', 'PA-MPVPE'):
        np.testing.assert_allclose(person_errors(both, people)[name], [0, 0], atol=1e-4)


def test_one_vertex_of_one_person(people):
    vertices = people.vertices_mm.copy()
    vertices[1, 7] += [3, 4, 0]
    errors = person_errors(people._replace(vertices_mm=vertices), people)
    np.testing.assert_allclose(errors['MPVPE'], [0, 5 / 50], atol=1e-9)
    np.testing.assert_allclose(errors['absolute_MPVPE'], [0, 5 / 50], atol=1e-9)
    np.testing.assert_allclose(errors['MPJPE'], [0, 0], atol=1e-9)


def test_means_are_of_people():
    errors = {'MPJPE': np.array([1.0, 2, 6]), 'root': np.array([0.0, 0, 30])}
    assert mean_errors(errors) == {'MPJPE': 3, 'root': 10, 'N': 3}
    nobody = {name: values[:0] for name, values in errors.items()}
    assert mean_errors(nobody) == {'MPJPE': None, 'root': None, 'N': 0}
