"""How much floor a person takes, and whether two people keep apart on it.

Meshes above floor areas without an overlap cannot run into each other. Positions on the floor are
(right, ahead) mm. Shapes: K corners of a convex polygon.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull

from .surroundings import Ground


def footprint(points_mm: np.ndarray, ground: Ground) -> np.ndarray:
    """Convex hull (K, 2) mm, counter-clockwise, of points (N, 3) mm seen from above."""
    on_floor = points_mm @ np.stack([ground.right, ground.ahead], axis=1)
    return on_floor[ConvexHull(on_floor).vertices]


def gap_mm(one: np.ndarray, other: np.ndarray) -> float:
    """Width of the widest empty strip along a side of either polygon; negative if they overlap.

    By the separating axis theorem convex polygons without an overlap have such a strip. Their
    distance is at least as large.

    Args:
        one: (K, 2) mm, counter-clockwise.
        other: Likewise.
    """
    return max(_strip_mm(one, other), _strip_mm(other, one))


def _strip_mm(polygon: np.ndarray, other: np.ndarray) -> float:
    along = np.roll(polygon, -1, axis=0) - polygon
    outward = np.stack([along[:, 1], -along[:, 0]], axis=1)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    beyond = other @ outward.T - (polygon * outward).sum(axis=1)  # (K', K)
    return float(beyond.min(axis=0).max())
