"""The ground truth of one packed sample as it lies in the network's crop.

In-plane rotation and scale live in ``crop_from_image`` alone, so a pinhole camera looking at the
crop needs the body turned with it: p_crop = A F (X, Y) / Z + (A c + t) for crop matrix [A | t],
F = diag(fx, fy) and principal point c. `CropCamera` puts A F / f into the body and leaves f.
Shapes: V vertices, F faces, n joints that are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmpose.structures import PoseDataSample

from i2l_plugin.body_models import BodyModel, get_joint_set
from i2l_plugin.body_models.joint_sets import JOINT_SETS, MANO_16, SMPL_24, JointSet
from i2l_plugin.geometry.crop import apply_affine

from .panels import joint_color
from .ray_scene import Camera

Links = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class NamedPoints:
    """Points (n, C) that are known, by joint name."""

    names: tuple[str, ...]
    points: np.ndarray

    @classmethod
    def valid(cls, names: Sequence[str], points: np.ndarray, valid: np.ndarray) -> NamedPoints:
        """Those of `points` (N, C) where `valid` (N,)."""
        chosen = np.flatnonzero(valid)
        points = np.asarray(points, np.float64)[chosen]
        return cls(tuple(names[i] for i in chosen), points)

    def take(self, names: Sequence[str]) -> np.ndarray:
        """(len(names), C), all of which must be known."""
        return self.points[[self.names.index(name) for name in names]]

    def shared_with(self, other: NamedPoints) -> tuple[str, ...]:
        """Names that both know, in this one's order."""
        return tuple(name for name in self.names if name in other.names)


@dataclass(frozen=True)
class CropCamera:
    """A pinhole camera that looks at the crop, for points of the image's camera frame.

    Attributes:
        linear: (2, 2) what x and y of camera-frame points are multiplied by.
        camera: The pinhole camera.
    """

    linear: np.ndarray
    camera: Camera

    @classmethod
    def of(
        cls,
        focal_px: np.ndarray,
        princpt_px: np.ndarray,
        crop_from_image: np.ndarray,
        crop_size: tuple[int, int],
    ) -> CropCamera:
        """Camera of an image, (2,) and (2,) px, seen through a crop (2, 3) of (width, height)."""
        crop = np.asarray(crop_from_image, np.float64)
        linear = crop[:, :2] * np.asarray(focal_px, np.float64)
        focal = np.sqrt(abs(np.linalg.det(linear)))
        princpt = crop[:, :2] @ np.asarray(princpt_px, np.float64) + crop[:, 2]
        return cls(linear / focal, Camera(np.array([focal, focal]), princpt, crop_size))

    def turn(self, points_mm: np.ndarray) -> np.ndarray:
        """Points of the image's camera frame in this camera's frame. (N, 3) -> (N, 3) mm."""
        points_mm = np.asarray(points_mm, np.float64)
        return np.concatenate([points_mm[:, :2] @ self.linear.T, points_mm[:, 2:]], axis=1)

    def project(self, points_mm: np.ndarray) -> np.ndarray:
        """Crop px of points of the image's camera frame. (N, 3) mm -> (N, 2)."""
        return self.camera.project(self.turn(points_mm))


@dataclass(frozen=True)
class TrueMesh:
    """The fitted body model, posed.

    Attributes:
        vertices_mm: (V, 3) of the image's camera frame.
        faces: (F, 3).
        colors: (V, 3) in [0, 1], by the colours of the joints that move them.
        joints_mm: Its joints, of the model's set and of the annotation's where it has a regressor.
        joints_px: The same in the crop.
        root_mm: (3,) its root joint.
    """

    vertices_mm: np.ndarray
    faces: np.ndarray
    colors: np.ndarray
    joints_mm: NamedPoints
    joints_px: NamedPoints
    root_mm: np.ndarray


