"""Detector -> RootNet -> mesh on held-out scenes, beside true boxes and depths.

python projects/synthetic_humans/evaluate_scenes.py data/scenes --split test \\
    --config MESH.py --checkpoint MESH.pth --det-config DETECTOR.py --det-checkpoint DETECTOR.pth \\
    --root-config ROOTNET.py --root-checkpoint ROOTNET.pth --out scenes.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from synthetic_humans.scene_evaluation import evaluate_scenes, pictures_of
from tqdm import tqdm

from i2l_plugin.apis.cli import one_line_errors
from i2l_plugin.apis.inference.loading import init_model
from i2l_plugin.apis.inference.mesh_inferencer import MeshInferencer
from i2l_plugin.datasets import AnnotationRecord
from i2l_plugin.files import write_atomically

COLUMNS = ('N', 'MPJPE', 'PA-MPJPE', 'MPVPE', 'root', 'root_depth', 'absolute_MPVPE')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('data', type=Path, help='folder of make_synthetic.py --kind scenes')
    parser.add_argument('--split', choices=('train', 'test'), default='test')
    parser.add_argument('--config', required=True, help='of the mesh network')
    parser.add_argument('--checkpoint', required=True)
    parser.add_argument('--det-config', required=True, help='of the detector')
    parser.add_argument('--det-checkpoint', required=True)
    parser.add_argument('--root-config', help='of a RootNet')
    parser.add_argument('--root-checkpoint')
    parser.add_argument('--bbox-thr', type=float, default=0.3, help='lowest score of a detection')
    parser.add_argument('--device', help="such as 'cpu'; the host's choice by default")
    parser.add_argument('--out', type=Path, help='JSON file of the numbers')
    args = parser.parse_args()
    if bool(args.root_config) != bool(args.root_checkpoint):
        parser.error('--root-config and --root-checkpoint go together')
    return args


def table(scores: dict[str, Any]) -> str:
    """The scores in words and a table."""
    precision = '-' if scores['precision'] is None else f'{100 * scores["precision"]:.1f} %'
    lines = [
        f'{scores["pictures"]} pictures, {scores["people"]} people, recall '
        f'{100 * scores["recall"]:.1f} %, precision {precision} (IoU >= {scores["min_iou"]}, '
        f'score >= {scores["bbox_thr"]})',
        f'{"mm":40}' + ''.join(f'{name:>16}' for name in COLUMNS),
    ]
    for name, row in scores['errors'].items():
        words = [row['N'], *('-' if row[c] is None else f'{row[c]:.1f}' for c in COLUMNS[1:])]
        lines.append(f'{name:40}' + ''.join(f'{word:>16}' for word in words))
    return '\n'.join(lines)


@one_line_errors
def main() -> None:
    args = parse_args()
    record = AnnotationRecord.load(args.data / f'{args.split}.npz')
    model = init_model(args.config, args.checkpoint, args.device)
    detecting = MeshInferencer(
        model,
        device=args.device,
        det_model=args.det_config,
        det_weights=args.det_checkpoint,
        root_model=args.root_config,
        root_weights=args.root_checkpoint,
    )
    by_box_size = MeshInferencer(model, device=args.device)
    pictures = pictures_of(record, args.data, model.body_model)
    num = len(np.unique(record['image_id']))
    bar = tqdm(pictures, total=num, unit='img')
    scores = evaluate_scenes(bar, detecting, by_box_size, args.bbox_thr)
    if args.out is not None:
        write_atomically(args.out, (json.dumps(scores, indent=2) + '\n').encode())
    print(table(scores))


if __name__ == '__main__':
    main()
