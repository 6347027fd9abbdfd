"""SMPL and MANO files, as their makers wrote them and as .npz, against the arrays put into them."""

import dataclasses
import zipfile

import numpy as np
import pytest
import scipy.sparse
from helpers_official_files import Ch, official_arrays, write_python2_pickle
from helpers_toy_body import toy_body_data

from i2l_plugin.body_models.files import (
    MANO_FINGER_TIPS,
    load_body_model,
    load_body_model_file,
    read_arrays,
)

ARRAYS = ('v_template', 'faces', 'shapedirs', 'posedirs', 'weights', 'j_regressor', 'parents')


@pytest.fixture
def make_file(tmp_path):
    """Write the official kind of file with some entries replaced (or removed, by None)."""

    def make(kind='body', num_betas=10, suffix='.pkl', **changes):
        # Official vertex ids need 6890 / 778 vertices: one row more than the last, all the same.
        arrays = official_arrays(big_toy(kind), num_betas) | changes
        arrays = {name: value for name, value in arrays.items() if value is not None}
        path = tmp_path / f'model{suffix}'
        if suffix == '.pkl':
            write_python2_pickle(path, arrays)
        else:
            np.savez(path, **arrays)
        return path

    return make


def big_toy(kind):
    """The toy model with unused vertices added up to the official count."""
    data = toy_body_data(kind)
    more = {'body': 6890, 'hand': 778}[kind] - data.num_vertices

    def pad(array, axis):
        width = [(0, more if i == axis else 0) for i in range(array.ndim)]
        return np.pad(array, width)

    return dataclasses.replace(
        data,
        **{name: pad(getattr(data, name), 0) for name in ('v_template', 'shapedirs', 'posedirs')},
        weights=np.concatenate([data.weights, np.eye(1, data.weights.shape[1]).repeat(more, 0)]),
        j_regressor=pad(data.j_regressor, 1),
        regressors={},
        vertex_mirror=None,
    )


def assert_same_arrays(loaded, expected):
    for name in ARRAYS:
        value = getattr(expected, name)
        np.testing.assert_allclose(getattr(loaded, name), value, atol=1e-7, err_msg=name)
    if expected.kind == 'hand':
        np.testing.assert_allclose(loaded.hands_mean, expected.hands_mean, atol=1e-7)


@pytest.mark.parametrize(('kind', 'num_betas'), [('body', 10), ('body', 300), ('hand', 10)])
def test_official_pickles_give_their_arrays_and_the_first_ten_betas(make_file, kind, num_betas):
    loaded = load_body_model(kind, make_file(kind, num_betas))
    assert_same_arrays(loaded, big_toy(kind))


def test_npz_files_give_the_same_arrays(make_file):
    plain = {
        'v_template': big_toy('body').v_template,
        'shapedirs': np.asfortranarray(big_toy('body').shapedirs),
        'J_regressor': big_toy('body').j_regressor,
        'J': None,
    }
    assert_same_arrays(load_body_model_file(make_file(suffix='.npz', **plain)), big_toy('body'))


def test_a_sparse_regressor_inside_an_npz_is_read_without_numpy_pickles(make_file):
    data = big_toy('hand')
    box = np.empty((), object)
    box[()] = scipy.sparse.csc_matrix(data.j_regressor)
    plain = {'v_template': data.v_template, 'shapedirs': data.shapedirs, 'J': None}
    loaded = load_body_model_file(make_file('hand', suffix='.npz', J_regressor=box, **plain))
    assert_same_arrays(loaded, data)


def test_face_points_and_both_finger_tip_sets(make_file):
    # Facts: nose 331, eyes 2802 and 6262, ears 3489 and 3990; two published sets of finger tips.
    body = load_body_model('body', make_file())
    assert body.vertex_ids == {
        'Nose': 331, 'L_Eye': 2802, 'R_Eye': 6262, 'L_Ear': 3489, 'R_Ear': 3990,
    }  # fmt: skip
    path = make_file('hand')
    fingers = ('Thumb4', 'Index4', 'Middle4', 'Ring4', 'Pinky4')
    release = load_body_model('hand', path).vertex_ids
    assert [release[name] for name in fingers] == [745, 317, 444, 556, 673]
    freihand = load_body_model('hand', path, finger_tips='freihand').vertex_ids
    assert [freihand[name] for name in fingers] == [744, 320, 443, 555, 672]
    assert MANO_FINGER_TIPS.keys() == {'release', 'freihand'}


