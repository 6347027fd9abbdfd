"""The 3DPW converter on a small data set, raw and parsed, against its known truth."""

import numpy as np
import pw3d
import pytest
from helpers_converters import Converter, naive_fit_error_mm
from helpers_gendered import model_options, pose_body, posed_by_gender_mm, toy_bodies
from helpers_pw3d import INVALID, OUTSIDE, SEQUENCES, TRUNCATED, write_pw3d
from helpers_pw3d_converter import edit_pickle, keys_of, small
from helpers_runs import save_toy_model
from PIL import Image
from scipy.spatial.transform import Rotation

from i2l_plugin.datasets import MeshDataset

SOURCES = ('raw', 'parsed')


@pytest.fixture(scope='module')
def bodies():
    return toy_bodies()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('3dpw')


@pytest.fixture(scope='module')
def truth(folder, bodies):
    return write_pw3d(folder, bodies, sources=SOURCES)


@pytest.fixture(scope='module')
def convert(folder, truth, bodies):
    assert truth.people
    return Converter(pw3d, folder, *model_options(folder, bodies))


@pytest.fixture(scope='module', params=SOURCES)
def converted(request, convert):
    """Record of the test split, its keys in order, the data set, and what was printed."""
    record, said = convert('--split', 'test', '--source', request.param, '--check-images')
    dataset = MeshDataset(str(convert.out))
    return record, keys_of(record), dataset, said, request.param


def test_everyone_with_a_valid_camera_is_kept(converted, truth):
    record, keys, _, said, source = converted
    everyone = truth.kept('test')
    assert len(everyone) == 2 * 6 + 4 - len(INVALID)
    expected = everyone if source == 'raw' else [k for k in everyone if k != OUTSIDE]  # as released
    assert sorted(keys) == expected
    assert len(np.unique(record['sample_id'])) == len(keys)
    if source == 'raw':
        assert f'dropped: {len(INVALID)} (campose_valid 0)' in said
        assert 'downtown_toy_00, person 1, frame 2' in said
    else:
        assert record['sample_id'].tolist() == [truth.annotation_ids[key] for key in keys]
    assert f'{source} files of the test split' in said
    assert f'test split has 35515 people, not {len(keys)}' in said


def test_the_other_splits_hold_their_own_people(convert, truth):
    for split in ('train', 'validation'):
        for source in SOURCES:
            record, said = convert('--split', split, '--source', source)
            assert sorted(keys_of(record)) == truth.kept(split)
            assert '35515' not in said
    assert {name for split in SEQUENCES.values() for name in split} == {k[0] for k in truth.people}


def test_posed_fits_of_the_own_gender_land_where_the_world_and_the_cameras_put_them(
    converted, truth, bodies
):
    record, keys, dataset, _, _ = converted
    genders = [gender.decode() for gender in record['gender']]
    assert genders == [truth.people[key].gender for key in keys]
    assert set(genders) == {'m', 'f'}
    posed = posed_by_gender_mm(bodies, dataset, genders)
    expected = np.stack([truth.people[key].vertices_cam_mm for key in keys])
    np.testing.assert_allclose(posed, expected, atol=0.1, rtol=0)
    other = posed_by_gender_mm(bodies, dataset, ['n'] * len(keys))
    assert np.linalg.norm(other - expected, axis=-1).max() > 20  # the trap is real


def test_joints_cameras_and_boxes_are_those_of_the_truth(converted, truth):
    record, keys, _, _, _ = converted
    for row, key in enumerate(keys):
        person = truth.people[key]
        np.testing.assert_allclose(record['joints_px'][row], person.joints_px, atol=0.05, rtol=0)
        joints_mm = record['joints_cam_mm'][row]
        np.testing.assert_allclose(joints_mm, person.joints_cam_mm, atol=0.01, rtol=0)
        assert record['root_depth_mm'][row] == pytest.approx(person.joints_cam_mm[0, 2], abs=0.01)
        np.testing.assert_allclose(record['focal_px'][row], person.focal_px, rtol=1e-6)
        np.testing.assert_allclose(record['princpt_px'][row], person.princpt_px, rtol=1e-6)
        assert tuple(record['image_size_px'][row]) == person.size_px
        width, height = person.size_px
        box = [0, 0, width - 1, height - 1] if key == OUTSIDE else person.bbox_px
        np.testing.assert_allclose(record['bbox_px'][row], box, atol=0.01)
    x = truth.people[TRUNCATED].joints_px[:, 0]
    assert x.min() < -1 < 1 < x.max()
    assert truth.people[OUTSIDE].bbox_px is None
    assert record['joints_valid'].all()


def test_left_and_right_travel_by_name(converted):
    record, keys, _, _, _ = converted
    names = record.joint_names
    for row in range(len(keys)):
        to_body = Rotation.from_rotvec(record['pose'][row, 0]).inv()
        joints = to_body.apply(record['joints_cam_mm'][row])  # the toy's left is at +x
        for part in ('Hip', 'Shoulder'):
            assert joints[names.index(f'L_{part}'), 0] > joints[names.index(f'R_{part}'), 0] + 50


