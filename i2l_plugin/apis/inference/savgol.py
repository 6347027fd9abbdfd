"""Savitzky-Golay smoothing of a stream: a polynomial fitted around every frame (Anal. Chem. 1964).

As `scipy.signal.savgol_filter` with ``mode='interp'``, whose whole sequence here is one appearance
of one person; and by the frames' own times, so the frame rate may vary. Nothing lags, but a frame
waits for those after it: for half a window, or for a window at the start of an appearance.
Shape legend: D coordinates of a person, each fitted for itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class _Sight(NamedTuple):
    """A person in a frame: number and time of the frame, and his coordinates (D,)."""

    frame: int
    time_s: float
    value: NDArray[np.floating]


@dataclass(eq=False)
class _Appearance:
    """A person from when he comes into sight until he is gone for half a window."""

    start: int
    sights: deque[_Sight] = field(default_factory=deque)

    @property
    def last(self) -> int:
        """The last frame that he was seen in."""
        return self.sights[-1].frame


class SavitzkyGolayFilter:
    """Filters the people of a video; a frame comes out when the frames that it needs have come.

    At the start and at the end of an appearance the polynomial of the first and of the last whole
    window counts. One shorter than a window is one polynomial, of a lower degree where the frames
    do not suffice. A gap of less than half a window is fitted across; a longer one parts two
    appearances, for no window would see both of its sides.

    Args:
        window: Frames of a window, odd, >= 3.
        order: Degree of the polynomial, >= 0 and < window; motions up to it pass unchanged.

    Raises:
        ValueError: A value outside its range.
    """

    def __init__(self, window: int = 9, order: int = 2) -> None:
        if window < 3 or window % 2 == 0:
            raise ValueError(f'window: got {window}, expected an odd number of frames >= 3')
        if not 0 <= order < window:
            raise ValueError(f'order: got {order}, expected a degree in [0, {window})')
        self.half, self.order = window // 2, order
        self._now = -1
        self._finished = False
        self._present: dict[int, _Appearance] = {}
        self._waiting: deque[tuple[int, dict[int, _Appearance]]] = deque()

    def push(
        self, time_s: float, people: Mapping[int, NDArray[np.floating]]
    ) -> list[dict[int, NDArray[np.floating]]]:
        """Take a frame: its time, later than the last one's, and (D,) of each person by id.

        Returns the smoothed people of every frame that is ready, in the order of the frames.
        """
        self._now += 1
        self._present = {
            person: appearance
            for person, appearance in self._present.items()
            if self._now - appearance.last <= self.half
        }
        for person, value in people.items():
            appearance = self._present.setdefault(person, _Appearance(self._now))
            appearance.sights.append(_Sight(self._now, time_s, value))
        self._waiting.append((self._now, {person: self._present[person] for person in people}))
        return list(self._ready())

    def finish(self) -> list[dict[int, NDArray[np.floating]]]:
        """The frames that still wait at the end of the video."""
        self._finished = True
        return list(self._ready())

    def _ready(self) -> Iterator[dict[int, NDArray[np.floating]]]:
        while self._waiting:
            frame, appearances = self._waiting[0]
            if not all(self._is_decided(frame, one) for one in appearances.values()):
                return
            self._waiting.popleft()
            yield {person: self._fit(frame, one) for person, one in appearances.items()}

    def _is_decided(self, frame: int, appearance: _Appearance) -> bool:
        """Whether all is there that the fit at a frame needs; so a window later at the latest."""
        if self._finished or self._now - appearance.last >= self.half:
            return True  # the appearance is over
        if frame - appearance.start < self.half:
            return self._now >= appearance.start + 2 * self.half
        return appearance.last >= frame + self.half

    def _fit(self, frame: int, appearance: _Appearance) -> NDArray[np.floating]:
        """(D,) at a frame; sights that no later frame needs are dropped."""
        sights = appearance.sights
        while sights[0].frame < frame - 2 * self.half:
            sights.popleft()
        if frame - appearance.start < self.half:
            first = appearance.start
        else:
            first = min(frame - self.half, appearance.last - 2 * self.half)
        chosen = [sight for sight in sights if first <= sight.frame <= first + 2 * self.half]
        times_s = np.array([sight.time_s for sight in chosen])
        here_s = next(sight.time_s for sight in chosen if sight.frame == frame)
        values = np.stack([sight.value for sight in chosen])
        return polynomial_weights(times_s - here_s, self.order).astype(values.dtype) @ values


def polynomial_weights(offsets_s: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Weights of values at M different times whose sum is their best polynomial's value at time 0.

    Args:
        offsets_s: (M,), not all 0 unless M is 1.
        order: Degree of the polynomial; of those through all values if it could be M or more.

    Returns:
        (M,), with the sum 1.
    """
    scale_s = np.abs(offsets_s).max() or 1.0
    powers = np.vander(offsets_s / scale_s, order + 1, increasing=True)
    return np.linalg.pinv(powers)[0]
