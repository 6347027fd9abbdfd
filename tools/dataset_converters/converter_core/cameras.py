"""Calibrated cameras of data sets whose people are annotated in a world frame.

Camera frame: x right, y down, z forward. X_cam = R X_world + t.
Shape legend: N points, P body-model joints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from i2l_plugin.geometry.camera import project

from .entries import numbers

_MAX_NOT_ORTHOGONAL = 1e-3


@dataclass(frozen=True, eq=False)
class WorldCamera:
    """Pinhole camera in a world.

    Args:
        rotation: (3, 3) R.
        translation_mm: (3,) t.
        focal_px, princpt_px: (2,) each.

    Raises:
        ValueError: `rotation` is none (not orthogonal, or a reflection).
    """

    rotation: NDArray[np.float64]
    translation_mm: NDArray[np.float64]
    focal_px: NDArray[np.float64]
    princpt_px: NDArray[np.float64]

    def __post_init__(self) -> None:
        product = self.rotation @ self.rotation.T
        off = np.abs(product - np.eye(3)).max()
        if off > _MAX_NOT_ORTHOGONAL or np.linalg.det(self.rotation) < 0:
            raise ValueError(
                f'R: got {self.rotation.round(4).tolist()}, expected a rotation (rows of length 1 '
                'at right angles, determinant +1)'
            )

    @cached_property
    def _turn(self) -> Rotation:
        return Rotation.from_matrix(self.rotation)

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> WorldCamera:
        """From ``{R: 3 x 3, t: 3 mm, f: 2 px, c: 2 px}``; ValueError if one is not there."""
        shapes = {'R': (3, 3), 't': (3,), 'f': (2,), 'c': (2,)}
        return cls(*(numbers(entry, key, shape) for key, shape in shapes.items()))

    def points_to_camera(self, points_world_mm: NDArray) -> NDArray[np.float64]:
        """(N, 3) mm in the world -> (N, 3) mm in the camera frame."""
        return points_world_mm @ self.rotation.T + self.translation_mm

    def fit_to_camera(
        self, pose: NDArray, transl_m: NDArray, rest_root_m: NDArray
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Pose (P, 3) and translation (3,) m that pose the body in the camera frame.

        A body model turns about its rest root joint J0, not about the origin, so that
        R (root rotation . (v - J0) + J0 + transl) + t = (R root rotation) . (v - J0) + J0 + transl'
        with transl' = R transl + t - J0 + R J0.

        Args:
            pose: (P, 3) axis-angle, rad, root first, in the world.
            transl_m: (3,) translation in the world.
            rest_root_m: (3,) J0 of that person's shape (`BodyModel.rest_root_m`).
        """
        pose = np.array(pose, np.float64)
        pose[0] = (self._turn * Rotation.from_rotvec(pose[0])).as_rotvec()
        moved = self.rotation @ (transl_m + rest_root_m) - rest_root_m
        return pose, moved + self.translation_mm / 1000

    def project(self, points_cam_mm: NDArray) -> NDArray[np.float64]:
        """(N, 3) mm in the camera frame -> (N, 2) px."""
        arrays = (points_cam_mm, self.focal_px, self.princpt_px)
        return project(*(torch.from_numpy(array) for array in arrays))[:, :2].numpy()
