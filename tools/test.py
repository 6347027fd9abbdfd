"""Test a checkpoint: python tools/test.py CONFIG CHECKPOINT [options], with MMPose's usual options.

Several processes, on GPUs or CPUs: bash tools/dist_test.sh CONFIG CHECKPOINT NUM_PROCESSES
[options].
"""

import argparse

from mmengine.dist import is_main_process

from i2l_plugin.apis.checkpoints import admit_checkpoint
from i2l_plugin.apis.cli import add_shared_arguments, one_line_errors, prepare_config, require
from i2l_plugin.apis.runner import build_runner, part_processes
from i2l_plugin.evaluation.sample_scores import write_metrics


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Test a checkpoint')
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--work-dir', help='where logs go')
    parser.add_argument('--out', help='metrics and their protocols as JSON')
    parser.add_argument(
        '--dump',
        help='predictions as pickle (.pkl), for offline evaluation; 0.25 MB a body in memory',
    )
    parser.add_argument('--show-dir', help='where pictures of the results go')
    add_shared_arguments(parser)
    args = parser.parse_args()
    if args.dump and not args.dump.endswith(('.pkl', '.pickle')):
        parser.error(f'--dump must end in .pkl or .pickle, got {args.dump}')
    return args


@one_line_errors
def main() -> None:
    args = parse_args()
    config = prepare_config(args)
    admit_checkpoint(args.checkpoint)
    config.load_from = args.checkpoint
    if args.show_dir:
        require(config, ['default_hooks.visualization'], '--show-dir')
        hook = config.default_hooks.visualization
        if hook.type == 'DetVisualizationHook':  # MMDetection's, of configs/detectors
            hook.update(draw=True, test_out_dir=args.show_dir)
        else:
            hook.update(enable=True, out_dir=args.show_dir)
    if args.dump:
        evaluator = config.test_evaluator
        evaluators = list(evaluator) if isinstance(evaluator, (list, tuple)) else [evaluator]
        config.test_evaluator = [*evaluators, dict(type='DumpResults', out_file_path=args.dump)]
    runner = build_runner(config)
    metrics = runner.test()
    if args.out and is_main_process():
        write_metrics(metrics, args.out, runner.test_evaluator.metrics)
    part_processes()


if __name__ == '__main__':
    main()
