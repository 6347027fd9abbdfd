"""Score a FreiHAND submission of any model as the official evaluation does.

python tools/evaluate_freihand.py --gt FREIHAND_FOLDER --pred pred.json|pred.zip [--out scores.json]
"""

import argparse
import os

from tqdm import tqdm

from i2l_plugin.apis.cli import one_line_errors
from i2l_plugin.evaluation.freihand_definitions import NUM_SAMPLES
from i2l_plugin.evaluation.freihand_scoring import score_submission
from i2l_plugin.files import write_json

ROWS = (
    ('joints', 'xyz'),
    ('joints aligned', 'xyz_al'),
    ('mesh', 'mesh'),
    ('mesh aligned', 'mesh_al'),
)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Score a FreiHAND submission')
    parser.add_argument('--gt', required=True, help='folder of evaluation_{xyz,verts}.json')
    parser.add_argument('--pred', required=True, help='pred.json or pred.zip')
    parser.add_argument('--out', help='scores as JSON')
    parser.add_argument(
        '--workers', type=int, default=min(os.cpu_count() or 1, 8), help='processes'
    )
    return parser.parse_args()


def table(scores: dict[str, float]) -> str:
    """The scores as text."""
    lines = [f'{"":16}{"error cm":>10}{"AUC":>8}{"F@5mm":>8}{"F@15mm":>8}']
    for title, name in ROWS:
        line = f'{title:16}{scores[f"{name}_mean3d"]:10.3f}{scores[f"{name}_auc3d"]:8.3f}'
        if name.startswith('mesh'):
            f_name = name.replace('mesh', 'f')
            line += ''.join(f'{scores[f"{f_name}_score_{limit}"]:8.3f}' for limit in (5, 15))
        lines.append(line)
    return '\n'.join(lines)


@one_line_errors
def main() -> None:
    args = parse_args()
    with tqdm(desc='reading, scoring', unit='hands', total=NUM_SAMPLES) as bar:
        scores = score_submission(args.pred, args.gt, args.workers, bar.update)
        bar.total = bar.n
    number = scores['N']
    print(f'FreiHAND evaluation, N = {number}')
    if number != NUM_SAMPLES:
        print(f'WARNING: the full evaluation set has {NUM_SAMPLES}: compare with nothing published')
    print(table(scores))
    if args.out:
        write_json(scores, args.out, indent=2)


if __name__ == '__main__':
    main()
