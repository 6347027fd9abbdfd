"""Scores of predicted points: mean distance, F-score, PCK and the area under its curve.

Source of the last three: FreiHAND's protocol (Zimmermann et al., ICCV 2019); F-score after
Knapitsch et al., "Tanks and Temples", SIGGRAPH 2017. The F-score takes nearest neighbours, not
correspondences.

Shape legend: B batch, N and M points, T thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor


def mean_point_error(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean Euclidean distance of corresponding points. 2 x (..., N, 3) -> (...,) float64."""
    return torch.linalg.vector_norm(prediction.double() - target.double(), dim=-1).mean(-1)


def f_score(prediction: Tensor, target: Tensor, thresholds: Sequence[float]) -> Tensor:
    """F-score of each prediction at each threshold, in [0, 1], (B, T) float64 on the CPU.

    Precision is the share of target points that are nearer than the threshold to their nearest
    predicted point, recall the share of predicted points near the target (FreiHAND's naming; the
    harmonic mean is symmetric). Distances must be strictly smaller. Average the result over images.
    A k-d tree a set takes half the time of all distances for 778 points, far less for more.

    Args:
        prediction: (B, N, 3).
        target: (B, M, 3), in the unit of `prediction`.
        thresholds: T distances in that unit, e.g. ``(5, 15)`` mm.

    Raises:
        ValueError: If the shapes disagree or a set is empty.
    """
    if (
        prediction.ndim != 3
        or target.ndim != 3
        or prediction.shape[::2] != target.shape[::2]
        or prediction.shape[2] != 3
        or 0 in (prediction.shape[1], target.shape[1])
    ):
        raise ValueError(
            'prediction and target must be (B, N, 3) and (B, M, 3) with N, M >= 1; got '
            f'{tuple(prediction.shape)} and {tuple(target.shape)}'
        )
    limits = np.asarray(thresholds, dtype=np.float64)
    pairs = zip(_to_numpy(prediction), _to_numpy(target), strict=True)
    scores = np.array([_f_score_of_one(*pair, limits) for pair in pairs])
    return torch.from_numpy(scores.reshape(-1, len(limits)))


def pck(errors: Tensor, thresholds: Tensor) -> Tensor:
    """Share of errors that are at most each threshold. (..., N), (T,) -> (..., T) float64."""
    return (errors[..., None, :] <= thresholds[:, None]).double().mean(-1)


def pck_auc(errors_mm: Tensor, max_threshold_mm: float = 50.0, num_thresholds: int = 100) -> Tensor:
    """Area under the PCK curve, divided by its width, in [0, 1]. (..., N) mm -> (...,) float64.

    Thresholds run evenly from 0 to `max_threshold_mm`, both included; trapezoidal rule.
    """
    thresholds = torch.linspace(
        0, max_threshold_mm, num_thresholds, dtype=torch.float64, device=errors_mm.device
    )
    return torch.trapezoid(pck(errors_mm.double(), thresholds), thresholds) / max_threshold_mm


def _to_numpy(points: Tensor) -> np.ndarray:
    return points.detach().cpu().numpy().astype(np.float64)


def _f_score_of_one(
    prediction: np.ndarray, target: np.ndarray, thresholds: np.ndarray
) -> np.ndarray:
    if not (np.isfinite(prediction).all() and np.isfinite(target).all()):
        return np.full(len(thresholds), np.nan)  # as an error in mm would be
    bound = thresholds.max()  # farther neighbours count for no threshold: they come back as inf
    to_prediction = cKDTree(prediction).query(target, distance_upper_bound=bound)[0]
    to_target = cKDTree(target).query(prediction, distance_upper_bound=bound)[0]
    precision = (to_prediction[:, None] < thresholds).mean(0)
    recall = (to_target[:, None] < thresholds).mean(0)
    return 2 * precision * recall / np.maximum(precision + recall, np.finfo(np.float64).tiny)
