"""I2L-MeshNet as registered components of MMPose."""

from .backbones import StagedResNet
from .cascade import CascadedMeshEstimator
from .lixel_head import LixelHead
from .losses import CoordinateL1Loss, HeatmapLoss, NormalEdgeLoss
from .mesh_to_parameters import MeshToParametersEstimator
from .parameter_estimator import ParameterMeshEstimator
from .parameter_loss import ParameterLoss
from .parameter_regressor import ParameterRegressor
from .pose_to_feature import PoseToFeature
from .root_head import RootHead
from .rootnet import RootNet
from .second_stage import FirstStageHook, TrainedParametersConstructor
from .variants import (
    CoordinateHead,
    DenseLixelHead,
    DepthMapHead,
    EarlyLixelHead,
    ParameterHead,
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
    'FirstStageHook',
    'HeatmapLoss',
    'LixelHead',
    'MeshToParametersEstimator',
    'NormalEdgeLoss',
    'ParameterHead',
    'ParameterLoss',
    'ParameterMeshEstimator',
    'ParameterRegressor',
    'PixelHead',
    'PoseToFeature',
    'RootHead',
    'RootNet',
    'StagedResNet',
    'TrainedParametersConstructor',
    'VoxelHead',
]
