"""MPVPE and PA-MPVPE of predicted meshes (protocols, section 7; paper, Tables 5 and 7-11).

Shape legend: B samples of a batch, K with a valid fit, V vertices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Any

from mmengine.evaluator import BaseMetric
from mmpose.registry import METRICS

from i2l_plugin.body_models import BodyModel

from .ground_truth import shared_fitted_meshes
from .point_errors import point_errors
from .sample_fields import SampleDict, predicted_vertices
from .sample_scores import Record, mean_scores, score_records, write_scores

SCORES = ('MPVPE', 'PA-MPVPE')


@METRICS.register_module()
class MeshVertexError(BaseMetric):
    """Mean vertex error in mm against the fitted mesh, and the number ``N`` of valid fits.

    ``MPVPE`` after aligning the root joint of the body model, regressed from either mesh;
    ``PA-MPVPE`` after the similarity that best fits all vertices. The mean is over vertices, then
    over samples.

    Args:
        body_model: Options of `build_body_model` (or the model): the network's body model.
        outfile_prefix: Writes the errors of each sample to ``{outfile_prefix}.{prefix}.json``.
        collect_device, prefix, collect_dir: As in the host.

    Raises:
        ValueError: On evaluation, if a field is missing or no sample has a valid fit.
    """

    default_prefix = 'vertex'

    def __init__(
        self,
        body_model: Mapping[str, Any] | BodyModel,
        outfile_prefix: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device, prefix, collect_dir)
        self.fitted = shared_fitted_meshes(body_model)
        self.outfile_prefix = outfile_prefix

    def process(self, data_batch: Any, data_samples: Sequence[SampleDict]) -> None:  # noqa: ARG002
        """Add each sample's two errors to the results."""
        valid = self.fitted.valid(data_samples)
        scores = {}
        if any(valid):
            kept = list(compress(data_samples, valid))
            target = self.fitted.vertices(kept)
            model = self.fitted.body_model
            prediction = predicted_vertices(kept, model.num_vertices, target.device)
            root_row = model.joint_regressor[model.joint_set.root]  # (V,)
            errors = point_errors(prediction, root_row @ prediction, target, root_row @ target)
            scores = dict(zip(SCORES, errors, strict=True))
        self.results.extend(score_records(data_samples, valid, scores))

    def compute_metrics(self, results: list[Record]) -> dict[str, float]:
        """``MPVPE`` and ``PA-MPVPE`` in mm and ``N``; the host adds the prefix."""
        if self.outfile_prefix is not None:
            write_scores(results, f'{self.outfile_prefix}.{self.prefix}.json')
        return mean_scores(results, SCORES, 'a valid fit')
