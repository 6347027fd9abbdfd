"""Parameters from two layers: against numpy, and where they start."""

import numpy as np
import pytest
import torch
from helpers_heads import LIXELS, arrays, build_head, dense_relu, some_feature

OPTIONS = dict(hidden_units=7, num_pose=3)


def head(**options):
    """Weights of order 1."""
    return build_head('ParameterHead', num_points=None, **{**OPTIONS, **options})


def gram_schmidt(six):
    """One rotation of six numbers, row by row of a 3x2 matrix."""
    first, second = six.reshape(3, 2).T
    x = first / np.linalg.norm(first)
    y = second - (second @ x) * x
    y /= np.linalg.norm(y)
    return np.stack([x, y, np.cross(x, y)], axis=1)


def test_it_is_two_layers():
    one, feature = head(), some_feature()
    p = arrays(one)
    hidden = dense_relu(feature, p, 'hidden')
    with torch.no_grad():
        parameters, root_lixel = one(feature)
    six = hidden @ p['pose.weight'].T + p['pose.bias']
    rotations = [[gram_schmidt(r) for r in person.reshape(3, 6)] for person in six]
    np.testing.assert_allclose(parameters.rotations, rotations, atol=1e-5)
    betas = hidden @ p['betas.weight'].T + p['betas.bias']
    np.testing.assert_allclose(parameters.betas, betas, rtol=1e-5, atol=1e-5)
    place = hidden @ p['root.weight'].T + p['root.bias']
    halves = np.array(LIXELS[:2]) / 2
    np.testing.assert_allclose(root_lixel, halves + halves * place, rtol=1e-5, atol=1e-4)


def test_gradients_reach_every_parameter():
    one = head().train()
    parameters, root_lixel = one(some_feature())
    outputs = (parameters.rotations, parameters.betas, root_lixel)
    sum((output * torch.randn_like(output)).sum() for output in outputs).backward()
    for name, parameter in one.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_untrained_people_stand_upright_in_the_middle_and_weights_are_the_papers_gaussian():
    one = head(in_channels=64, hidden_units=512)
    one.init_weights()
    for name in ('hidden.0', 'pose', 'betas', 'root'):
        assert one.get_parameter(f'{name}.weight').std().item() == pytest.approx(1e-3, rel=0.2)
    parameters, root_lixel = one.train()(torch.randn(2, 64, 2, 4))
    upright = np.broadcast_to(np.eye(3), (2, 3, 3, 3)).copy()
    upright[:, 0] = np.diag([1, -1, -1])  # y up becomes y down
    np.testing.assert_allclose(parameters.rotations.detach(), upright, atol=0.2)
    assert np.abs(parameters.betas.detach()).max() < 0.2
    np.testing.assert_allclose(root_lixel.detach(), [[8, 4], [8, 4]], atol=0.5)


def test_autocast_still_gives_float32():
    one, feature = head(), some_feature()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        parameters, root_lixel = one(feature)
    assert {t.dtype for t in (*parameters, root_lixel)} == {torch.float32}
    identity = parameters.rotations @ parameters.rotations.mT
    torch.testing.assert_close(identity, torch.eye(3).expand_as(identity), atol=1e-5, rtol=0)
