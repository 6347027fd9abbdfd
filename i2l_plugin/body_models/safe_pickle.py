"""Reading SMPL / MANO / 3DPW pickles without running anything that they name.

The official files (SMPL v1.0.0 and v1.1.0, MANO v1.2) hold numpy arrays, scipy sparse matrices and
chumpy arrays in Python 2 pickles; those of 3DPW hold plain lists of numpy arrays. Only the names
listed here are understood; sparse matrices and chumpy arrays become inert stand-ins, and every
other name is refused before it is looked up.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import numpy as np


class RefusedPickleError(ValueError):
    """A pickle names something that is not on the allow-list."""


class _StandIn:
    """Holds the state of an object whose class is not imported."""

    state: Mapping[str, Any] = MappingProxyType({})

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, dict):
            raise RefusedPickleError(f'state of {type(self).__name__} is not a dict: {type(state)}')
        self.state = state

    def to_array(self) -> np.ndarray:
        """The dense array that this object stands for."""
        raise NotImplementedError


class SparseStandIn(_StandIn):
    """scipy.sparse matrix: by columns, by rows or by coordinates."""

    def to_array(self) -> np.ndarray:
        """The dense matrix; ValueError on inconsistent indices."""
        shape = tuple(self.state.get('_shape', self.state.get('shape', ())))
        values = np.asarray(self.state['data'])
        dense = np.zeros(shape, values.dtype)
        if 'indptr' in self.state:
            minor = np.asarray(self.state['indices'])
            major = np.repeat(
                np.arange(len(self.state['indptr']) - 1), np.diff(self.state['indptr'])
            )
            is_csr = self.state.get('format', self.default_format) == 'csr'
            rows, columns = (major, minor) if is_csr else (minor, major)
        elif 'coords' in self.state:
            rows, columns = self.state['coords']
        else:
            rows, columns = self.state['row'], self.state['col']
        np.add.at(dense, (np.asarray(rows), np.asarray(columns)), values)
        return dense

    default_format = 'csc'


class _CsrStandIn(SparseStandIn):
    default_format = 'csr'


class OpaqueStandIn(_StandIn):
    """Any other chumpy expression: body models hold some in entries that nobody reads."""

    def to_array(self) -> np.ndarray:
        """Always a ValueError: its value would have to be computed by chumpy."""
        raise ValueError(f'a chumpy expression with terms {sorted(map(str, self.state))}')


class ChumpyStandIn(_StandIn):
    """chumpy.ch.Ch: a plain value."""

    def to_array(self) -> np.ndarray:
        """The value."""
        return as_array(self.state['x'])


class ChumpySelectStandIn(_StandIn):
    """chumpy.reordering.Select: a slice of another array."""

    def to_array(self) -> np.ndarray:
        """The slice."""
        picked = as_array(self.state['a']).ravel()[np.asarray(self.state['idxs'])]
        return picked.reshape(self.state.get('preferred_shape', picked.shape))


class _Guarded:
    """A callable that a pickle may call and cannot change (BUILD would set attributes on it)."""

    __slots__ = ('_function',)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *args: Any) -> Any:
        return self._function(*args)

    def __setstate__(self, state: Any) -> None:
        raise RefusedPickleError('the pickle tries to change a function')


def _new_array(subtype: Any, *_: Any) -> np.ndarray:
    if subtype is not np.ndarray:
        raise RefusedPickleError(f'the pickle makes a {subtype!r} where a numpy array is expected')
    return np.ndarray((0,), dtype='b')


def _array_from_bytes(buffer: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    return np.frombuffer(bytes(buffer), dtype=_plain_dtype(dtype)).reshape(shape, order=order)


def _scalar(dtype: Any, value: bytes = b'') -> Any:
    return np.frombuffer(value, dtype=_plain_dtype(dtype))[0]


def _plain_dtype(dtype: Any) -> np.dtype:
    if not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise RefusedPickleError(f'the pickle makes an array of {dtype!r}')
    return dtype


def _encode(text: str, encoding: str = 'latin1') -> bytes:
    if encoding not in {'latin1', 'latin-1'}:
        raise RefusedPickleError(f'the pickle encodes text as {encoding!r}')
    return text.encode('latin1')


def _reconstructor(cls: Any, base: Any, _: Any) -> _StandIn:
    if not (isinstance(cls, type) and issubclass(cls, _StandIn) and base is object):
        raise RefusedPickleError(f'the pickle reconstructs {cls!r}')
    return cls()


_NEW_ARRAY, _SCALAR = _Guarded(_new_array), _Guarded(_scalar)
_ALLOWED: dict[tuple[str, str], Any] = {
    ('numpy', 'ndarray'): np.ndarray,
    ('numpy', 'dtype'): np.dtype,
    ('numpy.core.multiarray', '_reconstruct'): _NEW_ARRAY,
    ('numpy._core.multiarray', '_reconstruct'): _NEW_ARRAY,
    ('numpy.core.multiarray', 'scalar'): _SCALAR,
    ('numpy._core.multiarray', 'scalar'): _SCALAR,
    ('numpy.core.numeric', '_frombuffer'): _Guarded(_array_from_bytes),
    ('numpy._core.numeric', '_frombuffer'): _Guarded(_array_from_bytes),
    ('_codecs', 'encode'): _Guarded(_encode),
    ('copyreg', '_reconstructor'): _Guarded(_reconstructor),
    ('builtins', 'object'): object,
    ('builtins', 'bytes'): _Guarded(lambda: b''),
    ('builtins', 'set'): _Guarded(set),
    ('collections', 'OrderedDict'): OrderedDict,
}
_PYTHON2_MODULES = {'__builtin__': 'builtins', 'copy_reg': 'copyreg'}
_CHUMPY = {
    ('chumpy.ch', 'Ch'): ChumpyStandIn,
    ('chumpy.reordering', 'Select'): ChumpySelectStandIn,
}
_SPARSE = {'csc_matrix': SparseStandIn, 'csr_matrix': _CsrStandIn, 'coo_matrix': SparseStandIn}


class _RestrictedUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """The object for an allowed name; never imports."""
        module = _PYTHON2_MODULES.get(module, module)
        if (module, name) in _ALLOWED:
            return _ALLOWED[module, name]
        package = module.split('.')[0]
        if package == 'chumpy':
            return _CHUMPY.get((module, name), OpaqueStandIn)
        if package == 'scipy' and name in _SPARSE:
            return _SPARSE[name]
        raise RefusedPickleError(
            f'it names {module}.{name}, which no file of arrays needs; a pickle can run any code, '
            'so it was not loaded'
        )


def as_array(value: Any) -> np.ndarray:
    """Numpy array of an array, stand-in or nested list; ValueError for anything else."""
    if isinstance(value, _StandIn):
        return value.to_array()
    array = np.asarray(value)
    if array.dtype.hasobject:
        if array.shape == ():
            return as_array(array.item()) if isinstance(array.item(), _StandIn) else _refuse(value)
        return _refuse(value)
    return array


def _refuse(value: Any) -> np.ndarray:
    raise ValueError(f'expected an array of numbers, got {type(value).__name__}')


def restricted_load(file: IO[bytes], name: str | Path) -> Any:
    """Unpickle from an open binary file; nothing outside the allow-list is imported or called.

    Args:
        file: Open binary file.
        name: What to call it in messages.

    Raises:
        RefusedPickleError: (a ValueError) the pickle names something not allowed.
        ValueError: Truncated file or not a pickle.
    """
    try:
        return _RestrictedUnpickler(file, encoding='latin1').load()
    except RefusedPickleError as error:
        raise RefusedPickleError(f'{name} is refused: {error}') from None
    except Exception as error:
        raise ValueError(
            f'{name} is truncated or not a pickle ({type(error).__name__}: {error}); '
            'download the file again'
        ) from error
