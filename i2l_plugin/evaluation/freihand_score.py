"""FreiHAND's official scores as a metric, and the submission that they belong to.

Shape legend: B samples of a batch, K with valid ground truth, N of the data set, V vertices.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS
from torch import Tensor

from i2l_plugin.body_models import HAND_21, BodyModel

from .freihand_definitions import (
    NUM_SAMPLES,
    NUM_VERTICES,
    SCORES,
    check_finger_tips,
    freihand_scores,
)
from .freihand_files import check_truth_files, check_truth_lengths, read_truth
from .freihand_submission import DECIMALS, write_submission
from .ground_truth import shared_fitted_meshes
from .protocol_checks import Evaluated, evaluated_protocol
from .sample_fields import SampleDict, annotated_joints, predicted_vertices, prefix_of_mesh
from .sample_scores import Record, report_scores, score_records

_MM_TO_M = 1e-3
_POINTS = ('xyz', 'verts')


@METRICS.register_module()
class FreiHANDScore(BaseMetric):
    """All scores of FreiHAND's own evaluation by their official names, and ``N``.

    Predicted joints are regressed from the predicted vertices, finger tips by FreiHAND's vertices.
    Predictions are rounded as in ``pred.json``, so that
    ``tools/evaluate_freihand.py`` gives the same numbers for the written file.

    Args:
        body_model: Options of `build_body_model` (or the model): the network's hand model, of MANO
            with ``finger_tips='freihand'``.
        gt_dir: Folder of ``evaluation_xyz.json`` and ``evaluation_verts.json``, the official truth,
            which a data sample finds by its ``id_hand`` (else ``sample_id``), the number of the
            evaluation image. Without it the truth is the annotated joints and the fitted mesh of
            the data set.
        submission_dir: Writes ``pred.json`` and ``pred.zip`` there; every sample must be evaluated.
        outfile_prefix: Writes the scores of each sample to ``{outfile_prefix}.{prefix}.json``.
        collect_device, collect_dir: As in the host.
        prefix: Of the result keys; ``'freihand'``, or ``'param_freihand'`` for ``'parameters'``, if
            None.
        protocol: Of the samples; None takes those of any data set of hands.
        prediction: ``'mesh'``, or ``'parameters'`` for the mesh of regressed body-model parameters.

    Raises:
        FileNotFoundError: No annotations in `gt_dir`.
        ValueError: The model is no hand or has other finger tips, the files in `gt_dir` are broken,
            or the protocol is of another data set; and on evaluation, if a field is missing,
            another protocol selected the samples, none has a truth (unless a submission is
            written), `gt_dir` does not know a sample's number, or a submission would not be whole.
    """

    default_prefix = 'freihand'

    def __init__(
        self,
        body_model: Mapping[str, Any] | BodyModel,
        gt_dir: str | None = None,
        submission_dir: str | None = None,
        outfile_prefix: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
        protocol: str | None = 'freihand/paper',
        prediction: str = 'mesh',
    ) -> None:
        prefix = prefix_of_mesh(prediction, prefix, self.default_prefix)
        super().__init__(collect_device, prefix, collect_dir)
        self.prediction = prediction
        named = evaluated_protocol(protocol, dataset='freihand')
        self.fitted = shared_fitted_meshes(body_model)
        check_finger_tips(self.fitted.body_model)
        self.gt_dir, self.submission_dir = gt_dir, submission_dir
        self.outfile_prefix = outfile_prefix
        self._official: list[np.ndarray] | None = None
        if gt_dir is not None:
            check_truth_files(gt_dir)
            self._official = [read_truth(gt_dir, what) for what in _POINTS]
            check_truth_lengths(gt_dir, *self._official)
        truth = 'annotated joints and the fitted mesh' if gt_dir is None else 'the official files'
        what = '' if prediction == 'mesh' else 'the mesh of the regressed parameters by '
        choices = f"{what}FreiHAND's own definitions against {truth}"
        self.evaluated = Evaluated(named, choices)

    def process(self, data_batch: Any, data_samples: Sequence[SampleDict]) -> None:  # noqa: ARG002
        """Add each sample's scores to the results, and its prediction for a submission."""
        self.evaluated.check(data_samples)
        xyz, verts = self._predictions(data_samples)
        valid = self._valid(data_samples)
        scores: dict[str, Tensor] = {}
        if any(valid):
            kept = list(compress(data_samples, valid))
            truth = [points.cpu() for points in self._truth(kept)]
            scores = freihand_scores(xyz[valid], verts[valid], *truth)
        records = score_records(data_samples, valid, scores)
        if self.submission_dir is not None:
            for i, (record, sample) in enumerate(zip(records, data_samples, strict=True)):
                record.update(number=_number(sample), xyz=xyz[i].numpy(), verts=verts[i].numpy())
        self.results.extend(records)

    def _predictions(self, data_samples: Sequence[SampleDict]) -> tuple[Tensor, Tensor]:
        """(B, 21, 3) and (B, V, 3) in m, on the CPU, as `pred.json` holds them."""
        model = self.fitted.body_model
        vertices = predicted_vertices(
            data_samples, model.num_vertices, torch.device('cpu'), self.prediction
        )
        joints = model.regressor(HAND_21.name).cpu() @ vertices
        return tuple((points * _MM_TO_M).round(decimals=DECIMALS) for points in (joints, vertices))

    def _valid(self, data_samples: Sequence[SampleDict]) -> list[bool]:
        """Which samples have a truth."""
        if self._official is not None:
            return [True] * len(data_samples)
        joints_valid = annotated_joints(data_samples, HAND_21.joint_names)[1]
        return [
            joints and fit
            for joints, fit in zip(joints_valid, self.fitted.valid(data_samples), strict=True)
        ]

    def _truth(self, data_samples: Sequence[SampleDict]) -> tuple[Tensor, Tensor]:
        """(K, 21, 3) and (K, V, 3) in m."""
        if self._official is None:
            joints = annotated_joints(data_samples, HAND_21.joint_names)[0]
            return joints.double() * _MM_TO_M, self.fitted.vertices(data_samples) * _MM_TO_M
        numbers = [_number(sample) for sample in data_samples]
        known = len(self._official[0])
        wrong = [number for number in numbers if not 0 <= number < known]
        if wrong:
            raise ValueError(
                f'{self.gt_dir} holds samples 0 to {known - 1}, but got data samples {wrong[:5]}: '
                'evaluate the evaluation set, whose id_hand is the number of the image'
            )
        xyz, verts = (torch.from_numpy(points[numbers]) for points in self._official)
        return xyz, verts

    def compute_metrics(self, results: list[Record]) -> dict[str, float]:
        """Official scores and ``N``; of a submission without any truth, ``N`` = 0 alone."""
        if self.submission_dir is not None:
            self._submit(results)
            for record in results:
                del record['number'], record['xyz'], record['verts']
            if not any(SCORES[0] in record for record in results):
                return {'N': 0}
        return report_scores(self, results, SCORES, 'annotated joints and a valid fit')

    def _submit(self, results: list[Record]) -> None:
        """Write the submission, in the order of the numbers of the images."""
        in_order = sorted(results, key=lambda record: record['number'])
        numbers = [record['number'] for record in in_order]
        if numbers != list(range(len(numbers))):
            raise ValueError(
                f'submission_dir: got {len(numbers)} data samples of numbers {numbers[0]} to '
                f'{numbers[-1]}; expected each number from 0 to {NUM_SAMPLES - 1} once: evaluate '
                'the whole evaluation set, whose id_hand is the number of the image'
            )
        points = [np.stack([record[what] for record in in_order]) for what in _POINTS]
        paths = write_submission(self.submission_dir, *points)
        logger = MMLogger.get_current_instance()
        logger.info(f'{self.prefix}: wrote {len(numbers)} hands to {" and ".join(map(str, paths))}')
        num_vertices = points[1].shape[1]
        if (len(numbers), num_vertices) != (NUM_SAMPLES, NUM_VERTICES):
            logger.warning(
                f'{os.fspath(paths[0])} holds {len(numbers)} hands of {num_vertices} vertices; '
                f'FreiHAND scores {NUM_SAMPLES} of {NUM_VERTICES} alone'
            )


def _number(sample: SampleDict) -> int:
    """Number of an evaluation image in the official files."""
    return int(sample.get('id_hand', sample.get('sample_id')))
