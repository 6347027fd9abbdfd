"""Scores: what metrics collect over ranks per sample, average and write to files.

One small record a sample, also for samples without valid ground truth: `collect_results` restores
the data set's order and drops the sampler's padding by counting records, so none may be missing.
"""

from __future__ import annotations

import math
import os
import typing
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from typing import Any

import numpy as np
from mmengine.logging import MMLogger
from torch import Tensor

from i2l_plugin.files import write_json

from .protocol_checks import Evaluated
from .sample_fields import SampleDict

Record = dict[str, Any]  # sample_id, and the scores unless the sample was left out


def score_records(
    data_samples: Sequence[SampleDict], valid: Sequence[bool], scores: Mapping[str, Tensor]
) -> list[Record]:
    """One record a sample.

    Args:
        data_samples: B samples.
        valid: Whether each sample counts.
        scores: Score name to the numbers (K,) of the K valid samples, in order.
    """
    records: list[Record] = [{'sample_id': sample.get('sample_id')} for sample in data_samples]
    for name, values in scores.items():
        for record, value in zip(compress(records, valid), values.tolist(), strict=True):
            record[name] = value
    return records


def mean_scores(records: Sequence[Record], names: Sequence[str], what: str) -> dict[str, float]:
    """Mean of each score over the samples that count, and their number ``N``.

    Args:
        records: Of the whole data set.
        names: Scores.
        what: Ground truth that a sample needs to count, for the error message.

    Raises:
        ValueError: If no sample counts.
    """
    counted = [record for record in records if names[0] in record]
    if not counted:
        raise ValueError(
            f'none of {len(records)} evaluated samples has {what}, so there is no '
            f'{" or ".join(names)}: check the annotation file and which truth the metric is to use'
        )
    means = {name: float(np.mean([record[name] for record in counted])) for name in names}
    return {**means, 'N': len(counted)}


class ReportingMetric(typing.Protocol):
    """What `report_scores` reads of a metric."""

    evaluated: Evaluated
    prefix: str | None
    outfile_prefix: str | None


def report_scores(
    metric: ReportingMetric, records: Sequence[Record], names: Sequence[str], what: str
) -> dict[str, float]:
    """Mean scores and ``N``, logged and written to the metric's file with the protocol.

    The host takes numbers alone as results, so the protocol stands in the log line and the file.
    The file is a JSON object: ``protocol``, each mean score, ``N`` and ``samples``, the records.

    Args:
        metric: Whose scores they are.
        records, names, what: As in `mean_scores`.

    Raises:
        ValueError: As `mean_scores`.
    """
    scores = mean_scores(records, names, what)
    numbers = ', '.join(f'{name} {scores[name]:.4f}' for name in names)
    number, text = int(scores['N']), metric.evaluated.describe()
    MMLogger.get_current_instance().info(f'{metric.prefix}: {numbers}, N {number} ({text})')
    metric.evaluated.warn_of_number(number, metric.prefix)
    if metric.outfile_prefix is not None:
        samples = [_finite_or_none(record) for record in records]
        content = {'protocol': text, **_finite_or_none(scores), 'samples': samples}
        write_json(content, f'{metric.outfile_prefix}.{metric.prefix}.json')
    return scores


def write_metrics(
    metrics: Mapping[str, float], path: str | os.PathLike, metrics_of: Iterable[Any] = ()
) -> None:
    """Write a data set's metrics as a JSON object; see `write_json`.

    Args:
        metrics: Results of all metrics by ``'{prefix}/{name}'``.
        path: File.
        metrics_of: The metrics; under ``'protocol'`` each one's protocol is written by its prefix.
    """
    content: dict[str, Any] = {name: float(value) for name, value in metrics.items()}
    content = _finite_or_none(content)
    ours = [metric for metric in metrics_of if hasattr(metric, 'evaluated')]
    if ours:
        content['protocol'] = {metric.prefix: metric.evaluated.describe() for metric in ours}
    write_json(content, path, indent=2)


def _finite_or_none(record: Mapping[str, Any]) -> dict[str, Any]:
    """NaN and inf, which JSON does not know, become null."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in record.items()
    }