def test_pictures_are_those_of_the_frames(converted, folder):
    record, keys, _, _, _ = converted
    for row, (name, _, frame) in enumerate(keys):
        path = record['image_path'][row].decode()
        assert path == f'{name}/image_{frame:05d}.jpg'
        with Image.open(folder / 'imageFiles' / path) as picture:
            assert picture.size == tuple(record['image_size_px'][row])
    images = {(name, frame): set() for name, _, frame in keys}
    for row, (name, _, frame) in enumerate(keys):
        images[name, frame].add(int(record['image_id'][row]))
    assert all(len(numbers) == 1 for numbers in images.values())
    assert len(set.union(*images.values())) == len(images)


def test_parsed_files_are_preferred_and_their_translations_put_right(convert):
    record, said = convert('--split', 'test')
    assert 'parsed files of the test split' in said
    assert 'moved to put their root on the annotated pelvis: by a median of 4' in said  # 4x mm
    assert np.nanmax(record['fit_error_mm']) < 0.01


def test_the_summary_compares_fits_and_detections_with_the_joints(convert):
    _, said = convert('--split', 'test', '--source', 'raw')
    assert 'posed joints are a median of 0.0 mm and 0.00 px from the annotated ones' in said
    assert '(11 people)' in said  # of 12 one was not detected
    assert 'WARNING' not in said


def test_another_model_shows_in_the_fit_errors_and_the_summary(convert, folder, bodies, truth):
    neutral = str(save_toy_model(folder / 'neutral.npz', data=bodies['n']))
    models = ('--body-model-male', neutral, '--body-model-female', neutral)
    record, said = convert('--split', 'test', '--source', 'raw', *models)
    assert 'WARNING: that is more than 15 mm or 3 px' in said
    for row, key in enumerate(keys_of(record)):
        person = truth.people[key]
        posed = posed_joints_mm(bodies['n'], record, row)
        expected = naive_fit_error_mm(posed, person.joints_cam_mm)
        assert record['fit_error_mm'][row] == pytest.approx(expected, abs=0.02)
        assert expected > 3


def posed_joints_mm(data, record, row):
    parts = (record[name][row] for name in ('pose', 'betas', 'transl_m'))
    return 1000 * pose_body(data, *parts)[1]


def mirror_cameras(content):
    content['cam_poses'][:, :3, 3] += [4.0, 0, 0]


def test_a_wrong_camera_shows_against_the_detections(tmp_path):
    convert, _ = small(tmp_path)
    edit_pickle(next(tmp_path.glob('sequenceFiles/*/*.pkl')), mirror_cameras)
    _, said = convert()
    assert 'WARNING: that is more than 10%' in said


def test_fits_elsewhere_than_the_joints_show_in_the_summary(tmp_path):
    convert, _ = small(tmp_path)

    def change(content):
        content['trans'][0][:] += [0.0, 0.0, 0.5]

    edit_pickle(next(tmp_path.glob('sequenceFiles/*/*.pkl')), change)
    record, said = convert()
    assert np.nanmax(record['fit_error_mm']) < 0.01  # means are aligned
    assert 'posed joints are a median of 500.0 mm' in said
    assert 'WARNING: that is more than 15 mm or 3 px' in said


def test_without_any_valid_camera_nothing_is_written(tmp_path):
    convert, _ = small(tmp_path)

    def change(content):
        content['campose_valid'][0][:] = 0

    edit_pickle(next(tmp_path.glob('sequenceFiles/*/*.pkl')), change)
    assert "no person is left; dropped: {'campose_valid 0': 3}" in convert.fails()


def test_joints_behind_the_camera_do_not_count(tmp_path):
    convert, truth = small(tmp_path)
    (key, *_), behind = truth.kept('train'), 4

    def change(content):
        camera = content['cam_poses'][0]
        joints = content['jointPositions'][0][0].reshape(24, 3)
        joints[behind] -= 8 * camera[2, :3]  # 8 m against the view
        content['poses2d'] = [content['poses2d'][0][:, :, ::-1]]  # sides and all mixed up

    edit_pickle(next(tmp_path.glob('sequenceFiles/*/*.pkl')), change)
    record, said = convert()
    row = keys_of(record).index(key)
    assert np.flatnonzero(~record['joints_valid'][row]).tolist() == [behind]
    assert np.isnan(record['fit_error_mm'][row])
    assert not np.isnan(np.delete(record['fit_error_mm'], row)).any()
    assert 'WARNING' in said


def test_people_behind_the_camera_are_dropped(tmp_path):
    convert, truth = small(tmp_path)

    def change(content):
        back = 8 * content['cam_poses'][0][2, :3]
        content['trans'][0][0] -= back
        content['jointPositions'][0][0] -= np.tile(back, 24)

    edit_pickle(next(tmp_path.glob('sequenceFiles/*/*.pkl')), change)
    record, said = convert()
    assert keys_of(record) == truth.kept('train')[1:]
    assert 'dropped: 1 (behind the camera)\n    courtyard_toy_00, person 0, frame 0' in said
