"""Lixels <-> (px, px, mm): closed forms of facts section 4, inverses, and the host's contract."""

import math

import numpy as np
import pytest
import torch
from mmpose.registry import KEYPOINT_CODECS

from i2l_plugin.codecs import SoftArgmaxCodec

BODY = dict(input_size=(256, 256), heatmap_size=(64, 64, 64), depth_range_mm=2000)


@pytest.fixture
def codec():
    return KEYPOINT_CODECS.build(dict(type='SoftArgmaxCodec', **BODY))


@pytest.mark.parametrize(
    ('crop', 'lixel'),
    [
        ((0, 0, 0), (0, 0, 32)),
        ((128, 64, -1000), (32, 16, 0)),
        ((255, 4, 31.25), (63.75, 1, 33)),
    ],
)
def test_lixels_of_the_body_model(codec, crop, lixel):
    assert codec.to_lixel(torch.tensor([crop]).double()).tolist() == [list(map(float, lixel))]
    assert codec.to_crop(torch.tensor([lixel]).double()).tolist() == [list(map(float, crop))]


def test_a_lixel_of_a_hand_is_4_69_mm():
    hand = SoftArgmaxCodec(depth_range_mm=300)
    spread = hand.spread_to_crop(torch.ones(3))
    torch.testing.assert_close(spread, torch.tensor([4.0, 4.0, 300 / 64]))


def test_axes_may_have_their_own_sizes():
    codec = SoftArgmaxCodec(input_size=(192, 256), heatmap_size=(48, 64, 32), depth_range_mm=640)
    points = torch.tensor([[96.0, 128.0, 20.0]])
    torch.testing.assert_close(codec.to_lixel(points), torch.tensor([[24.0, 32.0, 17.0]]))


def test_inside_is_half_open_on_every_axis(codec):
    points = torch.tensor(
        [
            [0.0, 0, 0],
            [63.99, 63.99, 63.99],
            [64, 1, 1],
            [1, -1e-3, 1],
            [1, 1, 64],
            [math.nan, 1, 1],
        ]
    )
    assert codec.inside(points).tolist() == [True, True, False, False, False, False]


def test_certainty_is_one_for_a_peak_and_zero_for_a_uniform_heatmap(codec):
    uniform = torch.zeros(1, 2, 64)
    peak = torch.full((1, 2, 64), -1e4)
    peak[..., 5] = 0
    spread = codec.spread([uniform, uniform, uniform])
    torch.testing.assert_close(codec.certainty(spread), torch.zeros(1, 2), atol=1e-6, rtol=0)
    torch.testing.assert_close(codec.certainty(codec.spread([peak] * 3)), torch.ones(1, 2))


def test_coordinates_stack_the_axes_and_stay_in_float32_under_autocast(codec):
    heatmaps = [torch.full((1, 1, 64), -1e4) for _ in range(3)]
    for axis, position in enumerate((3, 40, 63)):
        heatmaps[axis][..., position] = 1e4
    half = [h.bfloat16() for h in heatmaps]
    with torch.autocast('cpu', dtype=torch.bfloat16):
        coordinates = codec.coordinates(half)
    assert coordinates.dtype == torch.float32
    assert coordinates.tolist() == [[[3, 40, 63]]]


def test_hosts_encode_and_decode_are_inverse_through_sharp_heatmaps(codec):
    rng = np.random.default_rng(0)
    keypoints = rng.uniform([20, 20, -800], [230, 230, 800], (2, 5, 3))
    encoded = codec.encode(keypoints, np.array([[1, 1, 0, 1, 1]] * 2))
    index = np.arange(64)
    logits = [
        -((index - encoded['keypoint_labels'][..., axis, None]) ** 2) / 2 for axis in range(3)
    ]
    decoded, scores = codec.decode(logits)
    np.testing.assert_allclose(decoded, keypoints, atol=0.01)
    assert encoded['keypoint_weights'].tolist() == [[1, 1, 0, 1, 1]] * 2
    expected = 1 - 1 / math.sqrt((64**2 - 1) / 12)  # a Gaussian of one lixel
    np.testing.assert_allclose(scores, expected, atol=1e-3)


def test_encode_gives_points_outside_no_weight(codec):
    assert codec.encode(np.array([[[300.0, 10, 0], [10, 10, 0]]]))['keypoint_weights'].tolist() == [
        [0, 1]
    ]


@pytest.mark.parametrize(
    ('option', 'value'),
    [
        ('input_size', (256,)),
        ('heatmap_size', (64, 64)),
        ('heatmap_size', (64, 64, 1)),
        ('depth_range_mm', 0),
    ],
)
def test_bad_sizes_are_refused_by_name(option, value):
    with pytest.raises(ValueError, match=option):
        SoftArgmaxCodec(**{**BODY, option: value})
