"""Anatomical finger angles of a right hand, their limits, and natural hand poses.

Angles are degrees: `bend` curls a finger into the palm, `spread` turns it sideways towards the
thumb. A joint's rotation vector is bend * bend axis + spread * spread axis, the axes taken from
the model's own rest joints; MANO adds its mean pose to the parameters, so the pose is that vector
minus the mean. Fingers are Thumb, Index, Middle, Ring, Pinky; each has joints 1 (base) to 3.
"""

from __future__ import annotations

import numpy as np

from i2l_plugin.body_models import MANO_16

FINGERS = ('Thumb', 'Index', 'Middle', 'Ring', 'Pinky')
# (low, high) degrees of bend and of spread at joints 1, 2, 3
FINGER_LIMITS = {
    'bend': ((-15, 88), (0, 105), (0, 75)),
    'spread': ((-16, 16), (0, 0), (0, 0)),
}
THUMB_LIMITS = {
    'bend': ((-15, 40), (-5, 55), (-15, 80)),
    'spread': ((-40, 15), (0, 0), (0, 0)),
}
# curl 1 is a closed fist
CURL = np.array([80.0, 98.0, 62.0])
THUMB_CURL = np.array([28.0, 42.0, 55.0])

# name: weight, curl of thumb..pinky (low, high each)
_OPEN, _BENT, _SHUT = (-0.08, 0.12), (0.2, 0.55), (0.8, 1.0)
FAMILIES = {
    'relaxed': (0.2, ((0.0, 0.4), (0.1, 0.35), (0.15, 0.45), (0.2, 0.5), (0.2, 0.55))),
    'open': (0.18, (_OPEN, _OPEN, _OPEN, _OPEN, _OPEN)),
    'fist': (0.1, ((0.5, 0.9), _SHUT, _SHUT, _SHUT, _SHUT)),
    'point': (0.1, ((0.3, 0.9), _OPEN, _SHUT, _SHUT, _SHUT)),
    'grasp': (0.16, ((0.1, 0.5), _BENT, _BENT, _BENT, _BENT)),
    'pinch': (0.06, ((0.45, 0.7), (0.42, 0.58), (0.1, 0.5), (0.1, 0.5), (0.1, 0.5))),
    'two': (0.06, ((0.5, 0.9), _OPEN, _OPEN, _SHUT, _SHUT)),
    'thumb_up': (0.06, ((-0.15, 0.0), _SHUT, _SHUT, _SHUT, _SHUT)),
    'free': (0.08, ((0.0, 0.8), (0.0, 1.0), (0.0, 1.0), (0.0, 1.0), (0.0, 1.0))),
}


class FingerAxes:
    """Axes of bending and spreading at rest, for a right hand of any orientation.

    Args:
        rest_joints_m: (16, 3) rest joints in MANO's order.
        mean_pose: (16, 3) rad, what the model adds to the pose.
    """

    def __init__(self, rest_joints_m: np.ndarray, mean_pose: np.ndarray) -> None:
        joint = dict(zip(MANO_16.joint_names, rest_joints_m, strict=True))
        palm = np.cross(joint['Index1'] - joint['Wrist'], joint['Pinky1'] - joint['Wrist'])
        self.palm = palm / np.linalg.norm(palm)  # out of the palm
        self.mean_pose = mean_pose
        self.along: dict[str, np.ndarray] = {}
        self.bend: dict[str, np.ndarray] = {}
        self.spread: dict[str, np.ndarray] = {}
        for finger in FINGERS:
            along = joint[f'{finger}3'] - joint[f'{finger}1']
            along /= np.linalg.norm(along)
            toward = self.palm
            if finger == 'Thumb':  # it bends across the palm, towards the little finger's base
                toward = joint['Pinky1'] - joint['Thumb1']
                toward = toward / np.linalg.norm(toward) + 0.35 * self.palm
            axis = np.cross(along, toward)
            self.along[finger] = along
            self.bend[finger] = axis / np.linalg.norm(axis)
            across = self.palm if finger != 'Thumb' else self.bend['Thumb']
            side = across - along * (along @ across)
            if finger == 'Thumb':  # the thumb's second axis lifts it out of the palm's plane
                side = np.cross(along, side)
            self.spread[finger] = -side / np.linalg.norm(side)

    def pose(self, bend_deg: np.ndarray, spread_deg: np.ndarray) -> np.ndarray:
        """(5, 3) degrees each -> (16, 3) axis-angle pose parameters, root zero."""
        pose = np.zeros((len(MANO_16), 3))
        for f, finger in enumerate(FINGERS):
            for i in range(3):
                joint = MANO_16.index(f'{finger}{i + 1}')
                bend = np.radians(bend_deg[f, i]) * self.bend[finger]
                pose[joint] = bend + np.radians(spread_deg[f, i]) * self.spread[finger]
        pose[1:] -= self.mean_pose[1:]
        return pose


def draw_fingers(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, str]:
    """Bend (5, 3) and spread (5, 3) in degrees within the limits, and the family's name."""
    names = list(FAMILIES)
    weights = np.array([FAMILIES[name][0] for name in names])
    family = names[rng.choice(len(names), p=weights / weights.sum())]
    low, high = np.array(FAMILIES[family][1]).T
    curl = rng.uniform(low, high)
    if family == 'grasp':  # one object: the fingers agree
        curl[1:] = curl[1] + rng.normal(0, 0.05, 4)
    bend = curl[:, None] * np.vstack([THUMB_CURL, *[CURL] * 4]) + rng.normal(0, 4, (5, 3))
    spread = np.zeros((5, 3))
    fan = (
        rng.uniform(-0.3, 1.2) if family in ('open', 'free', 'relaxed') else rng.uniform(-0.2, 0.3)
    )
    spread[1:, 0] = fan * np.array([9, 2, -6, -12]) + rng.normal(0, 1.5, 4)
    spread[1:, 0] *= 1 - np.clip(curl[1:], 0, 1)  # a closed hand does not spread
    spread[0, 0] = -rng.uniform(0, 34) if curl[0] > 0.25 else rng.uniform(-30, 12)
    for i, limits in enumerate([THUMB_LIMITS, *[FINGER_LIMITS] * 4]):
        bend[i] = np.clip(bend[i], *np.transpose(limits['bend']))
        spread[i] = np.clip(spread[i], *np.transpose(limits['spread']))
    return bend, spread, family
