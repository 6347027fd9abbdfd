"""What the command-line tools share: options, and one clear line for a user's mistake."""

from __future__ import annotations

import argparse
import functools
import os
import re
import sys
from collections.abc import Callable, Sequence

from mmengine.config import Config, DictAction

from .runner import config_mistakes, default_work_dir, load_config, prepare_launcher

TRACEBACK_VARIABLE = 'I2L_TRACEBACK'
_WORKER_TRACEBACK = 'Original Traceback (most recent call last)'


def add_shared_arguments(parser: argparse.ArgumentParser) -> None:
    """The host's options of training and testing alike."""
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='overrides, xxx.yyy=value'
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def prepare_config(args: argparse.Namespace) -> Config:
    """The config that the shared arguments ask for, its processes connected.

    Args:
        args: ``config``, ``work_dir`` and the arguments of `add_shared_arguments`.

    Raises:
        FileNotFoundError, ValueError: As `load_config` and `prepare_launcher`.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    config = load_config(args.config, args.cfg_options)
    config.work_dir = args.work_dir or config.get('work_dir') or default_work_dir(args.config)
    prepare_launcher(config, args.launcher)
    return config


def require(config: Config, keys: Sequence[str], option: str) -> None:
    """ValueError if the config lacks what an option changes."""
    for key in keys:
        part = config
        for name in key.split('.'):
            part = part.get(name)
            if part is None:
                raise ValueError(f'{option} changes {key}, which the config does not have; add it')


def one_line_errors(main: Callable[[], None]) -> Callable[[], None]:
    """Let a tool end with one line, not a traceback, where the user gave a wrong file or value.

    Whatever the system refuses (a folder in a file's place, no permission, a full disk) counts too.

    Set the environment variable I2L_TRACEBACK=1 to see the traceback all the same.
    """

    @functools.wraps(main)
    def run() -> None:
        try:
            with config_mistakes():
                main()
        except (OSError, ValueError) as error:
            if os.environ.get(TRACEBACK_VARIABLE):
                raise
            sys.exit(f'error: {message_of(error)}\n({TRACEBACK_VARIABLE}=1 shows where)')
        except KeyboardInterrupt:
            sys.exit('interrupted: finished checkpoints and results are whole; --resume goes on')

    return run


def message_of(error: Exception) -> str:
    """The message; of an error from a loader's worker process, without that worker's traceback."""
    text = str(error)
    if _WORKER_TRACEBACK not in text:
        return text
    heading = re.compile(rf'^(?:\w+\.)*{type(error).__name__}: ', re.MULTILINE)
    return heading.split(text)[-1].rstrip()
