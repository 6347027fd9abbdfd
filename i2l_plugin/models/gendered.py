"""Training on fits of male and female body models, as SURREAL has them (protocols, section 6).

Shape coefficients mean another body in each model: a fit of the male SMPL that the neutral one
poses is centimetres off. All of SMPL's models have the same vertices in the same order, so a
network learns their meshes alike; only the targets ask for the gender.
Shapes: B batch, N points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import torch
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from i2l_plugin.body_models import BodyModel, build_body_model
from i2l_plugin.codecs import SoftArgmaxCodec

from .cascade import CascadedMeshEstimator
from .targets import LixelTarget, MeshTargets, build_targets


def build_targets_by_gender(
    data_samples: Sequence[PoseDataSample], models: Mapping[str, BodyModel], codec: SoftArgmaxCodec
) -> MeshTargets:
    """`build_targets`, each sample posed by the model of its ``gender``.

    Raises:
        ValueError: A sample has no gender, or one for which there is no model.
    """
    genders = [sample.get('gender') for sample in data_samples]
    for sample, gender in zip(data_samples, genders, strict=True):
        if gender not in models:
            raise ValueError(
                f'data sample {sample.get("sample_id")} has gender {gender!r}, expected one of '
                f'{tuple(models)} of truth_body_models: add a model, convert the data set again '
                "(column 'gender'), or train a CascadedMeshEstimator on the neutral model"
            )
    parts, order = [], []
    for gender, model in models.items():
        rows = [i for i, one in enumerate(genders) if one == gender]
        if rows:
            parts.append(build_targets([data_samples[i] for i in rows], model, codec))
            order += rows
    back = torch.tensor(order, device=parts[0].vertices.lixel.device).argsort()

    def joined(name: str) -> LixelTarget:
        targets = [getattr(part, name) for part in parts]
        return LixelTarget(
            torch.cat([target.lixel for target in targets])[back],  # (B, N, 3)
            torch.cat([target.weight for target in targets])[back],
        )

    return MeshTargets(**{field.name: joined(field.name) for field in fields(MeshTargets)})


@MODELS.register_module()
class GenderedMeshEstimator(CascadedMeshEstimator):
    """`CascadedMeshEstimator` whose targets are posed by the model of each person's gender.

    The network, its joint regressor and what it predicts stay those of `body_model`.

    Args:
        truth_body_models: Options of `build_body_model` by gender, ``'n'``, ``'m'`` or ``'f'``;
            what is not given is as in `body_model`.
        body_model: Options of `build_body_model`.
        **kwargs: As `CascadedMeshEstimator`, but for `heatmap_loss`.

    Raises:
        ValueError: No models by gender, one of another mesh than `body_model`, or a heatmap loss.
    """

    def __init__(
        self,
        truth_body_models: Mapping[str, Mapping[str, Any]],
        body_model: Mapping[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(body_model=body_model, **kwargs)
        if not truth_body_models:
            raise ValueError(
                'truth_body_models: got no models, expected some of n, m, f; without genders use '
                'CascadedMeshEstimator'
            )
        if self.heatmap_loss is not None:
            raise ValueError('heatmap_loss: GenderedMeshEstimator has none; set it to None')
        self.truth_body_models = nn.ModuleDict()  # without parameters, in no checkpoint
        for gender, options in truth_body_models.items():
            model = build_body_model(**{**body_model, **options})
            if not torch.equal(model.faces, self.body_model.faces):
                raise ValueError(
                    f'truth_body_models[{gender!r}] has another mesh than body_model, of '
                    f'{model.num_vertices} and {self.body_model.num_vertices} vertices: give '
                    'models of one family'
                )
            self.truth_body_models[gender] = model

    def loss(self, inputs: Tensor, data_samples: list[PoseDataSample]) -> dict[str, Tensor]:
        """Losses of Eq. 13 against everybody's own body; see `joint_targets`."""
        output = self._forward(inputs)
        with torch.autocast(inputs.device.type, enabled=False):  # coordinates need float32
            targets = build_targets_by_gender(data_samples, self.truth_body_models, self.codec)
            return self.losses_of(output, targets)
