"""A tiny RootNet on the toy body, and data samples whose root joint is known."""

import numpy as np
import torch
from helpers_models import INPUT_PX, LIXELS, make_sample, toy_body
from mmpose.registry import MODELS


def tiny_rootnet(body_model=None, seed=0, **options):
    """ResNet-18 of 8 channels at 64x64 with 16 lixels, on the toy body."""
    torch.manual_seed(seed)
    config = dict(
        type='RootNet',
        backbone=dict(type='ResNet', depth=18, stem_channels=8, base_channels=8),
        root_head=dict(type='RootHead', up_channels=8),
        codec=dict(
            type='SoftArgmaxCodec',
            input_size=(INPUT_PX, INPUT_PX),
            heatmap_size=(LIXELS,) * 3,
            depth_range_mm=2000,
        ),
        body_model=body_model or toy_body(),
        coordinate_loss=dict(type='CoordinateL1Loss'),
        depth_loss=dict(type='CoordinateL1Loss'),
        data_preprocessor=dict(
            type='PoseDataPreprocessor', mean=[0, 0, 0], std=[255, 255, 255], bgr_to_rgb=True
        ),
    )
    model = MODELS.build({**config, **options})
    model.init_weights()
    return model


def root_sample(body, seed=0, annotated_mm=(120.0, -30.0, 2900.0), crop_from_image=None, **labels):
    """`make_sample` whose data set annotates neck, root and head, the root in camera mm."""
    sample = make_sample(body, seed, crop_from_image, **labels)
    root_name = body.joint_set.joint_names[body.joint_set.root]
    sample.set_metainfo(dict(annotated_joint_names=('Neck', root_name, 'Head')))
    joints_mm = np.array([[[5, 5, 1], annotated_mm, [6, 6, 2]]], np.float32)
    sample.gt_instances.annotated_joints_cam_mm = joints_mm
    return sample


def images(batch=2, seed=0):
    """Random pictures of the input's size."""
    return torch.rand(batch, 3, INPUT_PX, INPUT_PX, generator=torch.Generator().manual_seed(seed))
