"""Scoring a whole FreiHAND submission with several processes.

Shape legend: N samples, J = 21 joints, V = 778 vertices.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

import numpy as np
import torch

from .freihand_definitions import SCORES, freihand_scores
from .freihand_files import (
    check_size,
    check_truth_files,
    check_truth_lengths,
    read_submission,
    read_truth,
)

Progress = Callable[[int], Any]  # called with the number of samples that were just scored
_CHUNK = 64  # samples that a process scores at a time


def score_submission(
    prediction: str | os.PathLike,
    truth_folder: str | os.PathLike,
    workers: int = 2,
    progress: Progress | None = None,
) -> dict[str, float]:
    """Mean scores by their official names, and the number ``N`` of samples.

    Args:
        prediction: ``pred.json`` or ``pred.zip``.
        truth_folder: With ``evaluation_xyz.json`` and ``evaluation_verts.json``.
        workers: Number of processes; 0 or 1 works in this one.
        progress: Is told of every finished chunk.

    Raises:
        FileNotFoundError, ValueError: As `read_submission` and `read_truth`; or another number of
            samples than the truth has, or another unit.
    """
    check_truth_files(truth_folder)
    if not os.path.isfile(prediction):
        raise FileNotFoundError(f'{prediction}: no such file; expected pred.json or pred.zip')
    with _processes(workers) as pool:
        jobs = [
            pool.submit(read_truth, truth_folder, 'verts'),
            pool.submit(read_submission, prediction),
            pool.submit(read_truth, truth_folder, 'xyz'),
        ]
        true_verts, (xyz, verts), true_xyz = (job.result() for job in jobs)
        _check(prediction, (xyz, verts), truth_folder, (true_xyz, true_verts))
        arrays = xyz, verts, true_xyz, true_verts
        chunks: dict[Future, int] = {}
        for start in range(0, len(xyz), _CHUNK):
            part = [array[start : start + _CHUNK] for array in arrays]
            chunks[pool.submit(_score_chunk, *part)] = start
        scores = np.empty((len(xyz), len(SCORES)))
        for job in as_completed(chunks):
            start, rows = chunks[job], job.result()
            scores[start : start + len(rows)] = rows
            if progress is not None:
                progress(len(rows))
    means = scores.mean(0).tolist()
    return {**dict(zip(SCORES, means, strict=True)), 'N': len(scores)}


def _check(prediction: Any, predicted: tuple, truth_folder: Any, truth: tuple) -> None:
    check_truth_lengths(truth_folder, *truth)
    if len(predicted[0]) != len(truth[0]):
        raise ValueError(
            f'{prediction}: got {len(predicted[0])} samples, expected the {len(truth[0])} of '
            f'{truth_folder}: predict every evaluation image, in order'
        )
    for what, points, target in zip(('xyz', 'verts'), predicted, truth, strict=True):
        check_size(points, target, f'{prediction}: {what}')


def _score_chunk(*arrays: np.ndarray) -> np.ndarray:
    """Scores (n, 12) of n samples."""
    scores = freihand_scores(*(torch.from_numpy(array) for array in arrays))
    return torch.stack([scores[name] for name in SCORES], dim=1).numpy()


class _ThisProcess(Executor):
    """Runs jobs where and when they are submitted."""

    def submit(self, fn: Callable, /, *args: Any, **kwargs: Any) -> Future:
        job: Future = Future()
        job.set_result(fn(*args, **kwargs))
        return job


@contextmanager
def _processes(workers: int) -> Iterator[Executor]:
    if workers <= 1:
        yield _ThisProcess()
        return
    # forked as PyTorch forks its loaders' workers, which is safe with one thread in each
    pool = ProcessPoolExecutor(workers, get_context('fork'), torch.set_num_threads, (1,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
