"""Soft-argmax, spread and Gaussians against closed forms and naive loops."""

import math

import pytest
import torch

from i2l_plugin.geometry.lixel import gaussian_1d, lixel_spread, soft_argmax


def gaussian_logits(mean, sigma, size=64):
    return -((torch.arange(float(size)) - mean) ** 2) / (2 * sigma**2)


@pytest.mark.parametrize('mean', [12.0, 20.3, 33.75])
def test_soft_argmax_returns_the_mean_of_a_sampled_gaussian(mean):
    torch.testing.assert_close(
        soft_argmax(gaussian_logits(mean, 2.5)), torch.tensor(mean), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize('sigma', [1.0, 2.5, 4.0])
def test_spread_is_the_standard_deviation_of_a_sampled_gaussian(sigma):
    torch.testing.assert_close(
        lixel_spread(gaussian_logits(31.2, sigma)), torch.tensor(sigma), atol=1e-3, rtol=0
    )


def test_uniform_heatmap_has_its_mean_in_the_middle_and_the_spread_of_a_die():
    logits = torch.full((2, 3, 10), 7.0)
    torch.testing.assert_close(soft_argmax(logits), torch.full((2, 3), 4.5))
    torch.testing.assert_close(lixel_spread(logits), torch.full((2, 3), math.sqrt(99 / 12)))


def test_soft_argmax_equals_the_sum_over_lixels():
    logits = torch.randn(2, 3, 7, generator=torch.Generator().manual_seed(0))
    for b in range(2):
        for n in range(3):
            weights = [math.exp(value) for value in logits[b, n].tolist()]
            mean = sum(i * w for i, w in enumerate(weights)) / sum(weights)
            assert soft_argmax(logits)[b, n].item() == pytest.approx(mean, abs=1e-5)


def test_one_hot_heatmap_has_no_spread():
    logits = torch.full((64,), -1e4)
    logits[17] = 1e4
    assert soft_argmax(logits).item() == 17
    assert lixel_spread(logits).item() == 0


def test_gaussian_follows_equation_3():
    centre = torch.tensor([[3.0, 60.4]])
    heatmap = gaussian_1d(centre, 64, sigma_lixel=2.5)
    for n, c in enumerate([3.0, 60.4]):
        for i in (0, 3, 40, 63):
            expected = math.exp(-((i - c) ** 2) / (2 * 2.5**2))
            assert heatmap[0, n, i].item() == pytest.approx(expected, rel=1e-4, abs=1e-12)
