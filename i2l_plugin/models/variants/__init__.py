"""The representations that the paper compares lixels with, under `LixelHead`'s contract.

A head maps a feature to N points. ``forward(feature)``, (B, C, h, w), gives an output of its own
kind, ``coordinates(output)`` the points (B, N, 3) in the CODEC's lixels, whatever the head's own
resolution, and ``spread(output)`` their standard deviations (B, N, 3) in the same lixels, zero
where no uncertainty is modelled. Estimators give a head ``in_channels``, ``num_points`` and the
codec's ``heatmap_size``; losses, targets and metrics see nothing but lixels. A head whose output is
one 1D heatmap an axis also has ``resolution``, the lixels (x, y, z) of those.

`ParameterHead` alone is apart: it gives parameters of a body model, for `ParameterMeshEstimator`.
"""

from .coordinate_head import CoordinateHead
from .dense_lixel_head import DenseLixelHead
from .depth_map_head import DepthMapHead
from .early_lixel_head import EarlyLixelHead
from .parameter_head import ParameterHead, PlacedParameters
from .pixel_head import PixelHead
from .voxel_head import VoxelHead

__all__ = [
    'CoordinateHead',
    'DenseLixelHead',
    'DepthMapHead',
    'EarlyLixelHead',
    'ParameterHead',
    'PixelHead',
    'PlacedParameters',
    'VoxelHead',
]
