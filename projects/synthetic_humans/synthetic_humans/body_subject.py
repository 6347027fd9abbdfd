"""A clothed person: pose and camera (what is annotated), then clothes and props (what is not)."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from i2l_plugin.body_models import BodyModel
from i2l_plugin.visualization.ray_scene import vertex_normals

from .body_angles import JOINTS, BodyAngles
from .body_map import BodyMap
from .body_poses import draw_pose
from .compose import Layer
from .framing import Figure, Shot, draw_view, shoot
from .kinematics import forward_kinematics
from .lighting import Surface
from .outfit import Outfit, draw_outfit, find_regions, paint_body
from .props import furniture, occluder, seat
from .skin import relief
from .surroundings import Backdrop, Ground

FILL = (0.6, 0.9)
MIN_CAMERA_HEIGHT_MM = 250.0
OCCLUDER_SHARE = 0.15  # of the pictures with something in front of the people
MAX_BETA = 2.0
SMOOTHING_STEPS = 10
SKIRT_RINGS, SKIRT_SIDES = 12, 40


def draw_tilt(rng: np.random.Generator) -> tuple[float, float]:
    """Pitch and roll of a camera in degrees; most look slightly down."""
    pitch = np.clip(rng.normal(6, 8), -8, 32)
    return pitch, np.clip(rng.normal(0, 2.5), -7, 7)


class BodySubject:
    """People of one body model.

    Args:
        model: Body model on the CPU.
    """

    kind = 'body'
    floor_gaps_mm = (0.0,)

    def __init__(self, model: BodyModel) -> None:
        self.model = model
        self.map = BodyMap(model)
        self.rest_joints_m = np.stack([self.map.joint[name] for name in JOINTS])
        self.angles = BodyAngles(self.rest_joints_m)
        self.shapedirs = model.shapedirs.double().numpy()
        self.j_regressor = model.j_regressor.double().numpy()

    def draw_figure(self, rng: np.random.Generator) -> Figure:
        """A posed person who turns anywhere."""
        betas = np.clip(rng.normal(0, 1, self.model.num_betas), -MAX_BETA, MAX_BETA)
        pose = draw_pose(rng, self.angles, self.rest_joints_m)
        yaw = rng.uniform(-180, 180)
        lean = pose.lean_deg + np.clip(rng.normal(0, 2.5), -6, 6)
        tilt = np.clip(rng.normal(0, 2), -5, 5)
        root = Rotation.from_euler('YXZ', [yaw, lean, tilt], degrees=True)
        return Figure(pose.pose, root, betas, pose.family)

    def draw_shot(self, rng: np.random.Generator, image_size: int) -> Shot:
        """A posed person before a camera."""
        figure = self.draw_figure(rng)
        view = draw_view(rng, *draw_tilt(rng), FILL)
        while True:
            shot = shoot(self.model, figure, view, image_size)
            if shot.camera_height_mm() > MIN_CAMERA_HEIGHT_MM:
                return shot
            view = view.tilted(3.0)  # a camera under the floor: raise it and look further down

    def layers(
        self, rng: np.random.Generator, shot: Shot, ground: Ground, backdrop: Backdrop
    ) -> list[Layer]:
        """The dressed person, furniture, and sometimes something in front."""
        layers = self.dress(rng, shot) + self.seats(rng, shot, ground)
        layers += furniture(rng, shot, ground, backdrop)
        if rng.random() < OCCLUDER_SHARE:
            layers.append(occluder(rng, shot, ground))
        return layers

    def dress(self, rng: np.random.Generator, shot: Shot) -> list[Layer]:
        """The person in random clothes."""
        outfit = draw_outfit(rng)
        layers = [self._dressed(outfit, shot)]
        if shot.family in ('stand', 'gesture', 'walk') and rng.random() < 0.16:
            layers.append(self._skirt(rng, outfit, shot))
        return layers

    def seats(self, rng: np.random.Generator, shot: Shot, ground: Ground) -> list[Layer]:
        """What the person sits on, if anything."""
        if shot.family != 'sit':
            return []
        thighs = self.map.weights[:, [1, 2]].sum(1) > 0.5
        points = shot.vertices_mm[thighs | (self.map.weights[:, 0] > 0.5)]
        return [seat(rng, ground, points[(points @ shot.up).argmin()])]

    def _dressed(self, outfit: Outfit, shot: Shot) -> Layer:
        """The body mesh, thicker where it wears something."""
        region = find_regions(outfit, self.map, self.map.attributes)
        normals = vertex_normals(shot.vertices_mm, self.map.faces)
        # cloth bridges hollows and shoes have no toes: smooth, but never into the body
        smooth = shot.vertices_mm
        for _ in range(SMOOTHING_STEPS):
            smooth = self.map.neighbours @ smooth
        hollow = ((smooth - shot.vertices_mm) * normals).sum(-1)
        thickness = outfit.thickness[region] * 1000
        thickness += np.where(thickness > 0, np.maximum(hollow, 0), 0)

        def paint(points: np.ndarray) -> Surface:
            return paint_body(outfit, self.map, points)

        vertices = shot.vertices_mm + normals * thickness[:, None]
        return Layer(vertices, self.map.faces, self.map.attributes, paint)

    def _skirt(self, rng: np.random.Generator, outfit: Outfit, shot: Shot) -> Layer:
        """A flared tube from the waist, skinned to pelvis and hips."""
        joint, template = self.map.joint, self.map.rest
        cloth = outfit.top if rng.random() < 0.5 else outfit.bottom  # a dress or a skirt
        waist = joint['Torso'][1] - 0.02
        hem = joint['L_Knee'][1] + rng.uniform(-0.3, 0.16)
        heights = np.linspace(waist, hem, SKIRT_RINGS)
        trunk = template[(np.abs(template[:, 1] - joint['L_Hip'][1]) < 0.08)]
        trunk = trunk[np.abs(trunk[:, 0]) < 0.3]
        belt = template[(np.abs(template[:, 1] - waist) < 0.03) & (np.abs(template[:, 0]) < 0.3)]
        share = np.linspace(0, 1, SKIRT_RINGS)
        hip_share = np.clip(share * (waist - hem) / (waist - joint['L_Hip'][1]), 0, 1)
        rings = []
        for axis in (0, 2):
            narrow, wide = np.ptp(belt[:, axis]) / 2, np.ptp(trunk[:, axis]) / 2
            radius = narrow + hip_share * (max(wide, narrow) - narrow) + 0.018
            rings.append(radius + rng.uniform(0.02, 0.16) * np.maximum(share - 0.3, 0))
        angle = np.linspace(0, 2 * np.pi, SKIRT_SIDES, endpoint=False)
        pleat = 1 + rng.uniform(0, 0.06) * share[:, None] * np.sin(rng.integers(7, 15) * angle)
        middle = (trunk[:, 2].max() + trunk[:, 2].min()) / 2
        x = rings[0][:, None] * np.cos(angle) * pleat
        z = rings[1][:, None] * np.sin(angle) * pleat + middle
        y = np.broadcast_to(heights[:, None], x.shape)
        rest = np.stack([x, y, z], -1).reshape(-1, 3)
        legs = 0.7 * np.clip(share, 0, 1)[:, None] * np.ones_like(x)
        left = 1 / (1 + np.exp(-x / 0.06))
        weights = np.stack([1 - legs, legs * left, legs * (1 - left)], -1).reshape(-1, 3)
        k, i = np.meshgrid(np.arange(SKIRT_RINGS - 1), np.arange(SKIRT_SIDES), indexing='ij')
        a, b = k * SKIRT_SIDES + i, k * SKIRT_SIDES + (i + 1) % SKIRT_SIDES
        quads = (a, b, b + SKIRT_SIDES, a, b + SKIRT_SIDES, a + SKIRT_SIDES)
        faces = np.stack(quads, -1).reshape(-1, 3)

        def paint(points: np.ndarray) -> Surface:
            albedo = cloth(points[:, 0] + points[:, 2], points[:, 1])
            return Surface(
                np.clip(albedo, 0, 1), relief(points, 0.5, 0.15), np.full(len(points), 0.03)
            )

        return Layer(self._skin_to_hips(rest, weights, shot), faces, rest, paint)

    def _skin_to_hips(self, rest: np.ndarray, weights: np.ndarray, shot: Shot) -> np.ndarray:
        """Linear blend skinning with pelvis, left and right hip. (K, 3) m -> (K, 3) mm."""
        shaped = self.map.rest + self.shapedirs @ shot.betas
        rest_joints = self.j_regressor @ shaped
        turned, joints = forward_kinematics(shot.pose, rest_joints)
        # the skirt was cut for the mean shape: widen it with this one's hips
        index = [JOINTS.index(name) for name in ('Pelvis', 'L_Hip', 'R_Hip')]
        hips = np.abs(self.map.rest[:, 1] - self.map.joint['L_Hip'][1]) < 0.1
        grown = np.ptp(shaped[hips], axis=0) / np.ptp(self.map.rest[hips], axis=0)
        rest = (rest - self.map.joint['Pelvis']) * [max(grown[0], 1), 1, max(grown[2], 1)]
        rest = rest + rest_joints[0]
        moved = np.stack([(rest - rest_joints[i]) @ turned[i].T + joints[i] for i in index], 1)
        return ((weights[..., None] * moved).sum(1) + shot.transl_m) * 1000
