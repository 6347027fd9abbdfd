"""Anatomical joint angles of the body, their limits, and SMPL's axis-angle pose.

Model frame at rest (T-pose): x to the person's left, y up, z forward. Angles are degrees about
x, y, z, written for the LEFT side; the right side mirrors them (y and z change sign), so one table
of limits serves both. What a positive angle does:

=========  =====  ===========================  =======================  =====================
joint      order  x                            y                        z
=========  =====  ===========================  =======================  =====================
spine/neck XYZ    bend forward                 turn to the left         lean to the right
Thorax     XYZ    roll forward                 pull the shoulder back   lift the shoulder
Shoulder   XZY    swing the arm back           turn about the arm       lift it sideways
Elbow      YXZ    turn the forearm             (negative) bend          -
Wrist      XYZ    turn                         sideways                 bend back
Hip        XZY    swing the leg back           turn about the leg       lift it sideways
Knee       XYZ    bend                         -                        -
Ankle      XYZ    point the foot               -                        -
=========  =====  ===========================  =======================  =====================

The shoulder's zero is the HANGING arm, as in anatomy, not the T-pose: its rotation is
``Rx Rz Ry @ (rest arm -> straight down)``. Each order keeps its middle axis away from 90 degrees
within the limits, so angles and rotations match one to one.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from i2l_plugin.body_models import SMPL_24

# joint without side -> (order of intrinsic axes, (low, high) degrees about x, y, z)
LIMITS = {
    'Torso': ('XYZ', ((-12, 35), (-15, 15), (-14, 14))),
    'Spine': ('XYZ', ((-12, 30), (-15, 15), (-14, 14))),
    'Chest': ('XYZ', ((-12, 25), (-15, 15), (-12, 12))),
    'Neck': ('XYZ', ((-25, 35), (-40, 40), (-20, 20))),
    'Head': ('XYZ', ((-20, 25), (-35, 35), (-15, 15))),
    'Thorax': ('XYZ', ((-10, 10), (-20, 15), (-10, 25))),
    'Shoulder': ('XZY', ((-165, 45), (-70, 70), (-20, 80))),
    'Elbow': ('YXZ', ((-60, 60), (-145, 0), (-5, 5))),
    'Wrist': ('XYZ', ((-20, 20), (-20, 20), (-60, 50))),
    'Hand': ('XYZ', ((-5, 5), (-5, 5), (-25, 15))),
    'Hip': ('XZY', ((-120, 30), (-40, 40), (-20, 45))),
    'Knee': ('XYZ', ((0, 145), (-4, 4), (-4, 4))),
    'Ankle': ('XYZ', ((-28, 45), (-15, 15), (-12, 12))),
    'Toe': ('XYZ', ((-40, 15), (-4, 4), (-4, 4))),
}
JOINTS = SMPL_24.joint_names
MIRROR = np.array([1.0, -1.0, -1.0])


def base_name(joint: str) -> str:
    """``'L_Knee'`` -> ``'Knee'``."""
    return joint.removeprefix('L_').removeprefix('R_')


def limits_array() -> np.ndarray:
    """(24, 3, 2) low and high degrees; the pelvis is free (its row is zero)."""
    table = np.zeros((len(JOINTS), 3, 2))
    for i, joint in enumerate(JOINTS[1:], 1):
        table[i] = LIMITS[base_name(joint)][1]
    return table


def clip_angles(angles_deg: np.ndarray) -> np.ndarray:
    """The nearest angles within the limits. (24, 3) -> (24, 3)."""
    low, high = np.moveaxis(limits_array(), -1, 0)
    return np.clip(angles_deg, low, high)


class BodyAngles:
    """Turns angles into pose parameters for one body model's rest pose.

    Args:
        rest_joints_m: (24, 3) rest joints; gives the direction of the resting upper arms.
    """

    def __init__(self, rest_joints_m: np.ndarray) -> None:
        self.arm_to_hanging = {}
        for side in 'LR':
            arm = (
                rest_joints_m[JOINTS.index(f'{side}_Elbow')]
                - rest_joints_m[JOINTS.index(f'{side}_Shoulder')]
            )
            self.arm_to_hanging[side] = _shortest_rotation(arm, np.array([0.0, -1.0, 0.0]))

    def pose(self, angles_deg: np.ndarray) -> np.ndarray:
        """(24, 3) degrees -> (24, 3) axis-angle radians; row 0 (pelvis) stays zero."""
        pose = np.zeros((len(JOINTS), 3))
        for i, joint in enumerate(JOINTS[1:], 1):
            order = LIMITS[base_name(joint)][0]
            angles = angles_deg[i] * (MIRROR if joint.startswith('R_') else 1)
            rotation = Rotation.from_euler(order, [angles['XYZ'.index(a)] for a in order], True)
            if base_name(joint) == 'Shoulder':
                rotation = rotation * self.arm_to_hanging[joint[0]]
            pose[i] = rotation.as_rotvec()
        return pose


def _shortest_rotation(start: np.ndarray, end: np.ndarray) -> Rotation:
    """The rotation in the plane of two (not opposite) directions that takes one to the other."""
    start, end = start / np.linalg.norm(start), end / np.linalg.norm(end)
    axis = np.cross(start, end)
    sine, cosine = np.linalg.norm(axis), start @ end
    return Rotation.from_rotvec(axis / max(sine, 1e-12) * np.arctan2(sine, cosine))
