"""Records and files that are refused, and what may be unknown in a record."""

import pickle
import zipfile

import numpy as np
import pytest
from helpers_records import toy_columns

from i2l_plugin.body_models.joint_sets import JOINT_SETS
from i2l_plugin.datasets import AnnotationRecord
from i2l_plugin.datasets.annotation_schema import COLUMNS, _other_sides


@pytest.fixture(scope='module')
def columns():
    return toy_columns(n=5)


@pytest.fixture
def path(columns, tmp_path):
    path = tmp_path / 'record.npz'
    AnnotationRecord.create(**columns).save(path)
    return path


def rewrite(path, **changes):
    """Replace (or, with None, drop) arrays of the file behind the writer's back."""
    with np.load(path) as file:
        arrays = {**file, **changes}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


def test_entries_that_are_not_valid_may_hold_nan(columns):
    fit_valid, joints_valid = np.ones(5, bool), columns['joints_valid'].copy()
    fit_valid[1], joints_valid[2, 3] = False, False
    has_depth = np.array([True, True, True, False, True])
    changes = {'fit_valid': fit_valid, 'joints_valid': joints_valid, 'has_depth': has_depth}
    for name, where in {'pose': 1, 'betas': 1, 'transl_m': 1, 'root_depth_mm': 3}.items():
        changes[name] = columns[name].copy()
        changes[name][where] = np.nan
    for name in ('joints_cam_mm', 'joints_px'):
        changes[name] = columns[name].copy()
        changes[name][2, 3] = np.inf
    changes['joints_cam_mm'][3] = np.nan
    assert len(AnnotationRecord.create(**{**columns, **changes})) == 5


def spoil(array, where, value):
    array = array.copy()
    array[where] = value
    return array


BAD_VALUES = {
    'pose': ((2, 5), np.nan, r'NaN or inf for 1 of 5 persons, sample_id \[102\]; expected finite'),
    'transl_m': (4, np.inf, r'sample_id \[104\]; expected finite numbers where fit_valid'),
    'joints_cam_mm': ((0, 3), np.nan, r'finite numbers where joints_valid and has_depth'),
    'joints_px': ((1, 0, 1), np.nan, r'sample_id \[101\]; expected finite numbers where joints_v'),
    'bbox_px': ((3, 2), np.nan, r'sample_id \[103\]; expected finite numbers:'),
    'focal_px': ((1, 1), 0, r'values <= 0 for 1 of 5 persons, sample_id \[101\]'),
    'image_size_px': ((1, 0), -4, r'values <= 0 for 1 of 5'),
    'root_depth_mm': (slice(None), -1, r'values <= 0 for 5 of 5 persons, sample_id \[100, 101,'),
    'sample_id': (3, 100, r'a repeated number for 1 of 5 persons, sample_id \[100\]'),
}


@pytest.mark.parametrize('name', BAD_VALUES)
def test_bad_values_are_named_with_column_and_persons(columns, name):
    where, value, message = BAD_VALUES[name]
    changes = {name: spoil(np.asarray(columns[name]), where, value)}
    with pytest.raises(ValueError, match=f"column '{name}': got .*{message}"):
        AnnotationRecord.create(**{**columns, **changes})


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'kind': 'foot'}, "kind: got 'foot', expected one of"),
        ({'kind': 'hand'}, r"'pose': got shape \(5, 24, 3\), expected \(N, P, 3\) = \(5, 16, 3\)"),
        ({'betas': np.zeros((5, 300))}, r"'betas': got shape \(5, 300\), .* = \(5, 10\)"),
        ({'betas': np.zeros((4, 10))}, r"'betas': got shape \(4, 10\), expected \(N, 10\) = \(5,"),
        ({'joints_px': np.zeros((5, 14, 2))}, r'expected \(N, A, 2\) = \(5, 17, 2\)'),
        ({'fit_valid': np.ones(5)}, "'fit_valid': got dtype float64, expected bool"),
        ({'image_path': np.arange(5)}, "'image_path': got dtype int64, expected bytes"),
        ({'id_action': np.ones(5)}, "'id_action': got dtype float64, expected integers or bytes"),
        ({'id_action': np.arange(4)}, r"'id_action': got shape \(4,\)"),
        ({'transl_mm': np.zeros((5, 3))}, r"unknown column \['transl_mm'\]; expected names of"),
        ({'image_path': ['a', '', 'b', 'c', 'd']}, r'no path for 1 of 5 persons, sample_id \[101'),
        ({'gender': list('nmfxn')}, r"'gender': got another value for 1 of 5 .*\[103\].*b'm' or"),
        ({'joint_names': ['Pelvis'] * 17}, "'joint_names': got .* expected each name once"),
    ],
)
def test_wrong_columns_are_refused_by_name(columns, changes, message):
    with pytest.raises(ValueError, match=message):
        AnnotationRecord.create(**{**columns, **changes})


OTHER_SIDES = [
    *('left_hip', 'hip_right', 'LeftHip', 'hipLeft', 'l_hip', 'hip_r', 'R.Hip', 'LHip', 'rHip'),
    *('HipL', 'Right Hip'),
]


