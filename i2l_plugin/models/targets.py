"""Ground truth in lixels, made for a whole batch on its device.

Body-model parameters are posed, projected, cropped and encoded here rather than one by one in the
loader: workers send kilobytes. One weight tensor replaces every mask (paper section 3.4 and its
"z-axis loss becomes zero if z-axis ground truth is unavailable").
Shapes: B batch, J joints, V vertices, P pose rotations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from mmpose.structures import PoseDataSample
from torch import Tensor

from i2l_plugin.body_models import BodyModel, BodyModelsByGender
from i2l_plugin.codecs import SoftArgmaxCodec
from i2l_plugin.geometry.camera import project
from i2l_plugin.geometry.crop import apply_affine


@dataclass(frozen=True)
class LixelTarget:
    """Coordinates (B, N, 3) in lixels and the weight of each in [0, 1], (B, N, 3)."""

    lixel: Tensor
    weight: Tensor

    def otherwise(self, other: LixelTarget, use_self: Tensor) -> LixelTarget:
        """This target in samples where `use_self` (B,) is true, `other` elsewhere."""
        chosen = use_self.bool()[:, None, None]
        return LixelTarget(
            torch.where(chosen, self.lixel, other.lixel),
            torch.where(chosen, self.weight, other.weight),
        )

    def mirror(self, codec: SoftArgmaxCodec, order: Sequence[int]) -> LixelTarget:
        """The target of the mirrored picture, where point i is what point order[i] was."""
        return LixelTarget(codec.mirror(self.lixel)[:, list(order)], self.weight[:, list(order)])


@dataclass(frozen=True)
class MeshTargets:
    """Everything that the losses compare with.

    Attributes:
        vertices: Vertices of the fitted body model.
        fitted_joints: Joints of the fitted body model.
        annotated_joints: The data set's own joints, mapped by name; zero weight where it has none.
        joints: P^C* of Eqs. 8 and 9: fitted where the fit is valid, annotated elsewhere.
        fitted_root_depth_mm: Absolute depth of the fitted body model's root joint, (B,).
    """

    vertices: LixelTarget
    fitted_joints: LixelTarget
    annotated_joints: LixelTarget
    joints: LixelTarget
    fitted_root_depth_mm: Tensor


JOINT_TARGETS: dict[str, Callable[[MeshTargets], LixelTarget]] = {
    'mixed': lambda targets: targets.joints,
    'fitted': lambda targets: targets.fitted_joints,
    'annotated': lambda targets: targets.annotated_joints,
}
"""What the joint losses may compare with, one loss term each."""


def check_joint_targets(names: Sequence[str]) -> tuple[str, ...]:
    """The names, each of `JOINT_TARGETS`; ValueError otherwise, or if there is none."""
    if not names or set(names) - set(JOINT_TARGETS):
        raise ValueError(
            f'joint_targets must name some of {list(JOINT_TARGETS)}, got {list(names)}'
        )
    return tuple(names)


def stack_meta(data_samples: Sequence[PoseDataSample], key: str, device: torch.device) -> Tensor:
    """One float32 tensor (B, ...) of a metainfo entry of every sample."""
    values = [np.asarray(sample.metainfo[key], dtype=np.float32) for sample in data_samples]
    return torch.from_numpy(np.stack(values)).to(device, non_blocking=True)


def stack_labels(data_samples: Sequence[PoseDataSample], key: str, device: torch.device) -> Tensor:
    """One tensor (B, ...) of a `gt_instance_labels` entry of every sample (one person each)."""
    return torch.cat([sample.gt_instance_labels[key] for sample in data_samples]).to(device)


def image_to_lixel(
    points_img: Tensor,
    visible: Tensor,
    has_depth: Tensor,
    crop_from_image: Tensor,
    codec: SoftArgmaxCodec,
) -> LixelTarget:
    """Image points to lixels with their weights = visible x inside x [1, 1, has depth].

    Args:
        points_img: (B, N, 3) image px, image px, root-relative mm.
        visible: (B, N) or (B, 1), 0 or 1.
        has_depth: (B,), 0 or 1; without depth the point counts as lying at the root's depth.
        crop_from_image: (B, 2, 3).
        codec: Lixel coordinates.
    """
    with_depth = points_img.new_ones(len(points_img), 1, 3)
    with_depth[:, 0, 2] = has_depth
    lixel = codec.to_lixel(apply_affine(crop_from_image, points_img * with_depth))
    weight = (visible * codec.inside(lixel)).unsqueeze(-1) * with_depth
    return LixelTarget(lixel, weight.to(lixel.dtype))


@torch.no_grad()
def annotated_joint_targets(
    data_samples: Sequence[PoseDataSample], codec: SoftArgmaxCodec, device: torch.device
) -> LixelTarget:
    """The data set's own joints, cropped and encoded; no body model is posed."""
    return image_to_lixel(
        stack_labels(data_samples, 'joints_img', device),
        stack_labels(data_samples, 'joints_valid', device),
        stack_labels(data_samples, 'has_depth', device),
        stack_meta(data_samples, 'crop_from_image', device),
        codec,
    )


