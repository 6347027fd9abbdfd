"""CascadedMeshEstimator: PoseNet, then MeshNet fed with its joints (paper section 3, Fig. 2).

Shapes: B batch, J joints, V vertices, D lixels, H and W of the network input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmpose.models.pose_estimators.base import BasePoseEstimator
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor

from i2l_plugin.body_models import BodyModel, build_body_models_by_gender
from i2l_plugin.geometry.camera import project

from .decoding import LixelEstimate, add_predictions, read_frame, split_people, to_image
from .head_parts import check_heatmap_loss
from .targets import JOINT_TARGETS, LixelTarget, MeshTargets, build_targets, check_joint_targets

Config = Mapping[str, Any]


@MODELS.register_module()
class CascadedMeshEstimator(BasePoseEstimator):
    """I2L-MeshNet, or MeshNet alone when there is no PoseNet.

    Sizes are stated once: the number of joints and vertices comes from the body model, the lixels
    from the codec, the channels from the backbone.

    Args:
        backbone: `StagedResNet`: PoseNet's trunk; its stem feeds MeshNet as well. Without PoseNet,
            MeshNet's trunk.
        mesh_head: `LixelHead` of MeshNet, or another of its contract (`variants`).
        codec: `SoftArgmaxCodec`.
        body_model: Options of `build_body_model` (``kind``, ``path``, ...), or the model itself.
        truth_body_models: The same by gender, ``'n'``, ``'m'`` or ``'f'``, for posing the fits that
            the losses compare with, as in the metrics (options that are not given are those of
            `body_model`); `body_model` poses samples without a gender and, without ``'n'``, those
            of gender ``'n'``. None poses all of them by `body_model`.
        coordinate_loss: L1 loss of Eqs. 8, 9 and 10.
        surface_loss: Losses of Eqs. 11 and 12; None leaves them out.
        heatmap_loss: `HeatmapLoss` of PoseNet against the first of `joint_targets`; None, as in
            the paper, leaves it out.
        pose_head: `LixelHead` of PoseNet; None for "MeshNet alone" (Table 3).
        pose_to_feature: `PoseToFeature`, f_M; None without PoseNet.
        mesh_backbone: `StagedResNet` with ``with_stem=False``, ResNet_M; None without PoseNet.
        joint_targets: What Eqs. 8 and 9 compare with, one loss term each: ``'mixed'`` is the
            default (five terms); the release uses ``('fitted', 'annotated')`` (seven terms).
        meshnet_pose_loss: Whether Eq. 9 is applied (Table 11).
        fed_pose: The joints that MeshNet is fed with: ``'regressed'`` by PoseNet, or ``'truth'`` in
            training and testing (Table 3), the coordinates of the ``'mixed'`` target that it knows.
        test_cfg: ``flip_test=True`` averages the coordinates of each picture and its mirror image
            (bodies of exactly symmetric topology only).
        data_preprocessor, train_cfg, init_cfg, metainfo: As in the host.
    """

    def __init__(
        self,
        backbone: Config,
        mesh_head: Config,
        codec: Config,
        body_model: Config | BodyModel,
        coordinate_loss: Config,
        surface_loss: Config | None = None,
        heatmap_loss: Config | None = None,
        pose_head: Config | None = None,
        pose_to_feature: Config | None = None,
        mesh_backbone: Config | None = None,
        joint_targets: Sequence[str] = ('mixed',),
        meshnet_pose_loss: bool = True,
        fed_pose: str = 'regressed',
        truth_body_models: Mapping[str, Config | BodyModel] | None = None,
        data_preprocessor: Config | None = None,
        train_cfg: Config | None = None,
        test_cfg: Config | None = None,
        init_cfg: Config | None = None,
        metainfo: Config | None = None,
    ) -> None:
        # Not BasePoseEstimator.__init__: it builds the head before the backbone tells its width.
        super(BasePoseEstimator, self).__init__(data_preprocessor, init_cfg)
        self.metainfo = self._load_metainfo(metainfo)
        self.train_cfg = train_cfg or {}
        self.test_cfg = test_cfg or {}
        self._register_load_state_dict_pre_hook(self._load_state_dict_pre_hook)
        self.backbone = MODELS.build(backbone)
        parts = dict(
            pose_head=pose_head, pose_to_feature=pose_to_feature, mesh_backbone=mesh_backbone
        )
        missing = [name for name, part in parts.items() if part is None]
        if missing and len(missing) < len(parts):
            raise ValueError(
                f'{missing} is None but the other parts of the cascade are given; give all of '
                f'{list(parts)} for PoseNet + MeshNet, or none for MeshNet alone'
            )
        if heatmap_loss and pose_head is None:
            raise ValueError(
                f'heatmap_loss is of PoseNet, which pose_head=None leaves out; got {heatmap_loss}: '
                'set it to None'
            )
        if fed_pose not in ('regressed', 'truth'):
            raise ValueError(f"fed_pose must be 'regressed' or 'truth', got {fed_pose!r}")
        if fed_pose == 'truth' and pose_head is None:
            raise ValueError(
                "fed_pose='truth' needs the parts of the cascade; MeshNet alone is fed with no pose"
            )
        self.fed_pose = fed_pose
        self.meshnet_pose_loss = meshnet_pose_loss
        self.joint_targets = check_joint_targets(joint_targets)
        self.codec = KEYPOINT_CODECS.build(codec)
        self.truth_models = build_body_models_by_gender(body_model, truth_body_models)
        self.body_model = self.truth_models.body_model
        if self.test_cfg.get('flip_test', False) and self.body_model.vertex_mirror is None:
            raise ValueError(
                'test_cfg.flip_test needs a body model whose mesh is its own mirror image, as the '
                'open body is and SMPL and hands are not; remove flip_test'
            )
        lixels = dict(heatmap_size=self.codec.heatmap_size)
        if pose_head is not None:
            joints = self.body_model.num_joints
            self.pose_head = MODELS.build(
                {**pose_head, **lixels, 'num_points': joints, 'in_channels': self.backbone.feat_dim}
            )
            self.pose_to_feature = MODELS.build(
                {
                    **pose_to_feature,
                    **lixels,
                    'num_joints': joints,
                    'feature_channels': self.backbone.stem_channels,
                }
            )
            self.mesh_backbone = MODELS.build(mesh_backbone)
        trunk = self.backbone if pose_head is None else self.mesh_backbone
        self.mesh_head = MODELS.build(
            {
                **mesh_head,
                **lixels,
                **self._mesh_head_sizes(),
                'in_channels': trunk.feat_dim,
            }
        )
        self.coordinate_loss = MODELS.build(coordinate_loss)
        self.surface_loss = MODELS.build(surface_loss) if surface_loss else None
        self.heatmap_loss = MODELS.build(heatmap_loss) if heatmap_loss else None
        if heatmap_loss:
            check_heatmap_loss(self.pose_head, self.codec.heatmap_size)

    def _mesh_head_sizes(self) -> dict[str, int]:
        """What of `mesh_head` follows from the body model."""
        return dict(num_points=self.body_model.num_vertices)

    @property
    def with_posenet(self) -> bool:
        """Whether MeshNet is fed with regressed joints."""
        return hasattr(self, 'pose_head')

    def heatmaps(
        self, inputs: Tensor, truth: LixelTarget | None = None
    ) -> tuple[tuple[Tensor, ...] | None, tuple[Tensor, ...]]:
        """Outputs of both heads: logits 3 x (B, J, D), None without PoseNet, and 3 x (B, V, D).

        Args:
            inputs: (B, 3, H, W).
            truth: Joints that MeshNet is fed with where they are known; None feeds PoseNet's.
        """
        self.codec.check_input(inputs)
        stem = self.backbone.forward_stem(inputs)  # F~_P
        feature = self.backbone.forward_stages(stem)  # F_P
        if not self.with_posenet:
            return None, self.mesh_head(feature)
        joint_heatmaps = self.pose_head(feature)
        joints = self.pose_head.coordinates(joint_heatmaps)  # P^C, where f_M stops the gradients
        if truth is not None:
            joints = torch.where(truth.weight > 0, truth.lixel, joints)
        feature = self.mesh_backbone.forward_stages(self.pose_to_feature(stem, joints))  # F_M
        return joint_heatmaps, self.mesh_head(feature)

    def _forward(self, inputs: Tensor) -> dict[str, Tensor]:
        """Mode ``'tensor'``: ``joints_lixel`` (B, J, 3) and ``vertices_lixel`` (B, V, 3).

        Joints are PoseNet's; without PoseNet they are regressed from the mesh. MeshNet is fed with
        PoseNet's, since here is no truth.
        """
        return self._coordinates(*self.heatmaps(inputs))

    def _coordinates(
        self, joint_heatmaps: Sequence[Tensor] | None, vertex_heatmaps: Sequence[Tensor]
    ) -> dict[str, Tensor]:
        vertices = self.mesh_head.coordinates(vertex_heatmaps)
        if joint_heatmaps is not None:
            joints = self.pose_head.coordinates(joint_heatmaps)
        else:
            with torch.autocast(vertices.device.type, enabled=False):
                joints = self.body_model.joint_regressor @ vertices
        return dict(joints_lixel=joints, vertices_lixel=vertices)

    def loss(self, inputs: Tensor, data_samples: list[PoseDataSample]) -> dict[str, Tensor]:
        """Losses of Eq. 13, and PoseNet's `heatmap_loss`. `joint_targets` sets how many terms."""
        with torch.autocast(inputs.device.type, enabled=False):  # coordinates need float32
            targets = build_targets(data_samples, self.truth_models, self.codec)
        feed = dict(truth=targets.joints) if self.fed_pose == 'truth' else {}
        heatmaps = self.heatmaps(inputs, **feed)
        output = self._coordinates(*heatmaps)
        with torch.autocast(inputs.device.type, enabled=False):
            losses = self.losses_of(output, targets)
            if self.heatmap_loss is not None:
                first = JOINT_TARGETS[self.joint_targets[0]](targets)
                losses['loss_posenet_heatmap'] = self.heatmap_loss(
                    heatmaps[0], first.lixel, first.weight
                )
        return losses

    def losses_of(self, output: Mapping[str, Tensor], targets: MeshTargets) -> dict[str, Tensor]:
        """Every loss term of a network output against its targets."""
        vertices = output['vertices_lixel']
        mesh_joints = self.body_model.joint_regressor @ vertices  # J M^C
        losses = {}
        for name in self.joint_targets:
            target: LixelTarget = JOINT_TARGETS[name](targets)
            suffix = '' if name == 'mixed' else f'_{name}'
            if self.with_posenet:
                losses[f'loss_posenet_pose{suffix}'] = self.coordinate_loss(
                    output['joints_lixel'], target.lixel, target.weight
                )
            if self.meshnet_pose_loss:
                losses[f'loss_meshnet_pose{suffix}'] = self.coordinate_loss(
                    mesh_joints, target.lixel, target.weight
                )
        target = targets.vertices
        losses['loss_vertex'] = self.coordinate_loss(vertices, target.lixel, target.weight)
        if self.surface_loss is not None:
            valid = target.weight.amin(-1)  # a vertex counts where all its coordinates do
            losses.update(self.surface_loss(vertices, target.lixel, valid, self.body_model.faces))
        return losses

    @torch.no_grad()
    def predict(self, inputs: Tensor, data_samples: list[PoseDataSample]) -> list[PoseDataSample]:
        """Meshes in camera space (Eq. 7), as numpy `pred_instances` of one person each.

        Every sample's metainfo must hold ``crop_from_image``, ``focal_px``, ``princpt_px`` and
        ``root_depth_mm`` (R of Eq. 7); ValueError names the samples whose depth is not finite.
        """
        feed, mirrored_feed = {}, {}
        if self.fed_pose == 'truth':
            with torch.autocast(inputs.device.type, enabled=False):
                truth = build_targets(data_samples, self.truth_models, self.codec).joints
            order = self.body_model.joint_set.mirror_order
            feed = dict(truth=truth)
            mirrored_feed = dict(truth=truth.mirror(self.codec, order))
        estimate = self.estimate(inputs, **feed)
        if self.test_cfg.get('flip_test', False):
            mirrored = self.estimate(inputs.flip(-1), **mirrored_feed)
            estimate = estimate.average(mirrored.mirror(self.codec, self.body_model))
        return self.place(estimate, data_samples)

    def estimate(self, inputs: Tensor, **feed: LixelTarget) -> LixelEstimate:
        """Coordinates and spread of every heatmap, in lixels; `feed` as in `heatmaps`."""
        joint_heatmaps, vertex_heatmaps = self.heatmaps(inputs, **feed)
        return LixelEstimate(
            vertices=self.mesh_head.coordinates(vertex_heatmaps),
            spread=self.mesh_head.spread(vertex_heatmaps),
            joints=None if joint_heatmaps is None else self.pose_head.coordinates(joint_heatmaps),
        )

    def place(
        self, estimate: LixelEstimate, data_samples: Sequence[PoseDataSample]
    ) -> list[PoseDataSample]:
        """The samples with the meshes of an estimate, whatever ran the network; see `predict`."""
        device = self.body_model.faces.device
        frame = read_frame(data_samples, device)
        with torch.autocast(device.type, enabled=False):  # coordinates need float32
            people = self.decode(estimate, frame)
        return add_predictions(data_samples, people)

    def decode(
        self, estimate: LixelEstimate, frame: Mapping[str, Tensor]
    ) -> list[dict[str, np.ndarray]]:
        """Lixels of a batch, and where its crops lie, to fields of each `pred_instances`."""
        vertices = to_image(self.codec, estimate.vertices, spread_lixel=estimate.spread, **frame)
        regressor = self.body_model.joint_regressor
        joints_cam = regressor @ vertices.points_cam_mm
        posenet_joints_cam = joints_cam
        if estimate.joints is not None:
            posenet_joints_cam = to_image(self.codec, estimate.joints, **frame).points_cam_mm
        return split_people(
            keypoints=project(joints_cam, frame['focal_px'], frame['princpt_px'])[..., :2],
            keypoint_scores=self.codec.certainty(regressor.abs() @ estimate.spread),
            joints_cam=joints_cam,
            posenet_joints_cam=posenet_joints_cam,
            vertices_cam=vertices.points_cam_mm,
            vertices_img=vertices.points_img,
            vertex_spread=vertices.spread_img,
        )