@pytest.mark.parametrize('name', OTHER_SIDES)
def test_sides_that_mirroring_would_not_swap_are_refused(columns, name):
    names = [name, *columns['joint_names'][1:]]
    with pytest.raises(ValueError, match=rf"'joint_names': got \['{name}'\], expected .* 'L_x'"):
        AnnotationRecord.create(**{**columns, 'joint_names': names})


def test_left_and_right_joints_are_known_by_each_other_too(columns):
    names = ['lhip', 'rhip', *columns['joint_names'][2:]]
    with pytest.raises(ValueError, match=r"got \['lhip', 'rhip'\]"):
        AnnotationRecord.create(**{**columns, 'joint_names': names})


@pytest.mark.parametrize('joint_set', JOINT_SETS.values(), ids=lambda joint_set: joint_set.name)
def test_the_joint_sets_own_names_are_no_other_sides(joint_set):
    assert _other_sides(joint_set.joint_names) == []


def test_an_empty_record_is_refused(columns):
    named = ('kind', 'joint_names')
    empty = {name: value if name in named else value[:0] for name, value in columns.items()}
    with pytest.raises(ValueError, match='got no persons'):
        AnnotationRecord.create(**empty)


@pytest.mark.parametrize('name', [name for name, column in COLUMNS.items() if column.required])
def test_a_missing_column_is_named_with_its_file(path, name):
    rewrite(path, **{name: None})
    with pytest.raises(ValueError, match=rf"record.npz: got no column \['{name}'\]"):
        AnnotationRecord.load(path)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'version': np.array(7)}, 'record.npz: got version 7, expected 1; convert'),
        ({'version': None}, "record.npz: got no scalar 'version', expected a canonical"),
        ({'kind': np.array(['body', 'hand'])}, "record.npz: got no scalar 'kind'"),
        ({'kind': np.array('face')}, "record.npz: kind: got 'face'"),
        ({'pose': np.zeros((5, 24, 3))}, "record.npz: column 'pose': got dtype float64, .*casts"),
        ({'id_x': np.array([{}] * 5)}, 'record.npz: got a file .*id_x.npy holds pickled Python'),
    ],
)
def test_wrong_files_are_refused_by_name(path, changes, message):
    rewrite(path, **changes)
    with pytest.raises(ValueError, match=message):
        AnnotationRecord.load(path)


def test_pickled_objects_in_a_compressed_file_are_refused(path):
    np.savez_compressed(path, pose=np.array([print]))
    with pytest.raises(ValueError, match=r'record.npz: got a file .*allow_pickle'):
        AnnotationRecord.load(path)


@pytest.mark.parametrize('content', [b'', b'not a zip file', pickle.dumps({'pose': 1})])
def test_another_kind_of_file_is_refused(tmp_path, content):
    path = tmp_path / 'other.npz'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r'other.npz: got a file that cannot be read'):
        AnnotationRecord.load(path)


@pytest.mark.parametrize('keep', [0.1, 0.5, 0.99])
def test_a_file_cut_short_is_refused(path, keep):
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(ValueError, match=r'record.npz: got a file that cannot be read'):
        AnnotationRecord.load(path)


def test_members_that_are_no_arrays_are_refused(path):
    with zipfile.ZipFile(path, 'a') as archive:
        archive.writestr('notes.txt', 'a text of more than a few bytes')
    with pytest.raises(ValueError, match=r'record.npz: got a file that cannot be read'):
        AnnotationRecord.load(path)


def test_a_member_of_a_newer_npy_format_is_refused(path):
    with zipfile.ZipFile(path, 'a') as archive, archive.open('id_x.npy', 'w') as file:
        np.lib.format.write_array(file, np.arange(5), version=(3, 0))
    with pytest.raises(ValueError, match=r'id_x.npy has npy format version \(3, 0\)'):
        AnnotationRecord.load(path)


def test_a_member_with_a_long_header_is_read(path):
    with zipfile.ZipFile(path, 'a') as archive, archive.open('id_x.npy', 'w') as file:
        np.lib.format.write_array(file, np.arange(5), version=(2, 0))
    assert AnnotationRecord.load(path)['id_x'].tolist() == [0, 1, 2, 3, 4]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'nothing.npz: no such file'):
        AnnotationRecord.load(tmp_path / 'nothing.npz')


def test_an_interrupted_save_leaves_the_old_file_and_nothing_else(columns, path, monkeypatch):
    before = path.read_bytes()

    def fail(file, **_):
        file.write(b'half')
        raise KeyboardInterrupt

    monkeypatch.setattr(np, 'savez', fail)
    with pytest.raises(KeyboardInterrupt):
        AnnotationRecord.create(**columns).save(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ['record.npz']


@pytest.mark.parametrize('name', ['fit_error_mm', 'fit_error_lixel'])
def test_fit_errors_may_be_unknown_but_not_negative_or_infinite(columns, name):
    def create(errors):
        return AnnotationRecord.create(**columns, **{name: errors})

    errors = np.array([0, 30, np.nan, np.nan, 1e4])
    np.testing.assert_array_equal(create(errors)[name], errors.astype(np.float32))
    for wrong in (-1, np.inf):
        errors[1] = wrong
        with pytest.raises(ValueError, match=rf"'{name}'.* negative or inf for 1 of 5 .* \[101\]"):
            create(errors)
