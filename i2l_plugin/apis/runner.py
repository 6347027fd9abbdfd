"""Building MMEngine runners from a config and command-line options, on GPUs or CPUs.

Adds to the host's runner what its tools leave to the user: multi-process runs on CPUs, and clear
errors for mistakes in a config.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import RUNNERS, build_from_cfg
from mmengine.runner import Runner


def _raised_while_building(error: BaseException) -> bool:
    """Whether the error came out of what builds objects from a config: registries and Runner."""
    builders = [build_from_cfg]
    builders += [getattr(Runner, name) for name in dir(Runner) if name.startswith('build_')]
    codes = {builder.__code__ for builder in builders}
    return any(frame.f_code in codes for frame, _ in traceback.walk_tb(error.__traceback__))


@contextmanager
def config_mistakes() -> Iterator[None]:
    """Raise a ValueError where a config names an unknown type or argument.

    The host says so by KeyError and TypeError, also while a runner is at work, for it builds the
    loops, loaders and optimizers when they are first needed. Errors from elsewhere pass.
    """
    try:
        yield
    except (KeyError, TypeError) as error:
        if not _raised_while_building(error):
            raise
        what = error.args[0] if error.args else error
        raise ValueError(
            f'the config cannot be built: {what}. Check the names of types and arguments in the '
            'config and in --cfg-options'
        ) from error


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
    config.env_cfg = {**config.get('env_cfg', {}), 'dist_cfg': dict(backend='gloo')}
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')


def part_processes() -> None:
    """Let the processes of a run, if it has several, end together and in order.

    Left to themselves they sometimes abort at their very end, when all is done and written, for the
    threads of their connections are still at work.
    """
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


def build_runner(config: Config) -> Runner:
    """The runner of a config: its own ``runner_type`` or the host's.

    Raises:
        ValueError: The config names an unknown type or argument.
    """
    with config_mistakes():
        return RUNNERS.build(config) if 'runner_type' in config else Runner.from_cfg(config)