@dataclass(frozen=True)
class CropTruth:
    """What one sample shows and says.

    Attributes:
        crop: (H, W, 3) uint8 RGB.
        camera: Of the crop.
        joint_set: The model's.
        annotated_px: Annotated joints of the model's set in the crop.
        annotated_mm: All annotated joints in the image's camera frame.
        links: Bones between annotated joints, by name.
        mesh: None where there is no valid fit.
        meta: Meta information of the sample.
        mirrored, has_depth: Of its labels.
        betas: (10,).
    """

    crop: np.ndarray
    camera: CropCamera
    joint_set: JointSet
    annotated_px: NamedPoints
    annotated_mm: NamedPoints
    links: Links
    mesh: TrueMesh | None
    meta: dict[str, Any]
    mirrored: bool
    has_depth: bool
    betas: np.ndarray

    @classmethod
    def of(
        cls, inputs: torch.Tensor, data_sample: PoseDataSample, body_model: BodyModel
    ) -> CropTruth:
        """Read a packed sample.

        Args:
            inputs: (3, H, W) uint8, BGR.
            data_sample: Of `PackMeshInputs`.
            body_model: Poses the fit.

        Raises:
            ValueError: The body model is of another kind (body or hand) than the sample.
        """
        meta = dict(data_sample.metainfo)
        labels = data_sample.gt_instance_labels
        crop = np.ascontiguousarray(inputs.numpy()[::-1].transpose(1, 2, 0))  # BGR to RGB
        size = (crop.shape[1], crop.shape[0])
        camera = CropCamera.of(meta['focal_px'], meta['princpt_px'], meta['crop_from_image'], size)
        joint_set = get_joint_set(meta['joint_set'])
        matrix = torch.as_tensor(meta['crop_from_image'], dtype=torch.float64)
        joints = apply_affine(matrix, labels.joints_img[0, :, :2].double()).numpy()
        instances = data_sample.gt_instances
        annotated_names = tuple(meta['annotated_joint_names'])
        fit_valid = bool(labels.fit_valid[0])
        return cls(
            crop=crop,
            camera=camera,
            joint_set=joint_set,
            annotated_px=NamedPoints.valid(
                joint_set.joint_names, joints, labels.joints_valid[0].numpy() > 0
            ),
            annotated_mm=NamedPoints.valid(
                annotated_names,
                instances.annotated_joints_cam_mm[0],
                instances.annotated_joints_valid[0],
            ),
            links=named_links(annotated_names, joint_set),
            mesh=pose_mesh(labels, body_model, annotated_names, camera) if fit_valid else None,
            meta=meta,
            mirrored=bool(labels.mirrored[0]),
            has_depth=bool(labels.has_depth[0]),
            betas=labels.betas[0].numpy(),
        )


@torch.no_grad()
def pose_mesh(
    labels: Any, body_model: BodyModel, annotated_names: tuple[str, ...], camera: CropCamera
) -> TrueMesh:
    """The fitted body of one sample's `gt_instance_labels`, seen by `camera`."""
    vertices, joints = body_model.pose_cam_mm(
        labels.pose, labels.betas, labels.transl_mm, labels.mirrored.bool()
    )
    names = body_model.joint_set.joint_names
    by_name = dict(zip(names, joints[0].double().numpy(), strict=True))
    for regressor in body_model.regressor_names:
        own = JOINT_SETS.get(regressor)
        if own is not None and own.joint_names == annotated_names:
            # these are what the annotation calls hips and shoulders: SMPL's lie elsewhere
            points = (body_model.regressor(regressor) @ vertices)[0].double().numpy()
            by_name |= dict(zip(annotated_names, points, strict=True))
    vertices_mm = vertices[0].double().numpy()
    joints_mm = NamedPoints(tuple(by_name), np.stack(list(by_name.values())))
    return TrueMesh(
        vertices_mm,
        body_model.faces.numpy(),
        vertex_colors(body_model),
        joints_mm,
        NamedPoints(joints_mm.names, camera.project(joints_mm.points)),
        joints[0, body_model.joint_set.root].double().numpy(),
    )


def vertex_colors(body_model: BodyModel) -> np.ndarray:
    """(V, 3) in [0, 1]: pale colours of the joints' names, blended by the skinning weights."""
    posed = SMPL_24 if body_model.kind == 'body' else MANO_16
    palette = np.array([joint_color(name) for name in posed.joint_names]) / 255
    return body_model.weights.numpy() @ (0.75 * palette + 0.25)


def named_links(annotated_names: tuple[str, ...], joint_set: JointSet) -> Links:
    """Bones by name: of the joint set that is annotated if it is known, else of the model's."""
    known = (own for own in JOINT_SETS.values() if own.joint_names == annotated_names)
    own = next(known, joint_set)
    return tuple((own.joint_names[i], own.joint_names[j]) for i, j in own.skeleton)
