"""Train a model: python tools/train.py CONFIG [options], with MMPose's usual options.

Several processes, on GPUs or CPUs: bash tools/dist_train.sh CONFIG NUM_PROCESSES [options].
"""

import argparse
import os

import torch
from mmengine.config import DictAction

from i2l_plugin.apis.checkpoints import check_checkpoint
from i2l_plugin.apis.runner import (
    build_runner,
    default_work_dir,
    load_config,
    one_line_errors,
    prepare_launcher,
)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train a model')
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='where logs and checkpoints go')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='go on from this checkpoint, or from the latest of the work dir if none is named',
    )
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision')
    parser.add_argument('--no-validate', action='store_true', help='do not evaluate while training')
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate by the real batch size over auto_scale_lr.base_batch_size',
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='overrides, xxx.yyy=value'
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


@one_line_errors
def main() -> None:
    args = parse_args()
    config = load_config(args.config, args.cfg_options)
    config.work_dir = args.work_dir or config.get('work_dir') or default_work_dir(args.config)
    prepare_launcher(config, args.launcher)
    if args.amp:
        if not torch.cuda.is_available():
            raise ValueError('--amp needs a GPU: the host trains in mixed precision on GPUs only')
        config.optim_wrapper.type = 'AmpOptimWrapper'
        config.optim_wrapper.setdefault('loss_scale', 'dynamic')
    if args.no_validate:
        config.val_cfg = config.val_dataloader = config.val_evaluator = None
        config.default_hooks.checkpoint.pop('save_best', None)
    if args.resume:
        config.resume = True
        config.load_from = None if args.resume == 'auto' else args.resume
    if config.load_from:
        check_checkpoint(config.load_from)
    if args.auto_scale_lr:
        config.auto_scale_lr.enable = True
    build_runner(config).train()


if __name__ == '__main__':
    main()
