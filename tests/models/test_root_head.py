"""RootHead against a 2D soft-argmax and a pooled dot product, number by number."""

import numpy as np
import pytest
import torch

from i2l_plugin.models import RootHead
from i2l_plugin.models.head_parts import GAUSSIAN_INIT


@pytest.fixture
def head():
    torch.manual_seed(0)
    head = RootHead(in_channels=6, heatmap_size=(8, 12, 5), up_channels=4, num_upsample=1)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    return head.eval()


def test_x_and_y_are_the_expectation_of_a_softmax_over_pixels(head):
    feature = torch.randn(2, 6, 6, 4)
    logits = head.conv_xy(head.upsample(feature)).detach().double().numpy()[:, 0]  # (2, 12, 8)
    found = head.coordinates(head(feature)[0]).detach().numpy()
    for i, plane in enumerate(logits):
        share = np.exp(plane - plane.max())
        share /= share.sum()
        x = sum(share[r, c] * c for r in range(12) for c in range(8))
        y = sum(share[r, c] * r for r in range(12) for c in range(8))
        np.testing.assert_allclose(found[i, 0], [x, y], atol=1e-4)


def test_gamma_is_one_more_than_a_weighted_sum_of_the_pooled_feature(head):
    feature = torch.randn(2, 6, 6, 4)
    _, gamma = head(feature)
    weight, bias = head.conv_gamma.weight.flatten().tolist(), head.conv_gamma.bias.item()
    for i in range(2):
        pooled = [feature[i, c].mean().item() for c in range(6)]
        expected = 1 + bias + sum(w * p for w, p in zip(weight, pooled, strict=True))
        assert gamma[i].item() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize('init_cfg', [GAUSSIAN_INIT, [dict(type='Kaiming', layer=['Conv2d'])]])
def test_an_untrained_head_says_the_depth_of_the_boxs_size(init_cfg):
    head = RootHead(64, (8, 8, 8), num_upsample=1, init_cfg=init_cfg)
    head.init_weights()
    _, gamma = head(torch.rand(4, 64, 4, 4))
    assert (gamma - 1).abs().max() < 0.05


def test_under_autocast_gamma_keeps_its_digits():
    """bfloat16 has but 1/128 between 1 and 2, which are 30 mm of a person 4 m away."""
    torch.manual_seed(0)
    head = RootHead(64, (8, 8, 8), num_upsample=1)
    head.init_weights()
    feature = torch.rand(16, 64, 4, 4)
    _, expected = head(feature)
    with torch.autocast('cpu', torch.bfloat16):
        _, gamma = head(feature)
    assert expected.std() > 1e-4
    torch.testing.assert_close(gamma, expected, atol=1e-4, rtol=0)


def test_a_feature_of_another_size_is_refused_with_the_remedy(head):
    with pytest.raises(ValueError, match=r'\(8, 10\) \(x, y\) lixels.*\(8, 12\)'):
        head(torch.randn(1, 6, 5, 4))
