"""What arms do: hang, rest on the hip, fold, wave, reach, carry. Angles as in `body_angles`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .body_angles import JOINTS

Angles = np.ndarray  # (24, 3) degrees, changed in place
_INDEX = {name: i for i, name in enumerate(JOINTS)}
Range = tuple[float, float]


class Posture(NamedTuple):
    """Ranges of degrees from which one arm is drawn."""

    weight: float  # how common it is
    shoulder: tuple[Range, Range, Range]  # swing back, turn, lift
    elbow: tuple[Range, Range]  # turn of the forearm, bend (negative)


POSTURES = {
    'hang': Posture(0.36, ((-16, 16), (-18, 18), (8, 26)), ((-22, 22), (-45, -5))),
    'hip': Posture(0.09, ((15, 32), (-65, -45), (42, 58)), ((-5, 5), (-118, -95))),
    'fold': Posture(0.07, ((-50, -25), (-60, -30), (5, 25)), ((-10, 10), (-105, -70))),
    'head': Posture(0.08, ((-75, -30), (-35, 10), (20, 55)), ((-10, 10), (-142, -122))),
    'wave': Posture(0.08, ((-160, -110), (-30, 30), (15, 55)), ((-30, 30), (-70, -5))),
    'reach': Posture(0.12, ((-140, -35), (-30, 30), (-8, 70)), ((-30, 30), (-50, -3))),
    'side': Posture(0.08, ((-30, 0), (-30, 30), (45, 80)), ((-30, 30), (-60, -3))),
    'carry': Posture(0.12, ((-25, 15), (-18, 18), (6, 22)), ((-40, 40), (-110, -60))),
}


def set_joint(angles: Angles, joint: str, xyz: tuple[float, float, float]) -> None:
    """Set one joint's three angles."""
    angles[_INDEX[joint]] = xyz


def draw_arm(angles: Angles, side: str, rng: np.random.Generator, posture: str = '') -> None:
    """Set shoulder, elbow and collar bone of one side; no posture: a random one."""
    if not posture:
        weights = np.array([p.weight for p in POSTURES.values()])
        posture = list(POSTURES)[rng.choice(len(weights), p=weights / weights.sum())]
    chosen = POSTURES[posture]
    swing, turn, lift = (rng.uniform(*limits) for limits in chosen.shoulder)
    set_joint(angles, f'{side}_Shoulder', (swing, turn, lift))
    set_joint(angles, f'{side}_Elbow', (*(rng.uniform(*limits) for limits in chosen.elbow), 0))
    # the collar bone follows a raised arm (scapulohumeral rhythm)
    level = np.cos(np.radians(swing)) * np.cos(np.radians(lift))
    raised = np.degrees(np.arccos(np.clip(level, -1, 1)))
    angles[_INDEX[f'{side}_Thorax'], 2] = 0.18 * max(raised - 30, 0)
