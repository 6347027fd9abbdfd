"""A batch of people for measuring a network: the right shapes, from no data set.

The pictures are noise; every person stands before the camera, in the rest pose, with all labels, so
that every loss term is computed. Shape legend: B people, J joints, P posed joints.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

_RANGES_AWAY = 2.5  # depth ranges between camera and person


class Batch(NamedTuple):
    """What a network takes after its data preprocessor.

    Attributes:
        inputs: (B, 3, H, W) float.
        data_samples: B samples with the labels of `PackMeshInputs`.
    """

    inputs: Tensor
    data_samples: list[PoseDataSample]

    @property
    def size(self) -> int:
        """B."""
        return len(self.inputs)


def example_batch(model: nn.Module, size: int, seed: int = 0) -> Batch:
    """B people for an estimator of this plugin, on its device.

    Args:
        model: With ``codec`` and ``body_model``.
        size: B.
        seed: Of the pictures.

    Raises:
        ValueError: The model has no codec or body model, or `size` is less than 1.
    """
    if size < 1:
        raise ValueError(f'size: got {size}, expected at least 1 person')
    missing = [name for name in ('codec', 'body_model') if not hasattr(model, name)]
    if missing:
        raise ValueError(
            f'{type(model).__name__} has no {missing}, which say what a batch looks like; name a '
            'config whose model is an estimator of this plugin'
        )
    device = model.body_model.faces.device
    width, height = model.codec.input_size
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(size, 3, height, width, generator=generator).to(device)
    samples = [_person(model.codec, model.body_model, i) for i in range(size)]
    return Batch(inputs, [sample.to(device) for sample in samples])


def _person(codec: Any, body_model: Any, number: int) -> PoseDataSample:
    """In the middle of the picture, upright, as large as the depth range."""
    size = np.array(codec.input_size, np.float64)
    depth_mm = _RANGES_AWAY * codec.depth_range_mm
    pose = np.zeros((1, body_model.num_pose, 3))
    pose[0, 0, 0] = math.pi  # the model's y points up, the camera's down
    joints = body_model.num_joints
    middle = np.broadcast_to(np.append(size / 2, 0), (1, joints, 3))
    labels = dict(
        pose=pose,
        betas=np.zeros((1, 10)),
        transl_mm=np.array([[0.0, 0.0, depth_mm]]),
        mirrored=np.zeros(1),
        fit_valid=np.ones(1),
        has_depth=np.ones(1),
        joints_img=middle,
        joints_valid=np.ones((1, joints)),
    )
    sample = PoseDataSample(
        metainfo=dict(
            sample_id=number,
            focal_px=np.full(2, size.min() * _RANGES_AWAY),
            princpt_px=size / 2,
            crop_from_image=np.eye(2, 3),
            root_depth_mm=depth_mm,
            annotated_joint_names=body_model.joint_set.joint_names,
        )
    )
    sample.gt_instances = InstanceData(
        annotated_joints_cam_mm=np.full((1, joints, 3), [0, 0, depth_mm], np.float32),
        annotated_joints_valid=np.ones((1, joints), bool),
    )
    sample.gt_instance_labels = InstanceData(
        **{name: torch.tensor(np.array(v), dtype=torch.float32) for name, v in labels.items()}
    )
    return sample
