"""The One-Euro filter: a low pass whose cutoff grows with the speed (Casiez et al., CHI 2012).

Causal: no delay in frames. Still points lose their jitter, moving ones hardly lag.
Shape legend: D coordinates of a person, each filtered for itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FORGET_AFTER_S = 1.0  # a person who was away for longer starts anew where he is


@dataclass
class _State:
    """Of one person: time, filtered coordinates (D,), filtered speed (D,) per second."""

    time_s: float
    value: NDArray[np.floating]
    speed: NDArray[np.floating]


class OneEuroFilter:
    """Filters the people of a video frame by frame.

    Args:
        min_cutoff_hz: Cutoff of points that stand still; lower is smoother and lags more.
        beta: How much the cutoff grows, Hz for each mm / s; higher lags less.
        speed_cutoff_hz: Cutoff of the speeds themselves (1 Hz in the paper).

    Raises:
        ValueError: A cutoff that is not > 0, or a `beta` < 0.
    """

    def __init__(
        self, min_cutoff_hz: float = 1.0, beta: float = 0.02, speed_cutoff_hz: float = 1.0
    ) -> None:
        if not (min_cutoff_hz > 0 and speed_cutoff_hz > 0):
            raise ValueError(
                f'min_cutoff_hz, speed_cutoff_hz: got {min_cutoff_hz} and {speed_cutoff_hz}, '
                'expected frequencies > 0'
            )
        if beta < 0:
            raise ValueError(f'beta: got {beta}, expected a number >= 0')
        self.min_cutoff_hz, self.beta = min_cutoff_hz, beta
        self.speed_cutoff_hz = speed_cutoff_hz
        self._states: dict[int, _State] = {}

    def push(
        self, time_s: float, people: Mapping[int, NDArray[np.floating]]
    ) -> list[dict[int, NDArray[np.floating]]]:
        """Take a frame: its time, later than the last one's, and (D,) of each person by id.

        Returns the smoothed people of every frame that is ready, here of this one.
        """
        for person, value in people.items():
            self._states[person] = self._step(self._states.get(person), time_s, value)
        self._states = {
            person: state
            for person, state in self._states.items()
            if time_s - state.time_s <= _FORGET_AFTER_S
        }
        return [{person: self._states[person].value for person in people}]

    def finish(self) -> list[dict[int, NDArray[np.floating]]]:
        """The frames that still wait at the end of the video: none."""
        return []

    def _step(self, last: _State | None, time_s: float, value: NDArray[np.floating]) -> _State:
        """Algorithm 1 of the paper; the speed is that from the last FILTERED value to this one."""
        if last is None or time_s - last.time_s > _FORGET_AFTER_S:
            return _State(time_s, value, np.zeros_like(value))
        period_s = float(time_s - last.time_s)  # a numpy scalar would make all of it float64
        step = value - last.value
        speed_share = _share(self.speed_cutoff_hz, period_s)
        speed = speed_share / period_s * step + (1 - speed_share) * last.speed
        cutoff_hz = self.min_cutoff_hz + self.beta * np.abs(speed)
        return _State(time_s, last.value + _share(cutoff_hz, period_s) * step, speed)


def _share(
    cutoff_hz: NDArray[np.floating] | float, period_s: float
) -> NDArray[np.floating] | float:
    """The paper's alpha: weight of the newest value in a first-order low pass."""
    return 1 / (1 + 1 / (2 * math.pi * period_s * cutoff_hz))
