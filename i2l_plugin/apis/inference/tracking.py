"""Who is who from frame to frame: boxes matched by their overlap (SORT without its Kalman filter).

Each track expects its box where its last two places lead (constant velocity), and the boxes of a
frame go to the tracks so that the sum of their IoUs is the greatest (Bewley et al., ICIP 2016).
Shape legend: N boxes of a frame, T tracks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from mmpose.structures import PoseDataSample
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment


@dataclass
class _Track:
    """A person: last box (4,) px, velocity of its centre (2,) px per frame, frames since then."""

    id: int
    bbox_px: NDArray[np.float64]
    velocity_px: NDArray[np.float64]
    age: int = 0

    def expected(self) -> NDArray[np.float64]:
        """(4,) px in the current frame, of the last size."""
        return self.bbox_px + np.tile(self.velocity_px * self.age, 2)


class IouTracker:
    """Gives the boxes of consecutive frames the numbers of people, from 0; none is used again.

    Args:
        min_iou: Overlap with the expected box below which a box is another person, in (0, 1).
        max_age: Frames that a person may be missing and be recognised again, >= 0.
        inertia: Share of the former velocity in the new one, in [0, 1): boxes of detectors jump.

    Raises:
        ValueError: A value outside its range.
    """

    def __init__(self, min_iou: float = 0.3, max_age: int = 15, inertia: float = 0.5) -> None:
        if not 0 < min_iou < 1:
            raise ValueError(f'min_iou: got {min_iou}, expected a number in (0, 1)')
        if max_age < 0:
            raise ValueError(f'max_age: got {max_age}, expected frames >= 0')
        if not 0 <= inertia < 1:
            raise ValueError(f'inertia: got {inertia}, expected a number in [0, 1)')
        self.min_iou, self.max_age, self.inertia = min_iou, max_age, inertia
        self._tracks: list[_Track] = []
        self._next_id = 0

    def update(self, bbox_px: NDArray[np.floating]) -> NDArray[np.int64]:
        """Take the next frame's boxes (N, 4) x1 y1 x2 y2 px; returns their ids (N,)."""
        boxes = np.asarray(bbox_px, np.float64).reshape(-1, 4)
        for track in self._tracks:
            track.age += 1
        expected = [track.expected() for track in self._tracks]
        ids = np.full(len(boxes), -1)
        for row, column in best_matches(
            box_iou(np.reshape(expected, (-1, 4)), boxes), self.min_iou
        ):
            self._move(self._tracks[row], boxes[column])
            ids[column] = self._tracks[row].id
        self._tracks = [track for track in self._tracks if track.age <= self.max_age]
        for column in np.flatnonzero(ids < 0):
            ids[column] = self._next_id
            self._tracks.append(_Track(self._next_id, boxes[column], np.zeros(2)))
            self._next_id += 1
        return ids

    def _move(self, track: _Track, bbox_px: NDArray[np.float64]) -> None:
        step_px = (bbox_px - track.bbox_px).reshape(2, 2).mean(axis=0)
        velocity_px = step_px / track.age
        track.velocity_px = self.inertia * track.velocity_px + (1 - self.inertia) * velocity_px
        track.bbox_px, track.age = bbox_px, 0


def track_people(
    samples: Iterable[PoseDataSample], tracker: IouTracker | None = None
) -> Iterator[PoseDataSample]:
    """Add ``track_ids`` (N,) to `pred_instances` of the scene samples of ONE video, in order."""
    tracker = tracker or IouTracker()
    for sample in samples:
        sample.pred_instances.track_ids = tracker.update(sample.pred_instances.bboxes)
        yield sample


def box_iou(first_px: NDArray[np.float64], second_px: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of every box of (T, 4) with every one of (N, 4); 0 of empty boxes."""
    low = np.maximum(first_px[:, None, :2], second_px[None, :, :2])
    high = np.minimum(first_px[:, None, 2:], second_px[None, :, 2:])
    shared = np.maximum(high - low, 0).prod(axis=-1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=-1) for boxes in (first_px, second_px)]
    union = areas[0][:, None] + areas[1][None] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def best_matches(iou: NDArray[np.float64], min_iou: float) -> list[tuple[int, int]]:
    """Pairs (row, column) of (T, N), each row and column once, of the greatest sum of IoUs.

    Only pairs of at least `min_iou` count, and they count before the best are sought: a pair too
    weak to be used must not keep two good ones apart.
    """
    usable = np.where(iou >= min_iou, iou, 0)
    rows, columns = linear_sum_assignment(usable, maximize=True)
    return [(r, c) for r, c in zip(rows, columns, strict=True) if usable[r, c] > 0]
