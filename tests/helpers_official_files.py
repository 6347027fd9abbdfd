"""Files as SMPL's and MANO's makers wrote them: Python 2 pickles with chumpy and scipy objects."""

import pickle
import struct
import sys
import types
from typing import ClassVar
from unittest import mock

import numpy as np
import scipy.sparse


class Ch:
    """What chumpy.ch.Ch pickles: its attributes."""

    def __init__(self, x):
        self.x, self._dirty_vars, self._itr = x, {'x'}, None


class Select:
    """What chumpy.reordering.Select pickles: an array, flat indices into it, a shape."""

    def __init__(self, a, idxs, preferred_shape):
        self.a, self.idxs, self.preferred_shape = a, idxs, preferred_shape


class MatVecMult:
    """Some other chumpy expression."""

    def __init__(self, mtx, vec):
        self.mtx, self.vec = mtx, vec


_CHUMPY = {Ch: 'chumpy.ch', Select: 'chumpy.reordering', MatVecMult: 'chumpy.ch_ops'}


class _Python2Pickler(pickle._Pickler):
    """Writes str and bytes alike as the byte strings of Python 2."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_python2_str(self, value):
        data = value.encode('latin1') if isinstance(value, str) else value
        self.write(b'T' + struct.pack('<i', len(data)) + data)
        self.memoize(value)

    dispatch[str] = dispatch[bytes] = save_python2_str


def write_python2_pickle(path, value):
    """Pickle with protocol 2 under the module names that were current in Python 2."""
    modules = {}
    for cls, name in _CHUMPY.items():
        modules.setdefault(name, types.ModuleType(name))
        setattr(modules[name], cls.__name__, cls)
    modules['chumpy'] = types.ModuleType('chumpy')
    with path.open('wb') as file, mock.patch.dict(sys.modules, modules):
        for cls, name in _CHUMPY.items():
            cls.__module__ = name
        _Python2Pickler(file, protocol=2).dump(value)
    data = path.read_bytes()
    for new, old in (
        (b'cnumpy._core.multiarray\n', b'cnumpy.core.multiarray\n'),
        (b'cscipy.sparse._csc\n', b'cscipy.sparse.csc\n'),
    ):
        data = data.replace(new, old)
    path.write_bytes(data)


def official_arrays(data, num_betas=10):
    """The dict of an official file with the arrays of `data`: chumpy, sparse, uint32."""
    shapedirs = data.shapedirs
    if num_betas > shapedirs.shape[-1]:
        rest = np.zeros((*shapedirs.shape[:2], num_betas - shapedirs.shape[-1]))
        shapedirs = np.concatenate([shapedirs, rest], -1)
    parents = (data.parents % 2**32).astype(np.uint32)
    arrays = {
        'v_template': Ch(data.v_template),
        'f': data.faces.astype(np.uint32),
        'shapedirs': Ch(shapedirs),
        'posedirs': data.posedirs,
        'weights': data.weights,
        'J_regressor': scipy.sparse.csc_matrix(data.j_regressor),
        'kintree_table': np.stack([parents, np.arange(len(parents), dtype=np.uint32)]),
        'J': MatVecMult(scipy.sparse.csc_matrix(data.j_regressor), Ch(data.v_template)),
        'bs_style': 'lbs',
        'bs_type': 'lrotmin',
    }
    if data.kind == 'hand':
        # MANO's shapedirs is a slice of a longer chumpy array.
        long = np.concatenate([shapedirs, shapedirs], -1)
        index = np.arange(long.size).reshape(long.shape)[..., : shapedirs.shape[-1]]
        arrays['shapedirs'] = Select(Ch(long), index.ravel(), shapedirs.shape)
        arrays['hands_mean'] = data.hands_mean
        arrays['hands_components'] = np.eye(45)
    return arrays
