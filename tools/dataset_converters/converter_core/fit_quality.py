"""Errors of fitted bodies against a record's annotated joints (paper, Table 13).

MPJPE and PA-MPJPE are over the joints that the joint set's protocol averages over; "means aligned"
is over all joints that record and body model share, as in `fit_error`. Shape legend: N people, R
compared joints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from i2l_plugin.body_models import (
    BODY_29,
    H36M_17,
    HAND_21,
    SMPL_24,
    BodyModelData,
    JointSet,
    get_joint_set,
)
from i2l_plugin.datasets import AnnotationRecord
from i2l_plugin.evaluation.point_errors import point_errors
from i2l_plugin.geometry.camera import project

from .fit_error import JointPoser, h36m_rows, joint_set_rows, mean_aligned_error_mm
from .progress import Progress

BATCH = 1024  # people
JOINT_SETS = {'body': (H36M_17, SMPL_24, BODY_29), 'hand': (HAND_21,)}
Poser = Callable[[NDArray, NDArray, NDArray], NDArray[np.float64]]


@dataclass(frozen=True)
class Compared:
    """What is compared: joints `names` of `joint_set`, all of which the record annotates.

    Attributes:
        in_set, in_record: Positions (R,) of the joints.
        root: Among the R.
        evaluated: Those of the R that MPJPE averages over.
    """

    joint_set: JointSet
    names: tuple[str, ...]
    in_set: list[int]
    in_record: list[int]
    root: int
    evaluated: list[int]


def compared_joints(record: AnnotationRecord, name: str | None) -> Compared:
    """The joints of a set, or of the fitting one, that a record annotates.

    Human3.6M's regressor for records with Human3.6M's head; the centres of rotation for records of
    all of them; else the body model's own joints.

    Raises:
        ValueError: The set is of another kind, or the record has no root or no other joint of it.
    """
    sets, annotated = JOINT_SETS[record.kind], set(record.joint_names)
    if name is not None:
        joint_set = get_joint_set(name)
        if joint_set not in sets:
            known = [one.name for one in sets]
            raise ValueError(f'--regressor {name}: this record is of a {record.kind}; use {known}')
    elif record.kind == 'hand':
        joint_set = HAND_21
    elif 'Head_top' in annotated:
        joint_set = H36M_17
    else:
        joint_set = SMPL_24 if annotated == set(SMPL_24.joint_names) else BODY_29
    names = tuple(joint for joint in joint_set.joint_names if joint in annotated)
    root = joint_set.joint_names[joint_set.root]
    in_set = [joint_set.index(joint) for joint in names]
    averaged = joint_set.evaluation_joints or range(len(joint_set))
    evaluated = [i for i, index in enumerate(in_set) if index in averaged]
    if root not in names or len(evaluated) < 2:
        raise ValueError(
            f'{record.path}: annotates {record.joint_names}, of which {joint_set.name} shares '
            f'{names}; expected its root {root} and two more: choose another --regressor'
        )
    in_record = [record.joint_names.index(joint) for joint in names]
    return Compared(joint_set, names, in_set, in_record, names.index(root), evaluated)


def joint_poser(data: BodyModelData, compared: Compared) -> Poser:
    """Poses the R joints: (pose, betas, transl_m) -> (N, R, 3) mm."""
    if compared.joint_set is not SMPL_24:
        is_h36m = compared.joint_set is H36M_17
        rows = h36m_rows(data) if is_h36m else joint_set_rows(data, compared.joint_set)
        return JointPoser(data, rows[compared.in_set])
    model = JointPoser(data, np.zeros((0, data.num_vertices))).model

    @torch.no_grad()
    def centres(*fit: NDArray) -> NDArray[np.float64]:
        output = model(*(torch.from_numpy(np.array(part, np.float64)) for part in fit))
        return 1000 * output.lbs_joints_m[:, compared.in_set].numpy()

    return centres


def errors_of(
    columns: Mapping[str, NDArray], joints_mm: NDArray, compared: Compared
) -> dict[str, NDArray[np.float64]]:
    """Errors (N,) of fits whose joints are (N, R, 3) mm; NaN where nothing can be compared.

    ``mpjpe``, ``pa_mpjpe`` and ``aligned`` need depth and all R joints annotated; ``px`` needs one
    joint, and all of the fit in front of the camera.
    """
    truth_mm = columns['joints_cam_mm'][:, compared.in_record].astype(np.float64)
    annotated = columns['joints_valid'][:, compared.in_record]
    known = columns['has_depth'] & annotated.all(axis=1)
    errors = {name: np.full(len(known), np.nan) for name in ('mpjpe', 'pa_mpjpe', 'aligned', 'px')}
    if known.any():
        fitted, truth = (torch.from_numpy(p[known]) for p in (joints_mm, truth_mm))
        points = [
            p
            for one in (fitted, truth)
            for p in (one[:, compared.evaluated], one[:, compared.root])
        ]
        errors['mpjpe'][known], errors['pa_mpjpe'][known] = (
            e.numpy() for e in point_errors(*points)
        )
        errors['aligned'][known], _ = mean_aligned_error_mm(joints_mm[known], truth_mm[known])
    visible = annotated.any(axis=1) & (joints_mm[..., 2] > 0).all(axis=1)
    if visible.any():
        camera = (
            torch.from_numpy(columns[n][visible].astype(np.float64))
            for n in ('focal_px', 'princpt_px')
        )
        fitted_px = project(torch.from_numpy(joints_mm[visible]), *camera)[..., :2].numpy()
        distance = np.linalg.norm(
            fitted_px - columns['joints_px'][visible][:, compared.in_record], axis=-1
        )
        weight = annotated[visible]
        errors['px'][visible] = np.where(weight, distance, 0).sum(axis=1) / weight.sum(axis=1)
    return errors


def evaluate(
    record: AnnotationRecord,
    rows: NDArray,
    posers: Mapping[str, Poser],
    genders: NDArray,
    compared: Compared,
    progress: Progress,
) -> dict[str, NDArray[np.float64]]:
    """Errors (N,) of the people `rows` (N,) of a record, each posed by `genders` (N,)'s model."""
    names = ('pose', 'betas', 'transl_m', 'focal_px', 'princpt_px')
    names += ('joints_cam_mm', 'joints_px', 'joints_valid', 'has_depth')
    parts = []
    with progress.bar(len(rows), 'posing the fits') as bar:
        for start in range(0, len(rows), BATCH):
            some, own = rows[start : start + BATCH], genders[start : start + BATCH]
            columns = {name: record[name][some] for name in names}
            joints_mm = np.zeros((len(some), len(compared.names), 3))
            for gender in np.unique(own):
                fit = (columns[name][own == gender] for name in names[:3])
                joints_mm[own == gender] = posers[str(gender)](*fit)
            parts.append(errors_of(columns, joints_mm, compared))
            bar.update(len(some))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def summary(errors: Mapping[str, NDArray], within: Sequence[float]) -> dict[str, Any]:
    """Scores of all people; numbers whose N is 0 are left out."""
    scores: dict[str, Any] = {'N_fits': len(errors['mpjpe'])}
    known = ~np.isnan(errors['mpjpe'])
    scores['N'] = int(known.sum())
    if known.any():
        aligned = errors['aligned'][known]
        scores.update(
            MPJPE=float(errors['mpjpe'][known].mean()),
            **{'PA-MPJPE': float(errors['pa_mpjpe'][known].mean())},
            means_aligned=float(aligned.mean()),
            means_aligned_median=float(np.median(aligned)),
            within={f'{limit:g}': float((aligned <= limit).mean()) for limit in within},
        )
    px = errors['px'][~np.isnan(errors['px'])]
    scores['N_px'] = len(px)
    if len(px):
        scores.update(px=float(px.mean()), px_median=float(np.median(px)))
    return scores
