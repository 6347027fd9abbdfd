"""Samples of a config's data set as its pipeline makes them, chosen and augmented reproducibly.

Any data set that packs its samples by `PackMeshInputs` will do, also one that the host's wrappers
or others combine: the data sets inside are found by their attributes ``datasets`` or ``dataset``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpose.registry import DATASETS
from mmpose.structures import PoseDataSample

from i2l_plugin.body_models import BodyModelsByGender, build_body_models_by_gender
from i2l_plugin.datasets.seeding import seed_worker_by_epoch

SPLITS = ('train', 'val', 'test')
_RECORD_KEYS = ('fit_error_mm', 'fit_error_lixel')


class ChosenSample(NamedTuple):
    """One sample.

    Attributes:
        index: In the data set.
        source: Which data set it comes from, where several are mixed.
        extra: What the record says beyond the packed sample (fit errors).
        inputs: (3, H, W) uint8.
        data_sample: As packed.
    """

    index: int
    source: str
    extra: dict[str, float]
    inputs: torch.Tensor
    data_sample: PoseDataSample


class DatasetSamples:
    """A random choice of samples of one split.

    The same seed gives the same samples with the same augmentation, however many are asked for.

    Args:
        config: With ``<split>_dataloader.dataset``.
        split: ``'train'``, ``'val'`` or ``'test'``.
        num: How many; all if there are fewer.
        seed: Of the choice and the augmentation.

    Raises:
        FileNotFoundError, ValueError: The config has no such split, `num` is less than 1, or the
            data set cannot be opened.
    """

    def __init__(self, config: Config, split: str, num: int, seed: int = 0) -> None:
        if num < 1:
            raise ValueError(f'num: got {num}, expected at least 1')
        with DefaultScope.overwrite_default_scope(config.get('default_scope', 'mmpose')):
            self.dataset = DATASETS.build(_dataset_config(config, split))
        self.seed = seed
        self._seen: dict[str, Any] = {}
        _listen(self.dataset, self._seen, set())
        order = np.random.default_rng(seed).permutation(len(self.dataset))
        self.indices = sorted(order[:num].tolist())

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self) -> Iterator[ChosenSample]:
        for index in self.indices:
            entropy = np.random.SeedSequence([self.seed, index])
            torch.manual_seed(int(entropy.generate_state(1, np.uint64)[0]) % 2**63)
            seed_worker_by_epoch(0)  # random and numpy take torch's seed
            self._seen.clear()
            packed = self.dataset[index]
            if not (isinstance(packed, dict) and {'inputs', 'data_samples'} <= packed.keys()):
                raise ValueError(
                    "the data set's pipeline gives no 'inputs' and 'data_samples'; end it with "
                    'PackMeshInputs'
                )
            sample = packed['data_samples']
            if 'crop_from_image' not in sample.metainfo:
                raise ValueError(
                    "the samples have no 'crop_from_image': pack them by PackMeshInputs, not by "
                    "the host's PackPoseInputs"
                )
            extra = {key: float(self._seen[key]) for key in _RECORD_KEYS if key in self._seen}
            yield ChosenSample(
                index, self._seen.get('source', 'data set'), extra, packed['inputs'], sample
            )


def _dataset_config(config: Config, split: str) -> dict[str, Any]:
    if split not in SPLITS:
        raise ValueError(f'split: got {split!r}, expected one of {SPLITS}')
    loader = config.get(f'{split}_dataloader')
    if not isinstance(loader, dict) or 'dataset' not in loader:
        raise ValueError(
            f'the config has no {split}_dataloader.dataset; choose another --split or config'
        )
    return loader['dataset']


class _Listener:
    """A transform that notes which data set a sample comes from and what its record says."""

    def __init__(self, source: str, seen: dict[str, Any]) -> None:
        self.source = source
        self.seen = seen

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        self.seen.update({key: results[key] for key in _RECORD_KEYS if key in results})
        self.seen['source'] = self.source
        return results


def _listen(dataset: Any, seen: dict[str, Any], known: set[int]) -> None:
    """Put a listener before the pipelines of the innermost data sets, once each."""
    children = getattr(dataset, 'datasets', None)
    if children is None and getattr(dataset, 'dataset', None) is not None:
        children = [dataset.dataset]
    for child in children or ():
        _listen(child, seen, known)
    pipeline = getattr(dataset, 'pipeline', None)
    if not children and pipeline is not None and id(dataset) not in known:
        known.add(id(dataset))
        pipeline.transforms.insert(0, _Listener(_name(dataset), seen))


def _name(dataset: Any) -> str:
    """Class and annotation file, e.g. ``COCOMeshDataset coco/train.npz``."""
    path = str(getattr(dataset, 'ann_file', ''))
    return ' '.join([type(dataset).__name__, *filter(None, [os.sep.join(path.split(os.sep)[-2:])])])


def truth_models(config: Config, split: str) -> BodyModelsByGender:
    """The body models that pose a split's truth.

    In training they are the network's, in the other splits the metrics'; by gender where
    ``truth_body_models`` says so. Unlike the metrics', they also pose people without a gender.

    Args:
        config: With ``model.body_model`` and, for val and test, ``<split>_evaluator``.
        split: ``'train'``, ``'val'`` or ``'test'``.

    Raises:
        FileNotFoundError, ValueError: No body model in the config, or none in its file.
    """
    metrics = [] if split == 'train' else config.get(f'{split}_evaluator') or []
    metrics = [metrics] if isinstance(metrics, dict) else metrics
    metrics = sorted(metrics, key=lambda metric: not metric.get('truth_body_models'))
    own = [metric.get('body_model') for metric in metrics if metric.get('body_model')]
    options = next(iter(own), config.model.get('body_model'))
    if not isinstance(options, dict):
        raise ValueError("the config has no model.body_model; add e.g. dict(kind='body')")
    by_gender = (metrics[0] if metrics else config.model).get('truth_body_models')
    return build_body_models_by_gender(options, by_gender)
