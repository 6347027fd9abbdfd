"""A bare right hand's skin: palm, knuckles, nails, rings; its forearm and sleeve. N points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from i2l_plugin.body_models import MANO_16, BodyModel
from i2l_plugin.visualization.ray_scene import vertex_normals

from .hand_poses import FINGERS, FingerAxes
from .lighting import Surface
from .skin import Pattern, draw_pattern, draw_skin_tone, relief
from .textures import noise, noise_tile


class HandMap:
    """Landmarks of a hand at rest; attributes are rest position (m) and rest normal, (V, 6).

    Args:
        model: Hand model with finger tips in its joint set.
        axes: Its finger axes.
    """

    def __init__(self, model: BodyModel, axes: FingerAxes) -> None:
        template = model.v_template.double().numpy()
        joints = model.joint_regressor.double().numpy() @ template
        self.faces = model.faces.numpy()
        self.rest = template
        self.attributes = np.concatenate([template, vertex_normals(template, self.faces)], axis=1)
        self.joint = dict(zip(model.joint_set.joint_names, joints, strict=True))
        self.axes = axes
        self.length = np.linalg.norm(self.joint['Middle4'] - self.joint['Wrist'])
        self.rim = boundary_loop(self.faces)
        self.root = MANO_16.index('Wrist')


def boundary_loop(faces: np.ndarray) -> np.ndarray:
    """Vertices of the longest open border, in order round it. (F, 3) -> (K,)."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    directed = {tuple(edge) for edge in edges.tolist()}
    following = {a: b for a, b in directed if (b, a) not in directed}
    loops: list[list[int]] = []
    while following:
        loop = [next(iter(following))]
        while loop[-1] in following:
            loop.append(following.pop(loop[-1]))
        loops.append(loop[:-1])
    if not loops:
        raise ValueError('the hand mesh is closed: expected an open border at the wrist')
    return np.array(max(loops, key=len))


@dataclass(frozen=True)
class HandLook:
    """One hand's appearance."""

    skin: np.ndarray
    nail: np.ndarray
    ring_finger: str | None
    ring: np.ndarray
    sleeve: Pattern
    cuff_m: float  # where the sleeve begins, from the wrist
    cuff_gap_m: float  # how far it stands off the arm


def draw_look(rng: np.random.Generator) -> HandLook:
    """Random skin, nails (sometimes varnished), ring and sleeve."""
    skin = draw_skin_tone(rng)
    nail = np.clip(skin * np.array([1.08, 1.0, 1.0]) + 0.06, 0, 1)
    if rng.random() < 0.2:
        nail = rng.uniform(0.1, 0.9, 3)
    return HandLook(
        skin,
        nail,
        str(rng.choice(FINGERS[1:])) if rng.random() < 0.2 else None,
        np.array([(0.85, 0.68, 0.3), (0.75, 0.75, 0.78)])[rng.integers(2)],
        draw_pattern(rng, 0.6),
        rng.uniform(0.005, 0.06) if rng.random() < 0.7 else rng.uniform(0.1, 0.25),
        rng.uniform(0.003, 0.012),
    )


def paint_hand(look: HandLook, hand: HandMap, points: np.ndarray) -> Surface:
    """Colour of points on the hand. (N, 6) -> Surface of N points."""
    rest, normal = points[:, :3], points[:, 3:]
    palmar = np.clip((normal @ hand.axes.palm) * 1.6 + 0.1, 0, 1)
    # the forearm has one colour: fade into it
    beyond = (rest - hand.joint['Wrist']) @ hand.axes.along['Middle'] / hand.length
    palmar = palmar * np.clip((beyond - 0.05) / 0.25, 0, 1)
    mottled = noise(noise_tile(2, 1.6), rest[:, 0], rest[:, 2] + rest[:, 1], 0.06)
    color = look.skin * (1 + 0.03 * mottled)[:, None]
    pale = 0.7 * look.skin + 0.3 * np.array([0.93, 0.72, 0.64])
    color = color * (1 - 0.6 * palmar[:, None]) + pale * 0.6 * palmar[:, None]
    gloss = np.full(len(points), 0.12)
    unit = hand.length / 0.19
    for finger in FINGERS:
        along = hand.axes.along[finger]
        back = -np.cross(hand.axes.bend[finger], along)  # bending turns `along` away from it
        side = np.cross(along, back)
        for i, (size, depth) in enumerate(((0.008, 0.12), (0.006, 0.14), (0.004, 0.1))):
            away = rest - hand.joint[f'{finger}{i + 1}']
            near = np.exp(-((away @ along) ** 2 + 0.3 * (away @ side) ** 2) / (size * unit) ** 2)
            dorsal = np.clip(normal @ back, 0, 1) * (np.linalg.norm(away, axis=1) < 0.016 * unit)
            color = color * (1 - depth * (near * dorsal)[:, None] * np.array([0.6, 1.2, 1.2]))
        away = rest - hand.joint[f'{finger}4']
        tip = np.exp(-(away**2).sum(-1) / (0.011 * unit) ** 2)
        color = color * (1 - 0.14 * tip[:, None] * np.array([0.0, 1.0, 0.8]))
        wide = (0.0075 if finger == 'Thumb' else 0.0058) * unit
        nail = ((away @ along + 0.0055 * unit) / (0.0062 * unit)) ** 2 + ((away @ side) / wide) ** 2
        close = (np.linalg.norm(away, axis=1) < 0.02 * unit) & (normal @ back > 0.3)
        rim, inside = close & (nail < 1.25), close & (nail < 1)
        color[rim] *= 0.8
        color[inside] = look.nail
        gloss[inside] = 0.35
        if finger == look.ring_finger:
            away = rest - (0.5 * hand.joint[f'{finger}1'] + 0.5 * hand.joint[f'{finger}2'])
            ring = (np.abs(away @ along) < 0.0022 * unit) & (np.linalg.norm(away, axis=1) < 0.016)
            color[ring], gloss[ring] = look.ring, 0.6
    return Surface(np.clip(color, 0, 1), relief(points, 0.05, 0.05), gloss)
