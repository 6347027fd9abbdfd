"""Where the camera stands: orientation, focal length and distance that frame a posed subject.

World frame: y up; at yaw 0 the subject faces the camera. Camera frame: x right, y down, z forward.
Everything is returned in the camera frame, in mm.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from i2l_plugin.body_models import BodyModel
from i2l_plugin.visualization.ray_scene import Camera

# World axes seen by a level camera in front of the subject.
LEVEL_CAMERA = Rotation.from_matrix(np.diag([1.0, -1.0, -1.0]))
FITTING_STEPS = 6


class Shot(NamedTuple):
    """A posed subject before a camera; what the annotation needs."""

    pose: np.ndarray  # (P, 3) axis-angle rad, root in the camera frame
    betas: np.ndarray  # (10,)
    transl_m: np.ndarray  # (3,)
    camera: Camera
    up: np.ndarray  # (3,) unit, the world's up direction in the camera frame
    vertices_mm: np.ndarray  # (V, 3)
    joints_mm: np.ndarray  # (J, 3), joints of the model's joint set
    family: str  # kind of pose

    def lowest_mm(self) -> np.ndarray:
        """(3,) the vertex nearest to the floor."""
        return self.vertices_mm[(self.vertices_mm @ self.up).argmin()]

    def camera_height_mm(self) -> float:
        """How far the camera is above the lowest vertex."""
        return -float(self.lowest_mm() @ self.up)


class View(NamedTuple):
    """How the camera shall see the subject."""

    camera_from_world: Rotation
    focal_px: float
    fill: float  # longer side of the subject's box as a share of the picture's side
    center: np.ndarray  # (2,) centre of the box as a share of the picture's side

    def tilted(self, degrees: float) -> View:
        """The same view by a camera that looks further down."""
        tilt = Rotation.from_euler('x', degrees, degrees=True)
        return self._replace(camera_from_world=tilt * self.camera_from_world)


def draw_view(
    rng: np.random.Generator, pitch_deg: float, roll_deg: float, fill: tuple[float, float]
) -> View:
    """Focal length, size and place in the picture, for a camera of the given tilt."""
    tilt = Rotation.from_euler('xz', [pitch_deg, roll_deg], degrees=True)
    share = rng.uniform(*fill)
    room = max((1 - 1.12 * share) / 2, 0.02)  # the grown box stays mostly inside the picture
    center = 0.5 + rng.uniform(-room, room, 2)
    return View(tilt * LEVEL_CAMERA, rng.uniform(0.95, 2.4), share, center)


def shoot(
    model: BodyModel,
    pose: np.ndarray,
    root_from_model: Rotation,
    betas: np.ndarray,
    view: View,
    image_size: int,
    family: str,
) -> Shot:
    """Pose the model and move it to where the view wants it.

    Args:
        model: Body or hand model.
        pose: (P, 3) axis-angle rad; row 0 is ignored.
        root_from_model: Orientation of the root in the world.
        betas: (10,) shape.
        view: From `draw_view`; its focal length is a share of the picture's side.
        image_size: Side of the square picture in px.
        family: Kind of pose, kept for the annotation.
    """
    pose = pose.copy()
    pose[0] = (view.camera_from_world * root_from_model).as_rotvec()
    # float32 is what the annotation holds: pose from the stored numbers, not from finer ones
    pose, betas = pose.astype(np.float32), betas.astype(np.float32)
    still, _ = _posed(model, pose, betas, np.zeros(3, np.float32))
    focal = view.focal_px * image_size
    camera = Camera((focal, focal), np.full(2, (image_size - 1) / 2), (image_size, image_size))
    transl_m = (_place(still, camera, view) / 1000).astype(np.float32)
    vertices, joints = _posed(model, pose, betas, transl_m)
    up = view.camera_from_world.apply([0.0, 1.0, 0.0])
    return Shot(pose, betas, transl_m, camera, up, vertices, joints, family)


def _posed(
    model: BodyModel, pose: np.ndarray, betas: np.ndarray, transl_m: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    with torch.no_grad():
        vertices, joints = model.pose_cam_mm(
            torch.from_numpy(pose)[None],
            torch.from_numpy(betas)[None],
            torch.from_numpy(transl_m)[None] * 1000,
        )
    return vertices[0].double().numpy(), joints[0].double().numpy()


def _place(vertices_mm: np.ndarray, camera: Camera, view: View) -> np.ndarray:
    """Translation in mm that gives the projected box its size and centre."""
    side = camera.image_size_px[0]
    size = np.ptp(vertices_mm[:, :2], axis=0).max()
    depth = camera.focal_px[0] * size / (view.fill * side)
    shift = np.array([0.0, 0.0, depth]) - vertices_mm.mean(0)
    for _ in range(FITTING_STEPS):
        points = camera.project(vertices_mm + shift)
        low, high = points.min(0), points.max(0)
        depth = (vertices_mm[:, 2] + shift[2]).mean()
        miss = view.center * side - 0.5 - (low + high) / 2
        shift[:2] += miss * depth / camera.focal_px
        shift[2] += depth * ((high - low).max() / (view.fill * side) - 1)
        # never let a near part come closer than a third of the whole distance
        shift[2] = max(shift[2], -vertices_mm[:, 2].min() + 0.6 * np.ptp(vertices_mm, 0).max())
    return shift
