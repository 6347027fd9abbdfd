"""Similarity alignment in batches against one sample at a time in numpy, and the F-score.

"align" returns the aligned points, "PA error" their mean distance, which is what the metrics need.
The plain alignment is the usual one (Umeyama by numpy's SVD); the plain F-score takes the least of
all distances (torch.cdist).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import numpy as np
import torch

from i2l_plugin.geometry.alignment import similarity_align, similarity_error
from i2l_plugin.geometry.point_sets import f_score

from ._ratios import Ratio, count, print_ratios, seconds_of_both

THRESHOLDS_MM = (5, 15)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    for name, default, meaning in (
        ('poses', 10_000, 'samples of 14 joints'),
        ('bodies', 200, 'samples of 6890 vertices'),
        ('hands', 1_000, 'samples of 778 vertices'),
        ('repeats', 3, 'runs of which the fastest counts'),
    ):
        text = f'{meaning} (default: %(default)s)'
        parser.add_argument(f'--{name}', type=count, default=default, help=text)


def run(args: argparse.Namespace) -> int:
    """Print the table; 1 if a ratio is lower than promised."""
    return print_ratios(measure(args))


def measure(args: argparse.Namespace) -> Iterator[Ratio]:
    """All rows of the table."""
    for batch, num_points, promised in (
        (args.poses, 14, 8),
        (args.bodies, 6890, 3),
        (args.hands, 778, None),
    ):
        sets = point_sets(batch, num_points)
        size = f'{batch} x {num_points}'
        yield _compare(f'align {size}', align_one, similarity_align, sets, args.repeats, promised)
        yield _compare(
            f'PA error {size}', error_of_one, similarity_error, sets, args.repeats, promised
        )
    sets = point_sets(max(args.hands // 10, 1), 778)
    case = f'F-score {len(sets[0])} x 778'
    yield _compare(case, f_score_of_one, f_score_of_batch, sets, args.repeats, unit='')


def point_sets(batch: int, num_points: int) -> tuple[np.ndarray, np.ndarray]:
    """Two (B, N, 3) sets in mm that roughly agree, some metres from the camera."""
    rng = np.random.default_rng(0)
    target = rng.normal([0, 0, 4000], [150, 400, 120], (batch, num_points, 3))
    return target + rng.normal(0, 30, target.shape), target


def align_one(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """`source` (N, 3) after the similarity that best maps it onto `target`, without reflection."""
    source_mean, target_mean = source.mean(0), target.mean(0)
    source, target = source - source_mean, target - target_mean
    left, singular, right = np.linalg.svd(target.T @ source)
    if np.linalg.det(left @ right) < 0:
        left[:, 2] *= -1
        singular[2] *= -1
    scale = singular.sum() / (source**2).sum()
    return scale * source @ (left @ right).T + target_mean


def error_of_one(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Mean distance after `align_one`."""
    return np.linalg.norm(align_one(source, target) - target, axis=-1).mean()


def f_score_of_one(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(T,) scores of one pair of sets (N, 3), from all distances."""
    distances = torch.cdist(
        torch.from_numpy(prediction),
        torch.from_numpy(target),
        compute_mode='donot_use_mm_for_euclid_dist',  # exact at the threshold
    )
    limits = torch.tensor(THRESHOLDS_MM)[:, None]
    precision = (distances.amin(0) < limits).double().mean(1)
    recall = (distances.amin(1) < limits).double().mean(1)
    return (2 * precision * recall / (precision + recall).clamp(min=1e-300)).numpy()


def f_score_of_batch(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """(B, T) scores by this plugin."""
    return f_score(prediction, target, THRESHOLDS_MM)


def _compare(
    case: str,
    one: Callable[[np.ndarray, np.ndarray], np.ndarray],
    batch: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    sets: tuple[np.ndarray, np.ndarray],
    repeats: int,
    promised: float | None = None,
    unit: str = ' mm',
) -> Ratio:
    batches = [torch.from_numpy(points) for points in sets]

    def plain() -> list[np.ndarray]:
        return [one(*pair) for pair in zip(*sets, strict=True)]

    def fast() -> torch.Tensor:
        return batch(*batches)

    difference = np.abs(np.stack(plain()) - fast().numpy()).max()
    seconds = seconds_of_both(plain, fast, repeats)
    return Ratio(case, *seconds, f'{difference:.1e}{unit}', promised)
