"""What looks suspicious about one sample's ground truth, in words.

The thresholds are coarse: they are to catch wrong cameras, flips, units and joint names, not to
judge fits (`fit_error_mm` does). Nothing here changes what is trained on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .crop_truth import CropTruth, NamedPoints, TrueMesh
from .joint_distances import (
    centred_distances,
    exchange_sides,
    explain_mm,
    explain_px,
    joint_distances,
    only_sides,
)

FAR_SHARE = 0.04  # of the crop's width: about 10 of 256 px, or 10 cm of a body, 1 cm of a hand
FAR_JOINT = 3.0  # times as far for a single joint
FAR_SIZE_SHARE = 0.06  # of the mesh's extent, for distances in mm
DEPTH_SHARE = 0.1  # of the annotated depth
OUTSIDE_SHARE = 0.5  # of the points
LARGE_BETA = 3.0
FLAT_CROP_LEVELS = 3.0  # standard deviation of the grey levels


class Finding(NamedTuple):
    """One line about a sample; `suspicious` or merely worth knowing."""

    suspicious: bool
    text: str


def find_suspicions(truth: CropTruth) -> list[Finding]:
    """All findings about a sample, the suspicious ones first."""
    findings = [*_about_crop(truth), *_about_annotation(truth)]
    if truth.mesh is None:
        findings.append(Finding(False, 'no valid fit: no mesh'))
    else:
        findings += [
            *_about_joints_px(truth, truth.mesh),
            *_about_joints_mm(truth, truth.mesh),
            *_about_depth(truth, truth.mesh),
            *_about_mesh(truth, truth.mesh),
        ]
    return sorted(findings, key=lambda finding: not finding.suspicious)


def _far_px(truth: CropTruth) -> float:
    return FAR_SHARE * truth.crop.shape[1]


def _outside(truth: CropTruth, points_px: np.ndarray) -> np.ndarray:
    size = np.array(truth.crop.shape[1::-1])
    return ((points_px < 0) | (points_px >= size)).any(axis=-1)


def _about_crop(truth: CropTruth) -> Iterator[Finding]:
    if truth.crop.mean(axis=-1).std() < FLAT_CROP_LEVELS:
        yield Finding(True, 'the crop is nearly one colour: check the image and the box')


def _about_annotation(truth: CropTruth) -> Iterator[Finding]:
    points = truth.annotated_px
    if not points.names:
        empty = 'neither a fit nor annotated joints: nothing to train on'
        yield Finding(truth.mesh is None, 'no annotated joints' if truth.mesh else empty)
        return
    outside = _outside(truth, points.points)
    if outside.any():
        names = [name for name, out in zip(points.names, outside, strict=True) if out]
        yield Finding(
            bool(outside.mean() > OUTSIDE_SHARE),
            f'{len(names)} of {len(points.names)} annotated joints lie outside the crop: '
            f'{_list(names)}',
        )
    if (truth.annotated_mm.points[:, 2] <= 0).any():
        yield Finding(True, 'annotated 3D joints lie behind the camera')
        return
    names, points_mm = truth.annotated_mm.names, truth.annotated_mm.points
    projected = NamedPoints(names, truth.camera.project(points_mm))
    off = joint_distances(points, projected).median
    if off is not None and off > _far_px(truth):
        what = (
            f'the camera puts the annotated 3D joints {off:.1f} px (median) from the annotated px'
        )
        yield Finding(True, _join(what, explain_px(projected, points)))


def _about_joints_px(truth: CropTruth, mesh: TrueMesh) -> Iterator[Finding]:
    distances = joint_distances(truth.annotated_px, mesh.joints_px)
    if not distances.names:
        return
    far, (name, farthest) = _far_px(truth), distances.farthest
    sides = only_sides(truth.annotated_px)
    as_named = joint_distances(sides, mesh.joints_px).median
    exchanged = joint_distances(sides, exchange_sides(mesh.joints_px)).median
    if distances.median > far:
        what = f'mesh joints lie {distances.median:.1f} px (median) from the annotated ones'
        yield Finding(True, _join(what, explain_px(mesh.joints_px, truth.annotated_px)))
    elif None not in (as_named, exchanged) and as_named > max(far / 2, 2 * exchanged):
        yield Finding(
            True,
            f'left and right look exchanged: {as_named:.1f} px (median) as named, '
            f'{exchanged:.1f} px the other way',
        )
    elif farthest > FAR_JOINT * far:
        yield Finding(False, f'{name} lies {farthest:.1f} px from its annotation')


def _about_joints_mm(truth: CropTruth, mesh: TrueMesh) -> Iterator[Finding]:
    median = centred_distances(truth.annotated_mm, mesh.joints_mm).median
    extent = float(np.linalg.norm(np.ptp(mesh.vertices_mm, axis=0)))
    if median is not None and median > FAR_SIZE_SHARE * extent:
        what = f'mesh joints lie {median:.0f} mm (median, means aligned) from the annotated 3D ones'
        yield Finding(True, _join(what, explain_mm(mesh.joints_mm, truth.annotated_mm)))


def _about_depth(truth: CropTruth, mesh: TrueMesh) -> Iterator[Finding]:
    annotated, own = float(truth.meta['root_depth_mm']), float(mesh.root_mm[2])
    if abs(own - annotated) > DEPTH_SHARE * abs(annotated):  # false if it is NaN
        unit = None if 0.01 < own / annotated < 100 else 'check metres and millimetres'
        what = f'the mesh is at {own:.0f} mm depth, its annotated root at {annotated:.0f} mm'
        yield Finding(True, _join(what, unit))
    if (mesh.vertices_mm[:, 2] <= 0).any():
        yield Finding(True, 'part of the mesh lies behind the camera')


def _about_mesh(truth: CropTruth, mesh: TrueMesh) -> Iterator[Finding]:
    outside = float(_outside(truth, truth.camera.project(mesh.vertices_mm)).mean())
    if outside > 0.1:
        yield Finding(
            outside > OUTSIDE_SHARE, f'{100 * outside:.0f} % of the mesh lies outside the crop'
        )
    beta = float(np.abs(truth.betas).max())
    if beta > LARGE_BETA:
        yield Finding(False, f'unusual shape: a coefficient of {beta:.1f} standard deviations')


def _join(what: str, why: str | None) -> str:
    return what if why is None else f'{what}; {why}'


def _list(names: list[str], limit: int = 4) -> str:
    more = f' and {len(names) - limit} more' if len(names) > limit else ''
    return ', '.join(names[:limit]) + more
