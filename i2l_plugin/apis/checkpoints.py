"""Looking at a checkpoint before it is trusted, and finding the one to resume from.

MMEngine's checkpoints are pickles that hold more than tensors (loss histories, numpy arrays), so
PyTorch's weights-only reader refuses them and MMEngine unpickles them whole: a hostile file would
run its code. Here a file is first read with an allow-list under which nothing can be executed.
"""

from __future__ import annotations

import os
import pickle
import re
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.logging import HistoryBuffer, MMLogger

_HISTORY_METHODS = frozenset(HistoryBuffer()._statistics_methods)


class RefusedError(pickle.UnpicklingError):
    """The file asks for something that a checkpoint has no need of."""


class _InertHistory:
    """Stands for `HistoryBuffer`, which changes the averaging of all histories when unpickled."""

    def __setstate__(self, state: Any) -> None:
        pass


def _history_method(owner: Any, name: str) -> None:
    """Stands for the `getattr` by which loss histories name their averaging functions."""
    if owner is not _InertHistory or name not in _HISTORY_METHODS:
        raise RefusedError(f'getattr({owner!r}, {name!r})')


def _encode(text: str, encoding: str) -> bytes:
    """`codecs.encode`, by which old pickles write the bytes of numpy scalars."""
    if encoding != 'latin1':
        raise RefusedError(f'codecs.encode to {encoding!r}')
    return text.encode('latin1')


_PLAIN = {
    ('_codecs', 'encode'): _encode,
    ('builtins', 'getattr'): _history_method,
    ('__builtin__', 'getattr'): _history_method,
    ('collections', 'Counter'): Counter,
    ('collections', 'OrderedDict'): OrderedDict,
    ('numpy', 'ndarray'): np.ndarray,
    ('numpy', 'dtype'): np.dtype,
    ('mmengine.logging.history_buffer', 'HistoryBuffer'): _InertHistory,
}
_PLAIN_MODULES = {  # module -> names; what pickles of tensors and arrays are made of
    'torch._utils': {'_rebuild_tensor_v2', '_rebuild_parameter'},
    'torch': {
        *('FloatStorage', 'DoubleStorage', 'HalfStorage', 'BFloat16Storage', 'LongStorage'),
        *('IntStorage', 'ShortStorage', 'ByteStorage', 'CharStorage', 'BoolStorage', 'device'),
    },
    'numpy.core.multiarray': {'_reconstruct', 'scalar'},
    'numpy._core.multiarray': {'_reconstruct', 'scalar'},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN:
            return _PLAIN[module, name]
        if name in _PLAIN_MODULES.get(module, ()):
            return super().find_class(module, name)
        raise RefusedError(f'{module}.{name}')


def _load(file: Any, **options: Any) -> Any:
    return _Unpickler(file, **options).load()


_ALLOW_LIST = SimpleNamespace(Unpickler=_Unpickler, load=_load, __name__='allow_list')


def read_checkpoint(path: str) -> Any:
    """What is in a checkpoint, on the CPU, if it is nothing but tensors and plain values.

    Loss histories are replaced by stand-ins.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Truncated, of another kind, or with objects that a checkpoint has no need of.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'checkpoint {path!r} does not exist')
    try:
        return torch.load(path, map_location='cpu', pickle_module=_ALLOW_LIST, weights_only=False)
    except RefusedError as error:
        raise ValueError(
            f'checkpoint {path!r} is refused: it asks for {error}, which no checkpoint needs and '
            'which could run code'
        ) from error
    except Exception as error:  # whatever a broken file provokes in zip, pickle and torch
        raise ValueError(
            f'checkpoint {path!r} cannot be read ({type(error).__name__}): it is truncated or no '
            'PyTorch file'
        ) from error


def read_weights(path: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The ``state_dict`` of a checkpoint, or the checkpoint itself if it is one, and its ``meta``.

    Raises:
        FileNotFoundError: No such file.
        ValueError: As `read_checkpoint`, or there is no ``state_dict`` of tensors in it.
    """
    content = read_checkpoint(path)
    content = content if isinstance(content, dict) else {}
    state, meta = content.get('state_dict', content), content.get('meta')
    if not isinstance(state, dict) or not any(isinstance(v, torch.Tensor) for v in state.values()):
        raise ValueError(f'checkpoint {path!r} holds no state_dict of tensors')
    return state, meta if isinstance(meta, dict) else {}


def check_checkpoint(path: str) -> None:
    """Refuse a checkpoint that is missing, broken, or more than tensors and plain values.

    Raises:
        FileNotFoundError, ValueError: As `read_weights`.
    """
    read_weights(path)


def admit_checkpoint(path: str) -> None:
    """Check a checkpoint that the host is to load next, and let the host load it.

    Once the file is known to be harmless, TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD is set for this process:
    from PyTorch 2.6 on torch.load reads nothing but weights by default, and the original MMEngine
    (0.10.7) relies on the default, so it could not load its own checkpoints.

    Raises:
        FileNotFoundError: No such file.
        ValueError: As `check_checkpoint`; or `path` is no file but an address (``https://``,
            ``torchvision://``, ``open-mmlab://``): what the host would download and unpickle
            cannot be checked before.
    """
    if '://' in path:
        raise ValueError(
            f'checkpoint {path!r} is an address, which cannot be checked before it is loaded; '
            'download it and give the path of the file'
        )
    check_checkpoint(path)
    os.environ['TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'] = '1'


def pretrained_files(config: Any) -> Iterator[str]:
    """Local files that ``init_cfg=dict(type='Pretrained', checkpoint=...)`` name, at any depth."""
    if isinstance(config, Mapping):
        checkpoint = config.get('checkpoint')
        if config.get('type') == 'Pretrained' and checkpoint and '://' not in checkpoint:
            yield checkpoint
        config = config.values()
    if isinstance(config, Iterable) and not isinstance(config, (str, bytes)):
        for part in config:
            yield from pretrained_files(part)


def latest_checkpoint(work_dir: str | os.PathLike) -> str | None:
    """The newest whole checkpoint of a work dir, admitted; None if there is none.

    That is what the file ``last_checkpoint`` names; if it is gone or broken (a run may be killed
    while it writes or clears up) the newest ``epoch_*.pth`` or ``iter_*.pth`` that can be read,
    with a warning.
    """
    work_dir = Path(work_dir).resolve()
    pointer = work_dir / 'last_checkpoint'
    named = [Path(pointer.read_text().strip()).resolve()] if pointer.is_file() else []
    saved = [
        path for path in work_dir.glob('*_*.pth') if re.fullmatch(r'(epoch|iter)_\d+', path.stem)
    ]
    saved.sort(key=lambda path: (path.stat().st_mtime_ns, int(path.stem.split('_')[1])))
    for path in dict.fromkeys([*named, *reversed(saved)]):
        try:
            admit_checkpoint(str(path))
        except (FileNotFoundError, ValueError) as error:
            _warn(f'{error}; looking for an older checkpoint in {work_dir}')
            continue
        return str(path)
    return None


def _warn(message: str) -> None:
    if is_main_process():
        MMLogger.get_current_instance().warning(message)
