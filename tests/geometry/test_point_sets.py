"""F-score against a double loop, PCK and its area against loops and closed forms."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from helpers_alignment import naive_f_score

from i2l_plugin.geometry.point_sets import f_score, mean_point_error, pck, pck_auc


@pytest.mark.parametrize(('num_predicted', 'num_true'), [(40, 40), (25, 60)])
@pytest.mark.parametrize('noise', [2.0, 10.0, 1000.0])
def test_f_score_equals_the_double_loop(num_predicted, num_true, noise):
    rng = np.random.default_rng(0)
    target = rng.normal(size=(3, num_true, 3)) * 30
    prediction = rng.normal(size=(3, num_predicted, 3)) * noise
    prediction += target[:, :num_predicted]
    scores = f_score(torch.from_numpy(prediction), torch.from_numpy(target), (5, 15))
    for b in range(3):
        for t, threshold in enumerate((5, 15)):
            expected = naive_f_score(prediction[b].tolist(), target[b].tolist(), threshold)
            assert scores[b, t].item() == pytest.approx(expected, abs=1e-12)


def test_f_score_takes_neighbours_not_correspondences():
    points = torch.arange(30.0).view(1, 10, 3) * 20
    assert f_score(points.flip(1), points, [5]).item() == 1


def test_f_score_is_strict_at_the_threshold():
    target = torch.tensor([[[0.0, 0, 0], [1000, 0, 0]]])
    prediction = target + torch.tensor([0.0, 5, 0])
    assert f_score(prediction, target, [5, 5.0001]).tolist() == [[0, 1]]
    lone, both = torch.zeros(1, 1, 3), torch.tensor([[[0.0, 0, 0], [5, 0, 0]]])
    for pair in ((lone, both), (both, lone)):  # half of one side is exactly 5 from the other
        assert f_score(*pair, [5, 15])[0].tolist() == pytest.approx([2 / 3, 1])


def test_f_score_of_half_a_prediction():
    """Every predicted point is near, half the target is: 2 * 0.5 * 1 / 1.5."""
    target = torch.tensor([[[0.0, 0, 0], [1000, 0, 0]]])
    assert f_score(target[:, :1], target, [5]).item() == pytest.approx(2 / 3)


def test_f_score_is_an_average_over_images_not_over_points():
    target = torch.zeros(2, 4, 3)
    prediction = torch.stack([target[0], target[1] + 100])
    assert f_score(prediction, target, [5])[:, 0].tolist() == [1, 0]


def test_f_score_of_a_prediction_that_is_not_finite_is_nan():
    points = torch.zeros(2, 4, 3)
    broken = points.clone()
    broken[0, 1] = math.nan
    scores = f_score(broken, points, [5, 15])
    assert scores[0].isnan().all()
    assert scores[1].tolist() == [1, 1]


@pytest.mark.parametrize(
    ('prediction', 'target'),
    [((2, 5, 3), (3, 5, 3)), ((2, 5, 2), (2, 5, 2)), ((5, 3), (5, 3)), ((1, 5, 3), (1, 0, 3))],
)
def test_f_score_names_wrong_shapes(prediction, target):
    with pytest.raises(ValueError, match=str(list(prediction))[1:-1]):
        f_score(torch.zeros(prediction), torch.zeros(target), [5])


def test_pck_includes_the_threshold():
    errors = torch.tensor([[0.0, 10, 20, 30], [10, 10, 10, 40]])
    assert pck(errors, torch.tensor([9.0, 10, 30])).tolist() == [[0.25, 0.5, 1], [0, 0.75, 0.75]]


def test_pck_auc_equals_the_loop_over_thresholds():
    errors = np.random.default_rng(0).gamma(2, 12, size=200)
    thresholds = [50 * i / 99 for i in range(100)]
    curve = [sum(error <= t for error in errors) / 200 for t in thresholds]
    expected = sum((a + b) / 2 * (50 / 99) for a, b in pairwise(curve)) / 50
    assert pck_auc(torch.from_numpy(errors)).item() == pytest.approx(expected, abs=1e-12)


def test_pck_auc_of_perfect_and_of_far_points():
    errors = torch.tensor([[0.0] * 4, [51.0] * 4])
    assert pck_auc(errors).tolist() == pytest.approx([1, 0])


def test_pck_auc_approaches_the_mean_error():
    """With every error inside the range and fine steps, the area is 1 - mean / range."""
    errors = torch.from_numpy(np.random.default_rng(1).uniform(0, 30, 100))
    area = pck_auc(errors, max_threshold_mm=30, num_thresholds=30001).item()
    assert area == pytest.approx(1 - errors.mean().item() / 30, abs=1e-4)


def test_mean_point_error_of_known_distances():
    target = torch.tensor([[[0.0, 0, 0], [1, 1, 1]], [[0, 0, 0], [0, 0, 0]]])
    prediction = target + torch.tensor([[[3.0, 4, 0], [0, 0, -1]], [[0, 0, 0], [2, 3, 6]]])
    assert mean_point_error(prediction, target).tolist() == [3, 3.5]
