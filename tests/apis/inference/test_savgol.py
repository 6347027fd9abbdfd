"""Streamed Savitzky-Golay smoothing against scipy on whole sequences, numpy's fits, and theory."""

import numpy as np
import pytest
from scipy.signal import savgol_coeffs, savgol_filter

from i2l_plugin.apis.inference.savgol import SavitzkyGolayFilter


def run(frames, window, order, times_s=None):
    """Smoothed frames of `frames` (dicts person -> (D,)), and how many frames each waited."""
    savgol = SavitzkyGolayFilter(window, order)
    times_s = np.arange(len(frames)) / 30 if times_s is None else times_s
    smoothed, waited = [], []
    for i, (time_s, people) in enumerate(zip(times_s, frames, strict=True)):
        for one in savgol.push(time_s, people):
            waited.append(i - len(smoothed))
            smoothed.append(one)
    assert len(waited) > len(frames) - window  # of the others the window is not over
    smoothed += savgol.finish()
    assert len(smoothed) == len(frames)
    return smoothed, waited


def one_person(values, window, order, times_s=None):
    """Smoothed (frames, D) of a person who is always there."""
    smoothed, _ = run([{0: value} for value in values], window, order, times_s)
    return np.stack([frame[0] for frame in smoothed])


@pytest.mark.parametrize(('window', 'order'), [(3, 0), (3, 1), (5, 2), (9, 2), (9, 3), (11, 6)])
@pytest.mark.parametrize('extra', [0, 1, 30])
def test_a_whole_sequence_is_smoothed_as_scipy_does(window, order, extra):
    values = np.random.default_rng(0).normal(0, 50, (window + extra, 3)).cumsum(axis=0)
    expected = savgol_filter(values, window, order, axis=0, mode='interp')
    np.testing.assert_allclose(one_person(values, window, order), expected, atol=1e-9)


@pytest.mark.parametrize('order', [0, 1, 2, 3])
def test_motions_up_to_the_order_pass_unchanged_at_any_frame_times(order):
    times_s = np.cumsum(np.random.default_rng(1).uniform(0.01, 0.1, 40))
    values = np.stack([300 * times_s**power - 20 for power in range(order + 1)], axis=1)
    np.testing.assert_allclose(one_person(values, 9, order, times_s), values, rtol=1e-9)


def test_variable_times_are_fitted_as_numpy_does():
    """Ends as in scipy's mode 'interp': the first and the last window's polynomial."""
    rng = np.random.default_rng(2)
    times_s = np.cumsum(rng.uniform(0.01, 0.1, 30))
    values = rng.normal(0, 20, (30, 1))
    smoothed = one_person(values, 7, 2, times_s)
    for i in range(30):
        first = min(max(i - 3, 0), 30 - 7)
        window = slice(first, first + 7)
        fit = np.polynomial.Polynomial.fit(times_s[window], values[window, 0], 2)
        assert smoothed[i, 0] == pytest.approx(fit(times_s[i]), abs=1e-8)


def test_noise_shrinks_by_the_sum_of_the_squared_weights():
    noise = np.random.default_rng(3).normal(0, 10, (60, 5000))
    inner = one_person(noise, 9, 2)[4:-4]
    assert inner.var() / noise.var() == pytest.approx((savgol_coeffs(9, 2) ** 2).sum(), rel=0.02)


def test_every_appearance_has_its_own_windows():
    """Person 1 is always there; 2 comes late and leaves early, is away for long, and comes back."""
    rng = np.random.default_rng(4)
    values = rng.normal(0, 20, (60, 2, 3)).cumsum(axis=0)
    there = [*range(11, 29), *range(36, 51)]
    frames = [
        {1: value[0], **({2: value[1]} if i in there else {})} for i, value in enumerate(values)
    ]
    smoothed, _ = run(frames, 9, 2)
    assert [list(frame) for frame in smoothed] == [list(frame) for frame in frames]
    expected = savgol_filter(values[:, 0], 9, 2, axis=0, mode='interp')
    np.testing.assert_allclose(np.stack([frame[1] for frame in smoothed]), expected, atol=1e-9)
    for seen in (slice(11, 29), slice(36, 51)):
        expected = savgol_filter(values[seen, 1], 9, 2, axis=0, mode='interp')
        got = np.stack([frame[2] for frame in smoothed[seen]])
        np.testing.assert_allclose(got, expected, atol=1e-9)


@pytest.mark.parametrize(('gap', 'apart'), [(1, False), (3, False), (4, True)])
def test_a_gap_of_less_than_half_a_window_is_fitted_across(gap, apart):
    """Two straight lines that do not meet: each its own appearance, or rounded into one."""
    there = [i for i in range(40) if not 20 <= i < 20 + gap]
    values = {i: np.array([2.0 * i if i < 20 else 500.0 - i]) for i in there}
    smoothed, _ = run([{0: values[i]} if i in values else {} for i in range(40)], 9, 1)
    change = [float(np.abs(smoothed[i][0] - values[i]).max()) for i in there]
    assert (max(change) < 1e-9) == apart
    # far from the gap nothing changes in any case
    assert max(change[:15] + change[-15:]) < 1e-9


@pytest.mark.parametrize('length', [1, 2, 3, 5, 8])
def test_an_appearance_shorter_than_a_window_is_one_polynomial(length):
    values = np.random.default_rng(5).normal(0, 20, (length, 1))
    frames = [{}, {}, *({0: value} for value in values), *[{}] * 20]
    smoothed = np.stack([frame[0] for frame in run(frames, 9, 2)[0][2 : 2 + length]])
    place = np.arange(length)
    fit = np.polyfit(place, values[:, 0], min(2, length - 1))
    np.testing.assert_allclose(smoothed[:, 0], np.polyval(fit, place), atol=1e-9)


def test_frames_wait_for_half_a_window_and_never_longer_than_a_window():
    frames = [{0: np.zeros(1)}] * 30
    _, waited = run(frames, 9, 2)
    assert waited == [8, 7, 6, 5] + [4] * 22
    rng = np.random.default_rng(6)
    for _ in range(30):  # people who come and go as they like
        present = rng.uniform(size=(80, 3)) < rng.uniform(0.2, 1)
        frames = [{p: np.zeros(1) for p in range(3) if there[p]} for there in present]
        assert max(run(frames, 9, 2)[1]) <= 8


def test_memory_does_not_grow():
    savgol = SavitzkyGolayFilter(5, 2)
    for i in range(100):
        # one person for ever, and a new one every frame
        savgol.push(i / 30, {-1: np.zeros(1), i: np.zeros(1)})
        assert len(savgol._waiting) <= 5
        assert len(savgol._present) <= 5
        assert len(savgol._present[-1].sights) <= 2 * 5


@pytest.mark.parametrize(
    ('window', 'order', 'name'),
    [(4, 2, 'window'), (1, 0, 'window'), (5, 5, 'order'), (5, -1, 'order')],
)
def test_values_outside_their_range_are_refused(window, order, name):
    with pytest.raises(ValueError, match=f'{name}: got'):
        SavitzkyGolayFilter(window, order)
