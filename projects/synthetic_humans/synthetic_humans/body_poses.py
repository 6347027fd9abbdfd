"""Natural body poses: standing, walking, running, sitting, reaching, gesturing, crouching.

Each family sets a few angles (see `body_angles`) and adds small variation; `draw_pose` clips to
the joint limits and rejects poses whose arms run through the body. Root orientation and camera are
not chosen here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .arms import POSTURES, Angles, draw_arm, set_joint
from .body_angles import JOINTS, BodyAngles, clip_angles
from .kinematics import arms_hit_body

MAX_TRIES = 12
# Standard deviation, in degrees, of what is added to every family's angles.
VARIATION = {'Spine': 3.0, 'Neck': 7.0, 'Arm': 7.0, 'Leg': 4.0}
_INDEX = {name: i for i, name in enumerate(JOINTS)}
_SPINE = ('Torso', 'Spine', 'Chest')


class BodyPose(NamedTuple):
    """A pose without its root orientation."""

    family: str
    pose: np.ndarray  # (24, 3) axis-angle rad, root zero
    lean_deg: float  # forward lean of the pelvis
    angles_deg: np.ndarray  # (24, 3)


def draw_pose(
    rng: np.random.Generator, body_angles: BodyAngles, rest_joints_m: np.ndarray
) -> BodyPose:
    """One natural pose within the joint limits, arms outside the trunk."""
    names, weights = zip(*((name, weight) for name, (weight, _) in FAMILIES.items()), strict=True)
    family = names[rng.choice(len(names), p=np.array(weights) / sum(weights))]
    for attempt in range(MAX_TRIES + 1):
        if attempt == MAX_TRIES:  # a calm pose always fits
            angles, lean = np.zeros((24, 3)), 0.0
            for side in 'LR':
                set_joint(angles, f'{side}_Shoulder', (0, 0, 14))
                set_joint(angles, f'{side}_Elbow', (0, -15, 0))
        else:
            angles, lean = FAMILIES[family][1](rng)
            _vary(angles, rng)
            if rng.random() < 0.5:
                angles = mirror_angles(angles)
        angles = clip_angles(angles)
        pose = body_angles.pose(angles)
        if not arms_hit_body(pose, rest_joints_m):
            break
    return BodyPose(family, pose, lean, angles)


def mirror_angles(angles_deg: Angles) -> Angles:
    """Exchange left and right. Angles of sides are one convention; the middle's y, z flip."""
    mirrored = angles_deg.copy()
    for i, name in enumerate(JOINTS):
        if name.startswith('L_'):
            right = _INDEX['R_' + name[2:]]
            mirrored[i], mirrored[right] = angles_deg[right], angles_deg[i]
        elif not name.startswith('R_'):
            mirrored[i, 1:] *= -1
    return mirrored


def _vary(angles: Angles, rng: np.random.Generator) -> None:
    for i, name in enumerate(JOINTS[1:], 1):
        group = (
            'Spine'
            if name in _SPINE
            else 'Neck'
            if name in ('Neck', 'Head')
            else 'Leg'
            if name[2:] in ('Hip', 'Knee', 'Ankle', 'Toe')
            else 'Arm'
        )
        angles[i] += rng.normal(0, VARIATION[group], 3)


def _bend_spine(angles: Angles, forward: float, turn: float = 0.0, side: float = 0.0) -> None:
    for joint in _SPINE:
        angles[_INDEX[joint]] = (forward / 3, turn / 3, side / 3)


def _flat_feet(angles: Angles, lean: float = 0.0) -> None:
    """Turn the ankles so that the soles stay level."""
    for side in 'LR':
        leg = angles[_INDEX[f'{side}_Hip'], 0] + angles[_INDEX[f'{side}_Knee'], 0]
        angles[_INDEX[f'{side}_Ankle'], 0] = -(leg + lean)


def _stance(angles: Angles, rng: np.random.Generator) -> None:
    """Legs of a standing person, often with more weight on one of them."""
    spread = rng.uniform(1, 11)
    relax = rng.uniform(0, 28) if rng.random() < 0.5 else rng.uniform(0, 6)
    set_joint(angles, 'L_Hip', (-0.6 * relax - rng.uniform(0, 4), rng.normal(8, 7), spread))
    set_joint(angles, 'R_Hip', (-rng.uniform(0, 4), rng.normal(8, 7), spread))
    set_joint(angles, 'L_Knee', (relax + rng.uniform(0, 6), 0, 0))
    set_joint(angles, 'R_Knee', (rng.uniform(0, 6), 0, 0))
    _flat_feet(angles)
    _bend_spine(angles, rng.normal(2, 4), rng.normal(0, 8), rng.normal(0, 4))


def _stand(rng: np.random.Generator) -> tuple[Angles, float]:
    angles = np.zeros((24, 3))
    _stance(angles, rng)
    for side in 'LR':
        draw_arm(angles, side, rng, 'hang')
    return angles, 0.0


def _gesture(rng: np.random.Generator) -> tuple[Angles, float]:
    angles = np.zeros((24, 3))
    _stance(angles, rng)
    posture = list(POSTURES)[rng.integers(len(POSTURES))]
    both = rng.random() < 0.4
    for side in 'LR':
        draw_arm(angles, side, rng, posture if both or side == 'L' else '')
    return angles, 0.0


