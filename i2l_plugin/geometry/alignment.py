"""Batched root and similarity alignment of point sets, behind MPJPE and PA-MPJPE.

Sources: Umeyama, "Least-Squares Estimation of Transformation Parameters Between Two Point
Patterns", TPAMI 1991 (objective, scale, translation); Horn, "Closed-Form Solution of Absolute
Orientation Using Unit Quaternions", JOSA A 1987 (the rotation as an eigenvector). A quaternion is
always a proper rotation, also for flat, straight and coincident sets, where an SVD needs its signs
repaired. Points are in mm here, but any unit works. Everything is computed in float64.

Shape legend: B batch, N points.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

_CHUNK_NUMBERS = 1 << 18  # in either set of a chunk: few enough to stay in the cache
_ROUNDING = 1e-14  # a source this small relative to its distance from 0 is one point, and noise


class Similarity(NamedTuple):
    """``target ~ scale * rotation @ source + translation`` for column vectors."""

    scale: Tensor  # (B,) >= 0
    rotation: Tensor  # (B, 3, 3)
    translation: Tensor  # (B, 3)


def root_align(points: Tensor, root: Tensor) -> Tensor:
    """Points relative to a root point, in float64.

    Args:
        points: (..., N, 3).
        root: (..., 3), one root for each set, e.g. the pelvis or wrist.
    """
    return points.double() - root.double()[..., None, :]


@torch.no_grad()
def similarity_transform(
    source: Tensor, target: Tensor, allow_reflection: bool = False
) -> Similarity:
    """Scale, rotation and translation that best map `source` onto `target` (least squares).

    Ambiguous sets get one of their best solutions and never NaN: a source of one place gets scale 1
    and moves to the target's mean, a target of one place gets scale 0. NaN and infinity
    spoil the result of their own set alone.

    Args:
        source: (B, N, 3), N >= 1.
        target: (B, N, 3), point i corresponds to point i of `source`.
        allow_reflection: Also search improper rotations (determinant -1) and take the better one.

    Raises:
        ValueError: If the shapes differ or are not (B, N, 3) with N >= 1.
    """
    _check_pair(source, target)
    moving, fixed = (
        points.mT.contiguous().to(torch.float64, copy=True) for points in (source, target)
    )
    scale, rotation, source_mean, target_mean = _centre_and_fit(moving, fixed, allow_reflection)
    moved_mean = torch.einsum('b,bij,bj->bi', scale, rotation, source_mean)
    return Similarity(scale, rotation, target_mean - moved_mean)


@torch.no_grad()
def similarity_align(source: Tensor, target: Tensor, allow_reflection: bool = False) -> Tensor:
    """`source` after its `similarity_transform` onto `target`, (B, N, 3) float64.

    Arguments, errors and degenerate sets as in `similarity_transform`. The work is cut into chunks
    that stay in the processor's cache. Carries no gradients.
    """
    _check_pair(source, target)
    aligned = torch.empty(source.shape, dtype=torch.float64, device=source.device)
    for rows, moved, _, target_mean in _aligned_chunks(source, target, allow_reflection):
        aligned[rows] = moved.add_(target_mean[..., None]).mT
    return aligned


@torch.no_grad()
def similarity_error(source: Tensor, target: Tensor, allow_reflection: bool = False) -> Tensor:
    """Mean distance of `source` to `target` after `similarity_align`, (B,) float64.

    Saves the aligned points, whose memory costs more than the alignment for whole meshes.
    """
    _check_pair(source, target)
    error = torch.empty(source.shape[0], dtype=torch.float64, device=source.device)
    for rows, moved, fixed, _ in _aligned_chunks(source, target, allow_reflection):
        x, y, z = moved.sub_(fixed).square_().unbind(1)  # (b, N) each
        error[rows] = x.add_(y).add_(z).sqrt_().mean(-1)
    return error


def freihand_align(prediction: Tensor, target: Tensor) -> Tensor:
    """`prediction` aligned to `target` as FreiHAND's scorer does, (B, N, 3) float64.

    The scorer centres both sets, divides each by its Frobenius norm, applies the orthogonal
    Procrustes solution, then the summed singular values as scale and the target's norm. Orthogonal
    Procrustes searches O(3), so the scorer MAY REFLECT: a prediction that fits better as a left
    hand is mirrored, and scores lower errors than `similarity_align` gives. The result equals
    Umeyama's with reflections allowed (the scorer's 1e-8 m in the norms aside).

    Args:
        prediction: (B, N, 3).
        target: (B, N, 3).
    """
    return similarity_align(prediction, target, allow_reflection=True)


def _check_pair(source: Tensor, target: Tensor) -> None:
    if source.shape != target.shape:
        raise ValueError(
            f'source and target must have one shape (B, N, 3); got {tuple(source.shape)} and '
            f'{tuple(target.shape)}'
        )
    if source.ndim != 3 or source.shape[-1] != 3 or source.shape[1] == 0:
        raise ValueError(
            f'source and target must be (B, N, 3) with N >= 1 points; got {tuple(source.shape)}'
        )


def _aligned_chunks(
    source: Tensor, target: Tensor, allow_reflection: bool
) -> Iterator[tuple[slice, Tensor, Tensor, Tensor]]:
    """Rows of a chunk, aligned source and target without the target's mean (b, 3, N), that mean.

    Planar sets (b, 3, N) are fast to sum along and to turn. The buffers are reused for all chunks:
    fresh memory would cost more than the arithmetic.
    """
    batch, num_points, _ = source.shape
    size = min(batch, max(_CHUNK_NUMBERS // (3 * num_points), 1))
    buffers = torch.empty(3, size, 3, num_points, dtype=torch.float64, device=source.device)
    for start in range(0, batch, size or 1):
        rows = slice(start, min(start + size, batch))
        moving, fixed, moved = buffers[:, : rows.stop - start]
        moving.copy_(source[rows].mT)
        fixed.copy_(target[rows].mT)
        scale, rotation, _, target_mean = _centre_and_fit(moving, fixed, allow_reflection)
        torch.bmm(scale[:, None, None] * rotation, moving, out=moved)
        yield rows, moved, fixed, target_mean


def _centre_and_fit(
    source: Tensor, target: Tensor, allow_reflection: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Centres the planar sets (b, 3, N) in place; scale, rotation, mean of source and of target."""
    source_mean, target_mean = source.mean(-1), target.mean(-1)  # (b, 3)
    source.sub_(source_mean[..., None])
    target.sub_(target_mean[..., None])
    rotation, gain = _best_rotation(torch.bmm(source, target.mT), allow_reflection)
    radius = torch.linalg.vector_norm(source.flatten(1), dim=1)  # (b,)
    distance = torch.linalg.vector_norm(source_mean, dim=1) * source.shape[-1] ** 0.5
    one_place = radius <= _ROUNDING * distance
    scale = torch.where(one_place, 1.0, gain / radius.square())
    return scale, rotation, source_mean, target_mean


