"""I2L-MeshNet as registered components of MMPose."""

from .backbones import StagedResNet
from .cascade import CascadedMeshEstimator
from .lixel_head import LixelHead
from .losses import CoordinateL1Loss, HeatmapLoss, NormalEdgeLoss
from .pose_to_feature import PoseToFeature
from .variants import (
    CoordinateHead,
    DenseLixelHead,
    DepthMapHead,
    EarlyLixelHead,
    PixelHead,
    VoxelHead,
)

__all__ = [
    'CascadedMeshEstimator',
    'CoordinateHead',
    'CoordinateL1Loss',
    'DenseLixelHead',
    'DepthMapHead',
    'EarlyLixelHead',
    'HeatmapLoss',
    'LixelHead',
    'NormalEdgeLoss',
    'PixelHead',
    'PoseToFeature',
    'StagedResNet',
    'VoxelHead',
]
