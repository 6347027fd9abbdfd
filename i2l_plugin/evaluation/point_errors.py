"""The two errors of every table: after root alignment and after a similarity (protocols, 7).

Shape legend: K samples, N points.
"""

from __future__ import annotations

from torch import Tensor

from i2l_plugin.geometry.alignment import root_align, similarity_error
from i2l_plugin.geometry.point_sets import mean_point_error


def point_errors(
    prediction: Tensor, prediction_root: Tensor, target: Tensor, target_root: Tensor
) -> tuple[Tensor, Tensor]:
    """Mean error of corresponding points after each alignment, (K,) and (K,) float64.

    Args:
        prediction: (K, N, 3) mm.
        prediction_root: (K, 3) mm, taken to the origin with its set; need not be in the set.
        target: (K, N, 3) mm.
        target_root: (K, 3) mm.
    """
    prediction = root_align(prediction, prediction_root)
    target = root_align(target, target_root)
    return mean_point_error(prediction, target), similarity_error(prediction, target)
