"""The One-Euro filter against the paper's algorithm for one number, and what theory says of it."""

import math

import numpy as np
import pytest

from i2l_plugin.apis.inference.one_euro import OneEuroFilter


class _PapersLowPass:
    """Algorithm 2 of Casiez et al., CHI 2012."""

    def __init__(self):
        self.first_time = True

    def filter(self, x, alpha):
        if self.first_time:
            self.first_time = False
            self.hatxprev = x
        hatx = alpha * x + (1 - alpha) * self.hatxprev
        self.hatxprev = hatx
        return hatx


def papers_filter(times_s, values, mincutoff, beta, dcutoff):
    """Algorithms 1 and 3, one number at a time."""

    def alpha(rate, cutoff):
        tau = 1.0 / (2 * math.pi * cutoff)
        period = 1.0 / rate
        return 1.0 / (1.0 + tau / period)

    xfilt, dxfilt = _PapersLowPass(), _PapersLowPass()
    filtered = []
    rate = 1.0
    for i, x in enumerate(values):
        if i == 0:
            dx = 0.0
        else:
            rate = 1 / (times_s[i] - times_s[i - 1])
            dx = (x - xfilt.hatxprev) * rate
        edx = dxfilt.filter(dx, alpha(rate, dcutoff))
        cutoff = mincutoff + beta * abs(edx)
        filtered.append(xfilt.filter(x, alpha(rate, cutoff)))
    return filtered


def run(one_euro, times_s, values, person=0):
    """Filtered (frames, D) of one person."""
    return np.stack(
        [
            one_euro.push(time_s, {person: value})[0][person]
            for time_s, value in zip(times_s, values, strict=True)
        ]
    )


@pytest.mark.parametrize('options', [(1.0, 0.02, 1.0), (0.3, 0.0, 2.0), (4.0, 0.5, 0.2)])
def test_every_coordinate_is_filtered_as_the_paper_does_numbers(options):
    rng = np.random.default_rng(0)
    times_s = np.cumsum(rng.uniform(0.01, 0.1, 40))
    values = rng.normal(0, 30, (40, 3)).cumsum(axis=0)
    filtered = run(OneEuroFilter(*options), times_s, values)
    for column in range(3):
        expected = papers_filter(times_s, values[:, column], *options)
        np.testing.assert_allclose(filtered[:, column], expected, rtol=1e-10)


def test_what_stands_still_passes_unchanged():
    values = np.broadcast_to([3.0, -5.0], (20, 2))
    np.testing.assert_allclose(run(OneEuroFilter(), np.arange(20) / 30, values), values)


def test_noise_shrinks_as_in_a_first_order_low_pass():
    """With beta 0 the variance of white noise shrinks to alpha / (2 - alpha)."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 10, (300, 2000))
    filtered = run(OneEuroFilter(min_cutoff_hz=2.0, beta=0.0), np.arange(300) / 30, noise)
    alpha = 1 / (1 + 30 / (2 * math.pi * 2.0))
    assert filtered[100:].var() / noise.var() == pytest.approx(alpha / (2 - alpha), rel=0.02)


def test_a_fast_point_lags_less_the_greater_beta_is():
    times_s = np.arange(90) / 30
    walk = 1000.0 * times_s[:, None]
    lags = [
        float((walk - run(OneEuroFilter(beta=beta), times_s, walk))[-1, 0]) for beta in (0, 0.1)
    ]
    # a first-order low pass lags behind a ramp by one step * (1 - alpha) / alpha
    assert lags[0] == pytest.approx(1000 / (2 * math.pi * 1.0), rel=1e-3)
    assert lags[1] < 5


def test_people_are_filtered_each_for_himself():
    rng = np.random.default_rng(2)
    values = rng.normal(0, 10, (30, 2, 4))
    together = OneEuroFilter()
    frames = [
        together.push(i / 30, {7: value[0], 3: value[1]})[0] for i, value in enumerate(values)
    ]
    for person, column in ((7, 0), (3, 1)):
        alone = run(OneEuroFilter(), np.arange(30) / 30, values[:, column])
        np.testing.assert_array_equal(np.stack([frame[person] for frame in frames]), alone)


def test_who_was_away_for_long_starts_anew_and_takes_no_memory():
    one_euro = OneEuroFilter(min_cutoff_hz=0.1)
    for i in range(100):
        one_euro.push(i / 10, {i: np.zeros(1)})[0]
    assert len(one_euro._states) <= 11  # a second's
    assert one_euro.push(20.0, {99: np.ones(1)})[0][99] == 1.0


def test_single_precision_stays():
    filtered = run(OneEuroFilter(), np.arange(5) / 30, np.ones((5, 2), np.float32))
    assert filtered.dtype == np.float32


@pytest.mark.parametrize(
    'options', [{'min_cutoff_hz': 0}, {'beta': -0.1}, {'speed_cutoff_hz': float('nan')}]
)
def test_values_outside_their_range_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        OneEuroFilter(**options)
