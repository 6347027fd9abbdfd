"""Ground truth of the metrics: the fitted body model, posed.

Which model poses it changes the numbers: 3DPW's and SURREAL's shape coefficients belong to the
female or male model, and mean another body in the neutral one (protocols, sections 6 and 7).
Shape legend: K samples with valid ground truth, V vertices.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

import torch
from mmengine.logging import MMLogger
from torch import Tensor

from i2l_plugin.body_models import BodyModel, build_body_model

from .sample_fields import SampleDict, stack_field

GENDERS = ('n', 'm', 'f')
_LABELS = 'gt_instance_labels'
ModelOptions = Mapping[str, Any] | BodyModel


class FittedMeshes:
    """Poses the fitted body model of data samples, once a batch for all metrics that ask.

    Posing costs more than any metric, so the last batch is kept. Keeping it here and not in the
    data samples lets go of it with the next batch, also when a caller holds all samples of a data
    set (offline evaluation). Posing is in float64, so that results depend on neither the batch size
    nor the number of processes.

    Args:
        body_model: The network's model, which gives predictions their joints; it is copied.
        by_gender: Models of the truth by gender, ``'n'``, ``'m'`` or ``'f'``, which the samples'
            ``gender`` chooses from; `body_model` poses every sample if None.

    Raises:
        ValueError: Unknown gender, or a model of another kind or mesh than `body_model`.
    """

    def __init__(
        self, body_model: BodyModel, by_gender: Mapping[str, BodyModel] | None = None
    ) -> None:
        self.body_model = copy.deepcopy(body_model).double()
        self.by_gender: dict[str, BodyModel] | None = None
        if by_gender is not None:
            for gender, model in by_gender.items():
                _check_truth_model(gender, model, body_model)
            self.by_gender = {
                gender: copy.deepcopy(model).double() for gender, model in by_gender.items()
            }
        self._last_samples: tuple[SampleDict, ...] = ()
        self._last_vertices: Tensor | None = None
        self._warned = False

    @staticmethod
    def valid(data_samples: Sequence[SampleDict]) -> list[bool]:
        """Whether each sample has a valid fit."""
        return stack_field(data_samples, _LABELS, 'fit_valid').bool().tolist()

    def describe(self) -> str:
        """What poses the truth, in a few words of text for logs and result files."""
        if self.by_gender is None:
            return 'the fitted mesh'
        return f"the fitted mesh of the person's gender ({', '.join(self.by_gender)})"

    def check_regressor(self, name: str) -> None:
        """Make sure that truth and prediction can be given joints by one regressor.

        Raises:
            ValueError: A model has no such regressor, or that of a gender differs though it is
                one of its own joint set's nor SMPL's (the Human3.6M regressor is one for all).
        """
        expected = self.body_model.regressor(name)
        for gender, model in (self.by_gender or {}).items():
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
            shape = len(pose), self.body_model.num_vertices, 3
            vertices = torch.empty(shape, dtype=torch.float64, device=pose.device)
            for model, rows in self._by_model(data_samples):
                vertices[rows] = model.to(pose.device).pose_cam_mm(
                    pose[rows], betas[rows], transl_mm[rows], mirrored[rows].bool()
                )[0]
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
        for model, rows in self._by_model(data_samples):
            regressor_rows = model.regressor(regressor)[list(index)].to(vertices.device)
            joints[rows] = regressor_rows @ vertices[rows]
        return joints

    def _by_model(
        self, data_samples: Sequence[SampleDict]
    ) -> Iterator[tuple[BodyModel, list[int]]]:
        """Each model that is needed, with the samples that it poses."""
        genders = [sample.get('gender') for sample in data_samples]
        if self.by_gender is None:
            self._warn_of_genders(genders)
            yield self.body_model, list(range(len(data_samples)))
            return
        for sample, gender in zip(data_samples, genders, strict=True):
            if gender not in self.by_gender:
                raise ValueError(_no_model_message(sample, gender, tuple(self.by_gender)))
        for gender, model in self.by_gender.items():
            rows = [i for i, one in enumerate(genders) if one == gender]
            if rows:
                yield model, rows

    def _warn_of_genders(self, genders: Sequence[str | None]) -> None:
        gendered = sorted({gender for gender in genders if gender in {'m', 'f'}})
        if gendered and not self._warned:
            self._warned = True
            MMLogger.get_current_instance().warning(
                f'samples have gender {gendered}, but one body_model poses the truth of all: their '
                'shape coefficients mean other bodies there; give the metrics truth_body_models'
            )


def _check_truth_model(gender: str, model: BodyModel, body_model: BodyModel) -> None:
    if gender not in GENDERS:
        raise ValueError(f'truth_body_models: got gender {gender!r}, expected some of {GENDERS}')
    if (model.kind, model.num_vertices) != (body_model.kind, body_model.num_vertices):
        raise ValueError(
            f'truth_body_models[{gender!r}] is a {model.kind} of {model.num_vertices} vertices, '
            f"expected the network's: a {body_model.kind} of {body_model.num_vertices}"
        )
    if model.joint_set.name != body_model.joint_set.name:
        raise ValueError(
            f'truth_body_models[{gender!r}] has joint_set {model.joint_set.name!r}, expected '
            f'{body_model.joint_set.name!r} as body_model'
        )


def _no_model_message(sample: SampleDict, gender: str | None, known: Sequence[str]) -> str:
    name = f'data sample {sample.get("sample_id")}'
    if gender is None:
        return (
            f'{name} has no gender, but the truth is posed by gender: convert the data set again '
            "(column 'gender'), or leave out truth_body_models and choose an ungendered protocol"
        )
    return (
        f'{name} has gender {gender!r}, for which truth_body_models, of {tuple(known)}, has no '
        f'model: add {gender}=dict(...)'
    )


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
        ValueError: As `FittedMeshes`, or no model by gender at all.
    """
    if truth_body_models is not None and not truth_body_models:
        raise ValueError('truth_body_models: got no models, expected some of n, m, f, or None')
    by_gender = None if truth_body_models is None else dict(truth_body_models)
    if any(isinstance(one, BodyModel) for one in (body_model, *(by_gender or {}).values())):
        return _build(body_model, by_gender)
    config = [dict(body_model), by_gender]
    key = json.dumps(config, sort_keys=True, default=str)
    fitted = _FITTED_MESHES.get(key)
    if fitted is None:
        fitted = _FITTED_MESHES[key] = _build(body_model, by_gender)
    return fitted


def _build(body_model: ModelOptions, by_gender: Mapping[str, ModelOptions] | None) -> FittedMeshes:
    shared = {} if isinstance(body_model, BodyModel) else body_model

    def model_of(options: ModelOptions) -> BodyModel:
        if isinstance(options, BodyModel):
            return options
        return build_body_model(**{**shared, **options})

    if by_gender is not None:
        by_gender = {gender: model_of(options) for gender, options in by_gender.items()}
    return FittedMeshes(model_of(body_model), by_gender)


def _same(one: Sequence[SampleDict], other: Sequence[SampleDict]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))
