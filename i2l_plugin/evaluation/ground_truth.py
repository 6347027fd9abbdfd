"""Ground truth of the metrics: the fitted body model, posed, or the data set's annotated joints.

Which of the two is compared with is a choice of the protocol and changes the numbers (protocols,
section 7). Shape legend: B samples of a batch, K samples with valid ground truth, V vertices.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

import torch
from torch import Tensor

from i2l_plugin.body_models import BodyModel, build_body_model

from .sample_fields import SampleDict, field, stack_field

_LABELS = 'gt_instance_labels'


class FittedMeshes:
    """Poses the fitted body model of data samples, once a batch for all metrics that ask.

    Posing costs more than any metric, so the last batch is kept. Keeping it here and not in the
    data samples lets go of it with the next batch, also when a caller holds all samples of a data
    set (offline evaluation). Posing is in float64, so that results depend on neither the batch size
    nor the number of processes.

    Args:
        body_model: Model whose parameters the data samples hold; it is copied.
    """

    def __init__(self, body_model: BodyModel) -> None:
        self.body_model = copy.deepcopy(body_model).double()
        self._last_samples: tuple[SampleDict, ...] = ()
        self._last_vertices: Tensor | None = None

    @staticmethod
    def valid(data_samples: Sequence[SampleDict]) -> list[bool]:
        """Whether each sample has a valid fit."""
        return stack_field(data_samples, _LABELS, 'fit_valid').bool().tolist()

    @torch.no_grad()
    def vertices(self, data_samples: Sequence[SampleDict]) -> Tensor:
        """Meshes (K, V, 3) in camera mm, float64, of K >= 1 samples, on the labels' device."""
        if self._last_vertices is None or not _same(self._last_samples, data_samples):
            pose, betas, transl_mm, mirrored = (
                stack_field(data_samples, _LABELS, name)
                for name in ('pose', 'betas', 'transl_mm', 'mirrored')
            )
            model = self.body_model.to(pose.device)
            self._last_vertices = model.pose_cam_mm(pose, betas, transl_mm, mirrored.bool())[0]
            self._last_samples = tuple(data_samples)
        return self._last_vertices


_FITTED_MESHES: WeakValueDictionary[str, FittedMeshes] = WeakValueDictionary()


def shared_fitted_meshes(body_model: Mapping[str, Any] | BodyModel) -> FittedMeshes:
    """The `FittedMeshes` that all living metrics of one body-model config share.

    Args:
        body_model: Options of `build_body_model`; or a model, for which nothing is shared.
    """
    if isinstance(body_model, BodyModel):
        return FittedMeshes(body_model)
    key = json.dumps(dict(body_model), sort_keys=True, default=str)
    fitted = _FITTED_MESHES.get(key)
    if fitted is None:
        fitted = _FITTED_MESHES[key] = FittedMeshes(build_body_model(**body_model))
    return fitted


def annotated_joints(
    data_samples: Sequence[SampleDict], joint_names: Sequence[str]
) -> tuple[Tensor, list[bool]]:
    """Annotated joints (B, len(joint_names), 3) in camera mm by name, and whether all are valid.

    Raises:
        ValueError: If the data set does not annotate one of the names.
    """
    joints, valid = [], []
    for sample in data_samples:
        known = sample.get('annotated_joint_names', ())
        missing = [name for name in joint_names if name not in known]
        if missing:
            raise ValueError(
                f'data sample {sample.get("sample_id")} has no annotated joints {missing}; its '
                f"annotated_joint_names are {tuple(known)}. Evaluate others, or use truth='fitted'"
            )
        index = [known.index(name) for name in joint_names]
        joints.append(field(sample, 'gt_instances', 'annotated_joints_cam_mm')[index])
        valid.append(bool(field(sample, 'gt_instances', 'annotated_joints_valid')[index].all()))
    return torch.stack(joints), valid


def _same(one: Sequence[SampleDict], other: Sequence[SampleDict]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))