@torch.no_grad()
def pose_fits(
    data_samples: Sequence[PoseDataSample], models: BodyModelsByGender
) -> tuple[Tensor, Tensor]:
    """Vertices (B, V, 3) and joints (B, J, 3) of the fitted bodies, in camera mm.

    Raises:
        ValueError: Naming the sample, if there is no model of its gender.
    """
    device = models.body_model.faces.device
    pose, betas, transl_mm, mirrored = (
        stack_labels(data_samples, key, device)
        for key in ('pose', 'betas', 'transl_mm', 'mirrored')
    )
    people = [sample.metainfo for sample in data_samples]
    return models.pose_cam_mm(people, pose, betas, transl_mm, mirrored.bool())


@torch.no_grad()
def build_targets(
    data_samples: Sequence[PoseDataSample],
    body_model: BodyModel | BodyModelsByGender,
    codec: SoftArgmaxCodec,
) -> MeshTargets:
    """Pose the body model, project, crop and encode; annotated joints are cropped and encoded.

    The root joint of the fitted body is the depth reference of fitted targets, the data set's own
    root that of annotated joints.

    Args:
        data_samples: B packed samples.
        body_model: What poses the fits: one model, or the one of each sample's ``gender``, whose
            own regressor then gives the joints.
        codec: Lixel coordinates.

    Raises:
        ValueError: Naming the sample, if there is no model of its gender.
    """
    models = body_model
    if isinstance(models, BodyModel):
        models = BodyModelsByGender(models)
    device = models.body_model.faces.device
    crop = stack_meta(data_samples, 'crop_from_image', device)
    fit_valid = stack_labels(data_samples, 'fit_valid', device)
    vertices_cam, joints_cam = pose_fits(data_samples, models)
    root_depth_mm = joints_cam[:, models.body_model.joint_set.root, 2]
    points_img = project(
        torch.cat([vertices_cam, joints_cam], dim=1),
        stack_meta(data_samples, 'focal_px', device),
        stack_meta(data_samples, 'princpt_px', device),
    )
    points_img[..., 2] -= root_depth_mm[:, None]
    fitted = image_to_lixel(points_img, fit_valid[:, None], torch.ones_like(fit_valid), crop, codec)
    num_vertices = vertices_cam.shape[1]
    fitted_joints = LixelTarget(fitted.lixel[:, num_vertices:], fitted.weight[:, num_vertices:])
    annotated_joints = annotated_joint_targets(data_samples, codec, device)
    return MeshTargets(
        vertices=LixelTarget(fitted.lixel[:, :num_vertices], fitted.weight[:, :num_vertices]),
        fitted_joints=fitted_joints,
        annotated_joints=annotated_joints,
        joints=fitted_joints.otherwise(annotated_joints, fit_valid),
        fitted_root_depth_mm=root_depth_mm,
    )
