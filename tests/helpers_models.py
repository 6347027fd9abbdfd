"""Tiny networks on the toy body and data samples of people whose ground truth is known."""

import numpy as np
import torch
from helpers_toy_body import toy_body_data
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from mmpose.utils import register_all_modules

import i2l_plugin.models  # noqa: F401 (registers the components)
from i2l_plugin.body_models import BodyModel

register_all_modules()
INPUT_PX, LIXELS = 64, 16
FOCAL_PX, PRINCPT_PX = 600.0, 160.0


def toy_body(kind='body'):
    return BodyModel(toy_body_data(kind))


def tiny_model(body_model=None, cascade=True, seed=0, **options):
    """ResNet-18 of 8 channels at 64x64 with 16 lixels, on the toy body."""
    torch.manual_seed(seed)
    trunk = dict(type='StagedResNet', depth=18, stem_channels=8, base_channels=8)
    head = dict(type='LixelHead', up_channels=8, num_upsample=3)
    parts = (
        dict(
            pose_head=head,
            pose_to_feature=dict(type='PoseToFeature'),
            mesh_backbone=dict(trunk, with_stem=False),
        )
        if cascade
        else {}
    )
    config = dict(
        type='CascadedMeshEstimator',
        backbone=trunk,
        mesh_head=head,
        codec=dict(
            type='SoftArgmaxCodec',
            input_size=(INPUT_PX, INPUT_PX),
            heatmap_size=(LIXELS, LIXELS, LIXELS),
            depth_range_mm=2000,
        ),
        body_model=body_model or toy_body(),
        coordinate_loss=dict(type='CoordinateL1Loss'),
        surface_loss=dict(type='NormalEdgeLoss'),
        data_preprocessor=dict(
            type='PoseDataPreprocessor', mean=[0, 0, 0], std=[255, 255, 255], bgr_to_rgb=True
        ),
        **parts,
    )
    model = MODELS.build({**config, **options})
    model.init_weights()
    return model


def make_sample(body_model, seed=0, crop_from_image=None, **labels):
    """A person 3 m in front of the camera; every label can be overridden."""
    rng = np.random.default_rng(seed)
    joints, pose_joints = body_model.num_joints, body_model.num_pose
    defaults = dict(
        pose=rng.normal(0, 0.2, (1, pose_joints, 3)),
        betas=rng.normal(0, 1, (1, 10)),
        transl_mm=np.array([[100.0, -50.0, 3000.0]]),
        mirrored=np.zeros(1),
        fit_valid=np.ones(1),
        has_depth=np.ones(1),
        joints_img=rng.uniform([60, 60, -500], [240, 240, 500], (1, joints, 3)),
        joints_valid=np.ones((1, joints)),
    )
    if crop_from_image is None:  # 320 px image squeezed into the input
        crop_from_image = np.array([[INPUT_PX / 320, 0, 0], [0, INPUT_PX / 320, 0]])
    sample = PoseDataSample(
        metainfo=dict(
            sample_id=seed,
            focal_px=np.array([FOCAL_PX, FOCAL_PX]),
            princpt_px=np.array([PRINCPT_PX, PRINCPT_PX]),
            crop_from_image=np.asarray(crop_from_image),
            root_depth_mm=3000.0,
        )
    )
    sample.gt_instance_labels = InstanceData(
        **{
            name: torch.as_tensor(np.asarray(value), dtype=torch.float32)
            for name, value in {**defaults, **labels}.items()
        }
    )
    sample.gt_instances = InstanceData(
        bboxes=np.array([[0.0, 0, 320, 320]]), bbox_scores=np.ones(1, dtype=np.float32)
    )
    return sample
