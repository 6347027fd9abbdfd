"""Image transforms that keep image, box, camera, pose and joints together (protocols, section 4).

Scale, rotation and the crop itself are the host's `RandomBBoxTransform` and `TopdownAffine`; they
live in ``crop_from_image`` only, since the targets are posed, projected and cropped later.
A training and a test pipeline, in this order (RandomMirror works on the box, so it comes first)::

    train_pipeline = [
        dict(type='LoadImage'),
        dict(type='RandomMirror', prob=0.5),  # not for hands
        dict(type='GetBBoxCenterScale', padding=1.25),
        dict(
            type='RandomBBoxTransform',
            shift_prob=0.0,
            scale_factor=(0.75, 1.25),
            rotate_factor=60.0,
            rotate_prob=0.6,
        ),
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

The paper gives ranges only: scale 25 %, rotation 60 degrees, colour 20 % (section 5). The host
draws scale and angle from a normal truncated at one standard deviation, N(0, 1) in [-1, 1] times
the range. The release clips instead: 0.25 clip(N(0, 1), -1, 1) and, with probability 0.6,
30 clip(N(0, 1), -2, 2) degrees. The ranges and the probability are the same; the standard
deviations are 0.135 (release 0.180) of the scale and 32.4 (release 28.8) degrees.
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


@lru_cache
def mirror_order_of_names(names: tuple[str, ...]) -> tuple[int, ...]:
    """Permutation that exchanges joints named ``L_x`` and ``R_x``; others stay."""
    swap = {'L_': 'R_', 'R_': 'L_'}
    partners = [swap.get(name[:2], name[:2]) + name[2:] for name in names]
    return tuple(names.index(p) if p in names else i for i, p in enumerate(partners))


def _fraction(owner: str, argument: str, value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError(f'{owner}: got {argument}={value!r}, expected a number in [0, 1]')
    return value


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
        self.prob = _fraction('RandomMirror', 'prob', prob)

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
class ColorScale(BaseTransform):
    """Scale each colour channel of an 8-bit image by its own U(1 - factor, 1 + factor), clipped.

    Args:
        factor: In [0, 1].
    """

    def __init__(self, factor: float = 0.2) -> None:
        self.factor = _fraction('ColorScale', 'factor', factor)

    @cache_randomness
    def _choose(self) -> np.ndarray:
        return np.random.uniform(1 - self.factor, 1 + self.factor, 3)  # noqa: NPY002

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``img``; ValueError if it does not hold 8-bit colours."""
        img = results['img']
        if img.dtype != np.uint8 or img.shape[-1] != 3:
            raise ValueError(
                f'ColorScale: got an image {img.shape} of {img.dtype}, expected (H, W, 3) of '
                "uint8; use LoadImage with to_float32=False and color_type='color'"
            )
        levels = np.arange(256)[:, None] * self._choose()
        table = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
        results['img'] = cv2.LUT(img, table[None])
        return results


@TRANSFORMS.register_module()
class PackMeshInputs(BaseTransform):
    """Crop and labels as the model wants them: ``inputs`` and ``data_samples``.

    ``inputs``: uint8 tensor (3, H, W), BGR as loaded.
    ``data_samples``: PoseDataSample of

    - metainfo: img_path, sample_id, image_id, ori_shape, input_size (w, h), focal_px (2,),
      princpt_px (2,), crop_from_image (2, 3) float64, root_depth_mm (NaN where unknown),
      mirrored, bbox_px (4,), joint_set, annotated_joint_names, and gender, id_*, protocol (name)
      where present;
    - gt_instances (numpy): bboxes (1, 4), bbox_scores (1,), annotated_joints_cam_mm (1, A, 3),
      annotated_joints_valid (1, A), false where there is no depth;
    - gt_instance_labels (float32 tensors): pose (1, P, 3), betas (1, 10), transl_mm (1, 3),
      mirrored (1,), fit_valid (1,), has_depth (1,), joints_img (1, J, 3) = x px, y px before the
      crop and depth in mm from the data set's own root, joints_valid (1, J).

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
        sample = PoseDataSample(metainfo=self._metainfo(results))
        sample.gt_instances = InstanceData(
            bboxes=results['bbox'],
            bbox_scores=results['bbox_score'],
            **{key: results[key][None] for key in self.instance_keys},
        )
        sample.gt_instance_labels = InstanceData(
            **{
                key: torch.as_tensor(results[key], dtype=torch.float32)[None]
                for key in self.label_keys
            }
        )
        img = np.ascontiguousarray(results['img'].transpose(2, 0, 1))
        return {'inputs': torch.from_numpy(img), 'data_samples': sample}

    def _metainfo(self, results: dict[str, Any]) -> dict[str, Any]:
        crop = crop_from_image(
            results['input_center'],
            results['input_scale'],
            float(np.ravel(results.get('bbox_rotation', 0.0))[0]),
            results['input_size'],
        )
        named = ('gender', PROTOCOL_KEY)
        extra = (key for key in results if key in named or key.startswith('id_'))
        return {
            **{key: results[key] for key in (*self.meta_keys, *extra)},
            'crop_from_image': crop,
            'bbox_px': results['bbox'][0],
        }
