"""Loss of regressed body-model parameters against the fitted ones.

Shapes: B batch, P posed joints.
"""

from __future__ import annotations

from mmpose.registry import MODELS
from torch import Tensor, nn

from .losses import CoordinateL1Loss
from .parameters import BodyParameters


@MODELS.register_module()
class ParameterLoss(nn.Module):
    """L1 distance of pose and shape, the mean over all people, those without a valid fit included.

    Rotations are compared as matrices, after GraphCMR (Kolotouros et al., CVPR 2019), which the
    paper follows, and SPIN. The release compares axis-angle vectors. Those jump at half turns, from
    one end of an axis to the other, and upright people before a camera are half a turn from the
    body model's rest pose.

    Args:
        pose_weight: Factor of the pose's loss.
        betas_weight: Factor of the shape's loss.
        pose_form: What rotations are compared as: ``'matrix'`` or ``'axis_angle'``.
    """

    def __init__(
        self, pose_weight: float = 1.0, betas_weight: float = 1.0, pose_form: str = 'matrix'
    ) -> None:
        super().__init__()
        if pose_form not in ('matrix', 'axis_angle'):
            raise ValueError(f"pose_form must be 'matrix' or 'axis_angle', got {pose_form!r}")
        self.pose_form = pose_form
        self.pose_loss = CoordinateL1Loss(pose_weight)
        self.betas_loss = CoordinateL1Loss(betas_weight)

    def forward(
        self, prediction: BodyParameters, target: BodyParameters, fit_valid: Tensor
    ) -> dict[str, Tensor]:
        """``loss_pose`` and ``loss_betas``.

        Args:
            prediction: In the crop's axes.
            target: As `parameter_targets` gives them.
            fit_valid: (B,), 0 or 1.
        """
        one, other = prediction.rotations.flatten(1), target.rotations.flatten(1)
        if self.pose_form == 'axis_angle':
            one, other = prediction.pose().flatten(1), target.pose().flatten(1)
        weight = fit_valid[:, None].to(one.dtype)
        return dict(
            loss_pose=self.pose_loss(one, other, weight),
            loss_betas=self.betas_loss(prediction.betas, target.betas, weight),
        )