def test_extra_regressors_come_from_npy_files_and_from_the_model_file(make_file, tmp_path):
    rows = np.random.default_rng(0).uniform(size=(17, 6890))
    np.save(tmp_path / 'h36m.npy', rows)
    path = make_file(J_regressor_prior=np.zeros((24, 6890)), J_regressor_smpl_24=rows[:1] * 2)
    data = load_body_model_file(path, regressor_files={'h36m_17': tmp_path / 'h36m.npy'})
    assert set(data.regressors) == {'h36m_17', 'smpl_24'}
    np.testing.assert_allclose(data.regressors['h36m_17'], rows, rtol=1e-6)
    np.testing.assert_allclose(data.regressors['smpl_24'], rows[:1] * 2, rtol=1e-6)

    np.save(tmp_path / 'h36m.npy', rows[:14])
    with pytest.raises(ValueError, match=r"'h36m_17' must be \(17, 6890\), got \(14, 6890\)"):
        load_body_model_file(path, regressor_files={'h36m_17': tmp_path / 'h36m.npy'})
    with pytest.raises(FileNotFoundError, match=r"'h36m_17' at .*missing\.npy"):
        load_body_model_file(path, regressor_files={'h36m_17': tmp_path / 'missing.npy'})


def test_names_of_surface_joints_and_mirror_map_in_the_file_are_used(make_file):
    path = make_file(
        surface_joint_names=np.array(['Nose', 'L_Eye']),
        surface_joint_vertices=np.array([5, 7]),
        vertex_mirror=np.arange(6890)[::-1],
        suffix='.npz',
        v_template=big_toy('body').v_template,
        shapedirs=big_toy('body').shapedirs,
        J_regressor=big_toy('body').j_regressor,
        J=None,
    )
    data = load_body_model_file(path)
    assert data.vertex_ids == {'Nose': 5, 'L_Eye': 7}
    np.testing.assert_array_equal(data.vertex_mirror, np.arange(6890)[::-1])


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'weights': None}, r"lacks \['weights'\]"),
        ({'kintree_table': np.zeros((2, 55), np.int64)}, 'has 55 joints; SMPL has 24 and MANO 16'),
        ({'shapedirs': np.zeros((6890, 3, 8))}, r'shapedirs must be \(V, 3, >= 10\)'),
        ({'posedirs': np.zeros((6890, 3, 135))}, r'posedirs .*\(6890, 3, 207\), got'),
        ({'weights': np.full((6890, 24), np.nan)}, 'weights holds NaN'),
        ({'v_template': 'text'}, 'v_template is not an array of numbers'),
        ({'v_template': Ch('text')}, 'v_template is not an array of numbers'),
        ({'f': np.full((4, 3), 6890)}, r'faces refers to vertices 6890\.\.6890'),
    ],
)
def test_files_that_are_no_model_say_what_is_wrong(make_file, changes, message):
    with pytest.raises(ValueError, match=f'model.*{message}'):
        load_body_model_file(make_file(**changes))


def test_a_hand_file_without_a_mean_pose_is_refused(make_file):
    with pytest.raises(ValueError, match="lacks 'hands_mean'"):
        load_body_model_file(make_file('hand', hands_mean=None))


def test_wrong_arguments_are_named(make_file, tmp_path):
    with pytest.raises(ValueError, match=r"'body' or 'hand', got 'face'"):
        load_body_model('face')
    with pytest.raises(ValueError, match=r'is a body model \(24 joints\), not a hand'):
        load_body_model('hand', make_file())
    with pytest.raises(ValueError, match=r"finger_tips must be one of .*'nails'"):
        load_body_model('hand', finger_tips='nails')
    with pytest.raises(FileNotFoundError, match=r'no body-model file at .*absent\.pkl'):
        load_body_model('body', tmp_path / 'absent.pkl')


def test_broken_archives_and_other_pickles_are_named(tmp_path):
    path = tmp_path / 'broken.npz'
    np.savez(path, v_template=np.zeros((100, 3)))
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r'broken\.npz is truncated or not an \.npz'):
        read_arrays(path)
    path = tmp_path / 'text.npz'
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('v_template.npy', 'not an array')
    with pytest.raises(ValueError, match=r'text\.npz:v_template\.npy is not an array'):
        read_arrays(path)
    path = tmp_path / 'list.pkl'
    write_python2_pickle(path, [1, 2])
    with pytest.raises(ValueError, match=r'list\.pkl holds a list, expected a dict'):
        read_arrays(path)
    path = tmp_path / 'newer.npz'
    np.savez(path, x=np.zeros(3, dtype=[('y' * 70000, float)]))
    with pytest.raises(ValueError, match=r'\.npy version \(2, 0\)'):
        read_arrays(path)


@pytest.mark.parametrize('content', [b'', b'no array', b'\x93NUMPY\x01\x00'])
def test_a_regressor_file_that_is_no_array_is_named(make_file, tmp_path, content):
    file = tmp_path / 'h36m.npy'
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"joint regressor 'h36m_17' at .*h36m\.npy is no \.npy"):
        load_body_model_file(make_file(), regressor_files={'h36m_17': file})


def test_a_regressor_in_an_archive_is_refused_by_name(make_file, tmp_path):
    np.savez(tmp_path / 'h36m.npz', rows=np.zeros((17, 6890)))
    with pytest.raises(ValueError, match=r"h36m\.npz: regressor 'h36m_17' must be .*, got NpzFile"):
        load_body_model_file(make_file(), regressor_files={'h36m_17': tmp_path / 'h36m.npz'})
