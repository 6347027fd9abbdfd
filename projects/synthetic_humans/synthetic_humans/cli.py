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


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Checked arguments; one line on standard error and exit status 2 for bad ones."""
    parser = argparse.ArgumentParser(
        prog='make_synthetic.py',
        description='Photographs of synthetic people or right hands with exact meshes. The same '
        'seed gives the same bytes; an interrupted run continues where it stopped.',
    )
    parser.add_argument('--kind', choices=('body', 'hand'), required=True)
    parser.add_argument('--num-train', type=int, required=True, metavar='N')
    parser.add_argument('--num-test', type=int, required=True, metavar='M')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out', type=Path, required=True, metavar='DIR')
    parser.add_argument('--image-size', type=int, default=256, metavar='PX')
    parser.add_argument('--workers', type=int, default=None, help='default: one a core')
    values = parser.parse_args(arguments)
    checks = (
        (values.num_train >= 0 and values.num_test >= 0, 'numbers of samples must be >= 0'),
        (values.num_train + values.num_test > 0, 'nothing to make: both numbers are 0'),
        (values.seed >= 0, f'--seed must be >= 0, got {values.seed}'),
        (
            32 <= values.image_size <= 2048,
            f'--image-size must be 32..2048 px, got {values.image_size}',
        ),
        (
            values.workers is None or values.workers >= 1,
            f'--workers must be >= 1, got {values.workers}',
        ),
    )
    for fine, message in checks:
        if not fine:
            parser.error(message)
    return values


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
        values.kind, values.seed, values.image_size, body_model_crc=model_crc(values.kind)
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
        print(f'{split}: {path}')
    return 0
