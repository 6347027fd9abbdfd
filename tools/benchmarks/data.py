"""What a data loader's worker does for one sample, stage by stage: samples a second a core.

Times the data set of a config and its pipeline on one core, with OpenCV's own threads off as in a
worker, and names the stage that takes longest. Each stage's time is the least of the repeats, so
files come from the page cache. With --generated it times the config's pipeline on generated
photograph-like JPEG pictures of Human3.6M's size instead, which needs no data; the exit status is
1 if a sample then takes longer than the project promises.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import mmengine.fileio
import numpy as np
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from mmpose.datasets.transforms import LoadImage
from mmpose.registry import DATASETS

from i2l_plugin.apis.runner import config_mistakes, load_config
from i2l_plugin.body_models import HAND_21
from i2l_plugin.datasets import HandMeshDataset, MeshDataset

from ._pictures import write_persons
from ._ratios import count

PROMISED_MS = 10.0
_NAMES = {
    'RandomMirror': 'mirror',
    'GetBBoxCenterScale': 'box',
    'RandomScaleRotate': 'scale and rotation',
    'RandomBBoxTransform': 'scale and rotation',
    'TopdownAffine': 'affine',
    'ColorScale': 'colour',
    'PackMeshInputs': 'pack',
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument('config', help='a config with a train_dataloader')
    parser.add_argument(
        '--loader',
        choices=('train', 'val', 'test'),
        default='train',
        help='whose data set and pipeline (default: %(default)s)',
    )
    parser.add_argument('--generated', action='store_true', help='on generated pictures')
    parser.add_argument('--samples', type=count, default=100, help='(default: %(default)s)')
    parser.add_argument('--repeats', type=count, default=5, help='(default: %(default)s)')


def run(args: argparse.Namespace) -> int:
    """Print the table; 1 if generated pictures take longer than promised.

    Raises:
        FileNotFoundError, ValueError: The config or its data are missing or wrong.
    """
    cv2.setNumThreads(0)
    config = load_config(args.config)
    loader = config.get(f'{args.loader}_dataloader')
    if loader is None:
        raise ValueError(f'{args.config} has no {args.loader}_dataloader')
    with DefaultScope.overwrite_default_scope(config.get('default_scope', 'mmpose')):
        if not args.generated:
            with config_mistakes():
                dataset = DATASETS.build(loader.dataset)
            return print_stages(measure(dataset, args.samples, args.repeats), None)
        with tempfile.TemporaryDirectory() as folder, config_mistakes():
            dataset = generated_dataset(Path(folder), loader.dataset)
            return print_stages(measure(dataset, args.samples, args.repeats), PROMISED_MS)


def measure(dataset: Any, samples: int, repeats: int) -> dict[str, float]:
    """Milliseconds of CPU a sample of each stage, in the order in which they run.

    Args:
        dataset: A `MeshDataset`, or a wrapper around several.
        samples: How many samples, spread at random; with repetition if there are fewer.
        repeats: Each stage's least mean of so many passes counts.
    """
    rng = np.random.default_rng(0)
    indices = rng.choice(len(dataset), samples, replace=samples > len(dataset))
    located = [locate(dataset, int(index)) for index in indices]
    best: dict[str, float] = {}
    for _ in range(repeats):
        total: dict[str, float] = {}
        for member, index in located:
            for stage, seconds in _time_sample(member, index):
                total[stage] = total.get(stage, 0.0) + seconds
        for stage, seconds in total.items():
            best[stage] = min(best.get(stage, np.inf), 1e3 * seconds / samples)
    return best


def locate(dataset: Any, index: int) -> tuple[MeshDataset, int]:
    """The data set below the wrappers that holds a sample, and its index there."""
    while not isinstance(dataset, MeshDataset):
        if hasattr(dataset, 'datasets'):
            which, index = dataset._get_ori_dataset_idx(index)
            dataset = dataset.datasets[which]
        elif hasattr(dataset, 'dataset'):
            index = dataset._get_ori_dataset_idx(index)
            dataset = dataset.dataset
        else:
            raise ValueError(f'{type(dataset).__name__} is no data set of this plugin')
    return dataset, index


def _time_sample(dataset: MeshDataset, index: int) -> list[tuple[str, float]]:
    """(stage, seconds) of one sample."""
    info, seconds = _time(dataset.get_data_info, index)
    stages = [('look up', seconds)]
    for transform in dataset.pipeline.transforms:
        name = type(transform).__name__
        if isinstance(transform, LoadImage):
            _, reading = _time(mmengine.fileio.get, info['img_path'])
            info, seconds = _time(transform, info)
            stages += [('read', reading), ('decode', seconds - reading)]
        else:
            info, seconds = _time(transform, info)
            stages.append((_NAMES.get(name, name), seconds))
    return stages


def _time(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    start = time.process_time()
    result = function(*arguments)
    return result, time.process_time() - start


def print_stages(stages: dict[str, float], promised_ms: float | None) -> int:
    """Print the table; 1 if the sum is more than promised, else 0."""
    total_ms = sum(stages.values())
    print(f'{"stage":24}{"ms a sample":>12}{"share":>8}')
    for stage, ms in stages.items():
        print(f'{stage:24}{ms:12.3f}{ms / total_ms:8.0%}')
    print(f'{"all":24}{total_ms:12.3f}{1e3 / total_ms:8.0f} samples a second a core')
    slowest = max(stages, key=stages.__getitem__)
    print(f'slowest stage: {slowest}, {stages[slowest] / total_ms:.0%} of the time')
    if promised_ms is None:
        return 0
    too_slow = total_ms > promised_ms
    print(f'promised: at most {promised_ms:g} ms' + ('  TOO SLOW' if too_slow else ''))
    return int(too_slow)


def generated_dataset(folder: Path, config: ConfigDict) -> MeshDataset:
    """Persons in generated pictures, under the pipeline of a data set's config."""
    while 'pipeline' not in config:  # of a wrapper: that of its first data set
        config = config.get('dataset') or config.get('datasets')
        while isinstance(config, Sequence) and config:
            config = config[0]
        if not isinstance(config, Mapping):
            raise ValueError('the data set of the config has no pipeline to time')
    joints = getattr(DATASETS.get(config.type), 'METAINFO', {}).get('keypoint_info', ())
    is_hand = len(joints) == len(HAND_21) or config.get('joint_set') == HAND_21.name
    write_persons(folder, 'hand' if is_hand else 'body')
    cls = HandMeshDataset if is_hand else MeshDataset
    return cls(ann_file='record.npz', data_root=str(folder), pipeline=config.pipeline)
