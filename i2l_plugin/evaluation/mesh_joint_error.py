"""MPJPE and PA-MPJPE of predicted meshes or of PoseNet (protocols, section 7; paper, Tables 4-14).

Shape legend: B samples of a batch, K with valid ground truth, V vertices, E evaluation joints.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Any

from mmengine.evaluator import BaseMetric
from mmpose.registry import METRICS
from torch import Tensor

from i2l_plugin.body_models import BodyModel, JointSet, get_joint_set
from i2l_plugin.protocols import Protocol

from .freihand_definitions import check_finger_tips
from .ground_truth import shared_fitted_meshes
from .point_errors import point_errors
from .protocol_checks import Evaluated, evaluated_protocol, protocol_options
from .sample_fields import (
    SampleDict,
    annotated_joints,
    check_choice,
    predicted_vertices,
    stack_field,
)
from .sample_scores import Record, report_scores, score_records

SCORES = ('MPJPE', 'PA-MPJPE')
PREFIXES = {'mesh': 'joint', 'parameters': 'param_joint', 'posenet': 'posenet'}
"""What may be evaluated, and the default prefix of its results."""


@METRICS.register_module()
class MeshJointError(BaseMetric):
    """Mean joint error in mm: ``MPJPE`` after root alignment, ``PA-MPJPE`` after a similarity.

    Joints are regressed from the predicted vertices, ``regressor @ vertices``. A sample counts if
    its fit is valid, or with annotated truth if its root and every evaluation joint are; ``N`` is
    the number that counts. The mean is over joints, then over samples.

    A named protocol (`i2l_plugin.protocols`) sets joint set, regressor, truth, joints and root, and
    refuses samples that another one selected. PoseNet's joints are always the body model's,
    compared with those of the fitted mesh (Table 12): of the protocol, only the samples and the
    gender of the truth concern them.

    Args:
        body_model: Options of `build_body_model` (or the model): the network's body model.
        joint_set: Joint set that is compared, e.g. ``'body_29'``, ``'h36m_17'``, ``'hand_21'``;
            may be left out with a protocol or for PoseNet.
        regressor: Regressor of `body_model` that gives the joint set; the one of its name if None.
        truth: ``'fitted'`` (also if None): the same regressor on the fitted mesh (3DPW's protocol);
            or ``'annotated'``: the data set's own joints, by name (Human3.6M's protocol).
        prediction: ``'mesh'``, or ``'parameters'`` for the mesh of regressed body-model parameters
            (Table 6), or ``'posenet'`` for PoseNet's own joints (Table 12), whose joint set is the
            body model's.
        evaluation_joints: Names of the joints to average over; the joint set's if None.
        root: Name of the joint that root alignment takes to the origin; the joint set's if None.
        outfile_prefix: Writes the errors of each sample to ``{outfile_prefix}.{prefix}.json``.
        collect_device, collect_dir: As in the host.
        prefix: Of the result keys; ``'joint'``, ``'param_joint'`` or ``'posenet'``, by
            `prediction`, if None.
        protocol: Name of a protocol, e.g. ``'h36m/paper'``.
        truth_body_models: Options of the models that pose the fitted mesh by the samples' gender,
            ``'n'``, ``'m'`` or ``'f'``; what is not given is as in `body_model`.

    Raises:
        ValueError: Unknown joint set, joint, regressor, truth, prediction or protocol, or an option
            that contradicts the protocol; and on evaluation, if a field is missing, no sample
            counts, another protocol selected the samples or a gender has no model.
    """

    default_prefix = 'joint'

    def __init__(
        self,
        body_model: Mapping[str, Any] | BodyModel,
        joint_set: str | None = None,
        regressor: str | None = None,
        truth: str | None = None,
        prediction: str = 'mesh',
        evaluation_joints: Sequence[str] | None = None,
        root: str | None = None,
        outfile_prefix: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
        protocol: str | None = None,
        truth_body_models: Mapping[str, Any] | None = None,
    ) -> None:
        check_choice('truth', truth, ('fitted', 'annotated', None))
        check_choice('prediction', prediction, PREFIXES)
        super().__init__(collect_device, prefix or PREFIXES[prediction], collect_dir)
        named = evaluated_protocol(protocol, truth_body_models=truth_body_models)
        self.fitted = shared_fitted_meshes(body_model, truth_body_models)
        self.prediction, self.outfile_prefix = prediction, outfile_prefix
        if prediction == 'posenet':
            own_joints = self.fitted.body_model.joint_set
            joint_set = _posenet_joint_set(own_joints, joint_set)
        if named is not None:
            sets = named
            if prediction == 'posenet':
                sets = _for_posenet(sets, own_joints)
            elif sets.dataset == 'freihand':
                check_finger_tips(self.fitted.body_model)
            given = {
                'joint_set': joint_set,
                'regressor': regressor,
                'truth': truth,
                'evaluation_joints': evaluation_joints,
                'root': root,
            }
            joint_set, regressor, truth, evaluation_joints, root = protocol_options(sets, given)
        if joint_set is None:
            raise ValueError(
                "joint_set: got None; name the compared joints, e.g. 'h36m_17', or a protocol"
            )
        self.truth = truth or 'fitted'
        self.regressor = regressor or joint_set
        joints = get_joint_set(joint_set)
        self._check_regressor(joints)
        root_index = joints.root if root is None else joints.index(root)
        if evaluation_joints is None:
            evaluated = list(joints.evaluation_joints or range(len(joints)))
        else:
            evaluated = [joints.index(name) for name in evaluation_joints]
        self.joint_index = [root_index, *evaluated]  # the root goes first
        self.joint_names = [joints.joint_names[i] for i in self.joint_index]
        self.evaluated = Evaluated(named, self._choices())

    def _check_regressor(self, joints: JointSet) -> None:
        num_rows = len(self.fitted.body_model.regressor(self.regressor))
        if num_rows != len(joints):
            raise ValueError(
                f'regressor {self.regressor!r} gives {num_rows} joints, but joint_set '
                f'{joints.name!r} has {len(joints)}: name the joint set that the regressor gives'
            )
        if self.truth == 'fitted':
            self.fitted.check_regressor(self.regressor)

    def _choices(self) -> str:
        what = f'{len(self.joint_index) - 1} joints of {self.regressor}'
        if self.prediction == 'posenet':
            what = f"PoseNet's {what}"
        elif self.prediction == 'parameters':
            what = f'{what} of the regressed parameters'
        truth = 'annotated joints' if self.truth == 'annotated' else self.fitted.describe()
        return f'{what} against {truth}, {self.joint_names[0]} at the origin'

    def process(self, data_batch: Any, data_samples: Sequence[SampleDict]) -> None:  # noqa: ARG002
        """Add each sample's two errors to the results."""
        self.evaluated.check(data_samples)
        if self.truth == 'fitted':
            valid = self.fitted.valid(data_samples)
        else:
            annotated, valid = annotated_joints(data_samples, self.joint_names)
        scores = {}
        if any(valid):
            kept = list(compress(data_samples, valid))
            if self.truth == 'fitted':
                target = self.fitted.joints(kept, self.regressor, self.joint_index)
            else:
                target = annotated[valid].double()
            predicted = self._predicted_joints(kept, target)
            errors = point_errors(predicted[:, 1:], predicted[:, 0], target[:, 1:], target[:, 0])
            scores = dict(zip(SCORES, errors, strict=True))
        self.results.extend(score_records(data_samples, valid, scores))

    def compute_metrics(self, results: list[Record]) -> dict[str, float]:
        """``MPJPE`` and ``PA-MPJPE`` in mm and ``N``; the host adds the prefix."""
        what = 'a valid fit' if self.truth == 'fitted' else f'all of {self.joint_names} annotated'
        return report_scores(self, results, SCORES, what)

    def _predicted_joints(self, data_samples: Sequence[SampleDict], target: Tensor) -> Tensor:
        """(K, 1 + E, 3) on the device of `target`, root first."""
        if self.prediction == 'posenet':
            joints = stack_field(data_samples, 'pred_instances', 'posenet_joints_cam')
            return joints[:, self.joint_index].to(target)
        model = self.fitted.body_model
        vertices = predicted_vertices(
            data_samples, model.num_vertices, target.device, self.prediction
        )
        return model.regressor(self.regressor)[self.joint_index].to(vertices.device) @ vertices


def _posenet_joint_set(own_joints: JointSet, joint_set: str | None) -> str:
    if joint_set not in {None, own_joints.name}:
        raise ValueError(
            f"prediction='posenet' gives the joints of the body model, {own_joints.name!r}; got "
            f"joint_set {joint_set!r}: use {own_joints.name!r}, or prediction='mesh'"
        )
    return own_joints.name


def _for_posenet(protocol: Protocol, own_joints: JointSet) -> Protocol:
    """Table 12: all of the body model's joints, against those of the fitted mesh."""
    return dataclasses.replace(
        protocol,
        name=f'{protocol.name} of PoseNet',
        joint_set=own_joints.name,
        regressor=own_joints.name,
        truth='fitted',
        root=own_joints.joint_names[own_joints.root],
        evaluation_joints=own_joints.joint_names,
    )
