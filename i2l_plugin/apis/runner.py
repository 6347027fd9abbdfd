"""Building MMEngine runners from a config and command-line options, on GPUs or CPUs.

Adds to the host's runner what its tools leave to the user: multi-process runs on CPUs, checkpoints that are
looked at before they are trusted, and one clear line for a user's mistake.
"""

from __future__ import annotations

import functools
import os
import pickle
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer
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


def check_checkpoint(path: str) -> None:
    """Refuse a checkpoint that is missing, no checkpoint, or holds more than tensors and plain values.

    MMEngine unpickles checkpoints; here the file is first read with PyTorch's weights-only unpickler,
    which executes nothing.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Truncated, of another kind, or with objects that a checkpoint has no need of.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'checkpoint {path!r} does not exist')
    try:
        with torch.serialization.safe_globals(_plain_globals()):
            content = torch.load(path, map_location='cpu', weights_only=True)
    except pickle.UnpicklingError as error:
        reason = str(error).split('Please file an issue')[0].strip().splitlines()[0]
        raise ValueError(
            f'checkpoint {path!r} is refused: it is no checkpoint, or holds objects that could run code '
            f'({reason})'
        ) from error
    except (RuntimeError, EOFError, OSError, KeyError) as error:
        raise ValueError(
            f'checkpoint {path!r} cannot be read: {str(error).splitlines()[0]}; is it whole?'
        ) from error
    state = content.get('state_dict', content) if isinstance(content, dict) else None
    if not isinstance(state, dict) or not any(isinstance(v, torch.Tensor) for v in state.values()):
        raise ValueError(f'checkpoint {path!r} holds no state_dict of tensors')


def _plain_globals() -> list[Any]:
    """What MMEngine's own checkpoints hold beside tensors: numbers in numpy arrays and their history."""
    import numpy as np

    scalar = np.float64(0).__reduce__()[0]
    reconstruct = np.zeros(1).__reduce__()[0]
    dtypes = [type(np.dtype(kind)) for kind in ('float64', 'float32', 'int64', 'bool')]
    statistics = list(HistoryBuffer()._statistics_methods.values())
    return [HistoryBuffer, np.ndarray, np.dtype, scalar, reconstruct, *dtypes, *statistics]


def prepare_launcher(config: Config, launcher: str) -> None:
    """Set the launcher; without GPUs let processes talk through gloo, which the host does not offer."""
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
    if 'runner_type' not in config:
        return Runner.from_cfg(config)
    from mmengine.registry import RUNNERS

    return RUNNERS.build(config)
