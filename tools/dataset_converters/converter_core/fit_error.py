"""How far a fitted body model is from the annotated joints: mean joint error, means aligned.

The joints are regressed from the posed mesh. A regressor reads a few hundred of the vertices, so
only those are posed: some 10 times faster than the whole mesh, with the same result.
Shape legend: N people, P posed joints, R regressed joints, V vertices, A annotated joints.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from i2l_plugin.body_models import BodyModel, BodyModelData, JointSet, load_body_model
from i2l_plugin.body_models.body_model import named_joint_regressor

from .builder import RecordBuilder

DEFAULT_MAX_FIT_ERROR_MM = 25.0  # of the data set classes; converters store the error only
_H36M = 'h36m_17'
_POSED_AT_ONCE = 128  # people, to keep memory low


class JointPoser:
    """Joints of posed meshes, without posing the vertices that no joint reads.

    Args:
        data: The body or hand model.
        rows: (R, V) regressor.
        flat_hand_mean: As in `BodyModel`.
    """

    def __init__(self, data: BodyModelData, rows: NDArray, flat_hand_mean: bool = False) -> None:
        self.rows = torch.from_numpy(np.asarray(rows, np.float64))
        self.used = np.flatnonzero(np.any(rows != 0, axis=0))
        self.rows = self.rows[:, self.used]
        self.model = BodyModel(
            _reduced(data, self.used), data.posed_joints, flat_hand_mean
        ).double()

    @torch.no_grad()
    def __call__(self, pose: NDArray, betas: NDArray, transl_m: NDArray) -> NDArray[np.float64]:
        """Joints (N, R, 3) in mm, in the frame of `transl_m`.

        Args:
            pose: (N, P, 3) rad.
            betas: (N, 10).
            transl_m: (N, 3) m.
        """
        arrays = (pose, betas, np.multiply(transl_m, 1000))
        parts = [torch.from_numpy(np.array(a, np.float64)).split(_POSED_AT_ONCE) for a in arrays]
        joints = []
        for some in zip(*parts, strict=True):
            vertices_mm, _ = self.model.pose_cam_mm(*some)
            joints.append(self.rows @ vertices_mm[:, : len(self.used)])
        return torch.cat(joints).numpy()

    def rest_root_m(self, betas: NDArray) -> NDArray[np.float64]:
        """Root joint J0 of the shaped model at zero translation, m; (N, 10) -> (N, 3)."""
        return self.model.rest_root_m(torch.from_numpy(np.array(betas, np.float64))).numpy()


def _reduced(data: BodyModelData, used: NDArray) -> BodyModelData:
    """The used vertices, and one stand-in vertex for each rest joint in place of all others."""
    num_posed = len(data.parents)

    def with_joints(array: NDArray, joints: NDArray) -> NDArray:
        return np.concatenate([array[used], joints]).astype(np.float64)

    j_regressor = data.j_regressor.astype(np.float64)
    shapedirs = np.einsum('pv,vcs->pcs', j_regressor, data.shapedirs)
    return replace(
        data,
        v_template=with_joints(
            data.v_template, data.j_regressor.astype(np.float64) @ data.v_template
        ),
        faces=np.zeros((0, 3), np.int64),
        shapedirs=with_joints(data.shapedirs, shapedirs),
        posedirs=with_joints(data.posedirs, np.zeros((num_posed, *data.posedirs.shape[1:]))),
        weights=with_joints(data.weights, np.eye(num_posed)),
        j_regressor=np.eye(num_posed, len(used) + num_posed, len(used)),
        regressors={},
        vertex_ids={},
        vertex_mirror=None,
    )


def add_body_model_arguments(parser: argparse.ArgumentParser, kind: str = 'body') -> None:
    """--body-model (required: fits mean nothing with another model), --h36m-regressor."""
    maker = 'SMPL' if kind == 'body' else 'MANO'
    parser.add_argument(
        '--body-model',
        required=True,
        metavar='FILE',
        help=f"{maker} file (.pkl or .npz) that the fits are of, or 'open' for the embedded model",
    )
    if kind == 'body':
        parser.add_argument(
            '--h36m-regressor',
            metavar='FILE',
            help='J_regressor_h36m_correct.npy (17 x 6890); the embedded model has its own',
        )


def load_model_data(args: argparse.Namespace, kind: str = 'body') -> BodyModelData:
    """The model of `add_body_model_arguments`."""
    file = getattr(args, 'h36m_regressor', None)
    return load_body_model(
        kind, args.body_model, regressor_files={_H36M: file} if file is not None else None
    )


def h36m_rows(data: BodyModelData) -> NDArray:
    """(17, V) Human3.6M regressor of the model.

    Raises:
        ValueError: It has none.
    """
    if _H36M not in data.regressors:
        raise ValueError(
            'this body model has no Human3.6M joint regressor, by which fits are judged; name '
            'its file, J_regressor_h36m_correct.npy, with --h36m-regressor'
        )
    return data.regressors[_H36M]


def joint_set_rows(data: BodyModelData, joint_set: JointSet) -> NDArray:
    """(R, V) regressor of a joint set of the model's own, e.g. `BODY_29`."""
    return named_joint_regressor(data, joint_set)


def mean_aligned_error_mm(
    joints_mm: NDArray, truth_mm: NDArray
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean distance once the means of both sets coincide, and the distance of the means.

    (N, R, 3) -> (N,), (N,) mm.
    """
    difference = joints_mm - truth_mm
    offset = difference.mean(axis=1, keepdims=True)
    error = np.linalg.norm(difference - offset, axis=-1).mean(axis=-1)
    return error, np.linalg.norm(offset[:, 0], axis=-1)


def fill_fit_error_mm(
    builder: RecordBuilder, poser: JointPoser, annotated_names: Sequence[str]
) -> None:
    """Fill ``fit_error_mm`` of everyone with a fit and all those joints annotated in 3D, else NaN.

    The summary says how good the fits are; another body model or unit than theirs shows there.

    Args:
        builder: With the optional column ``'fit_error_mm'``.
        poser: Of the R joints.
        annotated_names: Names of the same R joints among the annotated ones.
    """
    index = [builder.joint_names.index(name) for name in annotated_names]
    known_errors, known_offsets = [], []

    def errors(columns: dict[str, NDArray]) -> NDArray:
        joints = poser(columns['pose'], columns['betas'], columns['transl_m'])
        error, offset = mean_aligned_error_mm(joints, columns['joints_cam_mm'][:, index])
        known = columns['has_depth'] & columns['joints_valid'][:, index].all(axis=1)
        known_errors.append(error[known])
        known_offsets.append(offset[known])
        return np.where(known, error, np.nan)

    builder.fill('fit_error_mm', errors, 'fit errors')
    error, offset = (np.concatenate([*a, np.zeros(0)]) for a in (known_errors, known_offsets))
    if len(error):
        within = (error <= DEFAULT_MAX_FIT_ERROR_MM).mean()
        builder.note(
            f'fits: median error {np.median(error):.1f} mm over {len(index)} joints, {within:.1%} '
            f'within {DEFAULT_MAX_FIT_ERROR_MM:g} mm; their means are {np.median(offset):.1f} mm '
            'from those of the annotated joints (median)'
        )
