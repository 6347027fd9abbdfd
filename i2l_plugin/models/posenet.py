"""PoseNetEstimator: the first stage of the cascade alone, 3D joints without a mesh (section 3.1).

It costs a third of the cascade, needs no fitted meshes, and its parameters carry the cascade's
names: train it first, then `load_from` its checkpoint. Shapes: B batch, J joints, D lixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmpose.models.pose_estimators.base import BasePoseEstimator
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor

from i2l_plugin.body_models import BodyModel, build_body_models_by_gender

from .decoding import add_predictions, read_frame, split_people, to_image
from .head_parts import check_heatmap_loss
from .targets import (
    JOINT_TARGETS,
    LixelTarget,
    annotated_joint_targets,
    build_targets,
    check_joint_targets,
)

Config = Mapping[str, Any]


@MODELS.register_module()
class PoseNetEstimator(BasePoseEstimator):
    """PoseNet of I2L-MeshNet.

    Args:
        backbone: `StagedResNet`.
        pose_head: `LixelHead`, or another of its contract (`variants`).
        codec: `SoftArgmaxCodec`.
        body_model: Options of `build_body_model`, or the model itself: which joints there are, and
            where those of a fitted body lie.
        coordinate_loss: L1 loss of Eq. 8.
        heatmap_loss: `HeatmapLoss` against the first of `joint_targets`; None leaves it out.
        joint_targets: As in `CascadedMeshEstimator`. ``('annotated',)`` needs no fitted bodies.
        truth_body_models: As in `CascadedMeshEstimator`.
        data_preprocessor, train_cfg, test_cfg, init_cfg, metainfo: As in the host.
    """

    def __init__(
        self,
        backbone: Config,
        pose_head: Config,
        codec: Config,
        body_model: Config | BodyModel,
        coordinate_loss: Config,
        heatmap_loss: Config | None = None,
        joint_targets: Sequence[str] = ('mixed',),
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
        self.joint_targets = check_joint_targets(joint_targets)
        self.codec = KEYPOINT_CODECS.build(codec)
        self.truth_models = build_body_models_by_gender(body_model, truth_body_models)
        self.body_model = self.truth_models.body_model
        self.backbone = MODELS.build(backbone)
        sizes = dict(
            heatmap_size=self.codec.heatmap_size,
            num_points=self.body_model.num_joints,
            in_channels=self.backbone.feat_dim,
        )
        self.pose_head = MODELS.build({**pose_head, **sizes})
        self.coordinate_loss = MODELS.build(coordinate_loss)
        self.heatmap_loss = MODELS.build(heatmap_loss) if heatmap_loss else None
        if heatmap_loss:
            check_heatmap_loss(self.pose_head, self.codec.heatmap_size)

    def heatmaps(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Output of the head, logits of x, y and z. (B, 3, H, W) -> 3 x (B, J, D)."""
        self.codec.check_input(inputs)
        return self.pose_head(self.backbone(inputs)[-1])

    def _forward(self, inputs: Tensor) -> dict[str, Tensor]:
        """Mode ``'tensor'``: ``joints_lixel`` (B, J, 3)."""
        return dict(joints_lixel=self.pose_head.coordinates(self.heatmaps(inputs)))

    def loss(self, inputs: Tensor, data_samples: list[PoseDataSample]) -> dict[str, Tensor]:
        """Eq. 8 against each of `joint_targets`, and the heatmap loss."""
        heatmaps = self.heatmaps(inputs)
        coordinates = self.pose_head.coordinates(heatmaps)
        with torch.autocast(inputs.device.type, enabled=False):  # coordinates need float32
            targets = self._targets(data_samples, inputs.device)
            losses = {}
            for name, target in targets.items():
                suffix = '' if name == 'mixed' else f'_{name}'
                losses[f'loss_posenet_pose{suffix}'] = self.coordinate_loss(
                    coordinates, target.lixel, target.weight
                )
            if self.heatmap_loss is not None:
                first = targets[self.joint_targets[0]]
                losses['loss_posenet_heatmap'] = self.heatmap_loss(
                    heatmaps, first.lixel, first.weight
                )
        return losses

    def _targets(
        self, data_samples: list[PoseDataSample], device: torch.device
    ) -> dict[str, LixelTarget]:
        """By name in `joint_targets`. Annotated joints alone save posing the body model."""
        if self.joint_targets == ('annotated',):
            return {'annotated': annotated_joint_targets(data_samples, self.codec, device)}
        targets = build_targets(data_samples, self.truth_models, self.codec)
        return {name: JOINT_TARGETS[name](targets) for name in self.joint_targets}

    @torch.no_grad()
    def predict(self, inputs: Tensor, data_samples: list[PoseDataSample]) -> list[PoseDataSample]:
        """Joints in camera space (Eq. 7); metainfo and errors as in the cascade."""
        frame = read_frame(data_samples, inputs.device)
        heatmaps = self.heatmaps(inputs)
        with torch.autocast(inputs.device.type, enabled=False):  # coordinates need float32
            joints = to_image(self.codec, self.pose_head.coordinates(heatmaps), **frame)
            people = split_people(
                keypoints=joints.points_img[..., :2],
                keypoint_scores=self.codec.certainty(self.pose_head.spread(heatmaps)),
                joints_cam=joints.points_cam_mm,
                posenet_joints_cam=joints.points_cam_mm,
            )
        return add_predictions(data_samples, people)
