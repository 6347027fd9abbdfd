"""f_M of Eq. 4 without its J x D volume.

The 3D Gaussian of Eq. 3 is a product of three 1D Gaussians, so the 3x3 convolution over its J*D
channels is a sum that never needs the volume (29 MB an image for bodies):

    W~[b,o,j,ky,kx]  = sum_z  W[o, j*D+z, ky, kx] gz[b,j,z]
    U[b,o,y,j,kx]    = sum_ky W~[b,o,j,ky,kx] gy[b,j,y+ky-1]
    out[b,o,y,x]     = sum_j,kx U[b,o,y,j,kx] gx[b,j,x+kx-1]

The weights stay in one ordinary convolution (input channels F~_P first, then j*D + z), so
checkpoints are interchangeable with a network that builds the volume.
Shapes: B batch, J joints, D lixels, C channels of F~_P, O output channels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from i2l_plugin.geometry.lixel import gaussian_1d

from .head_parts import GAUSSIAN_INIT


def convolve_gaussians(
    weight: Tensor, joints_lixel: Tensor, size: Sequence[int], sigma: float
) -> Tensor:
    """3x3 convolution (zero padding 1) of the J 3D Gaussians of Eq. 3 over channels j*D + z.

    Args:
        weight: (O, J*Dz, 3, 3).
        joints_lixel: (B, J, 3), x, y, z.
        size: Lixels (x, y, z) of the volume.
        sigma: Standard deviation of the Gaussian in lixels.

    Returns:
        (B, O, Dy, Dx).
    """
    batch, joints = joints_lixel.shape[:2]
    width, height, depth = size
    gx, gy, gz = (gaussian_1d(joints_lixel[..., i], size[i], sigma) for i in range(3))  # (B, J, D)
    gx = F.pad(gx, (1, 1)).unfold(-1, 3, 1)  # (B, J, Dx, kx)
    gy = F.pad(gy, (1, 1)).unfold(-1, 3, 1)  # (B, J, Dy, ky)
    by_joint = weight.view(-1, joints, depth, 9).permute(1, 2, 0, 3).reshape(joints, depth, -1)
    collapsed = torch.bmm(gz.transpose(0, 1), by_joint)  # W~: (J, B, O*ky*kx)
    by_sample = collapsed.view(joints, batch, -1, 3, 3).permute(1, 0, 2, 4, 3)  # (B, J, O, kx, ky)
    rows = torch.bmm(  # U: (B*J, O*kx, Dy)
        by_sample.reshape(batch * joints, -1, 3),
        gy.reshape(batch * joints, height, 3).transpose(1, 2),
    )
    rows = rows.view(batch, joints, -1, 3, height).permute(0, 2, 4, 1, 3)  # (B, O, Dy, J, kx)
    out = torch.bmm(  # sum over joints and kx at once
        rows.reshape(batch, -1, joints * 3),
        gx.permute(0, 1, 3, 2).reshape(batch, joints * 3, width),
    )
    return out.view(batch, -1, height, width)


@MODELS.register_module()
class PoseToFeature(BaseModule):
    """f_M: F~_P and the Gaussian heatmaps of the regressed joints to the input of ResNet_M.

    Args:
        feature_channels: C of F~_P; also the output channels, those of the first residual block.
        num_joints: J.
        heatmap_size: Lixels (x, y, z); x and y equal the width and height of F~_P.
        sigma_lixel: Standard deviation of Eq. 3.
        init_cfg: Weight initialisation; the paper's Gaussian by default.
    """

    def __init__(
        self,
        feature_channels: int,
        num_joints: int,
        heatmap_size: Sequence[int],
        sigma_lixel: float = 2.5,
        init_cfg: Sequence[dict] = GAUSSIAN_INIT,
    ) -> None:
        super().__init__([dict(cfg) for cfg in init_cfg])
        self.heatmap_size = tuple(heatmap_size)
        self.sigma_lixel = sigma_lixel
        self.feature_channels = feature_channels
        in_channels = feature_channels + num_joints * self.heatmap_size[2]
        self.conv = nn.Conv2d(in_channels, feature_channels, 3, padding=1)
        self.bn = nn.BatchNorm2d(feature_channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, feature: Tensor, joints_lixel: Tensor) -> Tensor:
        """(B, C, Dy, Dx) and (B, J, 3) lixels -> (B, C, Dy, Dx); no gradient into the joints."""
        if tuple(feature.shape[:-3:-1]) != self.heatmap_size[:2]:
            raise ValueError(
                f'the stem gives a feature of {tuple(feature.shape[-2:])} (h, w), but heatmap_size '
                f'is {self.heatmap_size} (x, y, z); the network input must be 4 x heatmap_size'
            )
        weight_feature, weight_pose = self.conv.weight.split(
            [self.feature_channels, self.conv.in_channels - self.feature_channels], dim=1
        )
        with torch.autocast(feature.device.type, enabled=False):  # Gaussians need float32
            from_pose = convolve_gaussians(
                weight_pose,
                joints_lixel.detach().to(weight_pose.dtype),
                self.heatmap_size,
                self.sigma_lixel,
            )
        out = F.conv2d(feature, weight_feature, self.conv.bias, padding=1) + from_pose.to(
            feature.dtype
        )
        return self.relu(self.bn(out))
