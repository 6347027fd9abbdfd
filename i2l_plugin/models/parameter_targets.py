"""What regressed body-model parameters and the joints that they pose are compared with.

Everything is in the crop's axes (`parameters`), joints are about the root and in camera space: no
picture, no projection.
Shapes: B batch, P posed joints, J joints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmpose.structures import PoseDataSample
from torch import Tensor

from i2l_plugin.body_models import BodyModel
from i2l_plugin.geometry.camera import back_project
from i2l_plugin.geometry.crop import crop_rotation

from .parameters import BodyParameters, parameters_of_pose, pose_about_root
from .targets import stack_labels, stack_meta

_PLAUSIBLE_BETA = 3.0  # standard deviations


@dataclass(frozen=True)
class JointTarget:
    """Joints (B, J, 3) in mm from the root, and the weight of each, (B, J, 1), 0 or 1."""

    joints_mm: Tensor
    weight: Tensor


@dataclass(frozen=True)
class JointTargets:
    """Joints by the names of `JOINT_TARGETS`.

    Attributes:
        fitted_joints: Of the fitted body model.
        annotated_joints: The data set's own, mapped by name, where their depth is known.
        joints: Fitted where the fit is valid, annotated elsewhere.
    """

    fitted_joints: JointTarget
    annotated_joints: JointTarget
    joints: JointTarget


@torch.no_grad()
def fitted_parameters(
    data_samples: Sequence[PoseDataSample], device: torch.device
) -> BodyParameters:
    """The fits as they are, the root's orientation in the crop's axes."""
    fitted = parameters_of_pose(
        stack_labels(data_samples, 'pose', device), stack_labels(data_samples, 'betas', device)
    )
    return fitted.turned(crop_rotation(stack_meta(data_samples, 'crop_from_image', device)))


def parameter_targets(fitted: BodyParameters) -> BodyParameters:
    """What the parameters themselves are compared with: the fits without absurd shapes.

    A fit with any |beta| > 3 has the mean shape for a target, as in the release: what is fitted to
    joints may have a good pose and an absurd shape. The fitted mesh and its joints keep it.
    """
    implausible = (fitted.betas.abs() > _PLAUSIBLE_BETA).any(-1, keepdim=True)
    return fitted._replace(betas=torch.where(implausible, 0.0, fitted.betas))


@torch.no_grad()
def joint_targets_mm(
    data_samples: Sequence[PoseDataSample], body_model: BodyModel, fitted: BodyParameters
) -> JointTargets:
    """Joints of a batch about their root.

    Annotated joints are about the annotated root: without it, or without depth, none counts.

    Args:
        data_samples: B packed samples.
        body_model: Poses the fits.
        fitted: As `fitted_parameters` gives them.
    """
    device, root = fitted.betas.device, body_model.joint_set.root
    fit_valid = stack_labels(data_samples, 'fit_valid', device)[:, None, None]
    _, posed_mm = pose_about_root(body_model, fitted)
    of_fit = JointTarget(posed_mm, fit_valid.expand(-1, posed_mm.shape[1], -1))

    meta = {
        name: stack_meta(data_samples, name, device)
        for name in ('crop_from_image', 'focal_px', 'princpt_px', 'root_depth_mm')
    }
    joints_img = stack_labels(data_samples, 'joints_img', device).clone()
    joints_img[..., 2] += meta['root_depth_mm'][:, None]
    joints_cam = back_project(joints_img, meta['focal_px'], meta['princpt_px'])
    from_root = joints_cam - joints_cam[:, root, None]
    annotated_mm = from_root @ crop_rotation(meta['crop_from_image']).transpose(-1, -2)
    valid = stack_labels(data_samples, 'joints_valid', device)
    known = stack_labels(data_samples, 'has_depth', device) * valid[:, root]
    known = known * torch.isfinite(meta['root_depth_mm'])
    annotated = JointTarget(annotated_mm, (valid * known[:, None])[..., None])
    use_fit = fit_valid.bool()
    mixed = JointTarget(
        torch.where(use_fit, of_fit.joints_mm, annotated.joints_mm),
        torch.where(use_fit, of_fit.weight, annotated.weight),
    )
    return JointTargets(of_fit, annotated, mixed)
