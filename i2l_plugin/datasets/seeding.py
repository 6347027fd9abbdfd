"""Random numbers that depend on the seed, the epoch and the process, not on what ran before.

MMEngine seeds each worker once, with the same number every epoch: augmentations then repeat from
epoch to epoch, or (persistent workers) a resumed run draws others than an unbroken one. With the
hook and the worker function here every epoch draws anew, and a run that was killed and resumed
draws what it would have drawn.
"""

from __future__ import annotations

import random

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.registry import FUNCTIONS, HOOKS
from mmengine.runner import Runner


def _seed_process(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 (the host's transforms draw from the global state)


@FUNCTIONS.register_module()
def seed_worker_by_epoch(worker_id: int) -> None:  # noqa: ARG001 (PyTorch passes it)
    """`worker_init_fn` that takes the seed which PyTorch draws for this worker and epoch.

    Use it with `EpochSeedHook` and ``persistent_workers=False``: persistent workers are never
    seeded again.
    """
    _seed_process(torch.initial_seed())


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed the main process before every training epoch from (seed, epoch, rank).

    A data set whose samples depend on the epoch (`EqualShareDataset`) is told its number.
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed numpy, random and torch; PyTorch derives each worker's seed from the latter."""
        set_epoch = getattr(runner.train_dataloader.dataset, 'set_epoch', None)
        if set_epoch is not None:
            set_epoch(runner.epoch)
        entropy = [runner.seed, runner.epoch, runner.rank]
        seed = int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0])
        _seed_process(seed)
        torch.manual_seed(seed % 2**63)
