"""ParameterMeshEstimator: MeshNet alone that regresses body-model parameters (Table 1).

The posed body is put before the sample's own camera, at the depth R that Eq. 7 is given, so that
targets, the joint loss and metrics are those of the other rows of the table.
Shapes: B batch, P posed joints, V vertices, J joints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor

from i2l_plugin.geometry.camera import back_project, project
from i2l_plugin.geometry.crop import apply_affine, invert_affine

from .cascade import CascadedMeshEstimator
from .decoding import split_people
from .parameter_targets import fitted_parameters, parameter_targets
from .parameters import pose_about_root
from .targets import JOINT_TARGETS, MeshTargets, build_targets, stack_labels, stack_meta
from .variants.parameter_head import PlacedParameters

_NEAREST = 0.1  # of the root's depth, at which a body is cut off when it is projected for a loss
_SOMEWHERE_MM = 10_000.0  # before the camera: the depth of people whose depth is unknown
_WITHOUT = dict(  # options of the base that have no meaning here
    pose_head=None,
    pose_to_feature=None,
    mesh_backbone=None,
    surface_loss=None,
    heatmap_loss=None,
    meshnet_pose_loss=True,
    truth_body_models=None,
)


@MODELS.register_module()
class ParameterMeshEstimator(CascadedMeshEstimator):
    """Trunk and `ParameterHead`; one mesh, that of the parameters.

    The losses are those of HMR and SPIN, whose training the paper follows here: pose and shape
    (`parameter_loss`), joints in space and joints in the picture. The last two are one term, Eq. 9:
    joints of the posed body in lixels. Nothing is said to single vertices: the body model makes a
    smooth surface of any parameters. Samples with neither a valid fit nor a known depth teach
    nothing, for their joints cannot be projected.

    Predictions are those of `CascadedMeshEstimator` without any spread, and ``body_pose``
    (1, P, 3), axis-angle in rad with the root's orientation in camera space first, and ``betas``
    (1, 10). Mode ``'tensor'`` gives ``body_pose`` (B, P, 3) in the axes of the crop, ``betas``
    (B, 10) and ``root_lixel`` (B, 2).

    Args:
        parameter_loss: `ParameterLoss`.
        options: Of `CascadedMeshEstimator` for MeshNet alone, with a `ParameterHead` as
            ``mesh_head`` and a ``coordinate_loss`` for Eq. 9.

    Raises:
        ValueError: An option that has no meaning without PoseNet and heatmaps; or
            ``truth_body_models``: coefficients of other models mean other bodies.
    """

    def __init__(self, parameter_loss: Mapping[str, Any], **options: Any) -> None:
        flip_test = (options.get('test_cfg') or {}).get('flip_test', False)
        wrong = [name for name, only in _WITHOUT.items() if options.get(name, only) != only]
        if wrong or flip_test:
            raise ValueError(
                f'ParameterMeshEstimator regresses parameters without PoseNet and heatmaps; got '
                f'{wrong + ["test_cfg.flip_test"] * flip_test}, which it has not: leave it out'
            )
        super().__init__(**options)
        self.parameter_loss = MODELS.build(parameter_loss)

    def _mesh_head_sizes(self) -> dict[str, int]:
        return dict(num_pose=self.body_model.num_pose)

    def _forward(self, inputs: Tensor) -> dict[str, Tensor]:
        placed = self.estimate(inputs)
        return dict(
            body_pose=placed.parameters.pose(),
            betas=placed.parameters.betas,
            root_lixel=placed.root_lixel,
        )

    def estimate(self, inputs: Tensor) -> PlacedParameters:
        """What the head regresses. (B, 3, H, W) -> parameters, root's place (B, 2)."""
        return self.heatmaps(inputs)[1]

    def loss(self, inputs: Tensor, data_samples: list[PoseDataSample]) -> dict[str, Tensor]:
        """``loss_meshnet_pose`` (Eq. 9; `joint_targets` sets how many), pose and betas."""
        placed = self.estimate(inputs)
        with torch.autocast(inputs.device.type, enabled=False):
            targets = build_targets(data_samples, self.body_model, self.codec)
            fitted = fitted_parameters(data_samples, inputs.device)
            fit_valid = stack_labels(data_samples, 'fit_valid', inputs.device)
            losses = self.parameter_loss(placed.parameters, parameter_targets(fitted), fit_valid)
            root_depth_mm = true_root_depth_mm(data_samples, targets, fit_valid)
            is_known = torch.isfinite(root_depth_mm) & (root_depth_mm > 0)
            joints = self._joints_lixel(
                placed, data_samples, torch.where(is_known, root_depth_mm, _SOMEWHERE_MM)
            )
            for name in self.joint_targets:
                target = JOINT_TARGETS[name](targets)
                suffix = '' if name == 'mixed' else f'_{name}'
                losses[f'loss_meshnet_pose{suffix}'] = self.coordinate_loss(
                    joints, target.lixel, target.weight * is_known[:, None, None]
                )
        return losses

    def _joints_lixel(
        self, placed: PlacedParameters, data_samples: list[PoseDataSample], root_depth_mm: Tensor
    ) -> Tensor:
        """Joints of the posed bodies as the camera sees them. -> (B, J, 3) lixels."""
        names = ('crop_from_image', 'focal_px', 'princpt_px')
        frame = {name: stack_meta(data_samples, name, root_depth_mm.device) for name in names}
        in_camera = placed.parameters.in_camera(frame['crop_from_image'])
        _, joints = pose_about_root(self.body_model, in_camera)
        joints_cam = joints + self._root_cam(placed, **frame, root_depth_mm=root_depth_mm)
        nearest = _NEAREST * root_depth_mm[:, None, None]
        joints_cam = torch.cat([joints_cam[..., :2], joints_cam[..., 2:].maximum(nearest)], dim=-1)
        points = project(joints_cam, frame['focal_px'], frame['princpt_px'])
        points[..., 2] -= root_depth_mm[:, None]
        return self.codec.to_lixel(apply_affine(frame['crop_from_image'], points))

    def _root_cam(
        self,
        placed: PlacedParameters,
        crop_from_image: Tensor,
        focal_px: Tensor,
        princpt_px: Tensor,
        root_depth_mm: Tensor,
    ) -> Tensor:
        """Root joints in camera mm, at given depths where they were regressed. -> (B, 1, 3)"""
        place = torch.cat([placed.root_lixel, torch.zeros_like(root_depth_mm)[:, None]], dim=1)
        root_crop = self.codec.to_crop(place[:, None])
        root_crop[..., 2] = root_depth_mm[:, None]
        root_img = apply_affine(invert_affine(crop_from_image), root_crop)
        return back_project(root_img, focal_px, princpt_px)

    def decode(
        self, estimate: PlacedParameters, frame: Mapping[str, Tensor]
    ) -> list[dict[str, np.ndarray]]:
        """Parameters of a batch, and where its crops lie, to fields of each `pred_instances`."""
        in_camera = estimate.parameters.in_camera(frame['crop_from_image'])
        root_cam = self._root_cam(estimate, **frame)
        vertices_cam, joints_cam = (
            points + root_cam for points in pose_about_root(self.body_model, in_camera)
        )
        camera = frame['focal_px'], frame['princpt_px']
        return split_people(
            keypoints=project(joints_cam, *camera)[..., :2],
            keypoint_scores=torch.ones_like(joints_cam[..., 0]),
            joints_cam=joints_cam,
            posenet_joints_cam=joints_cam,
            vertices_cam=vertices_cam,
            vertices_img=project(vertices_cam, *camera),
            vertex_spread=torch.zeros_like(vertices_cam),
            body_pose=in_camera.pose(),
            betas=in_camera.betas,
        )


def true_root_depth_mm(
    data_samples: list[PoseDataSample], targets: MeshTargets, fit_valid: Tensor
) -> Tensor:
    """Depth of the fitted body's root, else the annotated one, NaN if unknown. (B,) mm."""
    annotated = stack_meta(data_samples, 'root_depth_mm', fit_valid.device)
    return torch.where(fit_valid.bool(), targets.fitted_root_depth_mm, annotated)
