"""3D and 2D data sets in equal shares: "paired 1:1 per epoch by repeating the shorter".

Protocols, section 5: 3D sets are concatenated, 2D sets are concatenated, then both have as many
samples in an epoch as the longer of the two. The host's `ConcatDataset` is enough without shares;
its `CombinedDataset` wants the ratio in advance and then draws samples with replacement.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from mmengine.dataset import ConcatDataset, force_full_init
from mmpose.registry import DATASETS

from i2l_plugin.protocols import PROTOCOL_KEY

from .metainfo import ANNOTATED_KEY

_OWN_KEYS = ['dataset_name', ANNOTATED_KEY, PROTOCOL_KEY]  # may differ among mixed data sets


@DATASETS.register_module()
class EqualShareDataset(ConcatDataset):
    """Groups of data sets, each group with as many samples in an epoch as the longest one.

    A shorter group is repeated whole as often as it fits; the rest of its share is drawn without
    replacement, anew in every epoch (`set_epoch`, which `EpochSeedHook` calls). What an index means
    depends on (`seed`, epoch) alone, not on the process, so that the host's `DefaultSampler` gives
    every rank its part and a resumed run what an unbroken one gets::

        dataset = dict(type='EqualShareDataset', datasets=[[human36m, muco], coco])

    Args:
        datasets: The groups: each a data set (or its config), or a list of them.
        seed: Of what is drawn for the rest of a share.
        lazy_init: Open the annotation files on first use.

    Raises:
        ValueError: No group, an empty group, or data sets of different model joints.
    """

    def __init__(self, datasets: Sequence[Any], seed: int = 0, lazy_init: bool = False) -> None:
        groups = [list(group) if isinstance(group, Sequence) else [group] for group in datasets]
        if not groups or not all(groups):
            raise ValueError(
                f'datasets: got {[len(group) for group in groups]} data sets in the groups, '
                'expected at least one in each; remove empty groups'
            )
        self.group_sizes = [len(group) for group in groups]
        self.seed, self.epoch = seed, 0
        members = [
            DATASETS.build(member) if isinstance(member, dict) else member
            for group in groups
            for member in group
        ]
        names = {tuple(member.metainfo['keypoint_id2name'].values()): member for member in members}
        if len(names) > 1:
            kinds = {type(member).__name__: len(joints) for joints, member in names.items()}
            raise ValueError(
                f'datasets: got data sets of different model joints, {kinds}; expected one set of '
                'joints: mix bodies with bodies and hands with hands'
            )
        super().__init__(members, lazy_init=lazy_init, ignore_keys=_OWN_KEYS)

    def full_init(self) -> None:
        """Open all data sets; lengths are known from here on."""
        if self._fully_initialized:
            return
        super().full_init()
        ends = [0, *(self.cumulative_sizes[i - 1] for i in accumulate(self.group_sizes))]
        self.starts, self.lengths = ends[:-1], np.diff(ends).tolist()
        self.share = max(self.lengths)
        self._draw_rest()

    def set_epoch(self, epoch: int) -> None:
        """Draw the rest of each share anew."""
        self.epoch = epoch
        if self._fully_initialized:
            self._draw_rest()

    def _draw_rest(self) -> None:
        """Samples of each group for the part of its share that whole repeats do not fill."""
        self.rest = []
        for group, length in enumerate(self.lengths):
            rng = np.random.default_rng([self.seed, self.epoch, group])
            self.rest.append(rng.choice(length, self.share % length, replace=False))

    @force_full_init
    def __len__(self) -> int:
        return self.share * len(self.lengths)

    @force_full_init
    def _get_ori_dataset_idx(self, idx: int) -> tuple[int, int]:
        """The host's: (data set, sample in it) of an index."""
        if not -len(self) <= idx < len(self):
            raise IndexError(f'index {idx} is out of range of {len(self)} samples')
        group, place = divmod(idx % len(self), self.share)
        length = self.lengths[group]
        repeats, sample = divmod(place, length)
        if repeats == self.share // length:  # in the rest
            sample = int(self.rest[group][sample])
        return super()._get_ori_dataset_idx(self.starts[group] + sample)
