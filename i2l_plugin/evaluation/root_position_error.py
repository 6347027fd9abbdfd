"""MRPE: mean distance of predicted root joints from the true ones, in camera space.

Moon et al., Camera distance-aware top-down approach, ICCV 2019, section 7: the mean of the root
position error, and of its parts along x, y and z, the last of which is the depth's.
Shape legend: B samples of a batch, K with known truth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Any

from mmengine.evaluator import BaseMetric
from mmpose.registry import METRICS
from torch import Tensor

from i2l_plugin.body_models import BodyModel

from .ground_truth import shared_fitted_meshes
from .protocol_checks import Evaluated, evaluated_protocol, protocol_options
from .sample_fields import SampleDict, annotated_joints, stack_field
from .sample_scores import Record, report_scores, score_records

SCORES = ('MRPE', 'MRPE_x', 'MRPE_y', 'MRPE_z')


@METRICS.register_module()
class RootPositionError(BaseMetric):
    """Mean error of the root joint's absolute position in mm: ``MRPE``, ``MRPE_x`` to ``MRPE_z``.

    Nothing is aligned. A sample counts if the data set knows its depth and, with fitted truth, its
    fit is valid; ``N`` is the number that counts.

    Args:
        body_model: Options of `build_body_model` (or the model): the network's body model, whose
            root is meant.
        truth: ``'fitted'`` (also if None): the root joint of the fitted mesh by the body model's
            own regressor; or ``'annotated'``: the data set's joint of the root's name. A protocol
            sets it.
        outfile_prefix: Writes the errors of each sample to ``{outfile_prefix}.{prefix}.json``.
        collect_device, prefix, collect_dir: As in the host.
        protocol, truth_body_models: As in `MeshJointError`; of the protocol the samples, the truth
            and the gender concern the root.

    Raises:
        ValueError: Unknown truth or protocol, or options that contradict it; and on evaluation, if
            a field is missing, no sample counts, another protocol selected the samples or a gender
            has no model.
    """

    default_prefix = 'root'

    def __init__(
        self,
        body_model: Mapping[str, Any] | BodyModel,
        truth: str | None = None,
        outfile_prefix: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
        protocol: str | None = None,
        truth_body_models: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(collect_device, prefix, collect_dir)
        named = evaluated_protocol(protocol, truth_body_models=truth_body_models)
        self.fitted = shared_fitted_meshes(body_model, truth_body_models)
        self.outfile_prefix = outfile_prefix
        joints = self.fitted.body_model.joint_set
        self.root = joints.joint_names[joints.root]
        if named is not None:
            truth, _ = protocol_options(named, {'truth': truth, 'root': self.root})
        if truth not in ('fitted', 'annotated', None):
            raise ValueError(f"truth must be 'fitted', 'annotated' or None, got {truth!r}")
        self.truth = truth or 'fitted'
        what = 'the annotation' if self.truth == 'annotated' else self.fitted.describe()
        self.evaluated = Evaluated(named, f'{self.root} against that of {what}', ['box_source'])

    def process(self, data_batch: Any, data_samples: Sequence[SampleDict]) -> None:  # noqa: ARG002
        """Add each sample's errors to the results."""
        self.evaluated.check(data_samples)
        annotated, valid = annotated_joints(data_samples, [self.root])
        if self.truth == 'fitted':  # its depth is made up where none is annotated
            fit_valid = self.fitted.valid(data_samples)
            valid = [has_depth and fit for has_depth, fit in zip(valid, fit_valid, strict=True)]
        scores = {}
        if any(valid):
            kept = list(compress(data_samples, valid))
            target = annotated[valid].double() if self.truth == 'annotated' else self._fitted(kept)
            predicted = stack_field(kept, 'pred_instances', 'root_cam')
            error_mm = (predicted.to(target) - target[:, 0]).abs()  # (K, 3)
            scores = dict(zip(SCORES, [error_mm.norm(dim=1), *error_mm.T], strict=True))
        self.results.extend(score_records(data_samples, valid, scores))

    def compute_metrics(self, results: list[Record]) -> dict[str, float]:
        """The scores in mm and ``N``; the host adds the prefix."""
        what = f'a {self.root} of annotated depth'
        if self.truth == 'fitted':
            what = f'a valid fit and {what}'
        return report_scores(self, results, SCORES, what)

    def _fitted(self, data_samples: Sequence[SampleDict]) -> Tensor:
        """(K, 1, 3) root joints of the fitted meshes."""
        joints = self.fitted.body_model.joint_set
        return self.fitted.joints(data_samples, joints.name, [joints.root])
