"""One-sample references of alignment and F-score, from their papers, in numpy and scipy."""

import math

import numpy as np
from scipy.linalg import orthogonal_procrustes


def umeyama(source, target):
    """Umeyama (1991), Eqs. 38-43: `source` (N, 3) after the best similarity without reflection."""
    covariance = (target - target.mean(0)).T @ (source - source.mean(0)) / len(source)
    left, singular, right = np.linalg.svd(covariance)
    sign = np.ones(3)
    if np.linalg.det(left) * np.linalg.det(right) < 0:
        sign[2] = -1
    rotation = left @ np.diag(sign) @ right
    scale = (singular * sign).sum() / source.var(0).sum()
    return scale * (source - source.mean(0)) @ rotation.T + target.mean(0)


def freihand_scorer(prediction, target):
    """The steps that protocols.md, section 7, names, with scipy's orthogonal Procrustes."""
    centred, goal = prediction - prediction.mean(0), target - target.mean(0)
    norm = np.linalg.norm(goal)
    centred, goal = centred / np.linalg.norm(centred), goal / norm
    rotation, scale = orthogonal_procrustes(centred, goal)
    return centred @ rotation * scale * norm + target.mean(0)


def naive_f_score(prediction, target, threshold):
    """Harmonic mean of the two shares of points with a neighbour nearer than the threshold."""

    def share_near(points, others):
        near = 0
        for point in points:
            near += min(math.dist(point, other) for other in others) < threshold
        return near / len(points)

    precision, recall = share_near(target, prediction), share_near(prediction, target)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def mean_distance(prediction, target):
    """Mean Euclidean distance of corresponding points (N, 3)."""
    return sum(math.dist(p, t) for p, t in zip(prediction, target, strict=True)) / len(target)
