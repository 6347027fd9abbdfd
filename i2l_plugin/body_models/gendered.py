"""Posing each person by the body model of their gender; the one place that knows how.

The shape coefficients of SURREAL's and 3DPW's people belong to the male or female model and mean
another body in the neutral one, centimetres off (protocols, section 6). The models of a family have
one topology, so a network learns and is measured on their vertices alike.
Shapes: B people, V vertices, J joints, P posed joints.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from mmengine.logging import MMLogger
from torch import Tensor, nn

from .body_model import BodyModel, build_body_model

GENDERS = ('n', 'm', 'f')
ModelOptions = Mapping[str, Any] | BodyModel
Person = Mapping[str, Any]
"""What a data sample says of somebody: ``gender`` if known, ``sample_id`` and ``img_path``."""


class BodyModelsByGender(nn.Module):
    """Body models of one topology, of which a person's gender chooses.

    Without models by gender `body_model` poses everybody, and people of gender ``'m'`` or ``'f'``
    are warned of once. Nothing is saved in checkpoints, as with `BodyModel`.

    Args:
        body_model: The network's model. It also poses people without a gender, or of gender
            ``'n'``, if there is no model ``'n'``: mixed data sets, of which some have no genders.
        by_gender: Models by gender, some of ``'n'``, ``'m'`` and ``'f'``.
        needs_gender: Refuse people without a gender, and those of gender ``'n'`` if there is no
            such model, where there are models by gender.

    Raises:
        ValueError: Unknown gender, or a model of another kind, mesh or joint set than `body_model`.
    """

    def __init__(
        self,
        body_model: BodyModel,
        by_gender: Mapping[str, BodyModel] | None = None,
        needs_gender: bool = False,
    ) -> None:
        super().__init__()
        by_gender = dict(by_gender or {})
        for gender, model in by_gender.items():
            _check_model(gender, model, body_model)
        self.body_model = body_model
        self._models = nn.ModuleDict(by_gender)
        self.needs_gender = needs_gender
        self._warned = False

    @property
    def by_gender(self) -> dict[str, BodyModel]:
        """The models by gender, not `body_model`."""
        return cast('dict[str, BodyModel]', dict(self._models.items()))

    @property
    def genders(self) -> tuple[str, ...]:
        """Those that have a model of their own; none if `body_model` poses everybody."""
        return tuple(self._models)

    def of(self, person: Person) -> BodyModel:
        """The model that poses a person.

        Raises:
            ValueError: Naming the person, if there is no model for their gender.
        """
        gender, by_gender = person.get('gender'), self.by_gender
        if not by_gender:
            self._warn_of([gender])
            return self.body_model
        if gender is None and not self.needs_gender:
            gender = 'n'
        if gender in by_gender:
            return by_gender[gender]
        if gender == 'n' and not self.needs_gender:
            return self.body_model
        raise ValueError(_no_model_message(person, self.genders))

    def groups(self, people: Sequence[Person]) -> list[tuple[BodyModel, list[int]]]:
        """Each model that is needed, with the indices of the people that it poses.

        Raises:
            ValueError: As in `of`.
        """
        if not self._models:
            self._warn_of([person.get('gender') for person in people])
            return [(self.body_model, list(range(len(people))))]
        models = [self.of(person) for person in people]
        groups: dict[int, tuple[BodyModel, list[int]]] = {}
        for i, model in enumerate(models):
            groups.setdefault(id(model), (model, []))[1].append(i)
        return list(groups.values())

    def pose_cam_mm(
        self,
        people: Sequence[Person],
        pose: Tensor,
        betas: Tensor,
        transl_mm: Tensor,
        mirrored: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """`BodyModel.pose_cam_mm` of B >= 1 people, each by their own model; differentiable.

        Joints are regressed by each model's own regressor.

        Args:
            people: B people, in the order of the rows.
            pose, betas, transl_mm, mirrored: As in `BodyModel.pose_cam_mm`.

        Returns:
            Vertices (B, V, 3) and joints (B, J, 3) in camera mm.

        Raises:
            ValueError: As in `of`.
        """
        groups = self.groups(people)
        if len(groups) == 1:
            return groups[0][0].pose_cam_mm(pose, betas, transl_mm, mirrored)
        posed = []
        for model, indices in groups:
            rows = torch.tensor(indices, device=pose.device)
            some_mirrored = None if mirrored is None else mirrored[rows]
            posed.append(model.pose_cam_mm(pose[rows], betas[rows], transl_mm[rows], some_mirrored))
        order = torch.tensor([i for _, indices in groups for i in indices], device=pose.device)
        vertices, joints = zip(*posed, strict=True)
        back = order.argsort()
        return torch.cat(vertices)[back], torch.cat(joints)[back]  # (B, V, 3), (B, J, 3)

    def _warn_of(self, genders: Sequence[str | None]) -> None:
        gendered = sorted({gender for gender in genders if gender in {'m', 'f'}})
        if gendered and not self._warned:
            self._warned = True
            MMLogger.get_current_instance().warning(
                f'samples have gender {gendered}, but one body_model poses the truth of all: their '
                'shape coefficients mean other bodies there; give truth_body_models beside it, as '
                "dict(m=dict(path='SMPL_MALE.pkl'), f=dict(path='SMPL_FEMALE.pkl'))"
            )


def build_body_models_by_gender(
    body_model: ModelOptions,
    truth_body_models: Mapping[str, ModelOptions] | None = None,
    needs_gender: bool = False,
) -> BodyModelsByGender:
    """Body models from their options; genders of the same options share one model.

    Args:
        body_model: Options of `build_body_model`, or the model itself.
        truth_body_models: The same by gender; None for `body_model` alone. Options that are not
            given are those of `body_model`.
        needs_gender: As in `BodyModelsByGender`.

    Raises:
        FileNotFoundError: As in `build_body_model`.
        ValueError: As in `BodyModelsByGender`, or no model by gender at all.
    """
    if truth_body_models is not None and not truth_body_models:
        raise ValueError('truth_body_models: got no models, expected some of n, m, f, or None')
    shared = {} if isinstance(body_model, BodyModel) else dict(body_model)
    built: dict[str, BodyModel] = {}

    def model_of(options: ModelOptions) -> BodyModel:
        if isinstance(options, BodyModel):
            return options
        merged = {**shared, **options}
        key = json.dumps(merged, sort_keys=True, default=str)
        if key not in built:
            built[key] = build_body_model(**merged)
        return built[key]

    by_gender = {gender: model_of(options) for gender, options in (truth_body_models or {}).items()}
    return BodyModelsByGender(model_of(body_model), by_gender, needs_gender)


def _check_model(gender: str, model: BodyModel, body_model: BodyModel) -> None:
    name = f'truth_body_models[{gender!r}]'
    if gender not in GENDERS:
        raise ValueError(f'truth_body_models: got gender {gender!r}, expected some of {GENDERS}')
    if (model.kind, model.num_vertices) != (body_model.kind, body_model.num_vertices):
        raise ValueError(
            f'{name} is a {model.kind} of {model.num_vertices} vertices, '
            f"expected the network's: a {body_model.kind} of {body_model.num_vertices}"
        )
    if model.joint_set.name != body_model.joint_set.name:
        raise ValueError(
            f'{name} has joint_set {model.joint_set.name!r}, expected '
            f'{body_model.joint_set.name!r} as body_model'
        )
    if not torch.equal(_triangles(model), _triangles(body_model)):
        raise ValueError(
            f'{name} has other faces than body_model, so its vertices are other points of a '
            f"{model.kind}: give files of one family (the open models are not SMPL's or MANO's)"
        )


def _triangles(model: BodyModel) -> Tensor:
    """(F, 3) faces in an order that files of one topology agree on."""
    return model.faces.cpu().sort(dim=1).values.unique(dim=0)


def _no_model_message(person: Person, known: Sequence[str]) -> str:
    name = f'data sample {person.get("sample_id")}'
    if person.get('img_path') is not None:
        name += f' ({person["img_path"]})'
    if person.get('gender') is None:
        return (
            f'{name} has no gender, but the truth is posed by gender: convert the data set again '
            "(column 'gender'), or leave out truth_body_models and choose an ungendered protocol"
        )
    return (
        f'{name} has gender {person["gender"]!r}, for which truth_body_models, of {tuple(known)}, '
        f'has no model: add {person["gender"]}=dict(...)'
    )
