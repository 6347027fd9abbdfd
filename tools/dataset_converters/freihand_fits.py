"""Hands of FreiHAND: one annotation, and MANO posed by many of them.

MANO's pose is full axis-angle to which the mean hand is added (``flat_hand_mean=False``), which
`BodyModel` does by default. Shape legend: N hands, V vertices of the hand model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from i2l_plugin.body_models import HAND_21, MANO_16, BodyModel, load_body_model

_POSED = [HAND_21.index(name) for name in MANO_16.joint_names]


class Hand(NamedTuple):
    """One annotation; None what is not published."""

    focal_px: NDArray  # (2,)
    princpt_px: NDArray  # (2,)
    joints_m: NDArray | None = None  # (21, 3) of `HAND_21`, camera frame
    pose: NDArray | None = None  # (48,) rad, the mean hand not included
    betas: NDArray | None = None  # (10,)
    transl_m: NDArray | None = None  # (3,)
    bbox_px: NDArray | None = None  # (4,) x1 y1 x2 y2
    fit_error_mm: float | None = None

    def project(self, points_m: NDArray) -> NDArray[np.float64]:
        """Points (N, 3) in the camera frame -> (N, 2) px.

        Raises:
            ValueError: Not all are in front of the camera.
        """
        if not (points_m[:, 2] > 0).all():
            raise ValueError(f'got a depth of {points_m[:, 2].min():.3g} m, expected > 0')
        return points_m[:, :2] / points_m[:, 2:] * self.focal_px + self.princpt_px


class HandPoser:
    """The hand model that the fits are of.

    Args:
        path: MANO_RIGHT.pkl (or .npz), or ``'open'`` for the embedded hand.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.model = BodyModel(load_body_model('hand', path))

    @torch.no_grad()
    def put_at_wrist(self, hands: Sequence[Hand]) -> list[Hand]:
        """Hands with the translation that puts MANO's root joint onto the annotated wrist."""
        betas = torch.from_numpy(np.stack([hand.betas for hand in hands]))
        rest_root_m = self.model.rest_root_m(betas).double().numpy()
        return [
            hand._replace(transl_m=hand.joints_m[0] - root_m)
            for hand, root_m in zip(hands, rest_root_m, strict=True)
        ]

    @torch.no_grad()
    def pose_mm(
        self, pose: NDArray, betas: NDArray, transl_m: NDArray
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Vertices (N, V, 3) and MANO's own joints (N, 16, 3) in camera mm.

        Args:
            pose: (N, 48) rad.
            betas: (N, 10).
            transl_m: (N, 3).
        """
        pose = torch.from_numpy(np.asarray(pose, np.float32)).reshape(-1, 16, 3)
        posed = self.model(pose, torch.from_numpy(np.asarray(betas, np.float32)))
        offset_m = np.asarray(transl_m, np.float64)[:, None]
        vertices, joints = (
            1000 * (points.double().numpy() + offset_m)
            for points in (posed.vertices_m, posed.lbs_joints_m)
        )
        return vertices, joints

    def _posed(self, hands: Sequence[Hand]) -> tuple[NDArray, NDArray]:
        parts = (np.stack([getattr(h, n) for h in hands]) for n in ('pose', 'betas', 'transl_m'))
        return self.pose_mm(*parts)

    def mesh_errors_mm(self, hands: Sequence[Hand], vertices_m: NDArray) -> NDArray[np.float64]:
        """Mean distance of each posed mesh from its annotated one (N, V, 3). -> (N,)"""
        vertices_mm, _ = self._posed(hands)
        return np.linalg.norm(vertices_mm - 1000 * vertices_m, axis=-1).mean(axis=-1)

    def joint_errors_mm(self, hands: Sequence[Hand]) -> NDArray[np.float64]:
        """Mean distance of the 16 posed joints from the annotated ones. -> (N,)

        Finger tips are left out: which vertices they are is a convention.
        """
        _, joints_mm = self._posed(hands)
        truth_mm = 1000 * np.stack([hand.joints_m for hand in hands])[:, _POSED]
        return np.linalg.norm(joints_mm - truth_mm, axis=-1).mean(axis=-1)
