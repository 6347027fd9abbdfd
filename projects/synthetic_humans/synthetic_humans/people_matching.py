"""Which detection is of which person of the same picture.

Shapes: M detections, N people, K pairs.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from i2l_plugin.datasets.person_matching import box_iou

MIN_IOU = 0.5


def match_boxes(
    found_px: np.ndarray, true_px: np.ndarray, min_iou: float = MIN_IOU
) -> tuple[np.ndarray, np.ndarray]:
    """The one-to-one pairs with the largest sum of overlaps (Hungarian algorithm).

    Args:
        found_px: (M, 4), x1 y1 x2 y2.
        true_px: (N, 4).
        min_iou: Boxes that overlap less are no pair.

    Returns:
        Index of the detection (K,) and of the person (K,) of each pair, persons ascending.
    """
    person, detection = np.divmod(np.arange(len(true_px) * len(found_px)), max(len(found_px), 1))
    iou = box_iou(true_px[person], found_px[detection]).reshape(len(true_px), len(found_px))
    iou[iou < min_iou] = 0
    person, detection = linear_sum_assignment(iou, maximize=True)
    paired = iou[person, detection] > 0
    return detection[paired], person[paired]
