"""One sample in words and numbers, for contact sheets and pages alike."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .crop_truth import CropTruth
from .joint_distances import JointDistances, centred_distances, joint_distances
from .sample_checks import Finding, find_suspicions


@dataclass(frozen=True)
class SampleReport:
    """What is said about one sample; holds no picture.

    Attributes:
        index: In the data set that was browsed.
        source: Name of the data set that the sample comes from (one of several when mixed).
        sample_id: Of the record.
        facts: (name, text) rows.
        distances: Between the mesh's and the annotated joints, crop px; empty without a fit.
        findings: Suspicious ones first.
        fit_valid, mirrored, has_depth: Flags.
    """

    index: int
    source: str
    sample_id: int
    facts: tuple[tuple[str, str], ...]
    distances: JointDistances
    findings: tuple[Finding, ...]
    fit_valid: bool
    mirrored: bool
    has_depth: bool

    @property
    def num_suspicious(self) -> int:
        """Number of suspicious findings."""
        return sum(finding.suspicious for finding in self.findings)


def report_on(
    truth: CropTruth, index: int, source: str, extra: Mapping[str, Any] | None = None
) -> SampleReport:
    """Report on one sample.

    Args:
        truth: The sample.
        index: In the data set that was browsed.
        source: Name of its data set.
        extra: What the record knows beyond the packed sample: ``fit_error_mm``,
            ``fit_error_lixel``; NaN where unknown.
    """
    distances = JointDistances((), np.zeros(0))
    if truth.mesh is not None:
        distances = joint_distances(truth.annotated_px, truth.mesh.joints_px)
    return SampleReport(
        index=index,
        source=source,
        sample_id=int(truth.meta['sample_id']),
        facts=tuple(_facts(truth, source, extra or {})),
        distances=distances,
        findings=tuple(find_suspicions(truth)),
        fit_valid=truth.mesh is not None,
        mirrored=truth.mirrored,
        has_depth=truth.has_depth,
    )


def _facts(truth: CropTruth, source: str, extra: Mapping[str, Any]) -> list[tuple[str, str]]:
    meta = truth.meta
    names = ('image_id', 'gender', *sorted(key for key in meta if key.startswith('id_')))
    ids = [(name, str(meta[name])) for name in names if name in meta]
    return [
        ('data set', source),
        *ids,
        ('image', os.path.join(*str(meta['img_path']).split(os.sep)[-3:])),
        ('fit', _fit(truth, extra)),
        ('mesh to joints', _distances(truth)),
        ('joints', _joints(truth)),
        ('depth', _depth(truth)),
        ('crop', _crop(truth)),
    ]


def _fit(truth: CropTruth, extra: Mapping[str, Any]) -> str:
    errors = [
        f'error {extra[name]:.1f} {unit}'
        for name, unit in (('fit_error_mm', 'mm'), ('fit_error_lixel', 'px of 64'))
        if np.isfinite(extra.get(name, np.nan))
    ]
    return ', '.join(['valid' if truth.mesh is not None else 'NOT VALID', *errors])


def _distances(truth: CropTruth) -> str:
    if truth.mesh is None:
        return '-'
    px = joint_distances(truth.annotated_px, truth.mesh.joints_px)
    if px.farthest is None:
        return '-'
    text = f'{px.median:.1f} px, {px.farthest[0]} {px.farthest[1]:.1f} px'
    mm = centred_distances(truth.annotated_mm, truth.mesh.joints_mm).median
    return text + ('' if mm is None else f'; {mm:.0f} mm')


def _joints(truth: CropTruth) -> str:
    return (
        f'{len(truth.annotated_px.names)} of {len(truth.joint_set)} annotated, '
        f'{len(truth.annotated_mm.names)} in 3D'
    )


def _depth(truth: CropTruth) -> str:
    depth = float(truth.meta['root_depth_mm'])
    root = f'root at {depth:.0f} mm' if np.isfinite(depth) else 'root unknown'
    return f'{"has" if truth.has_depth else "NO"} depth, {root}'


def _crop(truth: CropTruth) -> str:
    matrix = np.asarray(truth.meta['crop_from_image'], np.float64)
    turn = np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))
    scale = np.hypot(matrix[0, 0], matrix[1, 0])
    mirrored = 'mirrored, ' if truth.mirrored else ''
    return f'{mirrored}turned {round(turn)} degrees, x{scale:.2f}'


def median_by_joint(reports: Sequence[SampleReport]) -> list[tuple[str, float, float, int]]:
    """(joint, median px, 90th percentile px, samples) over the reports, largest median first."""
    values: dict[str, list[float]] = {}
    for report in reports:
        for name, value in zip(report.distances.names, report.distances.values, strict=True):
            values.setdefault(name, []).append(float(value))
    rows = [
        (name, float(np.median(px)), float(np.percentile(px, 90)), len(px))
        for name, px in values.items()
    ]
    return sorted(rows, key=lambda row: -row[1])


def median_of(reports: Sequence[SampleReport]) -> float | None:
    """Median over samples of their median px; None without a sample that has one."""
    medians = [r.distances.median for r in reports if r.distances.median is not None]
    return float(np.median(medians)) if medians else None
