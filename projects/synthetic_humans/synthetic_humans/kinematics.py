"""Forward kinematics of the joints alone, and a capsule test for arms that run through the body.

Shapes: P = 24 joints.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from .body_angles import JOINTS

PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
_INDEX = {name: i for i, name in enumerate(JOINTS)}
# Capsules (from joint, to joint, radius as a share of the trunk's length pelvis - neck).
TRUNK = (('Pelvis', 'Spine', 0.26), ('Spine', 'Chest', 0.26), ('Chest', 'Neck', 0.2))
THIGHS = (('L_Hip', 'L_Knee', 0.15), ('R_Hip', 'R_Knee', 0.15))
HEAD_RADIUS = 0.24
SAMPLES = np.linspace(0, 1, 6)[:, None]


def forward_kinematics(
    pose: np.ndarray, rest_joints_m: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Global rotations and joint positions, the pelvis at its rest place.

    Args:
        pose: (24, 3) axis-angle rad, root first.
        rest_joints_m: (24, 3) m.

    Returns:
        (24, 3, 3) and (24, 3) m.
    """
    local = Rotation.from_rotvec(pose).as_matrix()
    turned, joints = local.copy(), rest_joints_m.copy()
    for i, parent in enumerate(PARENTS[1:], 1):
        turned[i] = turned[parent] @ local[i]
        joints[i] = joints[parent] + turned[parent] @ (rest_joints_m[i] - rest_joints_m[parent])
    return turned, joints


def arms_hit_body(pose: np.ndarray, rest_joints_m: np.ndarray) -> bool:
    """Whether a forearm or hand lies inside trunk, thighs or head, or the forearms cross."""
    _, joints = forward_kinematics(pose, rest_joints_m)
    unit = np.linalg.norm(rest_joints_m[_INDEX['Neck']] - rest_joints_m[_INDEX['Pelvis']])
    arms = []
    for side in 'LR':
        elbow, hand = joints[_INDEX[f'{side}_Elbow']], joints[_INDEX[f'{side}_Hand']]
        reach = hand + 0.35 * (hand - joints[_INDEX[f'{side}_Wrist']])
        arms.append(elbow + SAMPLES * (reach - elbow))
    points = np.concatenate(arms)
    for start, end, radius in (*TRUNK, *THIGHS):
        gap = _distance_to_segment(points, joints[_INDEX[start]], joints[_INDEX[end]])
        if (gap < radius * unit).any():
            return True
    head = joints[_INDEX['Head']] + 0.25 * (joints[_INDEX['Head']] - joints[_INDEX['Neck']])
    if (np.linalg.norm(points - head, axis=-1) < HEAD_RADIUS * unit).any():
        return True
    between = np.linalg.norm(arms[0][:, None] - arms[1][None], axis=-1)
    return bool(between.min() < 0.14 * unit)


def _distance_to_segment(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    along = (points - start) @ (end - start) / max((end - start) @ (end - start), 1e-12)
    nearest = start + np.clip(along, 0, 1)[:, None] * (end - start)
    return np.linalg.norm(points - nearest, axis=-1)
