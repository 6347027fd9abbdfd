"""RootNet: absolute position of the root joint, the R of I2L-MeshNet's Eq. 7.

Moon et al., Camera distance-aware top-down approach for 3D multi-person pose estimation from a
single RGB image, ICCV 2019, sections 4 and 5. A square of side S, the codec's depth range (2 m for
bodies, 0.3 m for hands), fills the crop at the depth k = sqrt(fx fy S^2 / (w h)); the network says
by which gamma the root joint's depth differs, Z = k gamma.

w and h are the sides of the box that the crop shows, after growth AND augmentation. So gamma
depends on what the network sees and nothing else: a box drawn larger lowers k and, showing a
smaller person, raises gamma as much. The release takes the grown box before augmentation, and
augments without scaling, so that its k is the same one; at test time nothing is augmented.
Shapes: B batch, D lixels, H and W of the network input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmpose.models.pose_estimators.base import BasePoseEstimator
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor

from i2l_plugin.body_models import BodyModel, build_body_models_by_gender
from i2l_plugin.codecs import SoftArgmaxCodec
from i2l_plugin.geometry.camera import box_depth_k
from i2l_plugin.geometry.crop import cropped_box_size

from .decoding import add_predictions, read_views, split_people, to_image
from .root_targets import RootTarget, build_root_target

Config = Mapping[str, Any]
MIN_GAMMA = 0.05  # an untrained network may say less, which is no place in front of a camera


@dataclass(frozen=True)
class RootEstimate:
    """What the network says of a batch.

    Attributes:
        xy_lixel: Root joint in the crop, (B, 1, 2).
        gamma: Its depth over that of the box's size, (B,).
    """

    xy_lixel: Tensor
    gamma: Tensor

    def average_mirrored(self, other: RootEstimate, codec: SoftArgmaxCodec) -> RootEstimate:
        """Mean of this estimate and that of the mirror image of the picture."""
        xy_lixel = (self.xy_lixel + codec.mirror(other.xy_lixel)) / 2
        return RootEstimate(xy_lixel, (self.gamma + other.gamma) / 2)


@MODELS.register_module()
class RootNet(BasePoseEstimator):
    """Position of the root joint in camera space from a crop, its camera and its box.

    Args:
        backbone: The host's ``ResNet`` or another of its trunks; the last feature counts.
        root_head: `RootHead`; its channels and lixels are set here.
        codec: `SoftArgmaxCodec`: the crop's size and lixels; its depth range is S.
        body_model: Options of `build_body_model` (``kind``, ``path``, ...), or the model itself:
            its root joint is the one that is found, and it poses the fits.
        coordinate_loss: L1 loss of x and y, in lixels.
        depth_loss: L1 loss of the depth, in lixels of S / D mm.
        relative_depth: Whether the depth's lixels are k / D mm long, so that gammas are compared:
            people far away, or seen through long lenses, then count no more than others.
        truth_body_models: As in `CascadedMeshEstimator`.
        test_cfg: ``flip_test=True`` averages each picture and its mirror image; right hands have
            none.
        data_preprocessor, train_cfg, init_cfg, metainfo: As in the host.

    Raises:
        ValueError: ``flip_test`` of a hand.
    """

    def __init__(
        self,
        backbone: Config,
        root_head: Config,
        codec: Config,
        body_model: Config | BodyModel,
        coordinate_loss: Config,
        depth_loss: Config,
        relative_depth: bool = False,
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
        self.codec = KEYPOINT_CODECS.build(codec)
        self.truth_models = build_body_models_by_gender(body_model, truth_body_models)
        self.body_model = self.truth_models.body_model
        if self.test_cfg.get('flip_test', False) and self.body_model.kind == 'hand':
            raise ValueError(
                'test_cfg.flip_test mirrors the picture, but a mirrored right hand is a left one; '
                'remove flip_test'
            )
        self.root_head = MODELS.build(
            {
                **root_head,
                'in_channels': self.backbone.feat_dim,
                'heatmap_size': self.codec.heatmap_size,
            }
        )
        self.coordinate_loss = MODELS.build(coordinate_loss)
        self.depth_loss = MODELS.build(depth_loss)
        self.relative_depth = relative_depth

    @property
    def real_size_mm(self) -> tuple[float, float]:
        """Sides of the real square that k takes the box for, from A_real of the paper."""
        return (self.codec.depth_range_mm,) * 2

    def estimate(self, inputs: Tensor) -> RootEstimate:
        """Root joint and gamma of preprocessed images (B, 3, H, W)."""
        self.codec.check_input(inputs)
        heatmaps, gamma = self.root_head(self.extract_feat(inputs)[-1])
        return RootEstimate(self.root_head.coordinates(heatmaps), gamma)

    def _forward(
        self,
        inputs: Tensor,
        data_samples: Sequence[PoseDataSample] | None = None,  # noqa: ARG002
    ) -> dict[str, Tensor]:
        """Mode ``'tensor'``: ``root_lixel`` (B, 1, 2) and ``root_gamma`` (B,)."""
        estimate = self.estimate(inputs)
        return dict(root_lixel=estimate.xy_lixel, root_gamma=estimate.gamma)

    def loss(self, inputs: Tensor, data_samples: list[PoseDataSample]) -> dict[str, Tensor]:
        """L1 losses of x and y, and of the depth."""
        with torch.autocast(inputs.device.type, enabled=False):  # coordinates need float32
            target = build_root_target(data_samples, self.truth_models, self.codec)
            k_mm = self.box_depth_mm(read_views(data_samples, inputs.device))
        estimate = self.estimate(inputs)
        with torch.autocast(inputs.device.type, enabled=False):
            return self.losses_of(estimate, target, k_mm)

    def losses_of(
        self, estimate: RootEstimate, target: RootTarget, k_mm: Tensor
    ) -> dict[str, Tensor]:
        """Both losses of an estimate whose boxes are `k_mm` (B,) away."""
        range_mm = k_mm if self.relative_depth else self.codec.depth_range_mm
        lixel_mm = range_mm / self.codec.heatmap_size[2]
        return dict(
            loss_root_xy=self.coordinate_loss(estimate.xy_lixel, target.xy_lixel, target.xy_weight),
            loss_root_depth=self.depth_loss(
                estimate.gamma * k_mm / lixel_mm, target.depth_mm / lixel_mm, target.depth_weight
            ),
        )

    @torch.no_grad()
    def predict(self, inputs: Tensor, data_samples: list[PoseDataSample]) -> list[PoseDataSample]:
        """Root joints, as numpy `pred_instances` of one person each.

        ``root_cam`` (1, 3) mm in camera space, ``root_img`` (1, 3) px, px and mm of depth,
        ``root_gamma`` (1,), and the boxes. Every sample's metainfo must hold ``crop_from_image``,
        ``focal_px`` and ``princpt_px``; no depth.
        """
        views = read_views(data_samples, inputs.device)
        estimate = self.estimate(inputs)
        if self.test_cfg.get('flip_test', False):
            estimate = estimate.average_mirrored(self.estimate(inputs.flip(-1)), self.codec)
        with torch.autocast(inputs.device.type, enabled=False):  # coordinates need float32
            people = self.decode(estimate, views)
        return add_predictions(data_samples, people)

    def decode(
        self, estimate: RootEstimate, views: Mapping[str, Tensor]
    ) -> list[dict[str, np.ndarray]]:
        """An estimate, and what its crops show (`read_views`), to fields of `pred_instances`."""
        gamma = estimate.gamma.clamp(min=MIN_GAMMA)
        center = self.codec.to_lixel(torch.zeros_like(gamma).view(-1, 1, 1).expand(-1, 1, 3))
        points_lixel = torch.cat([estimate.xy_lixel, center[..., 2:]], dim=-1)  # at the root
        depth_mm = self.box_depth_mm(views) * gamma
        root = to_image(self.codec, points_lixel, root_depth_mm=depth_mm, **views)
        return split_people(
            root_cam=root.points_cam_mm[:, 0], root_img=root.points_img[:, 0], root_gamma=gamma
        )

    def box_depth_mm(self, views: Mapping[str, Tensor]) -> Tensor:
        """k of crops, (B,) mm; `views` as from `read_views`."""
        box_size_px = cropped_box_size(views['crop_from_image'], self.codec.input_size)
        return box_depth_k(views['focal_px'], box_size_px, self.real_size_mm)
