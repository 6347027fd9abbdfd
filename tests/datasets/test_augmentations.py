"""Laws of the random scale and rotation, against scipy and the release's formulas."""

import numpy as np
import pytest
from mmengine.runner import set_random_seed
from mmpose.datasets.transforms import RandomBBoxTransform
from scipy import stats

from i2l_plugin.datasets import RandomScaleRotate

NUM = 4000
CHANCE = 1e-3  # of two samples of one law that differ more


def draws(transform, num=NUM):
    """Relative scales and angles that the transform gives a box of 100 x 200 px."""
    set_random_seed(0)
    scales, angles = [], []
    for _ in range(num):
        results = {'bbox_scale': np.array([[100.0, 200.0]], np.float32)}
        results = transform.transform({**results, 'bbox_center': np.zeros((1, 2), np.float32)})
        width, height = results['bbox_scale'][0]
        assert height == pytest.approx(2 * width, rel=1e-6)
        assert results['bbox_rotation'].shape == (1,)
        scales.append(width / 100)
        angles.append(results['bbox_rotation'][0])
    return np.array(scales), np.array(angles)


def test_the_truncated_law_is_the_hosts():
    host = RandomBBoxTransform(
        shift_prob=0, scale_factor=(0.75, 1.25), rotate_factor=60.0, rotate_prob=0.6
    )
    for ours, theirs in zip(draws(RandomScaleRotate()), draws(host, 1500), strict=True):
        assert stats.ks_2samp(ours, theirs).pvalue > CHANCE
    scale, angle = draws(RandomScaleRotate(0.25, 60.0, 0.6))
    law = stats.truncnorm(-1, 1)
    assert stats.kstest((scale - 1) / 0.25, law.cdf).pvalue > CHANCE
    assert stats.kstest(angle[angle != 0] / 60, law.cdf).pvalue > CHANCE


def test_the_clipped_law_is_the_releases():
    scale, angle = draws(RandomScaleRotate(law='clipped'))
    rng = np.random.default_rng(1)
    normal = rng.standard_normal((2, NUM))
    expected_scale = 1 + 0.25 * np.clip(normal[0], -1, 1)
    expected_angle = 30 * np.clip(normal[1], -2, 2)
    assert stats.ks_2samp(scale.round(5), expected_scale.round(5)).pvalue > CHANCE
    assert stats.ks_2samp(angle[angle != 0].round(4), expected_angle.round(4)).pvalue > CHANCE
    assert np.isclose(scale, 1.25).mean() == pytest.approx(stats.norm.sf(1), abs=0.02)
    turned = angle[angle != 0]
    assert np.isclose(abs(turned), 60).mean() == pytest.approx(2 * stats.norm.sf(2), abs=0.02)


@pytest.mark.parametrize('law', ['truncated', 'clipped'])
@pytest.mark.parametrize('prob', [0.0, 0.6, 1.0])
def test_boxes_turn_with_the_given_probability(law, prob):
    _, angle = draws(RandomScaleRotate(rotate_prob=prob, law=law), 2000)
    assert (angle != 0).mean() == pytest.approx(prob, abs=4 * np.sqrt(prob * (1 - prob) / 2000))


def test_ranges_are_the_given_ones():
    scale, angle = draws(RandomScaleRotate(scale=0.1, rotation=45.0, rotate_prob=1.0), 2000)
    assert 0.9 <= scale.min() < 0.905
    assert 1.095 < scale.max() <= 1.1 + 1e-6
    assert 44 < abs(angle).max() <= 45
    scale, angle = draws(RandomScaleRotate(scale=0, rotation=0), 20)
    assert (scale == 1).all()
    assert not angle.any()


def test_scale_and_angle_are_independent_of_each_other():
    scale, angle = draws(RandomScaleRotate(rotate_prob=1.0))
    assert abs(np.corrcoef(scale, angle)[0, 1]) < 0.05


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'scale': 1.0}, r'scale=1.0, expected a number in \[0, 1\)'),
        ({'scale': -0.1}, 'got scale=-0.1'),
        ({'scale': float('nan')}, 'got scale=nan'),
        ({'rotation': 200}, r'rotation=200, expected degrees in \[0, 180\]'),
        ({'rotation': -5}, 'got rotation=-5'),
        ({'rotate_prob': 60}, r'rotate_prob=60, expected a number in \[0, 1\]'),
        ({'law': 'normal'}, r"law='normal', expected one of \('truncated', 'clipped'\)"),
    ],
)
def test_other_options_are_refused(options, message):
    with pytest.raises(ValueError, match=f'RandomScaleRotate: .*{message}'):
        RandomScaleRotate(**options)
