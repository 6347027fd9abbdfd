"""I2L-MeshNet as registered components of MMPose."""

from .backbones import StagedResNet
from .cascade import CascadedMeshEstimator
from .lixel_head import LixelHead
from .losses import CoordinateL1Loss, HeatmapLoss, NormalEdgeLoss
from .pose_to_feature import PoseToFeature

__all__ = [
    'CascadedMeshEstimator',
    'CoordinateL1Loss',
    'HeatmapLoss',
    'LixelHead',
    'NormalEdgeLoss',
    'PoseToFeature',
    'StagedResNet',
]