def _best_rotation(covariance: Tensor, allow_reflection: bool) -> tuple[Tensor, Tensor]:
    """Rotation (b, 3, 3) that maximises trace(rotation @ covariance), and that trace (b,) >= 0.

    The trace is a quadratic form of the quaternion, so its maximum is the largest eigenvalue of the
    form's symmetric, traceless 4x4 matrix. Improper rotations are the negatives of proper ones,
    hence belong to the smallest eigenvalue.
    """
    forms = _ROTATION_FORMS.to(covariance.device)
    matrix = (covariance.flatten(1) @ forms).view(-1, 4, 4)
    # LAPACK raises for the whole batch if one set holds NaN; such a set has NaN means anyway
    values, vectors = torch.linalg.eigh(matrix.nan_to_num_(0.0, 0.0, 0.0))
    gain, quaternion = values[:, 3], vectors[..., 3]
    if allow_reflection:
        improper = -values[:, 0] > gain
        gain = torch.where(improper, -values[:, 0], gain)
        quaternion = torch.where(improper[:, None], vectors[..., 0], quaternion)
    products = torch.einsum('bi,bj->bij', quaternion, quaternion).flatten(1)  # (b, 16)
    rotation = (products @ forms.T).view(-1, 3, 3).mT
    if allow_reflection:
        rotation = torch.where(improper[:, None, None], -rotation, rotation)
    return rotation, gain.clamp(min=0.0)


def _rotation_forms() -> Tensor:
    """(9, 16): row 3 i + j is the 4x4 form F with rotation[j, i] = q^T F q, q = (w, x, y, z)."""
    forms = torch.zeros(3, 3, 4, 4, dtype=torch.float64)
    for i in range(3):
        forms[i, i] = torch.diag(torch.tensor([1.0, -1.0, -1.0, -1.0], dtype=torch.float64))
        forms[i, i, 1 + i, 1 + i] = 1.0
        j, k = (i + 1) % 3, (i + 2) % 3
        for first, second, sign in ((i, j, 1.0), (j, i, -1.0)):
            form = forms[first, second]
            form[1 + i, 1 + j] = form[1 + j, 1 + i] = 1.0
            form[0, 1 + k] = form[1 + k, 0] = sign
    return forms.view(9, 16)


_ROTATION_FORMS = _rotation_forms()
