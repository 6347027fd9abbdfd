"""From lixels back to the image and to camera space: Eq. 7, M = Pi(T^-1 M^C + R).

Shapes: B batch, N points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch import Tensor

from i2l_plugin.body_models import BodyModel
from i2l_plugin.codecs import SoftArgmaxCodec
from i2l_plugin.geometry.camera import back_project
from i2l_plugin.geometry.crop import apply_affine, invert_affine

from .targets import stack_meta


@dataclass(frozen=True)
class LixelEstimate:
    """What the network says of a batch, in lixels.

    Attributes:
        vertices: (B, V, 3).
        spread: Standard deviation of each heatmap of the vertices, (B, V, 3).
        joints: PoseNet's joints, (B, J, 3); None without PoseNet.
    """

    vertices: Tensor
    spread: Tensor
    joints: Tensor | None

    def mirror(self, codec: SoftArgmaxCodec, body_model: BodyModel) -> LixelEstimate:
        """The estimate of the mirror image of the picture: left and right change places."""
        vertex_order = list(body_model.vertex_mirror or ())
        joint_order = list(body_model.joint_set.mirror_order)
        return LixelEstimate(
            vertices=codec.mirror(self.vertices)[:, vertex_order],
            spread=self.spread[:, vertex_order],
            joints=None if self.joints is None else codec.mirror(self.joints)[:, joint_order],
        )

    def average(self, other: LixelEstimate) -> LixelEstimate:
        """Mean of two estimates of the same batch; spreads as mean variance."""
        joints = None
        if self.joints is not None and other.joints is not None:
            joints = (self.joints + other.joints) / 2
        return LixelEstimate(
            vertices=(self.vertices + other.vertices) / 2,
            spread=((self.spread.square() + other.spread.square()) / 2).sqrt(),
            joints=joints,
        )


@dataclass(frozen=True)
class ImagePoints:
    """Points of a batch in the original image and in camera space.

    Attributes:
        points_img: (B, N, 3) image px, image px, absolute depth in mm.
        points_cam_mm: (B, N, 3) camera space.
        spread_img: Standard deviation of each heatmap, (B, N, 3) px, px, mm; None if not asked for.
    """

    points_img: Tensor
    points_cam_mm: Tensor
    spread_img: Tensor | None = None


def read_views(data_samples: Sequence[PoseDataSample], device: torch.device) -> dict[str, Tensor]:
    """What the crops of a batch show: T (B, 2, 3) and the camera, (B, 2) each, of Eq. 7."""
    names = ('crop_from_image', 'focal_px', 'princpt_px')
    return {name: stack_meta(data_samples, name, device) for name in names}


def read_frame(data_samples: Sequence[PoseDataSample], device: torch.device) -> dict[str, Tensor]:
    """Where the crops of a batch lie: T, camera and R of Eq. 7, the arguments of `to_image`.

    Raises:
        ValueError: The depth of a root joint is unknown (not finite) or not in front of the camera.
    """
    frame = read_views(data_samples, device)
    depth_mm = frame['root_depth_mm'] = stack_meta(data_samples, 'root_depth_mm', device)
    usable = (torch.isfinite(depth_mm) & (depth_mm > 0)).tolist()
    if not all(usable):
        ids = [sample.metainfo.get('sample_id') for sample in data_samples]
        unusable = [i for i, is_usable in zip(ids, usable, strict=True) if not is_usable]
        raise ValueError(
            f'root_depth_mm of sample_id {unusable} is unknown or <= 0, but Eq. 7 needs it to '
            'place a mesh; give the depth of the root joint in mm, in front of the camera'
        )
    return frame


def to_image(
    codec: SoftArgmaxCodec,
    points_lixel: Tensor,
    crop_from_image: Tensor,
    focal_px: Tensor,
    princpt_px: Tensor,
    root_depth_mm: Tensor,
    spread_lixel: Tensor | None = None,
) -> ImagePoints:
    """Decode lixels, undo the crop, add the root depth and back-project (Eq. 7).

    Args:
        codec: Lixel coordinates.
        points_lixel: (B, N, 3).
        crop_from_image: T, (B, 2, 3).
        focal_px: (B, 2).
        princpt_px: (B, 2).
        root_depth_mm: R, (B,).
        spread_lixel: Standard deviations (B, N, 3). x and y are independent heatmaps, so their
            variances mix by the squares of T^-1's entries when the crop was rotated.
    """
    image_from_crop = invert_affine(crop_from_image)
    points_crop = codec.to_crop(points_lixel)
    points_crop[..., 2] += root_depth_mm[:, None]
    points_img = apply_affine(image_from_crop, points_crop)
    spread_img = None
    if spread_lixel is not None:
        spread = codec.spread_to_crop(spread_lixel)
        variance_xy = spread[..., :2].square() @ image_from_crop[..., :2].square().transpose(-1, -2)
        spread_img = torch.cat([variance_xy.sqrt(), spread[..., 2:]], dim=-1)
    return ImagePoints(points_img, back_project(points_img, focal_px, princpt_px), spread_img)


def split_people(**fields: Tensor) -> list[dict[str, np.ndarray]]:
    """Fields (B, ...) as those of each sample's `pred_instances`: numpy, one person each."""
    arrays = {name: tensor.float().cpu().numpy() for name, tensor in fields.items()}
    batch_size = len(next(iter(arrays.values())))
    return [{name: array[i : i + 1] for name, array in arrays.items()} for i in range(batch_size)]


def add_predictions(
    data_samples: Sequence[PoseDataSample], people: Sequence[dict[str, np.ndarray]]
) -> list[PoseDataSample]:
    """The samples, each with its person and the box that it was given as `pred_instances`."""
    for sample, fields in zip(data_samples, people, strict=True):
        instances = InstanceData(**fields)
        instances.bboxes = sample.gt_instances.bboxes
        instances.bbox_scores = sample.gt_instances.bbox_scores
        sample.pred_instances = instances
    return list(data_samples)
