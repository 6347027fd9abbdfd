"""MeshToParametersEstimator: I2L-MeshNet, and body-model parameters from its mesh (Table 6).

Shapes: B batch, J joints, V vertices, P posed joints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from .cascade import CascadedMeshEstimator
from .decoding import LixelEstimate, split_people
from .parameter_targets import fitted_parameters, joint_targets_mm, parameter_targets
from .parameters import BodyParameters, pose_about_root
from .targets import JOINT_TARGETS, stack_labels

_FIRST_STAGE = ('backbone', 'pose_head', 'pose_to_feature', 'mesh_backbone', 'mesh_head')
_MM_PER_M = 1000.0


@MODELS.register_module()
class MeshToParametersEstimator(CascadedMeshEstimator):
    """A trained network, frozen, and a regressor of pose and shape on the joints of its mesh.

    "An additional SMPL parameter regression module following Kolotouros et al." (GraphCMR). Its
    input are the joints that the body model's regressor takes from the predicted vertices, in
    lixels, as in the release: MeshNet's, not PoseNet's, which are further off (Table 12), and so it
    also works on MeshNet alone.

    The first stage does not change in any bit: no gradients, and its batch normalisation keeps the
    statistics that it came with, whatever `train` is called with. Use
    `TrainedParametersConstructor` and `FirstStageHook` to train (configs/_base_/second_stage.py).

    The losses are L1, as in the release: pose and shape (`parameter_loss`) against the valid fits,
    and ``loss_joints``, joints of the posed body about the root in m against what `joint_targets`
    names: ``'mixed'`` is the default, the release takes ``('fitted', 'annotated')``.

    Predictions are those of the first stage and ``body_pose`` (1, P, 3), axis-angle in rad, root
    first, ``betas`` (1, 10), ``param_vertices_cam`` (1, V, 3) and ``param_joints_cam`` (1, J, 3),
    mm in camera space: the body that the parameters pose, its root joint where that of the first
    stage's mesh is. The root's orientation is regressed in the crop's axes and given in the
    camera's. Mode ``'tensor'`` adds ``body_pose`` (B, P, 3), there in the crop's axes, and
    ``betas`` (B, 10).

    Args:
        parameter_regressor: `ParameterRegressor`.
        parameter_loss: `ParameterLoss`.
        joint_loss: L1 loss of the joints, ``CoordinateL1Loss``.
        options: Of `CascadedMeshEstimator`. The losses of the first stage are not computed.

    Raises:
        ValueError: ``truth_body_models`` (shape coefficients of other models mean other bodies), or
            ``fed_pose='truth'``.
    """

    def __init__(
        self,
        parameter_regressor: Mapping[str, Any],
        parameter_loss: Mapping[str, Any],
        joint_loss: Mapping[str, Any],
        **options: Any,
    ) -> None:
        for name, only in (('truth_body_models', None), ('fed_pose', 'regressed')):
            if options.get(name, only) != only:
                raise ValueError(
                    f'{name} is for training the mesh, from which MeshToParametersEstimator '
                    f'regresses the parameters of body_model alone; got {options[name]}: leave it '
                    'out'
                )
        super().__init__(**options)
        sizes = dict(num_joints=self.body_model.num_joints, num_pose=self.body_model.num_pose)
        self.parameter_regressor = MODELS.build({**parameter_regressor, **sizes})
        self.parameter_loss = MODELS.build(parameter_loss)
        self.joint_loss = MODELS.build(joint_loss)
        for _, part in self.first_stage():
            part.requires_grad_(False)
        self.train(self.training)

    def first_stage(self) -> Iterator[tuple[str, nn.Module]]:
        """Its parts by name, PoseNet's where there is one."""
        return ((name, getattr(self, name)) for name in _FIRST_STAGE if hasattr(self, name))

    def train(self, mode: bool = True) -> MeshToParametersEstimator:
        """Train the regressor; the first stage stays in evaluation mode."""
        super().train(mode)
        for _, part in self.first_stage():
            part.eval()
        return self

    def regress(self, vertices_lixel: Tensor) -> BodyParameters:
        """Parameters in the crop's axes, in float32, no gradient into the mesh. (B, V, 3)."""
        with torch.autocast(vertices_lixel.device.type, enabled=False):
            joints_lixel = self.body_model.joint_regressor @ vertices_lixel.detach()
            return self.parameter_regressor(joints_lixel)

    def _forward(self, inputs: Tensor) -> dict[str, Tensor]:
        output = super()._forward(inputs)
        parameters = self.regress(output['vertices_lixel'])
        return {**output, 'body_pose': parameters.pose(), 'betas': parameters.betas}

    def loss(self, inputs: Tensor, data_samples: list[PoseDataSample]) -> dict[str, Tensor]:
        """``loss_pose``, ``loss_betas`` and ``loss_joints``; `joint_targets` sets how many."""
        parameters = self.regress(super()._forward(inputs)['vertices_lixel'])
        with torch.autocast(inputs.device.type, enabled=False):
            fitted = fitted_parameters(data_samples, inputs.device)
            fit_valid = stack_labels(data_samples, 'fit_valid', inputs.device)
            losses = self.parameter_loss(parameters, parameter_targets(fitted), fit_valid)
            targets = joint_targets_mm(data_samples, self.body_model, fitted)
            _, joints_mm = pose_about_root(self.body_model, parameters)
            for name in self.joint_targets:
                target = JOINT_TARGETS[name](targets)
                suffix = '' if name == 'mixed' else f'_{name}'
                losses[f'loss_joints{suffix}'] = self.joint_loss(
                    joints_mm / _MM_PER_M, target.joints_mm / _MM_PER_M, target.weight
                )
        return losses

    def decode(
        self, estimate: LixelEstimate, frame: Mapping[str, Tensor]
    ) -> list[dict[str, np.ndarray]]:
        """As the first stage, and the fields of the parameters."""
        people = super().decode(estimate, frame)
        parameters = self.regress(estimate.vertices).in_camera(frame['crop_from_image'])
        root_cam = self._root_cam(people).to(parameters.betas)
        vertices_cam, joints_cam = (
            points + root_cam for points in pose_about_root(self.body_model, parameters)
        )
        regressed = split_people(
            body_pose=parameters.pose(),
            betas=parameters.betas,
            param_vertices_cam=vertices_cam,
            param_joints_cam=joints_cam,
        )
        return [{**mesh, **more} for mesh, more in zip(people, regressed, strict=True)]

    def _root_cam(self, people: Sequence[Mapping[str, np.ndarray]]) -> Tensor:
        """Root joints of the first stage's meshes. -> (B, 1, 3) camera mm"""
        root = self.body_model.joint_set.root
        return torch.from_numpy(np.stack([one['joints_cam'][:, root] for one in people]))