def _walk(rng: np.random.Generator) -> tuple[Angles, float]:
    angles = np.zeros((24, 3))
    stride, phase = rng.uniform(16, 34), rng.uniform(0, 2 * np.pi)
    lean = rng.uniform(0, 6)
    for side, shift in (('L', 0.0), ('R', np.pi)):
        swing = np.sin(phase + shift)  # 1: this leg is in front
        forward = np.cos(phase + shift)  # > 0: it swings through the air
        set_joint(angles, f'{side}_Hip', (-stride * swing - 6, rng.normal(3, 4), rng.uniform(0, 5)))
        set_joint(
            angles, f'{side}_Knee', (6 + 55 * max(forward, 0) ** 1.5 + 10 * max(-swing, 0), 0, 0)
        )
        set_joint(angles, f'{side}_Ankle', (-4 * swing + 16 * max(-swing, 0), 0, 0))
        set_joint(
            angles, f'{side}_Shoulder', (stride * 0.9 * swing, rng.normal(0, 8), rng.uniform(7, 18))
        )
        set_joint(angles, f'{side}_Elbow', (0, -(18 + 14 * max(-swing, 0) + rng.uniform(0, 18)), 0))
    _bend_spine(angles, rng.normal(3, 3), -0.25 * stride * np.sin(phase))
    if rng.random() < 0.25:
        draw_arm(angles, 'L', rng)
    return angles, lean


def _run(rng: np.random.Generator) -> tuple[Angles, float]:
    angles = np.zeros((24, 3))
    stride, phase = rng.uniform(38, 55), rng.uniform(0, 2 * np.pi)
    for side, shift in (('L', 0.0), ('R', np.pi)):
        swing, forward = np.sin(phase + shift), np.cos(phase + shift)
        set_joint(angles, f'{side}_Hip', (-stride * swing - 14, 0, rng.uniform(0, 5)))
        set_joint(angles, f'{side}_Knee', (18 + 80 * max(forward, 0) + 25 * max(-swing, 0), 0, 0))
        set_joint(angles, f'{side}_Ankle', (-6 * swing + 18 * max(-swing, 0), 0, 0))
        set_joint(angles, f'{side}_Shoulder', (38 * swing, rng.normal(0, 8), rng.uniform(10, 22)))
        set_joint(angles, f'{side}_Elbow', (0, -rng.uniform(70, 105), 0))
    _bend_spine(angles, rng.uniform(2, 12), -0.2 * stride * np.sin(phase))
    return angles, rng.uniform(4, 14)


def _sit(rng: np.random.Generator) -> tuple[Angles, float]:
    angles = np.zeros((24, 3))
    lean = rng.uniform(-14, 8)
    for side in 'LR':
        bend = rng.uniform(78, 98)
        set_joint(angles, f'{side}_Hip', (-bend - lean, rng.normal(0, 6), rng.uniform(3, 20)))
        set_joint(angles, f'{side}_Knee', (bend + rng.uniform(-28, 14), 0, 0))
        if rng.random() < 0.5:  # forearms or hands on the thighs
            set_joint(
                angles,
                f'{side}_Shoulder',
                (-rng.uniform(15, 40), rng.normal(-8, 8), rng.uniform(6, 18)),
            )
            set_joint(angles, f'{side}_Elbow', (0, -rng.uniform(40, 75), 0))
        else:
            draw_arm(angles, side, rng)
    _flat_feet(angles, lean)
    _bend_spine(angles, rng.uniform(0, 26), rng.normal(0, 8), rng.normal(0, 4))
    return angles, lean


def _reach(rng: np.random.Generator) -> tuple[Angles, float]:
    angles = np.zeros((24, 3))
    _stance(angles, rng)
    draw_arm(angles, 'L', rng, 'reach')
    draw_arm(angles, 'R', rng, 'reach' if rng.random() < 0.4 else '')
    lean = rng.uniform(0, 12)
    _bend_spine(angles, rng.uniform(0, 18), rng.normal(0, 14), rng.normal(0, 6))
    angles[[_INDEX['L_Hip'], _INDEX['R_Hip']], 0] -= lean
    return angles, lean


def _crouch(rng: np.random.Generator) -> tuple[Angles, float]:
    """Squat, lunge, or picking something up."""
    angles = np.zeros((24, 3))
    depth, split = rng.uniform(25, 80), rng.uniform(0, 35) * (rng.random() < 0.5)
    lean = rng.uniform(0.2, 0.45) * depth
    for side, sign in (('L', 1), ('R', -1)):
        set_joint(
            angles,
            f'{side}_Hip',
            (-depth - lean * 0.6 - sign * split, rng.normal(8, 6), rng.uniform(4, 22)),
        )
        set_joint(angles, f'{side}_Knee', (1.55 * depth - sign * split * 0.6, 0, 0))
        draw_arm(angles, side, rng)
    _flat_feet(angles, lean)
    _bend_spine(angles, rng.uniform(0, 30), rng.normal(0, 8))
    return angles, lean


FAMILIES: dict[str, tuple[float, Callable[[np.random.Generator], tuple[Angles, float]]]] = {
    'stand': (0.26, _stand),
    'gesture': (0.22, _gesture),
    'walk': (0.20, _walk),
    'run': (0.04, _run),
    'sit': (0.10, _sit),
    'reach': (0.12, _reach),
    'crouch': (0.06, _crouch),
}
