"""Seeds of workers and epochs."""

import random
from types import SimpleNamespace

import numpy as np
import torch

from i2l_plugin.datasets import EpochSeedHook, seed_worker_by_epoch


def draws(seed, epoch, rank=0):
    """Numbers from all three generators after the hook, and what a worker would be seeded with."""
    hook = EpochSeedHook()
    loader = SimpleNamespace(dataset=[])
    runner = SimpleNamespace(seed=seed, epoch=epoch, rank=rank, train_dataloader=loader)
    hook.before_train_epoch(runner)
    return random.random(), np.random.rand(), torch.rand(1).item()  # noqa: NPY002


def test_the_same_epoch_draws_the_same_whatever_ran_before():
    first = draws(3, 5)
    np.random.rand(100)  # noqa: NPY002
    torch.rand(7)
    assert draws(3, 5) == first


def test_epochs_seeds_and_ranks_all_differ():
    rows = [draws(s, e, r) for s in (0, 1) for e in (0, 1) for r in (0, 1)]
    for values in zip(*rows, strict=True):
        assert len(set(values)) == len(rows)


def test_workers_take_the_seed_that_torch_drew_for_them():
    torch.manual_seed(2**40 + 17)
    seed_worker_by_epoch(0)
    first = random.random(), np.random.rand()  # noqa: NPY002
    torch.manual_seed(2**40 + 17)
    seed_worker_by_epoch(1)  # the worker's number is already in PyTorch's seed
    assert (random.random(), np.random.rand()) == first  # noqa: NPY002
    torch.manual_seed(2**40 + 18)
    seed_worker_by_epoch(0)
    assert random.random() != first[0]
