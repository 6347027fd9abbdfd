"""The host's ResNet, split where I2L-MeshNet cuts it (paper sections 3.1 and 3.2).

PoseNet uses stem and stages; the stem's output is F~_P, "the input of the first residual block".
ResNet_M of Eq. 4 is the stages alone. Shapes: B batch, C channels, H and W of the network input.
"""

from __future__ import annotations

from mmpose.models.backbones.resnet import ResNet
from mmpose.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class StagedResNet(ResNet):
    """ResNet v1.5 whose stem and stages run apart.

    Parameter names are the host's and torchvision's, so their checkpoints load.

    Args:
        depth: 18, 34, 50, 101 or 152.
        with_stem: False leaves conv1 and bn1 out: "the ResNet starting from the first residual
            block".
        kwargs: The host ResNet's options.
    """

    def __init__(self, depth: int, with_stem: bool = True, **kwargs) -> None:
        if kwargs.get('deep_stem'):
            raise ValueError('deep_stem=True has no stem that can be cut; use deep_stem=False')
        if not with_stem and kwargs.get('frozen_stages', -1) >= 0:
            raise ValueError('frozen_stages freezes the stem, but with_stem=False leaves it out')
        super().__init__(depth, **kwargs)
        self.with_stem = with_stem
        if not with_stem:
            del self.conv1, self.relu, self.maxpool
            delattr(self, self.norm1_name)

    def forward_stem(self, inputs: Tensor) -> Tensor:
        """Image to F~_P. (B, 3, H, W) -> (B, stem_channels, H/4, W/4)."""
        return self.maxpool(self.relu(self.norm1(self.conv1(inputs))))

    def forward_stages(self, feature: Tensor) -> Tensor:
        """F~_P, or the output of f_M, to F. (B, stem_channels, H/4, W/4) -> (B, C, H/32, W/32)."""
        for name in self.res_layers:
            feature = getattr(self, name)(feature)
        return feature

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """The host's contract: features of the last stage, after the stem where there is one."""
        return (self.forward_stages(self.forward_stem(x) if self.with_stem else x),)
