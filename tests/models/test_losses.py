"""Each loss against a naive loop written from its equation, and hand-computed numbers."""

import math

import numpy as np
import pytest
import torch

from i2l_plugin.geometry.lixel import soft_argmax
from i2l_plugin.models import CoordinateL1Loss, HeatmapLoss, NormalEdgeLoss

FACES = torch.tensor([[0, 1, 2], [0, 2, 3], [3, 2, 4]])


def random_meshes(seed=0):
    generator = torch.Generator().manual_seed(seed)
    prediction, target = torch.rand(2, 2, 5, 3, generator=generator, dtype=torch.float64) * 64
    valid = torch.tensor([[1.0, 1, 1, 1, 1], [1, 1, 0, 1, 1]], dtype=torch.float64)
    return prediction, target, valid


def test_coordinate_loss_by_hand():
    prediction = torch.tensor([[[1.0, 2, 3], [4, 5, 6]]])
    target = torch.tensor([[[1.5, 0, 3], [9, 9, 9]]])
    weight = torch.tensor([[[1.0, 1, 1], [0, 1, 0]]])
    # (0.5 + 2 + 0 + 4) / 6 elements, masked ones counted
    assert CoordinateL1Loss()(prediction, target, weight).item() == pytest.approx(6.5 / 6)
    assert CoordinateL1Loss(loss_weight=2)(prediction, target, weight).item() == pytest.approx(
        13 / 6
    )


@pytest.mark.parametrize('bad', [math.nan, math.inf])
def test_a_masked_target_may_be_anything(bad):
    prediction = torch.zeros(1, 2, 3, requires_grad=True)
    target = torch.ones(1, 2, 3)
    target[0, 1] = bad
    weight = torch.tensor([[[1.0, 1, 1], [0, 0, 0]]])
    loss = CoordinateL1Loss()(prediction, target, weight)
    loss.backward()
    assert loss.item() == pytest.approx(0.5)
    torch.testing.assert_close(prediction.grad[0, 0], torch.full((3,), -1 / 6))
    assert prediction.grad[0, 1].tolist() == [0, 0, 0]


def naive_heatmap_loss(logits, target, weight, sigma):
    """- sum q log p of every point and axis, mean over all."""
    total, count = 0.0, 0
    for axis, heatmap in enumerate(logits):
        for b, n in np.ndindex(heatmap.shape[:2]):
            scores = heatmap[b, n].tolist()
            partition = sum(math.exp(score) for score in scores)
            bumps = [
                math.exp(-((i - float(target[b, n, axis])) ** 2) / (2 * sigma**2))
                for i in range(len(scores))
            ]
            entropy = -sum(
                bump / sum(bumps) * math.log(math.exp(score) / partition)
                for bump, score in zip(bumps, scores, strict=True)
            )
            total += entropy * float(weight[b, n, axis])
            count += 1
    return total / count


def test_heatmap_loss_equals_a_naive_loop():
    generator = torch.Generator().manual_seed(0)
    logits = [torch.randn(2, 3, size, generator=generator) for size in (5, 6, 7)]
    target = torch.rand(2, 3, 3, generator=generator) * 5
    weight = torch.tensor([[[1.0, 1, 0], [1, 1, 1], [0, 0, 0]]]).repeat(2, 1, 1)
    loss = HeatmapLoss(sigma_lixel=1.5, loss_weight=2)(logits, target, weight)
    expected = 2 * naive_heatmap_loss(logits, target, weight, 1.5)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_heatmap_loss_pulls_the_mean_to_the_target_and_ignores_masked_ones():
    logits = [torch.zeros(1, 2, 16, requires_grad=True) for _ in range(3)]
    target = torch.tensor([[[4.0, 8, 11.5], [math.nan, math.inf, 99]]])
    weight = torch.tensor([[[1.0, 1, 1], [0, 0, 0]]])
    loss_of = HeatmapLoss(sigma_lixel=1)
    for _ in range(200):
        gradients = torch.autograd.grad(loss_of(logits, target, weight), logits)
        logits = [x - 20 * g for x, g in zip(logits, gradients, strict=True)]
    means = torch.stack([soft_argmax(heatmap) for heatmap in logits], -1)  # (1, 2, 3)
    torch.testing.assert_close(means[0, 0], target[0, 0], atol=0.05, rtol=0)
    torch.testing.assert_close(means[0, 1], torch.full((3,), 7.5))  # flat as before


