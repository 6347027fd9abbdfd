"""F-score of predicted meshes as FreiHAND defines it (protocols, section 7; paper, Table 7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from typing import Any

from mmengine.evaluator import BaseMetric
from mmpose.registry import METRICS
from torch import Tensor

from i2l_plugin.body_models import BodyModel
from i2l_plugin.geometry.alignment import freihand_align, similarity_align
from i2l_plugin.geometry.point_sets import f_score

from .ground_truth import shared_fitted_meshes
from .protocol_checks import Evaluated, evaluated_protocol
from .sample_fields import SampleDict, predicted_vertices
from .sample_scores import Record, report_scores, score_records

ALIGNMENTS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    'freihand': freihand_align,
    'similarity': similarity_align,
    'none': lambda prediction, target: prediction,  # noqa: ARG005
}


@METRICS.register_module()
class FScore(BaseMetric):
    """F-score of vertices against the fitted mesh, ``F@5mm``, ..., and the number ``N`` of fits.

    Args:
        body_model: Options of `build_body_model` (or the model): the network's body model.
        thresholds_mm: Distances that a neighbour must be nearer than.
        alignment: ``'freihand'``: as its scorer aligns, the published numbers, which may reflect;
            ``'similarity'``: without reflection; ``'none'``: meshes where they are in camera space.
        outfile_prefix: Writes the scores of each sample to ``{outfile_prefix}.{prefix}.json``.
        collect_device, prefix, collect_dir: As in the host. Two of these metrics need two prefixes.
        protocol, truth_body_models: As in `MeshJointError`.

    Raises:
        ValueError: Unknown alignment, thresholds that are not positive, unknown protocol or one
            that does not suit the models; and on evaluation, if a field is missing, no sample has a
            valid fit, another protocol selected the samples or a gender has no model.
    """

    default_prefix = 'f_score'

    def __init__(
        self,
        body_model: Mapping[str, Any] | BodyModel,
        thresholds_mm: Sequence[float] = (5, 15),
        alignment: str = 'freihand',
        outfile_prefix: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
        protocol: str | None = None,
        truth_body_models: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(collect_device, prefix, collect_dir)
        if alignment not in ALIGNMENTS:
            raise ValueError(f'alignment must be one of {tuple(ALIGNMENTS)}, got {alignment!r}')
        if not thresholds_mm or min(thresholds_mm) <= 0:
            raise ValueError(f'thresholds_mm must be positive distances, got {thresholds_mm!r}')
        named = evaluated_protocol(protocol, truth_body_models=truth_body_models)
        self.fitted = shared_fitted_meshes(body_model, truth_body_models)
        self.thresholds_mm, self.alignment = tuple(thresholds_mm), alignment
        self.score_names = [f'F@{threshold:g}mm' for threshold in self.thresholds_mm]
        self.outfile_prefix = outfile_prefix
        choices = f'vertices against {self.fitted.describe()}, alignment {alignment}'
        self.evaluated = Evaluated(named, choices)

    def process(self, data_batch: Any, data_samples: Sequence[SampleDict]) -> None:  # noqa: ARG002
        """Add each sample's scores to the results."""
        self.evaluated.check(data_samples)
        valid = self.fitted.valid(data_samples)
        scores = {}
        if any(valid):
            kept = list(compress(data_samples, valid))
            target = self.fitted.vertices(kept)
            num_vertices = self.fitted.body_model.num_vertices
            prediction = predicted_vertices(kept, num_vertices, target.device)
            prediction = ALIGNMENTS[self.alignment](prediction, target)
            columns = f_score(prediction, target, self.thresholds_mm).unbind(1)
            scores = dict(zip(self.score_names, columns, strict=True))
        self.results.extend(score_records(data_samples, valid, scores))

    def compute_metrics(self, results: list[Record]) -> dict[str, float]:
        """``F@...mm`` in [0, 1] and ``N``; the host adds the prefix."""
        return report_scores(self, results, self.score_names, 'a valid fit')
