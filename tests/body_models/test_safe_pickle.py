"""The restricted unpickler: what body-model files hold comes through, all else is refused."""

import io
import os
import pickle
import struct
import subprocess
from collections import OrderedDict

import numpy as np
import pytest
import scipy.sparse
from helpers_official_files import Ch, MatVecMult, Select, write_python2_pickle

from i2l_plugin.body_models.safe_pickle import RefusedPickleError, as_array, restricted_load


def load(data):
    return restricted_load(io.BytesIO(data), 'model.pkl')


class CallOnLoad:
    """Unpickling runs `function(*args)` unless it is refused."""

    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_content_equals_pickle(protocol):
    values = OrderedDict(
        floats=np.arange(6.0).reshape(2, 3),
        fortran=np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        integers=np.arange(4, dtype=np.uint32),
        big_endian=np.arange(3, dtype='>f4'),
        empty=np.zeros((0, 3)),
        scalar=np.float32(0.5),
        text='Müller',
        raw=b'\xff\x00',
        nothing=b'',
        names={'a', 'b'},
    )
    loaded = load(pickle.dumps(values, protocol))
    assert loaded.keys() == values.keys()
    for name, value in values.items():
        np.testing.assert_array_equal(loaded[name], value, err_msg=name)
        if isinstance(value, np.ndarray):
            assert loaded[name].dtype.newbyteorder('=') == value.dtype.newbyteorder('=')


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize('kind', ['csc_matrix', 'csr_matrix', 'coo_matrix'])
def test_sparse_matrices_become_the_dense_ones(kind, protocol):
    rng = np.random.default_rng(0)
    dense = rng.normal(size=(5, 8)) * (rng.uniform(size=(5, 8)) < 0.3)
    matrix = getattr(scipy.sparse, kind)(dense)
    np.testing.assert_array_equal(as_array(load(pickle.dumps(matrix, protocol))), matrix.toarray())


def test_old_coordinate_matrices_have_row_and_col():
    matrix = scipy.sparse.coo_matrix(([1.0, 2.0, 3.0], ([0, 1, 1], [2, 0, 0])), shape=(2, 3))
    state = {'_shape': (2, 3), 'data': matrix.data, 'row': matrix.row, 'col': matrix.col}
    matrix.__dict__.clear()
    matrix.__dict__.update(state)
    loaded = as_array(load(pickle.dumps(matrix)))
    np.testing.assert_array_equal(loaded, [[0, 0, 1], [5, 0, 0]])  # duplicates add up


def test_python2_chumpy_arrays_and_latin1_strings(tmp_path):
    path = tmp_path / 'model.pkl'
    whole = np.arange(24.0).reshape(2, 3, 4)
    index = np.arange(24).reshape(2, 3, 4)[..., :2]
    write_python2_pickle(
        path,
        {
            'value': Ch(whole),
            'slice': Select(Ch(whole), index.ravel(), index.shape),
            'author': 'Müller',
            'sum': MatVecMult(whole, whole),
        },
    )
    with path.open('rb') as file:
        loaded = restricted_load(file, path)
    np.testing.assert_array_equal(as_array(loaded['value']), whole)
    np.testing.assert_array_equal(as_array(loaded['slice']), whole[..., :2])
    assert loaded['author'] == 'Müller'
    with pytest.raises(ValueError, match=r"chumpy expression with terms \['mtx', 'vec'\]"):
        as_array(loaded['sum'])


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    ('function', 'named'),
    [
        (os.system, 'system'),
        (eval, 'builtins.eval'),
        (exec, 'builtins.exec'),
        (getattr, 'builtins.getattr'),
        (open, 'open'),
        (subprocess.Popen, 'Popen'),
        (np.load, 'numpy.load'),
        (pickle.loads, 'loads'),
        (__import__, 'builtins.__import__'),
    ],
)
def test_functions_are_refused_by_name_and_never_called(tmp_path, function, named, protocol):
    witness = tmp_path / 'witness'
    data = pickle.dumps({'v_template': CallOnLoad(function, f'touch {witness}')}, protocol)
    with pytest.raises(RefusedPickleError, match=named.replace('.', r'\.')):
        load(data)
    assert not witness.exists()


def opcode_global(module, name):
    return b'c' + module.encode() + b'\n' + name.encode() + b'\n'


@pytest.mark.parametrize(
    'data',
    [
        # A dotted name reaches for an attribute of something allowed.
        b'\x80\x04' + b'\x8c\x05numpy' + b'\x8c\x10ndarray.__init__' + b'\x93.',
        # scipy.sparse holds more than matrices; so does chumpy's neighbourhood.
        opcode_global('scipy.sparse._csc', 'os') + b'.',
        opcode_global('chumpy_evil', 'Ch') + b'.',
        opcode_global('numpy.core.multiarray', 'fromfile') + b'.',
        # A reconstructor for a class that is no stand-in, or over another base.
        opcode_global('copy_reg', '_reconstructor')
        + b'('
        + opcode_global('collections', 'OrderedDict')
        + opcode_global('__builtin__', 'object')
        + b'NtR.',
        # A reduced ndarray subtype that is not ndarray.
        opcode_global('numpy.core.multiarray', '_reconstruct')
        + b'('
        + opcode_global('collections', 'OrderedDict')
        + b'(I0\ntS"b"\ntR.',
        # BUILD on an allowed function would set its attributes.
        opcode_global('numpy.core.multiarray', '_reconstruct') + b'}b.',
        # State of a stand-in that is not a dict.
        opcode_global('copy_reg', '_reconstructor')
        + b'('
        + opcode_global('chumpy.ch', 'Ch')
        + opcode_global('__builtin__', 'object')
        + b'NtRI1\nb.',
        # Encoding other than latin1; arrays and scalars of Python objects.
        opcode_global('_codecs', 'encode') + b'(Vx\nVzip\ntR.',
        opcode_global('numpy.core.multiarray', 'scalar')
        + b'('
        + opcode_global('numpy', 'dtype')
        + b'(S"O"\nI0\nI1\ntRS"x"\ntR.',
    ],
)
def test_ways_around_the_list_are_refused(data):
    with pytest.raises(RefusedPickleError, match=r'model\.pkl is refused'):
        load(data)


def test_persistent_ids_and_stand_in_arguments_are_errors():
    for data in (b'Pid\n.', opcode_global('chumpy.ch', 'Ch') + b'(I1\ntR.'):
        with pytest.raises(ValueError, match=r'model\.pkl is truncated or not a pickle'):
            load(data)


def test_every_truncation_is_a_value_error():
    data = pickle.dumps(
        {'v_template': np.arange(9.0), 'J_regressor': scipy.sparse.eye(3, format='csc')}
    )
    for length in range(len(data)):
        with pytest.raises(ValueError, match=r'model\.pkl'):
            load(data[:length])


@pytest.mark.parametrize(
    'data', [b'', b'<html>404</html>', b'PK\x03\x04', struct.pack('<40f', *range(40))]
)
def test_other_files_are_a_value_error(data):
    with pytest.raises(ValueError, match=r'truncated or not a pickle'):
        load(data)


@pytest.mark.parametrize('value', [{'a': 1}, [object()], np.array([None, 1], object)])
def test_as_array_takes_numbers_only(value):
    with pytest.raises(ValueError, match='expected an array of numbers'):
        as_array(value)


def test_as_array_looks_into_a_zero_dimensional_object_array():
    stand_in = load(pickle.dumps(scipy.sparse.csc_matrix(np.eye(3))))
    box = np.empty((), object)
    box[()] = stand_in
    np.testing.assert_array_equal(as_array(box), np.eye(3))
