"""Targets and loss of body-model parameters, against cv2 and by hand."""

import cv2
import numpy as np
import pytest
import torch
from helpers_models import make_sample, toy_body
from mmpose.registry import MODELS

from i2l_plugin.models.parameter_targets import fitted_parameters, parameter_targets
from i2l_plugin.models.parameters import parameters_of_pose


@pytest.fixture(scope='module')
def body():
    return toy_body()


def loss_of(prediction, target, fit_valid=(1.0,), **options):
    loss = MODELS.build(dict(type='ParameterLoss', **options))
    losses = loss(prediction, target, torch.tensor(fit_valid))
    return {name: value.item() for name, value in losses.items()}


def one_person(*axis_angles, beta=0.0):
    return parameters_of_pose(torch.tensor([axis_angles]), torch.full((1, 10), beta))


def test_targets_are_the_fit_with_its_root_turned_as_the_crop(body):
    turned = np.array([[0.0, 0.2, 0.0], [-0.2, 0.0, 64.0]])  # a box turned by 90 degrees
    samples = [make_sample(body, 0), make_sample(body, 1, crop_from_image=turned)]
    targets = parameter_targets(fitted_parameters(samples, torch.device('cpu')))
    for i, sample in enumerate(samples):
        expected = [
            cv2.Rodrigues(one.double().numpy())[0] for one in sample.gt_instance_labels.pose[0]
        ]
        if i == 1:
            expected[0] = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]]) @ expected[0]
        np.testing.assert_allclose(targets.rotations[i], expected, atol=1e-5)


def test_an_absurd_shape_has_the_mean_shape_for_a_target(body):
    betas = np.zeros((2, 1, 10))
    betas[:, 0, 3] = [2.9, -3.1]
    samples = [make_sample(body, i, betas=betas[i]) for i in range(2)]
    targets = parameter_targets(fitted_parameters(samples, torch.device('cpu')))
    np.testing.assert_allclose(targets.betas, [betas[0, 0], np.zeros(10)], atol=1e-6)


def test_the_loss_is_the_mean_distance_over_everybody():
    """A right angle about z: four of nine numbers differ by one."""
    ninety = (0.0, 0.0, np.pi / 2)
    still, turned = one_person((0.0, 0.0, 0.0)), one_person(ninety, beta=0.5)
    one = loss_of(turned, still)
    assert one == {'loss_pose': pytest.approx(4 / 9), 'loss_betas': pytest.approx(0.5)}
    weighted = loss_of(turned, still, pose_weight=3.0, betas_weight=0.1)
    assert weighted == {'loss_pose': pytest.approx(4 / 3), 'loss_betas': pytest.approx(0.05)}
    vectors = loss_of(turned, still, pose_form='axis_angle')
    assert vectors['loss_pose'] == pytest.approx(np.pi / 2 / 3)
    both = [type(still)(*(torch.cat([t, t]) for t in one)) for one in (turned, still)]
    assert loss_of(*both, fit_valid=(1.0, 0.0))['loss_pose'] == pytest.approx(2 / 9)
    both[1].rotations[1], both[1].betas[1] = float('nan'), float('inf')  # of an invalid fit
    assert loss_of(*both, fit_valid=(1.0, 0.0))['loss_betas'] == pytest.approx(0.25)


def test_matrices_do_not_jump_at_half_turns_as_axis_angle_vectors_do():
    a_bit_less = one_person((np.pi - 0.01, 0.0, 0.0))
    a_bit_more = one_person((np.pi + 0.01, 0.0, 0.0))
    assert loss_of(a_bit_less, a_bit_more)['loss_pose'] < 0.01
    assert loss_of(a_bit_less, a_bit_more, pose_form='axis_angle')['loss_pose'] > 2


def test_another_form_is_refused():
    with pytest.raises(ValueError, match="'matrix' or 'axis_angle', got '6d'"):
        MODELS.build(dict(type='ParameterLoss', pose_form='6d'))
