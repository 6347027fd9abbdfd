"""The pose space of the open hand: a relaxed mean pose and principal components of bending.

Right hand, fingers along -x, palm down: +z bends a finger towards the palm, y spreads the fingers.
Stands in for MANO's scans: the figures below are anatomical habit, not measurements.
"""

from __future__ import annotations

import numpy as np

_RELAXED_BEND = {  # radians at the three joints of each finger, MANO's order
    'Index': (0.12, 0.25, 0.15),
    'Middle': (0.17, 0.30, 0.18),
    'Pinky': (0.25, 0.30, 0.20),
    'Ring': (0.20, 0.30, 0.20),
}
_RELAXED_THUMB = ((0.0, 0.1, 0.1), (0.0, -0.1, 0.05), (0.0, -0.2, 0.05))
_BEND_SHARE = np.array([0.9, 1.2, 0.7])  # of a curling finger, over its three joints


def hand_pose_space(seed: int = 0, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Mean pose (45,) in radians and orthonormal components (45, 45), largest variance first."""
    rng = np.random.default_rng(seed)
    mean, poses = np.zeros((15, 3)), np.zeros((count, 15, 3))
    curl = rng.normal(0, 0.35, (count, 1))  # all fingers together
    for f, bend in enumerate(_RELAXED_BEND.values()):
        joints = slice(3 * f, 3 * f + 3)
        mean[joints, 2] = bend
        own = curl + rng.normal(0, 0.3, (count, 1))
        poses[:, joints, 2] = own * _BEND_SHARE + rng.normal(0, 0.08, (count, 3))
        poses[:, 3 * f, 1] = rng.normal(0, 0.1, count)
    mean[12:] = _RELAXED_THUMB
    poses[:, 12] = rng.normal(0, [0.2, 0.25, 0.15], (count, 3))
    poses[:, 13:, 1] = rng.normal(0, 0.3, (count, 1)) + rng.normal(0, 0.1, (count, 2))
    flat = poses.reshape(count, -1) + rng.normal(0, 0.01, (count, 45))
    components = np.linalg.svd(flat - flat.mean(0), full_matrices=False)[2]
    largest = np.abs(components).argmax(1)
    return mean.ravel(), components * np.sign(components[np.arange(45), largest])[:, None]
