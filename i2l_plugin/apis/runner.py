"""Building MMEngine runners from a config and command-line options, on GPUs or CPUs.

Adds to the host's runner what its tools leave to the user: multi-process runs on CPUs, and one
clear line for a user's mistake.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

TRACEBACK_VARIABLE = 'I2L_TRACEBACK'


def one_line_errors(main: Callable[[], None]) -> Callable[[], None]:
    """Let a tool end with one line, not a traceback, where the user gave a wrong file or value.

    Set the environment variable I2L_TRACEBACK=1 to see the traceback all the same.
    """

    @functools.wraps(main)
    def run() -> None:
        try:
            main()
        except (FileNotFoundError, ValueError) as error:
            if os.environ.get(TRACEBACK_VARIABLE):
                raise
            sys.exit(f'error: {error}\n({TRACEBACK_VARIABLE}=1 shows where)')
        except KeyboardInterrupt:
            sys.exit('interrupted: finished checkpoints and results are whole; --resume goes on')

    return run


def load_config(path: str, cfg_options: Mapping[str, Any] | None = None) -> Config:
    """A config file with overrides.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The file or one of its bases is not a valid config.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'config {path!r} does not exist; the shipped ones are in configs/')
    try:
        config = Config.fromfile(path)
        config.merge_from_dict(dict(cfg_options or {}))
    except (SyntaxError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f'config {path!r} cannot be read: {error}') from error
    if 'model' not in config:
        raise ValueError(f"config {path!r} has no 'model'; name a config of configs/, not a base")
    return config


def default_work_dir(config_path: str) -> str:
    """``work_dirs/<name of the config>``, as in the host."""
    return str(Path('work_dirs') / Path(config_path).stem)


def prepare_launcher(config: Config, launcher: str) -> None:
    """Set the launcher; without GPUs processes talk through gloo, which the host leaves out."""
    config.launcher = launcher
    if launcher == 'none' or torch.cuda.is_available():
        return
    if launcher != 'pytorch':
        raise ValueError(f'--launcher {launcher} needs GPUs; on CPUs use --launcher pytorch')
    config.model_wrapper_cfg = dict(type='MMDistributedDataParallel', device_ids=None)
    config.env_cfg.dist_cfg = dict(backend='gloo')
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')


def build_runner(config: Config) -> Runner:
    """The runner of a config: its own ``runner_type`` or the host's."""
    return RUNNERS.build(config) if 'runner_type' in config else Runner.from_cfg(config)
