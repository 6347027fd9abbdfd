"""How far predicted people are from the true ones, with and without their place in space.

Shapes: K people, V vertices, J joints of the model, the root first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch

from i2l_plugin.evaluation.point_errors import point_errors


class People(NamedTuple):
    """Meshes and joints in the camera frame."""

    vertices_mm: np.ndarray  # (K, V, 3)
    joints_mm: np.ndarray  # (K, J, 3)

    def take(self, index: np.ndarray) -> People:
        """Some of them."""
        return People(*(field[index] for field in self))


def person_errors(predicted: People, true: People) -> dict[str, np.ndarray]:
    """Errors (K,) in mm of each person, the same one in both arguments.

    MPJPE and MPVPE are relative to the root joint, PA- after the best similarity. Nothing is
    aligned in ``root`` (distance of the roots), ``root_depth`` (its part along the camera's axis)
    and ``absolute_MPVPE`` (mean distance of the vertices where they are in space).
    """
    (vertices, joints), (true_vertices, true_joints) = (
        tuple(torch.as_tensor(field, dtype=torch.float64) for field in people)
        for people in (predicted, true)
    )
    root, true_root = joints[:, 0], true_joints[:, 0]
    errors = {}
    for name, points, truth in (
        ('MPJPE', joints, true_joints),
        ('MPVPE', vertices, true_vertices),
    ):
        errors[name], errors[f'PA-{name}'] = point_errors(points, root, truth, true_root)
    errors['root'] = (root - true_root).norm(dim=-1)
    errors['root_depth'] = (root - true_root)[:, 2].abs()
    errors['absolute_MPVPE'] = (vertices - true_vertices).norm(dim=-1).mean(dim=-1)
    return {name: values.numpy() for name, values in errors.items()}


def mean_errors(errors: Mapping[str, np.ndarray]) -> dict[str, float | int | None]:
    """Means in mm over K people and ``N`` = K; None instead of means of nobody."""
    num = len(errors['MPJPE'])
    means = {name: float(values.mean()) if num else None for name, values in errors.items()}
    return {**means, 'N': num}