@pytest.mark.parametrize('sigma_lixel', [-1, 0, 0.1])
def test_heatmap_loss_refuses_a_gaussian_that_may_fall_between_lixels(sigma_lixel):
    with pytest.raises(ValueError, match=r'sigma_lixel must be at least 0\.2'):
        HeatmapLoss(sigma_lixel)
    widest_gap = torch.full((1, 1, 3), 4.5)
    loss = HeatmapLoss(0.2)([torch.zeros(1, 1, 16)] * 3, widest_gap, torch.ones(1, 1, 3))
    assert loss.item() == pytest.approx(math.log(16))


def naive_normal_loss(prediction, target, valid):
    """Eq. 11 for every face and edge, mean over all."""
    total, count = 0.0, 0
    for b in range(len(prediction)):
        for i, j, k in FACES.tolist():
            a, c = target[b, j] - target[b, i], target[b, k] - target[b, i]
            normal = torch.linalg.cross(a / a.norm(), c / c.norm())
            normal = normal / normal.norm()
            for s, e in ((i, j), (j, k), (k, i)):
                edge = prediction[b, s] - prediction[b, e]
                cosine = abs(float((edge / edge.norm()) @ normal))
                total += cosine * float(valid[b, i] * valid[b, j] * valid[b, k])
                count += 1
    return total / count


def naive_edge_loss(prediction, target, valid):
    """Eq. 12 for every face and edge, mean over all."""
    total, count = 0.0, 0
    for b in range(len(prediction)):
        for face in FACES.tolist():
            for s, e in ((0, 1), (1, 2), (2, 0)):
                s, e = face[s], face[e]
                ours = float((prediction[b, s] - prediction[b, e]).norm())
                theirs = float((target[b, s] - target[b, e]).norm())
                total += abs(ours - theirs) * float(valid[b, s] * valid[b, e])
                count += 1
    return total / count


@pytest.mark.parametrize('seed', range(3))
def test_surface_losses_equal_their_equations(seed):
    prediction, target, valid = random_meshes(seed)
    losses = NormalEdgeLoss(normal_weight=1, edge_weight=1)(prediction, target, valid, FACES)
    assert losses['loss_normal'].item() == pytest.approx(
        naive_normal_loss(prediction, target, valid)
    )
    assert losses['loss_edge'].item() == pytest.approx(naive_edge_loss(prediction, target, valid))


def test_default_weights_are_those_of_equation_13():
    meshes = random_meshes()
    default = NormalEdgeLoss()(*meshes, FACES)
    assert default['loss_normal'].item() == pytest.approx(0.1 * naive_normal_loss(*meshes))
    assert default['loss_edge'].item() == pytest.approx(naive_edge_loss(*meshes))


def test_surface_losses_by_hand():
    faces = torch.tensor([[0, 1, 2]])
    target = torch.tensor([[[0.0, 0, 0], [3, 0, 0], [0, 4, 0]]])  # normal +z, edges 3, 5, 4
    prediction = torch.tensor([[[0.0, 0, 0], [3, 0, 4], [0, 4, 0]]])  # edges 5, sqrt(41), 4
    losses = NormalEdgeLoss(1, 1)(prediction, target, torch.ones(1, 3), faces)
    expected_normal = (4 / 5 + 4 / math.sqrt(41) + 0) / 3
    assert losses['loss_normal'].item() == pytest.approx(expected_normal)
    assert losses['loss_edge'].item() == pytest.approx((2 + math.sqrt(41) - 5 + 0) / 3)


def test_a_perfect_flat_mesh_has_no_loss():
    square = torch.tensor([[[0.0, 0, 7], [5, 0, 7], [5, 5, 7], [0, 5, 7], [2, 9, 7]]])
    losses = NormalEdgeLoss()(square, square.clone(), torch.ones(1, 5), FACES)
    assert losses['loss_normal'].item() == 0
    assert losses['loss_edge'].item() == 0


@pytest.mark.parametrize('degenerate', ['coincident', 'collinear', 'nan target'])
def test_gradients_stay_finite_on_degenerate_meshes(degenerate):
    target = torch.rand(1, 5, 3, generator=torch.Generator().manual_seed(0))
    valid = torch.ones(1, 5)
    prediction = target.clone()
    if degenerate == 'coincident':
        prediction = torch.zeros_like(target)
        target = torch.zeros_like(target)
    elif degenerate == 'collinear':
        prediction = torch.arange(5.0)[None, :, None].expand(1, 5, 3).clone()
        target = prediction.clone()
    else:
        target[0, 2] = math.nan
        valid[0, 2] = 0
    prediction.requires_grad_()
    losses = NormalEdgeLoss()(prediction, target, valid, FACES)
    sum(losses.values()).backward()
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert torch.isfinite(prediction.grad).all()
