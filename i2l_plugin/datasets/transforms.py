"""Image transforms that keep image, box, camera, pose and joints together (protocols, section 4).

The crop itself is the host's `TopdownAffine`, which the drawn scale and rotation only steer: they
live in ``crop_from_image`` alone, since the targets are posed, projected and cropped later.
A training and a test pipeline, in this order (RandomMirror works on the box, so it comes first)::

    train_pipeline = [
        dict(type='LoadImage'),
        dict(type='RandomMirror', prob=0.5),  # not for hands
        dict(type='GetBBoxCenterScale', padding=1.25),
        dict(type='RandomScaleRotate', scale=0.25, rotation=60.0, rotate_prob=0.6),
        dict(type='TopdownAffine', input_size=(256, 256)),
        dict(type='ColorScale', factor=0.2),
        dict(type='PackMeshInputs'),
    ]
    test_pipeline = [
        dict(type='LoadImage'),
        dict(type='GetBBoxCenterScale', padding=1.25),
        dict(type='TopdownAffine', input_size=(256, 256)),
        dict(type='PackMeshInputs'),
    ]

Shape legend: J joints of the model's set, A annotated joints, P body-model joints.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmengine.structures import InstanceData
from mmpose.registry import TRANSFORMS
from mmpose.structures import PoseDataSample

from i2l_plugin.body_models.joint_sets import SMPL_24, get_joint_set
from i2l_plugin.geometry.camera import mirror_points_img, mirror_princpt
from i2l_plugin.geometry.crop import crop_from_image
from i2l_plugin.geometry.rotation import mirror_pose
from i2l_plugin.protocols import PROTOCOL_KEY

from .augmentations import fraction


@lru_cache
def mirror_order_of_names(names: tuple[str, ...]) -> tuple[int, ...]:
    """Permutation that exchanges joints named ``L_x`` and ``R_x``; others stay."""
    swap = {'L_': 'R_', 'R_': 'L_'}
    partners = [swap.get(name[:2], name[:2]) + name[2:] for name in names]
    return tuple(names.index(p) if p in names else i for i, p in enumerate(partners))


@TRANSFORMS.register_module()
class RandomMirror(BaseTransform):
    """Mirror image, box, principal point, pose and joints together.

    The mesh is posed later from the mirrored pose, so the order of its vertices never changes.
    The translation stays the ORIGINAL one and ``mirrored`` says so: the root joint that it moves
    depends on the body model (`BodyModel.pose_cam_mm`).

    Args:
        prob: Probability, in [0, 1].

    Raises:
        ValueError: On a hand (a mirrored right hand is a left one, for which there is no model)
            or after `GetBBoxCenterScale` (the box has been used already).
    """

    def __init__(self, prob: float = 0.5) -> None:
        self.prob = fraction('RandomMirror', 'prob', prob)

    @cache_randomness
    def _choose(self) -> bool:
        return np.random.rand() < self.prob  # noqa: NPY002 - the host seeds this generator

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Mirror the sample in place, or return it unchanged."""
        if 'bbox_center' in results:
            raise ValueError(
                'RandomMirror: got a sample whose box is already in use; put it between LoadImage '
                'and GetBBoxCenterScale in the pipeline'
            )
        if len(results['pose']) != len(SMPL_24):
            raise ValueError(
                f'RandomMirror: got a pose of {len(results["pose"])} joints, expected a body of '
                f'{len(SMPL_24)}; a mirrored right hand is a left hand: remove RandomMirror'
            )
        if self._choose():
            _mirror_image(results)
            _mirror_labels(results)
        return results


def _mirror_image(results: dict[str, Any]) -> None:
    width_px = results['img'].shape[1]
    results['img'] = cv2.flip(results['img'], 1)
    x1, y1, x2, y2 = np.moveaxis(results['bbox'], -1, 0)
    results['bbox'] = np.stack([width_px - 1 - x2, y1, width_px - 1 - x1, y2], axis=-1)
    princpt_px = torch.from_numpy(results['princpt_px'])
    results['princpt_px'] = mirror_princpt(princpt_px, width_px).numpy()
    results['mirrored'] = not results['mirrored']


