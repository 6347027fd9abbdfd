"""MPJPE and PA-MPJPE of predicted meshes or of PoseNet (protocols, section 7; paper, Tables 4-12).

Shape legend: B samples of a batch, K with valid ground truth, V vertices, E evaluation joints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Any

from mmengine.evaluator import BaseMetric
from mmpose.registry import METRICS
from torch import Tensor

from i2l_plugin.body_models import BodyModel, get_joint_set

from .ground_truth import annotated_joints, shared_fitted_meshes
from .point_errors import point_errors
from .sample_fields import SampleDict, predicted_vertices, stack_field
from .sample_scores import Record, mean_scores, score_records, write_scores

SCORES = ('MPJPE', 'PA-MPJPE')


@METRICS.register_module()
class MeshJointError(BaseMetric):
    """Mean joint error in mm: ``MPJPE`` after root alignment, ``PA-MPJPE`` after a similarity.

    Joints are regressed from the predicted vertices, ``regressor @ vertices``. A sample counts if
    its fit is valid, or with annotated truth if its root and every evaluation joint are; ``N`` is
    the number that counts. The mean is over joints, then over samples.

    Args:
        body_model: Options of `build_body_model` (or the model): the network's body model.
        joint_set: Joint set that is compared, e.g. ``'body_29'``, ``'h36m_17'``, ``'hand_21'``.
        regressor: Regressor of `body_model` that gives the joint set; the one of its name if None.
        truth: ``'fitted'``: the same regressor on the fitted mesh (3DPW's protocol); or
            ``'annotated'``: the data set's own joints, by name (Human3.6M's protocol).
        prediction: ``'mesh'``, or ``'posenet'`` for PoseNet's own joints (Table 12), whose
            joint set is the body model's.
        evaluation_joints: Names of the joints to average over; the joint set's if None.
        root: Name of the joint that root alignment takes to the origin; the joint set's if None.
        outfile_prefix: Writes the errors of each sample to ``{outfile_prefix}.{prefix}.json``.
        collect_device, collect_dir: As in the host.
        prefix: Of the result keys; ``'joint'``, or ``'posenet'`` for PoseNet's joints, if None.

    Raises:
        ValueError: Unknown joint set, joint, regressor, truth or prediction; and on evaluation, if
            a field is missing or no sample counts.
    """

    default_prefix = 'joint'

    def __init__(
        self,
        body_model: Mapping[str, Any] | BodyModel,
        joint_set: str,
        regressor: str | None = None,
        truth: str = 'fitted',
        prediction: str = 'mesh',
        evaluation_joints: Sequence[str] | None = None,
        root: str | None = None,
        outfile_prefix: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        _check_choice('truth', truth, ('fitted', 'annotated'))
        _check_choice('prediction', prediction, ('mesh', 'posenet'))
        if prefix is None and prediction == 'posenet':
            prefix = 'posenet'
        super().__init__(collect_device, prefix, collect_dir)
        self.fitted = shared_fitted_meshes(body_model)
        self.truth, self.prediction, self.outfile_prefix = truth, prediction, outfile_prefix

        joints = get_joint_set(joint_set)
        self.regressor = regressor or joint_set
        num_rows = len(self.fitted.body_model.regressor(self.regressor))
        if num_rows != len(joints):
            raise ValueError(
                f'regressor {self.regressor!r} gives {num_rows} joints, but joint_set '
                f'{joint_set!r} has {len(joints)}: name the joint set that the regressor gives'
            )
        own_joints = self.fitted.body_model.joint_set.name
        if prediction == 'posenet' and joint_set != own_joints:
            raise ValueError(
                f"prediction='posenet' gives the joints of the body model, {own_joints!r}; got "
                f"joint_set {joint_set!r}: use {own_joints!r}, or prediction='mesh'"
            )
        root_index = joints.root if root is None else joints.index(root)
        if evaluation_joints is None:
            evaluated = list(joints.evaluation_joints or range(len(joints)))
        else:
            evaluated = [joints.index(name) for name in evaluation_joints]
        self.joint_index = [root_index, *evaluated]  # the root goes first
        self.joint_names = [joints.joint_names[i] for i in self.joint_index]

    def process(self, data_batch: Any, data_samples: Sequence[SampleDict]) -> None:  # noqa: ARG002
        """Add each sample's two errors to the results."""
        if self.truth == 'fitted':
            valid = self.fitted.valid(data_samples)
        else:
            annotated, valid = annotated_joints(data_samples, self.joint_names)
        scores = {}
        if any(valid):
            kept = list(compress(data_samples, valid))
            if self.truth == 'fitted':
                target = self._regress(self.fitted.vertices(kept))
            else:
                target = annotated[valid].double()
            predicted = self._predicted_joints(kept, target)
            errors = point_errors(predicted[:, 1:], predicted[:, 0], target[:, 1:], target[:, 0])
            scores = dict(zip(SCORES, errors, strict=True))
        self.results.extend(score_records(data_samples, valid, scores))

    def compute_metrics(self, results: list[Record]) -> dict[str, float]:
        """``MPJPE`` and ``PA-MPJPE`` in mm and ``N``; the host adds the prefix."""
        if self.outfile_prefix is not None:
            write_scores(results, f'{self.outfile_prefix}.{self.prefix}.json')
        what = 'a valid fit' if self.truth == 'fitted' else f'all of {self.joint_names} annotated'
        return mean_scores(results, SCORES, what)

    def _predicted_joints(self, data_samples: Sequence[SampleDict], target: Tensor) -> Tensor:
        """(K, 1 + E, 3) on the device of `target`, root first."""
        if self.prediction == 'posenet':
            joints = stack_field(data_samples, 'pred_instances', 'posenet_joints_cam')
            return joints[:, self.joint_index].to(target)
        num_vertices = self.fitted.body_model.num_vertices
        return self._regress(predicted_vertices(data_samples, num_vertices, target.device))

    def _regress(self, vertices: Tensor) -> Tensor:
        """Vertices (K, V, 3) -> joints (K, 1 + E, 3), root first, float64."""
        rows = self.fitted.body_model.regressor(self.regressor)[self.joint_index]
        return rows.to(vertices.device) @ vertices


def _check_choice(argument: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(f'{argument} must be one of {tuple(choices)}, got {value!r}')
