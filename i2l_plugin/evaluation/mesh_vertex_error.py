"""MPVPE and PA-MPVPE of predicted meshes (protocols, section 7; paper, Tables 7 and 14).

Shape legend: B samples of a batch, K with a valid fit, V vertices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Any

from mmengine.evaluator import BaseMetric
from mmpose.registry import METRICS

from i2l_plugin.body_models import BodyModel, get_joint_set

from .ground_truth import shared_fitted_meshes
from .point_errors import point_errors
from .protocol_checks import Evaluated, evaluated_protocol
from .sample_fields import SampleDict, predicted_vertices, prefix_of_mesh
from .sample_scores import Record, report_scores, score_records

SCORES = ('MPVPE', 'PA-MPVPE')


@METRICS.register_module()
class MeshVertexError(BaseMetric):
    """Mean vertex error in mm against the fitted mesh, and the number ``N`` of valid fits.

    ``MPVPE`` after aligning the root joint, regressed from either mesh: the body model's own, or
    the one of the protocol's regressor. ``PA-MPVPE`` after the similarity that best fits all
    vertices. The mean is over vertices, then over samples.

    Args:
        body_model: Options of `build_body_model` (or the model): the network's body model.
        outfile_prefix: Writes the errors of each sample to ``{outfile_prefix}.{prefix}.json``.
        collect_device, collect_dir: As in the host.
        prefix: Of the result keys; ``'vertex'``, or ``'param_vertex'`` for ``'parameters'``, if
            None.
        protocol, truth_body_models: As in `MeshJointError`.
        prediction: ``'mesh'``, or ``'parameters'`` for the mesh of regressed body-model parameters.

    Raises:
        ValueError: Unknown protocol or prediction, or a protocol that does not suit the models; and
            on evaluation, if a field is missing, no sample has a valid fit, another protocol
            selected the samples or a gender has no model.
    """

    default_prefix = 'vertex'

    def __init__(
        self,
        body_model: Mapping[str, Any] | BodyModel,
        outfile_prefix: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
        protocol: str | None = None,
        truth_body_models: Mapping[str, Any] | None = None,
        prediction: str = 'mesh',
    ) -> None:
        prefix = prefix_of_mesh(prediction, prefix, self.default_prefix)
        super().__init__(collect_device, prefix, collect_dir)
        self.prediction = prediction
        named = evaluated_protocol(protocol, truth_body_models=truth_body_models)
        self.fitted = shared_fitted_meshes(body_model, truth_body_models)
        self.outfile_prefix = outfile_prefix
        if named is None:
            joints = self.fitted.body_model.joint_set
            self.regressor, self.root = joints.name, joints.root
        else:
            joints = get_joint_set(named.joint_set)
            self.regressor, self.root = named.regressor, joints.index(named.root)
        self.fitted.check_regressor(self.regressor)
        root = f'{joints.joint_names[self.root]} of {self.regressor} at the origin'
        what = 'vertices' if prediction == 'mesh' else 'vertices of the regressed parameters'
        choices = f'{what} against {self.fitted.describe()}, {root}'
        self.evaluated = Evaluated(named, choices)

    def process(self, data_batch: Any, data_samples: Sequence[SampleDict]) -> None:  # noqa: ARG002
        """Add each sample's two errors to the results."""
        self.evaluated.check(data_samples)
        valid = self.fitted.valid(data_samples)
        scores = {}
        if any(valid):
            kept = list(compress(data_samples, valid))
            target = self.fitted.vertices(kept)
            target_root = self.fitted.joints(kept, self.regressor, [self.root])[:, 0]
            model = self.fitted.body_model
            prediction = predicted_vertices(
                kept, model.num_vertices, target.device, self.prediction
            )
            root_row = model.regressor(self.regressor)[self.root].to(target.device)  # (V,)
            errors = point_errors(prediction, root_row @ prediction, target, target_root)
            scores = dict(zip(SCORES, errors, strict=True))
        self.results.extend(score_records(data_samples, valid, scores))

    def compute_metrics(self, results: list[Record]) -> dict[str, float]:
        """``MPVPE`` and ``PA-MPVPE`` in mm and ``N``; the host adds the prefix."""
        return report_scores(self, results, SCORES, 'a valid fit')
