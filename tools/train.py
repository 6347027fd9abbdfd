"""Train a model: python tools/train.py CONFIG [options], with MMPose's usual options.

Several processes, on GPUs or CPUs: bash tools/dist_train.sh CONFIG NUM_PROCESSES [options].
"""

import argparse

import torch
from mmengine.config import Config

from i2l_plugin.apis.checkpoints import admit_checkpoint, latest_checkpoint, pretrained_files
from i2l_plugin.apis.cli import add_shared_arguments, one_line_errors, prepare_config, require
from i2l_plugin.apis.runner import build_runner, part_processes


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
    add_shared_arguments(parser)
    return parser.parse_args()


def apply_options(config: Config, args: argparse.Namespace) -> None:
    """What the training options change in a config."""
    if args.amp:
        if not torch.cuda.is_available():
            raise ValueError('--amp needs a GPU: the host trains in mixed precision on GPUs only')
        require(config, ['optim_wrapper'], '--amp')
        config.optim_wrapper.type = 'AmpOptimWrapper'
        config.optim_wrapper.setdefault('loss_scale', 'dynamic')
    if args.no_validate:
        require(config, ['default_hooks.checkpoint'], '--no-validate')
        config.val_cfg = config.val_dataloader = config.val_evaluator = None
        config.default_hooks.checkpoint.pop('save_best', None)
    if args.auto_scale_lr:
        require(config, ['auto_scale_lr.base_batch_size'], '--auto-scale-lr')
        config.auto_scale_lr.enable = True
    if args.resume:
        config.resume = True
        if args.resume != 'auto':
            config.load_from = args.resume


def choose_checkpoint(config: Config, latest_first: bool) -> None:
    """Find and check what to start from, which the host would load unseen.

    Args:
        config: Changed in place.
        latest_first: The work dir's latest checkpoint, if there is one, goes before `load_from`.
    """
    if latest_first or (config.get('resume') and not config.get('load_from')):
        latest = latest_checkpoint(config.work_dir)
        config.resume = latest is not None  # else the host starts anew, from load_from if given
        if latest is not None:
            config.load_from = latest
            return
    if config.get('load_from'):
        admit_checkpoint(config.load_from)


def admit_pretrained(config: Config) -> None:
    """Let the host load trunks' files; refuse those that are missing, broken or could run code.

    A trunk may start from a whole checkpoint of MMEngine, which holds more than weights.
    """
    for path in dict.fromkeys(pretrained_files(config.model)):
        admit_checkpoint(path)


@one_line_errors
def main() -> None:
    args = parse_args()
    config = prepare_config(args)
    apply_options(config, args)
    admit_pretrained(config)
    choose_checkpoint(config, latest_first=args.resume == 'auto')
    build_runner(config).train()
    part_processes()


if __name__ == '__main__':
    main()
