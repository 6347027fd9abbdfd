"""A right hand with its forearm and sleeve, before a camera."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from i2l_plugin.body_models import BodyModel

from .compose import Layer
from .framing import Figure, Shot, draw_view, shoot
from .hand_paint import HandLook, HandMap, draw_look, paint_hand
from .hand_poses import FingerAxes, draw_fingers
from .lighting import Surface
from .props import furniture, occluder
from .skin import relief
from .surroundings import Backdrop, Ground

FILL = (0.5, 0.8)
MAX_BETA = 2.0
FOREARM_M, FOREARM_RINGS = 0.3, 10


class HandSubject:
    """Right hands of one hand model.

    Args:
        model: Hand model on the CPU, whose poses are relative to its mean (flat_hand_mean False).
    """

    kind = 'hand'
    floor_gaps_mm = (30.0, 250.0, 1000.0)

    def __init__(self, model: BodyModel) -> None:
        self.model = model
        rest = model.j_regressor.double().numpy() @ model.v_template.double().numpy()
        self.axes = FingerAxes(rest, model.mean_pose.double().numpy())
        self.map = HandMap(model, self.axes)
        # model axes -> fingers up, palm towards the camera (world z), thumb to one side
        up = self.map.joint['Middle1'] - self.map.joint['Wrist']
        up = up / np.linalg.norm(up)
        palm = self.axes.palm - up * (up @ self.axes.palm)
        palm /= np.linalg.norm(palm)
        self.upright = Rotation.from_matrix(np.stack([np.cross(up, palm), up, palm]))

    def draw_shot(self, rng: np.random.Generator, image_size: int) -> Shot:
        """A posed hand before a camera."""
        betas = np.clip(rng.normal(0, 1, self.model.num_betas), -MAX_BETA, MAX_BETA)
        bend, spread, family = draw_fingers(rng)
        if rng.random() < 0.6:  # held up: palm, back or side to the camera
            yaw = rng.choice([0, 180]) + rng.normal(0, 45)
            angles = [yaw, rng.normal(0, 25), rng.normal(0, 40)]
            root = Rotation.from_euler('YXZ', angles, degrees=True) * self.upright
        else:
            root = Rotation.from_rotvec(_random_rotation(rng))
        view = draw_view(rng, rng.uniform(0, 45), np.clip(rng.normal(0, 4), -9, 9), FILL)
        figure = Figure(self.axes.pose(bend, spread), root, betas, family)
        return shoot(self.model, figure, view, image_size)

    def layers(
        self, rng: np.random.Generator, shot: Shot, ground: Ground, backdrop: Backdrop
    ) -> list[Layer]:
        """Hand, forearm, sleeve, boxes around, and sometimes something in front."""
        look = draw_look(rng)

        def paint(points: np.ndarray) -> Surface:
            return paint_hand(look, self.map, points)

        layers = [Layer(shot.vertices_mm, self.map.faces, self.map.attributes, paint)]
        layers += self._forearm(rng, look, shot)
        layers += furniture(rng, shot, ground, backdrop)
        if rng.random() < 0.15:
            layers.append(occluder(rng, shot, ground))
        return layers

    def _forearm(self, rng: np.random.Generator, look: HandLook, shot: Shot) -> list[Layer]:
        """The wrist's border, drawn out along a forearm that the hand is bent against."""
        rim = shot.vertices_mm[self.map.rim]
        center = rim.mean(0)
        root = Rotation.from_rotvec(shot.pose[0])
        straight = root.apply(self.map.joint['Wrist'] - self.map.joint['Middle1'])
        straight /= np.linalg.norm(straight)
        bend = Rotation.from_rotvec(
            np.radians(rng.normal(0, 16)) * root.apply(self.axes.bend['Middle'])
            + np.radians(rng.normal(0, 8)) * root.apply(self.axes.palm)
        )
        away = bend.apply(straight)
        size = np.linalg.norm(rim - center, axis=1).mean()
        layers = []
        parts = ((0.0, FOREARM_M, 0.0), (look.cuff_m, FOREARM_M + 0.01, look.cuff_gap_m))
        for start, end, gap in parts:
            distance = np.linspace(start, end, FOREARM_RINGS)
            turn = np.clip(distance / 0.05, 0, 1)[:, None]  # the bend is spread over 5 cm
            path = (1 - turn) * straight + turn * away
            path = center + 1000 * distance[:, None] * path
            scale = 1 + 0.12 * np.clip(distance / 0.03, 0, 1) + 1.6 * distance + gap * 1000 / size
            rings = path[:, None] + scale[:, None, None] * (rim - center)
            layers.append(self._tube(rings, distance, look if gap else None, look.skin))
        return layers

    def _tube(
        self, rings: np.ndarray, distance: np.ndarray, sleeve: HandLook | None, skin: np.ndarray
    ) -> Layer:
        count, sides = rings.shape[:2]
        k, i = np.meshgrid(np.arange(count - 1), np.arange(sides), indexing='ij')
        a, b = k * sides + i, k * sides + (i + 1) % sides
        faces = np.stack([a, b, b + sides, a, b + sides, a + sides], -1).reshape(-1, 3)
        angle = np.broadcast_to(0.3 * np.linspace(0, 1, sides), (count, sides))
        along = np.broadcast_to(distance[:, None], (count, sides))
        attributes = np.stack([angle, along, 0 * angle], -1).reshape(-1, 3)

        def paint(points: np.ndarray) -> Surface:
            if sleeve is None:
                albedo = np.broadcast_to(skin, points.shape)
                return Surface(albedo, relief(points, 0.1, 0.04), np.full(len(points), 0.12))
            albedo = sleeve.sleeve(points[:, 0], points[:, 1])
            hem = points[:, 1] < distance[0] + 0.012
            albedo = np.where(hem[:, None], albedo * 0.85, albedo)
            return Surface(
                np.clip(albedo, 0, 1), relief(points, 0.25, 0.2), np.full(len(points), 0.03)
            )

        return Layer(rings.reshape(-1, 3), faces, attributes, paint)


def _random_rotation(rng: np.random.Generator) -> np.ndarray:
    """Rotation vector of a uniformly random orientation (a normal 4-vector is a quaternion)."""
    return Rotation.from_quat(rng.normal(size=4)).as_rotvec()
