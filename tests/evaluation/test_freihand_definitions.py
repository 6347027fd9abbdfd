"""FreiHAND's scores against slow loops and against closed forms."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers_freihand_scorer import align, disturb, naive_freihand_scores, random_hands
from helpers_toy_body import toy_body_data
from mmpose.registry import METRICS

from i2l_plugin.body_models import BodyModel
from i2l_plugin.body_models.files import MANO_FINGER_TIPS
from i2l_plugin.evaluation.freihand_definitions import (
    SCORES,
    align_as_official,
    check_finger_tips,
    freihand_scores,
)


def mean_scores(*arrays):
    return {
        name: values.mean().item()
        for name, values in freihand_scores(*map(torch.from_numpy, arrays)).items()
    }


def test_scores_equal_the_loops_over_keypoints_and_distances():
    truth = random_hands(4)
    prediction = [disturb(points) for points in truth]
    expected = naive_freihand_scores(*prediction, *truth)
    found = mean_scores(*prediction, *truth)
    assert tuple(found) == SCORES
    assert found == pytest.approx(expected, rel=0, abs=1e-9)
    assert 0.01 < found['f_score_5'] < found['f_al_score_5'] < found['f_al_score_15'] < 1


def area_of(errors_m):
    """Area under the share of errors <= threshold, of thresholds on a grid, a trapezoid each."""
    step = 0.05 / 99
    first = np.ceil(np.asarray(errors_m) / step)  # the first threshold that reaches the error
    inside = first <= 99
    area = (99 - first) + 0.5 * (first > 0)
    return float(np.mean(np.where(inside, area, 0)) / 99)


def test_the_zero_predictor_has_its_closed_form():
    """Raw, it is as wrong as the hand is far; aligned, all its points lie at the hand's centre."""
    truth = random_hands(3)
    found = mean_scores(*(np.zeros_like(points) for points in truth), *truth)
    for name, points in zip(('xyz', 'mesh'), truth, strict=True):
        from_centre = np.linalg.norm(points - points.mean(1, keepdims=True), axis=-1)
        distance = np.linalg.norm(points, axis=-1).mean()
        assert found[f'{name}_mean3d'] == pytest.approx(100 * distance, abs=1e-9)
        assert found[f'{name}_auc3d'] == 0
        assert found[f'{name}_al_mean3d'] == pytest.approx(100 * from_centre.mean(), abs=1e-9)
        assert found[f'{name}_al_auc3d'] == pytest.approx(area_of(from_centre), abs=1e-12)
    for limit in (5, 15):
        near = from_centre < limit / 1000  # of the mesh
        precision, recall = near.mean(1), near.any(1)  # every predicted point is the centre
        expected = np.where(recall, 2 * precision / (precision + 1), 0).mean()
        assert found[f'f_al_score_{limit}'] == pytest.approx(expected, abs=1e-12)
        assert found[f'f_score_{limit}'] == 0


@pytest.mark.parametrize('shift_mm', [0.0, 3.0, 10.0, 49.9, 51.0])
def test_a_shifted_hand_is_off_by_the_shift_until_it_is_aligned(shift_mm):
    truth = random_hands(2)
    moved = [points + np.array([0, 0, shift_mm / 1000]) for points in truth]
    found = mean_scores(*moved, *truth)
    for name in ('xyz', 'mesh'):
        assert found[f'{name}_mean3d'] == pytest.approx(shift_mm / 10, abs=1e-9)
        # a step is 50/99 mm: rounding does not cross a threshold at these shifts
        assert found[f'{name}_auc3d'] == pytest.approx(area_of([shift_mm / 1000]), abs=1e-9)
        assert found[f'{name}_al_mean3d'] == pytest.approx(0, abs=1e-5)
        assert found[f'{name}_al_auc3d'] == pytest.approx(1, abs=0.01)
    assert found['f_al_score_5'] == 1
    assert (found['f_score_5'] == 1) == (shift_mm < 5)


def test_f_score_takes_neighbours_and_errors_take_correspondences():
    xyz, verts = random_hands(1)
    found = mean_scores(xyz, verts[:, ::-1].copy(), xyz, verts)
    assert found['f_score_5'] == 1
    assert found['mesh_mean3d'] > 3
    assert found['xyz_mean3d'] == 0


def test_joints_and_vertices_are_aligned_each_on_its_own():
    xyz, verts = random_hands(1)
    found = mean_scores(xyz + 0.1, 2 * verts, xyz, verts)
    assert found['xyz_al_mean3d'] == pytest.approx(0, abs=1e-5)
    assert found['mesh_al_mean3d'] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize('size', [1.0, 1e-3, 1e-7, 1e-9])
def test_small_predictions_are_drawn_together_as_officially(size):
    """A network that answers nearly one place: the official 1e-8 m in the norm then counts."""
    truth = random_hands(2)[0]
    prediction = np.random.default_rng(0).normal(0, size * 0.03, truth.shape)
    expected = np.stack([align(*pair) for pair in zip(prediction, truth, strict=True)])
    found = align_as_official(torch.from_numpy(prediction), torch.from_numpy(truth))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def mano_like(tips):
    """The toy hand, with a MANO-sized mesh and these finger tips."""
    data = toy_body_data('hand')
    copies = -(-778 // data.num_vertices)

    def grow(array, axis=0):
        return np.concatenate([array] * copies, axis).take(range(778), axis)

    fields = {
        name: grow(getattr(data, name))
        for name in ('v_template', 'shapedirs', 'posedirs', 'weights')
    }
    rows = np.zeros((16, 778))
    rows[:, : data.num_vertices] = data.j_regressor
    tips = MANO_FINGER_TIPS.get(tips, data.vertex_ids)
    return BodyModel(replace(data, **fields, j_regressor=rows, vertex_ids=tips))


def test_the_finger_tips_of_the_release_are_refused():
    with pytest.raises(ValueError, match=r"745, 317.*\(744, 320.*finger_tips='freihand'"):
        check_finger_tips(mano_like('release'))
    check_finger_tips(mano_like('freihand'))
    check_finger_tips(mano_like('own'))
    with pytest.raises(ValueError, match="no joint regressor 'hand_21'"):
        check_finger_tips(BodyModel(toy_body_data('body')))


def test_metrics_of_freihand_refuse_them_too():
    body_model = mano_like('release')
    for config in (
        dict(type='FreiHANDScore'),
        dict(type='MeshJointError', protocol='freihand/paper'),
    ):
        with pytest.raises(ValueError, match="finger_tips='freihand'"):
            METRICS.build({**config, 'body_model': body_model})
    METRICS.build(
        dict(
            type='MeshJointError',
            protocol='freihand/paper',
            prediction='posenet',
            body_model=body_model,
        )
    )