def _mirror_labels(results: dict[str, Any]) -> None:
    width_px = results['img'].shape[1]
    results['pose'] = mirror_pose(torch.from_numpy(results['pose']), SMPL_24.mirror_order).numpy()

    order = list(get_joint_set(results['joint_set']).mirror_order)
    joints_img = mirror_points_img(torch.from_numpy(results['joints_img'][order]), width_px)
    results['joints_valid'] = results['joints_valid'][order]
    results['joints_img'] = joints_img.numpy() * results['joints_valid'][:, None]

    order = list(mirror_order_of_names(results['annotated_joint_names']))
    cam_mm = results['annotated_joints_cam_mm'][order]
    results['annotated_joints_cam_mm'] = cam_mm * np.array([-1, 1, 1], cam_mm.dtype)
    results['annotated_joints_valid'] = results['annotated_joints_valid'][order]


@TRANSFORMS.register_module()
class PackMeshInputs(BaseTransform):
    """Crop and labels as the model wants them: ``inputs`` and ``data_samples``.

    ``inputs``: uint8 tensor (3, H, W), BGR as loaded.
    ``data_samples``: PoseDataSample of

    - metainfo: img_path, sample_id, image_id, ori_shape, input_size (w, h), focal_px (2,),
      princpt_px (2,), crop_from_image (2, 3) float64, root_depth_mm (NaN where unknown),
      mirrored, bbox_px (4,), joint_set, annotated_joint_names, and where present gender, id_*,
      protocol (its name), box_source and root_depth_source (where from, in words);
    - gt_instances (numpy): bboxes (1, 4), bbox_scores (1,), annotated_joints_cam_mm (1, A, 3),
      annotated_joints_valid (1, A), false where there is no depth;
    - gt_instance_labels (float32 tensors): pose (1, P, 3), betas (1, 10), transl_mm (1, 3),
      mirrored (1,), fit_valid (1,), has_depth (1,), joints_img (1, J, 3) = x px, y px before the
      crop and depth in mm from the data set's own root, joints_valid (1, J).

    A person whose truth is unknown (one without ``pose``) has boxes and metainfo alone.

    Raises:
        ValueError: Without `TopdownAffine` before it, and if the image has another size than
            its annotation says (camera and joints would not fit it).
    """

    meta_keys = (
        *('img_path', 'sample_id', 'image_id', 'ori_shape', 'input_size', 'focal_px'),
        *('princpt_px', 'root_depth_mm', 'mirrored', 'joint_set', 'annotated_joint_names'),
    )
    instance_keys = ('annotated_joints_cam_mm', 'annotated_joints_valid')
    label_keys = (
        *('pose', 'betas', 'transl_mm', 'mirrored', 'fit_valid', 'has_depth'),
        *('joints_img', 'joints_valid'),
    )

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """A packed sample."""
        if 'input_center' not in results:
            raise ValueError('PackMeshInputs: got no crop; put TopdownAffine before it')
        height, width = results['ori_shape'][:2]
        if (width, height) != tuple(results['image_size_px']):
            raise ValueError(
                f'PackMeshInputs: got an image of {width} x {height} px, expected '
                f'{results["image_size_px"]} as annotated; restore the original image or convert '
                'the data set again'
            )
        sample = PoseDataSample()
        for key, value in self._metainfo(results).items():  # set_metainfo would copy all of it
            sample.set_field(value, key, field_type='metainfo')
        sample.gt_instances = InstanceData(
            bboxes=results['bbox'], bbox_scores=results['bbox_score']
        )
        if 'pose' in results:
            self._add_labels(sample, results)
        img = np.ascontiguousarray(results['img'].transpose(2, 0, 1))
        return {'inputs': torch.from_numpy(img), 'data_samples': sample}

    def _add_labels(self, sample: PoseDataSample, results: dict[str, Any]) -> None:
        for key in self.instance_keys:
            sample.gt_instances.set_field(results[key][None], key)
        sample.gt_instance_labels = InstanceData(
            **{
                key: torch.from_numpy(np.array(results[key], np.float32)[None])
                for key in self.label_keys
            }
        )

    def _metainfo(self, results: dict[str, Any]) -> dict[str, Any]:
        crop = crop_from_image(
            results['input_center'],
            results['input_scale'],
            float(np.ravel(results.get('bbox_rotation', 0.0))[0]),
            results['input_size'],
        )
        named = ('gender', 'box_source', 'root_depth_source', PROTOCOL_KEY)
        extra = (key for key in results if key in named or key.startswith('id_'))
        return {
            **{key: results[key] for key in (*self.meta_keys, *extra)},
            'crop_from_image': crop,
            'bbox_px': np.array(results['bbox'][0]),
        }
