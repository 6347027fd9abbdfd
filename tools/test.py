"""Test a checkpoint: python tools/test.py CONFIG CHECKPOINT [options], with MMPose's usual options.

Several processes, on GPUs or CPUs: bash tools/dist_test.sh CONFIG CHECKPOINT NUM_PROCESSES
[options].
"""

import argparse
import json
import os
from pathlib import Path

from mmengine.config import DictAction
from mmengine.dist import is_main_process

from i2l_plugin.apis.checkpoints import check_checkpoint
from i2l_plugin.apis.runner import (
    build_runner,
    default_work_dir,
    load_config,
    one_line_errors,
    prepare_launcher,
)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Test a checkpoint')
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--work-dir', help='where logs go')
    parser.add_argument('--out', help='metrics as JSON')
    parser.add_argument('--dump', help='predictions as pickle (.pkl), for offline evaluation')
    parser.add_argument('--show-dir', help='where pictures of the results go')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='overrides, xxx.yyy=value'
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    if args.dump and not args.dump.endswith(('.pkl', '.pickle')):
        parser.error(f'--dump must end in .pkl or .pickle, got {args.dump}')
    return args


def write_metrics(metrics: dict[str, float], path: str) -> None:
    """JSON, whole or not at all."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f'.{target.name}.part')
    temporary.write_text(json.dumps({k: float(v) for k, v in metrics.items()}, indent=2) + '\n')
    os.replace(temporary, target)


@one_line_errors
def main() -> None:
    args = parse_args()
    config = load_config(args.config, args.cfg_options)
    config.work_dir = args.work_dir or config.get('work_dir') or default_work_dir(args.config)
    prepare_launcher(config, args.launcher)
    check_checkpoint(args.checkpoint)
    config.load_from = args.checkpoint
    if args.show_dir:
        config.default_hooks.visualization.update(enable=True, out_dir=args.show_dir)
    if args.dump:
        evaluator = config.test_evaluator
        evaluators = list(evaluator) if isinstance(evaluator, (list, tuple)) else [evaluator]
        config.test_evaluator = [*evaluators, dict(type='DumpResults', out_file_path=args.dump)]
    metrics = build_runner(config).test()
    if args.out and is_main_process():
        write_metrics(metrics, args.out)


if __name__ == '__main__':
    main()
