"""From SURREAL's Blender scene to a camera and SMPL parameters in its frame.

Sources: the data set's code, github.com/gulvarol/surreal: ``datageneration/main_part1.py`` (scene
and what is saved), ``misc/3Dto2D`` (joints3D to joints2D) and ``misc/smpl_relations`` (pose, zrot,
joints3D to the world mesh; it notes that left and right are swapped).

World: y points down. A body of `pose` (z up, as the motion capture) is turned about z by zrot and
then about x by 90 degrees, and its root is at ``joints3D[0]``.
Camera: at camLoc, looking along -x with -y up; 320 x 240 px, lens 60 mm, sensor 32 mm, so f = 600
px. Its matrix_world has determinant -1: world to camera (x right, y down, z forward) is
``[[0, 0, -1], [0, 1, 0], [-1, 0, 0]]``, a REFLECTION. The clips and joints2D are therefore mirror
images, and no SMPL body, which is right-handed and not quite symmetric, fits them. Mirrored back
(x -> W - 1 - x), they are pictures of the true bodies by a true camera, in which the annotated
left is the left that one sees; that is what the converter makes of them.
Pixels: Blender counts from the picture's corner, so the principal point (160, 120) is
(159.5, 119.5) where the centre of the first pixel is (0, 0).
"""

from __future__ import annotations

import numpy as np
from converter_core.cameras import WorldCamera
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from surreal_files import SIZE_PX

_MIRRORED_CAMERA = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
_FOCAL_PX = SIZE_PX[0] * 60 / 32
_Z_TO_UP = Rotation.from_rotvec([np.pi / 2, 0, 0])  # world -y


def camera_of(location_m: NDArray) -> WorldCamera:
    """Camera of the mirrored pictures; location (3,) in the world."""
    return WorldCamera(
        rotation=_MIRRORED_CAMERA,
        translation_mm=-1000 * _MIRRORED_CAMERA @ location_m,
        focal_px=np.full(2, _FOCAL_PX),
        princpt_px=(np.array(SIZE_PX) - 1) / 2,
    )


def annotated_px(joints2d: NDArray) -> NDArray[np.float64]:
    """joints2D (24, 2) in the mirrored picture, in px from the centre of the first pixel."""
    x, y = joints2d.T - 0.5
    return np.stack([SIZE_PX[0] - 1 - x, y], axis=1)


def fit_in_world(
    pose: NDArray, zrot: float, root_m: NDArray, rest_root_m: NDArray
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pose (24, 3) and translation (3,) m of the body in Blender's world.

    Args:
        pose: (24, 3) rad, as annotated.
        zrot: Rotation of the body about the vertical, rad.
        root_m: (3,) joints3D[0].
        rest_root_m: (3,) J0 of that person's shape.
    """
    pose = np.array(pose, np.float64)
    turned = _Z_TO_UP * Rotation.from_rotvec([0, 0, zrot]) * Rotation.from_rotvec(pose[0])
    pose[0] = turned.as_rotvec()
    return pose, root_m - rest_root_m
