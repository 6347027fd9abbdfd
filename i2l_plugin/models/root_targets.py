"""Where the root joint of each sample truly is: what RootNet is compared with in training.

The fitted body's root joint where the fit is valid, else the data set's own. The depth counts where
the data set knows it: a body fitted to a picture without depth stands at a made-up one.
Shapes: B batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from mmpose.structures import PoseDataSample
from torch import Tensor

from i2l_plugin.body_models import BodyModelsByGender
from i2l_plugin.codecs import SoftArgmaxCodec
from i2l_plugin.geometry.camera import project

from .targets import LixelTarget, image_to_lixel, pose_fits, stack_labels, stack_meta


@dataclass(frozen=True)
class RootTarget:
    """The root joint of a batch.

    Attributes:
        xy_lixel: (B, 1, 2).
        xy_weight: 1 where it is known and in the crop, (B, 1, 2).
        depth_mm: Absolute depth, (B,); anything where its weight is 0.
        depth_weight: 1 where it is known, in the crop or not, (B,).
    """

    xy_lixel: Tensor
    xy_weight: Tensor
    depth_mm: Tensor
    depth_weight: Tensor


@torch.no_grad()
def build_root_target(
    data_samples: Sequence[PoseDataSample], models: BodyModelsByGender, codec: SoftArgmaxCodec
) -> RootTarget:
    """The root joint of B packed samples, on the body model's device.

    Args:
        data_samples: With the labels of `PackMeshInputs`.
        models: What poses the fits; its joint set names the root.
        codec: Lixel coordinates.

    Raises:
        ValueError: Naming the sample, if there is no model of its gender.
    """
    joint_set, device = models.body_model.joint_set, models.body_model.faces.device
    root = slice(joint_set.root, joint_set.root + 1)
    _, joints_cam = pose_fits(data_samples, models)
    fitted_img = project(
        joints_cam[:, root],
        stack_meta(data_samples, 'focal_px', device),
        stack_meta(data_samples, 'princpt_px', device),
    )
    crop = stack_meta(data_samples, 'crop_from_image', device)
    fit_valid = stack_labels(data_samples, 'fit_valid', device)
    annotated_img = stack_labels(data_samples, 'joints_img', device)[:, root]
    visible = stack_labels(data_samples, 'joints_valid', device)[:, root]
    fitted = _flat(fitted_img, fit_valid[:, None], crop, codec)
    xy = fitted.otherwise(_flat(annotated_img, visible, crop, codec), fit_valid)
    annotated_mm = _annotated_depths_mm(data_samples, joint_set.joint_names[joint_set.root], device)
    return RootTarget(
        xy_lixel=xy.lixel[..., :2],
        xy_weight=xy.weight[..., :2],
        depth_mm=torch.where(fit_valid.bool(), fitted_img[:, 0, 2], annotated_mm),
        depth_weight=stack_labels(data_samples, 'has_depth', device),
    )


def _flat(points_img: Tensor, visible: Tensor, crop: Tensor, codec: SoftArgmaxCodec) -> LixelTarget:
    """Points (B, 1, 3) in lixels as if they lay at the root's depth, hence within its range."""
    return image_to_lixel(points_img, visible, torch.zeros_like(crop[:, 0, 0]), crop, codec)


def _annotated_depths_mm(
    data_samples: Sequence[PoseDataSample], root_name: str, device: torch.device
) -> Tensor:
    """(B,) absolute depths of the data sets' own roots; zero where unknown."""
    depths_mm = []
    for sample in data_samples:
        index = sample.metainfo['annotated_joint_names'].index(root_name)
        depths_mm.append(sample.gt_instances.annotated_joints_cam_mm[0, index, 2])
    return torch.from_numpy(np.array(depths_mm, np.float32)).to(device)
