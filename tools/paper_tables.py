#!/usr/bin/env python
"""Train and test the paper's tables under one equal budget, and set them beside the paper.

python tools/paper_tables.py --table 1 2 3 --seeds 0 1   # synthetic people, small budget
python tools/paper_tables.py --table 9 --budget full \\
    --data configs/body/i2l-meshnet_res50_3xb16-12e_h36m-256x256.py
python tools/paper_tables.py --memory-plot memory.png

Rows are the configs of configs/ablations/. Every run has a folder below --out/runs; finished ones
are kept, killed ones go on from their last checkpoint, and rows that are the same network share
one. Each table is printed and written below --report as Markdown, JSON and a bar plot.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from mmengine.config import Config
from tqdm import tqdm

from i2l_plugin.apis.cli import one_line_errors
from i2l_plugin.apis.paper_tables.budget import parse_budget
from i2l_plugin.apis.paper_tables.data import set_data_root
from i2l_plugin.apis.paper_tables.fits import fit_quality, fits_markdown
from i2l_plugin.apis.paper_tables.memory import RESOLUTIONS, memory_curves, paper_memory
from i2l_plugin.apis.paper_tables.plots import memory_plot, save, table_bars
from i2l_plugin.apis.paper_tables.report import file_stem, markdown
from i2l_plugin.apis.paper_tables.results import add_orderings, usual_spread
from i2l_plugin.apis.paper_tables.rows import TRAINED, find_rows
from i2l_plugin.apis.paper_tables.study import PAPER_BATCH, Study
from i2l_plugin.apis.paper_tables.tables import distinct_runs
from i2l_plugin.apis.runner import load_config
from i2l_plugin.files import write_atomically, write_json

TOOLS = Path(__file__).resolve().parent
CONFIGS = TOOLS.parent / 'configs'
SYNTHETIC = CONFIGS / 'body/i2l-meshnet_res50_3xb16-12e_synthetic-256x256.py'
SMPL_VERTICES = 6890


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--table', nargs='+', choices=(*TRAINED, '13'), default=[], metavar='N')
    parser.add_argument(
        '--data',
        default='synthetic',
        metavar='DATASET_CONFIG',
        help="'synthetic' (default), or a config whose data set, metrics and body model are taken",
    )
    parser.add_argument(
        '--data-root',
        type=Path,
        default=Path('data/paper_tables'),
        help='where the synthetic people are; made there if they are not (default: %(default)s)',
    )
    parser.add_argument('--num-train', type=int, default=4000, help='synthetic (default: 4000)')
    parser.add_argument('--num-test', type=int, default=400, help='synthetic (default: 400)')
    parser.add_argument(
        '--budget',
        default='small',
        metavar='small|full|STEPS',
        help="'small' is for two cores, STEPS the same with another number of them; 'full' takes "
        'the configs as they are, for a GPU',
    )
    parser.add_argument('--seeds', type=int, nargs='+', default=[0], metavar='SEED')
    parser.add_argument('--out', type=Path, default=Path('work_dirs/paper_tables'))
    parser.add_argument('--report', type=Path, metavar='DIR', help='default: --out/report')
    parser.add_argument(
        '--max-memory-gb',
        type=float,
        metavar='GB',
        help='leave out rows whose training step needs more, by count',
    )
    parser.add_argument(
        '--no-train', action='store_true', help='report what is finished, train nothing'
    )
    parser.add_argument(
        '--memory-plot',
        type=Path,
        metavar='PNG',
        help="memory of lixel, pixel and voxel heatmaps over D (Table 2's column)",
    )
    args = parser.parse_args()
    if not args.table and not args.memory_plot:
        parser.error('nothing to do: give --table or --memory-plot')
    return args


def data_config(args: argparse.Namespace) -> Config:
    """The config whose data are taken; the synthetic people are there afterwards."""
    if args.data != 'synthetic':
        return load_config(args.data)
    command = [sys.executable, TOOLS / 'make_synthetic.py', '--kind', 'body', '--image-size', 128]
    command += ['--num-train', args.num_train, '--num-test', args.num_test]
    command += ['--out', args.data_root]
    # it checks what is there already: other people in that folder are refused
    if subprocess.run([str(word) for word in command], check=False).returncode:
        raise ValueError('the synthetic people could not be made, see above')
    config = load_config(str(SYNTHETIC))
    set_data_root(config, str(args.data_root.resolve()))
    return config


def draw_memory(path: Path) -> None:
    """Count and draw; the paper's network at its batch size."""
    curves = memory_curves(SMPL_VERTICES, PAPER_BATCH)
    paper = paper_memory(find_rows(CONFIGS, '2'))
    save(memory_plot(curves, paper, f'{SMPL_VERTICES} vertices, batch {PAPER_BATCH}'), path)
    write_json({'resolutions': RESOLUTIONS, **curves}, path.with_suffix('.json'), indent=1)
    print(path)


def report_tables(study: Study, args: argparse.Namespace, report: Path) -> None:
    """Train what is missing, then print and write every table."""
    numbers = [number for number in args.table if number != '13']
    tables = [study.table(number, args.seeds) for number in numbers]
    if not args.no_train:
        runs = distinct_runs(tables)
        with tqdm(runs, unit='run') as progress:
            study.train(progress, progress.write)
    results = [study.results(table) for table in tqdm(tables, desc='costs', unit='table')]
    usual = usual_spread(results)
    for result in results:
        add_orderings(result, usual)
        path = report / file_stem(result['table'])
        write_json(result, path.with_suffix('.json'), indent=1)
        save(table_bars(result), path.with_suffix('.png'))
        write_atomically(path.with_suffix('.md'), markdown(result).encode())
        print(f'\n{markdown(result)}')


def report_fits(data: Config, report: Path) -> None:
    """Table 13, on the training records."""
    scores = fit_quality(data, TOOLS / 'evaluate_fits.py', report / 'table13')
    write_json(scores, report / 'table13.json', indent=1)
    write_atomically(report / 'table13.md', fits_markdown(scores).encode())
    print(f'\n{fits_markdown(scores)}')


@one_line_errors
def main() -> None:
    args = parse_args()
    if args.memory_plot:
        draw_memory(args.memory_plot)
    if not args.table:
        return
    budget = parse_budget(args.budget)
    data = data_config(args)
    name = 'synthetic people' if args.data == 'synthetic' else args.data
    study = Study(CONFIGS, data, name, budget, args.out, args.max_memory_gb)
    report = args.report or args.out / 'report'
    report_tables(study, args, report)
    if '13' in args.table:
        report_fits(data, report)


if __name__ == '__main__':
    main()
