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
ORIGIN_M = np.zeros(3, np.float32)
FITTING_STEPS = 6


class Figure(NamedTuple):
    """A posed subject that has no place yet."""

    pose: np.ndarray  # (P, 3) axis-angle rad; row 0 counts for nothing
    root_from_model: Rotation  # orientation of the root in the world
    betas: np.ndarray  # (10,)
    family: str  # kind of pose


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

    def moved_to(self, transl_m: np.ndarray) -> Shot:
        """The same subject at another translation (3,) float32, before the same camera."""
        shift_mm = (transl_m.astype(np.float64) - self.transl_m) * 1000
        return self._replace(
            transl_m=transl_m,
            vertices_mm=self.vertices_mm + shift_mm,
            joints_mm=self.joints_mm + shift_mm,
        )


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


def shoot(model: BodyModel, figure: Figure, view: View, image_size: int) -> Shot:
    """Pose the model and move it to where the view wants it.

    Args:
        model: Body or hand model.
        figure: What to pose.
        view: From `draw_view`; its focal length is a share of the picture's side.
        image_size: Side of the square picture in px.
    """
    camera = pinhole(view.focal_px * image_size, (image_size, image_size))
    still = stand(model, figure, view.camera_from_world, camera, ORIGIN_M)
    extent_px, center_px = view.fill * image_size, view.center * image_size - 0.5
    transl_m = place(still.vertices_mm, camera, extent_px, center_px)
    return stand(model, figure, view.camera_from_world, camera, transl_m)


def pinhole(focal_px: float, image_size: tuple[int, int]) -> Camera:
    """A camera with square pixels that looks through the middle of its picture (width, height)."""
    return Camera((focal_px, focal_px), (np.array(image_size) - 1) / 2, image_size)


def stand(
    model: BodyModel,
    figure: Figure,
    camera_from_world: Rotation,
    camera: Camera,
    transl_m: np.ndarray,
) -> Shot:
    """A figure at a translation (3,) float32."""
    pose = figure.pose.copy()
    pose[0] = (camera_from_world * figure.root_from_model).as_rotvec()
    # float32 is what the annotation holds: pose from the stored numbers, not from finer ones
    pose, betas = pose.astype(np.float32), figure.betas.astype(np.float32)
    vertices, joints = _posed(model, pose, betas, transl_m)
    up = camera_from_world.apply([0.0, 1.0, 0.0])
    return Shot(pose, betas, transl_m, camera, up, vertices, joints, figure.family)


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


def place(
    vertices_mm: np.ndarray, camera: Camera, extent_px: float, center_px: np.ndarray
) -> np.ndarray:
    """Translation (3,) float32 in m that gives the projected box its longer side and centre."""
    size = np.ptp(vertices_mm[:, :2], axis=0).max()
    depth = camera.focal_px[0] * size / extent_px
    shift = np.array([0.0, 0.0, depth]) - vertices_mm.mean(0)
    for _ in range(FITTING_STEPS):
        points = camera.project(vertices_mm + shift)
        low, high = points.min(0), points.max(0)
        depth = (vertices_mm[:, 2] + shift[2]).mean()
        miss = center_px - (low + high) / 2
        shift[:2] += miss * depth / camera.focal_px
        shift[2] += depth * ((high - low).max() / extent_px - 1)
        # never let a near part come closer than a third of the whole distance
        shift[2] = max(shift[2], -vertices_mm[:, 2].min() + 0.6 * np.ptp(vertices_mm, 0).max())
    return (shift / 1000).astype(np.float32)
