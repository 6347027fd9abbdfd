"""The command line: ``python tools/make_synthetic.py --kind body --num-train 2000 ...``."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import torch

from .generate import Settings, generate, model_crc
from .scene import MAX_PEOPLE

DEFAULT_SIZE = {'body': (256, 256), 'hand': (256, 256), 'scenes': (256, 192)}


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Checked arguments; one line on standard error and exit status 2 for bad ones."""
    parser = argparse.ArgumentParser(
        prog='make_synthetic.py',
        description='Photographs of synthetic people, right hands, or scenes of several people, '
        'with exact meshes and COCO boxes. The same seed gives the same bytes; an interrupted run '
        'continues where it stopped.',
    )
    parser.add_argument('--kind', choices=tuple(DEFAULT_SIZE), required=True)
    parser.add_argument('--num-train', type=int, required=True, metavar='N')
    parser.add_argument('--num-test', type=int, required=True, metavar='M')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out', type=Path, required=True, metavar='DIR')
    parser.add_argument(
        '--image-size',
        type=image_size,
        metavar='PX',
        help='side, 256 by default; WIDTHxHEIGHT of scenes, 256x192 by default',
    )
    parser.add_argument(
        '--people',
        type=int,
        nargs=2,
        metavar=('LEAST', 'MOST'),
        help='number of people in a scene, 1 3 by default',
    )
    parser.add_argument('--workers', type=int, default=None, help='default: one a core')
    values = parser.parse_args(arguments)
    scenes = values.kind == 'scenes'
    width, height = values.image_size = values.image_size or DEFAULT_SIZE[values.kind]
    least, most = values.people or (1, 3)
    checks = (
        (values.num_train >= 0 and values.num_test >= 0, 'numbers of samples must be >= 0'),
        (values.num_train + values.num_test > 0, 'nothing to make: both numbers are 0'),
        (values.seed >= 0, f'--seed must be >= 0, got {values.seed}'),
        (
            min(width, height) >= 32 and max(width, height) <= 2048,
            f'--image-size must be 32..2048 px, got {width}x{height}',
        ),
        (
            scenes or width == height,
            f'--image-size: pictures of --kind {values.kind} are square, got {width}x{height}',
        ),
        (scenes or not values.people, '--people is for --kind scenes'),
        (
            1 <= least <= most <= MAX_PEOPLE,
            f'--people must be 1 <= LEAST <= MOST <= {MAX_PEOPLE}, got {least} {most}',
        ),
        (
            values.workers is None or values.workers >= 1,
            f'--workers must be >= 1, got {values.workers}',
        ),
    )
    for fine, message in checks:
        if not fine:
            parser.error(message)
    values.people = (least, most) if scenes else None
    return values


def image_size(text: str) -> tuple[int, int]:
    """Width and height from ``'256'`` or ``'256x192'``."""
    sides = [int(side) for side in text.split('x')]
    if len(sides) > 2:
        raise argparse.ArgumentTypeError(f'expected PX or WIDTHxHEIGHT, got {text!r}')
    return sides[0], sides[-1]


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool; the exit status."""
    values = parse_arguments(arguments)
    torch.set_num_threads(1)  # before any process is forked
    workers = values.workers or available_cores()
    settings = Settings(
        values.kind,
        values.seed,
        values.image_size if values.kind == 'scenes' else values.image_size[0],
        body_model_crc=model_crc(values.kind),
        people=values.people,
    )
    counts = {'train': values.num_train, 'test': values.num_test}
    counts = {split: count for split, count in counts.items() if count}
    start = time.perf_counter()
    try:
        paths = generate(settings, values.out, counts, workers)
    except (ValueError, OSError) as error:
        print(f'make_synthetic.py: {error}', file=sys.stderr)
        return 1
    except BrokenProcessPool:
        print(
            'make_synthetic.py: a process died (out of memory?); run it again to continue, perhaps '
            'with fewer --workers',
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print('make_synthetic.py: stopped; run it again to continue', file=sys.stderr)
        return 130
    seconds, total = time.perf_counter() - start, sum(counts.values())
    print(
        f'{total} pictures in {seconds:.1f} s with {workers} processes: '
        f'{total / seconds / workers:.1f} a second each'
    )
    for split, path in paths.items():
        print(f'{split}: {path}, boxes {path.with_name(f"{split}_coco.json").name}')
    return 0
