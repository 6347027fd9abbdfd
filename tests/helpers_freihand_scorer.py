"""FreiHAND's official scores, transcribed as slow loops: a second opinion, sharing no code.

Every distance is computed, no tree and no batch; each keypoint keeps its own list of errors, and
its own curve, as the official evaluation keeps them.
"""

import json

import numpy as np
from scipy.linalg import orthogonal_procrustes


def naive_freihand_scores(xyz, verts, true_xyz, true_verts):
    """Twelve scores of arrays (N, 21, 3) and (N, V, 3) in m; means in cm."""
    scores = {}
    for name, prediction, truth in (('xyz', xyz, true_xyz), ('mesh', verts, true_verts)):
        aligned = [align(*pair) for pair in zip(prediction, truth, strict=True)]
        for suffix, points in (('', prediction), ('_al', aligned)):
            error, area = mean_and_area(points, truth)
            scores[f'{name}{suffix}_mean3d'] = 100 * error
            scores[f'{name}{suffix}_auc3d'] = area
            if name == 'mesh':
                for limit in (5, 15):
                    per_sample = [
                        f_of_points(*pair, limit / 1000) for pair in zip(points, truth, strict=True)
                    ]
                    scores[f'f{suffix}_score_{limit}'] = sum(per_sample) / len(per_sample)
    return scores


def align(prediction, truth):
    """Of one sample: centre, divide by the norm and 1e-8, orthogonal Procrustes, scale, move."""
    centred, goal = prediction - prediction.mean(0), truth - truth.mean(0)
    norm, goal_norm = (np.linalg.norm(points) + 1e-8 for points in (centred, goal))
    centred, goal = centred / norm, goal / goal_norm
    rotation, scale = orthogonal_procrustes(centred, goal)
    return centred @ rotation * scale * goal_norm + truth.mean(0)


def mean_and_area(predictions, truths):
    """Mean error in m, and area under the curve, each of a keypoint first, then over keypoints."""
    thresholds = np.linspace(0, 0.05, 100)
    means, areas = [], []
    for keypoint in range(len(truths[0])):
        errors = []
        for prediction, truth in zip(predictions, truths, strict=True):
            difference = prediction[keypoint] - truth[keypoint]
            errors.append(np.sqrt((difference**2).sum()))
        means.append(np.mean(errors))
        curve = [np.mean([error <= threshold for error in errors]) for threshold in thresholds]
        area, width = 0.0, 0.0
        for i in range(len(thresholds) - 1):
            step = thresholds[i + 1] - thresholds[i]
            area += step * (curve[i] + curve[i + 1]) / 2
            width += step
        areas.append(area / width)
    return np.mean(means), np.mean(areas)


def f_of_points(prediction, truth, limit):
    """Of one sample, from all distances."""

    def share_near(points, others):
        near = 0
        for point in points:
            near += np.sqrt(((others - point) ** 2).sum(1)).min() < limit
        return near / len(points)

    precision, recall = share_near(truth, prediction), share_near(prediction, truth)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def random_hands(n, seed=0, num_vertices=778):
    """Joints (n, 21, 3) and vertices of hand-sized blobs in front of the camera, m."""
    rng = np.random.default_rng(seed)
    centre = rng.normal([0, 0, 0.7], 0.05, (n, 1, 3))
    size = np.array([0.04, 0.03, 0.015])
    return [centre + size * rng.normal(size=(n, points, 3)) for points in (21, num_vertices)]


def disturb(points, seed=1, noise_m=0.004):
    """A prediction: larger, moved, disturbed by more and more, the second one mirrored."""
    rng = np.random.default_rng(seed)
    n = len(points)
    noise = noise_m * np.linspace(0.5, 3, n)[:, None, None] * rng.normal(size=points.shape)
    centre = points.mean(1, keepdims=True)
    prediction = centre + 1.1 * (points - centre) + rng.normal(0, 0.01, (n, 1, 3)) + noise
    prediction[1] *= [-1, 1, 1]
    return prediction


def write_freihand_truth(folder, xyz, verts):
    """``evaluation_xyz.json`` and ``evaluation_verts.json`` as published."""
    (folder / 'evaluation_xyz.json').write_text(json.dumps(xyz.tolist()))
    (folder / 'evaluation_verts.json').write_text(json.dumps(verts.tolist()))
    return folder
