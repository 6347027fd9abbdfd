"""Where the persons of a record are: box and depth of the root joint, annotated or from files.

Shape legend: N persons of the record, n of them that a data set uses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from i2l_plugin.geometry.crop import clip_box

from .annotations import AnnotationRecord
from .person_matching import Persons, matched_boxes, matched_depths_mm
from .person_results import PersonResults


@dataclass
class PersonPlaces:
    """Boxes and root depths by row of the record; arrays are None where the record's count.

    Args:
        record: The annotation.
        box_px: (N, 4), x1 y1 x2 y2 before they are grown.
        score: (N,), of the boxes.
        root_depth_mm: (N,), NaN where unknown.
        box_source, root_depth_source: ``'annotated'``, ``'RootNet'`` or ``'detector'``; the latter
            two say for how many persons what is annotated was taken instead, if for any.
    """

    record: AnnotationRecord
    box_px: NDArray[np.float32] | None = None
    score: NDArray[np.float32] | None = None
    root_depth_mm: NDArray[np.float32] | None = None
    box_source: str = 'annotated'
    root_depth_source: str = 'annotated'

    def boxes(self, rows: NDArray[np.int64] | int) -> NDArray[np.float32]:
        """Boxes (n, 4) of rows (n,) before they are grown; those of the record clipped."""
        if self.box_px is not None:
            return self.box_px[rows]
        return clip_box(self.record['bbox_px'][rows], self.record['image_size_px'][rows])

    def box_score(self, row: int) -> float:
        """Score of a box, 1 for annotated ones."""
        return 1.0 if self.score is None else float(self.score[row])

    def root_depth(self, row: int) -> float:
        """Depth of the root joint in mm; NaN where unknown, where the record may hold anything."""
        if self.root_depth_mm is not None:
            return float(self.root_depth_mm[row])
        known = self.record['has_depth'][row]
        return float(self.record['root_depth_mm'][row]) if known else float('nan')

    def take_boxes(
        self, results: PersonResults, rows: NDArray[np.int64], padding: float, unmatched: str
    ) -> None:
        """Replace the boxes of rows (n,) by those of a file; `matched_boxes` says how."""
        size_px = self.record['image_size_px'][rows]
        box_px, score, found = matched_boxes(
            results, self._persons(rows), size_px, padding, unmatched
        )
        self.box_px = np.zeros((len(self.record), 4), np.float32)
        self.score = np.zeros(len(self.record), np.float32)
        self.box_px[rows], self.score[rows] = box_px, score
        self.box_source = _source(results, found)

    def take_depths(
        self, results: PersonResults, rows: NDArray[np.int64], unit_mm: float, unmatched: str
    ) -> None:
        """Replace the root depths of rows (n,) by those of a file; see `matched_depths_mm`."""
        known = self.record['has_depth']
        depth_mm = np.where(known, self.record['root_depth_mm'], np.float32(np.nan))
        depth_mm[rows], found = matched_depths_mm(
            results, self._persons(rows), depth_mm[rows], unit_mm, unmatched
        )
        self.root_depth_mm = depth_mm
        self.root_depth_source = _source(results, found)

    def _persons(self, rows: NDArray[np.int64]) -> Persons:
        """As annotated: by their own boxes they are found in a file."""
        record = self.record
        box_px = clip_box(record['bbox_px'][rows], record['image_size_px'][rows])
        return Persons(record['sample_id'][rows], record['image_id'][rows], box_px)


def _source(results: PersonResults, found: NDArray[np.bool_]) -> str:
    """Where the places of n persons are from; results of metrics repeat it."""
    if found.all():
        return results.source
    return f'{results.source} (annotated for {int((~found).sum())} of {len(found)} persons)'
