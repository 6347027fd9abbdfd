"""Ground truth of the metrics: the fitted body model, posed.

Which model poses it changes the numbers: 3DPW's and SURREAL's shape coefficients belong to the
female or male model, and mean another body in the neutral one (protocols, sections 6 and 7).
Shape legend: K samples with valid ground truth, V vertices.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from weakref import WeakValueDictionary

import torch
from torch import Tensor

from i2l_plugin.body_models import BodyModel, BodyModelsByGender, build_body_models_by_gender
from i2l_plugin.body_models.gendered import ModelOptions

from .sample_fields import SampleDict, stack_field

_LABELS = 'gt_instance_labels'


class FittedMeshes:
    """Poses the fitted body model of data samples, once a batch for all metrics that ask.

    Posing costs more than any metric, so the last batch is kept. Keeping it here and not in the
    data samples lets go of it with the next batch, also when a caller holds all samples of a data
    set (offline evaluation). Posing is in float64, so that results depend on neither the batch size
    nor the number of processes.

    Args:
        models: The network's model, which gives predictions their joints, and those of the truth
            by gender, if there are any; all are copied.
    """

    def __init__(self, models: BodyModelsByGender) -> None:
        self.models = copy.deepcopy(models).double()
        self._last_samples: tuple[SampleDict, ...] = ()
        self._last_vertices: Tensor | None = None

    @property
    def body_model(self) -> BodyModel:
        """The network's model, in float64."""
        return self.models.body_model

    @staticmethod
    def valid(data_samples: Sequence[SampleDict]) -> list[bool]:
        """Whether each sample has a valid fit."""
        return stack_field(data_samples, _LABELS, 'fit_valid').bool().tolist()

    def describe(self) -> str:
        """What poses the truth, in a few words of text for logs and result files."""
        if not self.models.genders:
            return 'the fitted mesh'
        return f"the fitted mesh of the person's gender ({', '.join(self.models.genders)})"

    def check_regressor(self, name: str) -> None:
        """Make sure that truth and prediction can be given joints by one regressor.

        Raises:
            ValueError: A model has no such regressor, or that of a gender differs though it is
                one of its own joint set's nor SMPL's (the Human3.6M regressor is one for all).
        """
        expected = self.body_model.regressor(name)
        for gender, model in self.models.by_gender.items():
            try:
                rows = model.regressor(name)
            except ValueError as error:
                raise ValueError(f'truth_body_models[{gender!r}]: {error}') from error
            is_own = name == self.body_model.joint_set.name  # each gender's file has its own
            if not is_own and not torch.equal(rows.cpu(), expected.cpu()):
                raise ValueError(
                    f'truth_body_models[{gender!r}] has another regressor {name!r} than '
                    'body_model: give all of them the same file in regressor_files'
                )

    @torch.no_grad()
    def vertices(self, data_samples: Sequence[SampleDict]) -> Tensor:
        """Meshes (K, V, 3) in camera mm, float64, of K >= 1 samples, on the labels' device.

        Raises:
            ValueError: A sample has no gender, or one for which there is no model.
        """
        if self._last_vertices is None or not _same(self._last_samples, data_samples):
            pose, betas, transl_mm, mirrored = (
                stack_field(data_samples, _LABELS, name)
                for name in ('pose', 'betas', 'transl_mm', 'mirrored')
            )
            models = self.models.to(pose.device)
            vertices, _ = models.pose_cam_mm(data_samples, pose, betas, transl_mm, mirrored.bool())
            self._last_vertices, self._last_samples = vertices, tuple(data_samples)
        return self._last_vertices

    @torch.no_grad()
    def joints(
        self, data_samples: Sequence[SampleDict], regressor: str, index: Sequence[int]
    ) -> Tensor:
        """Joints (K, len(index), 3) of the meshes by rows `index` of their own model's regressor.

        Errors as in `vertices`.
        """
        vertices = self.vertices(data_samples)
        joints = vertices.new_empty(len(vertices), len(index), 3)
        for model, rows in self.models.groups(data_samples):
            regressor_rows = model.regressor(regressor)[list(index)].to(vertices.device)
            joints[rows] = regressor_rows @ vertices[rows]
        return joints


_FITTED_MESHES: WeakValueDictionary[str, FittedMeshes] = WeakValueDictionary()


def shared_fitted_meshes(
    body_model: ModelOptions, truth_body_models: Mapping[str, ModelOptions] | None = None
) -> FittedMeshes:
    """The `FittedMeshes` that all living metrics of one body-model config share.

    Args:
        body_model: Options of `build_body_model`; or a model, for which nothing is shared.
        truth_body_models: The same by gender; None for `body_model` alone. Options that are
            not given are those of `body_model`.

    Raises:
        ValueError: As in `build_body_models_by_gender`.
    """
    by_gender = None if truth_body_models is None else dict(truth_body_models)
    options = [body_model, *(by_gender or {}).values()]
    if any(isinstance(one, BodyModel) for one in options):
        return _build(body_model, by_gender)
    key = json.dumps([dict(body_model), by_gender], sort_keys=True, default=str)
    fitted = _FITTED_MESHES.get(key)
    if fitted is None:
        fitted = _FITTED_MESHES[key] = _build(body_model, by_gender)
    return fitted


def _build(body_model: ModelOptions, by_gender: Mapping[str, ModelOptions] | None) -> FittedMeshes:
    return FittedMeshes(build_body_models_by_gender(body_model, by_gender, needs_gender=True))


def _same(one: Sequence[SampleDict], other: Sequence[SampleDict]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))
