"""The Human3.6M converter on a small data set in the release's format, against its known truth."""

import human36m
import numpy as np
import pytest
from helpers_converters import (
    Converter,
    body_off_origin,
    naive_fit_error_mm,
    posed_vertices_mm,
)
from helpers_human36m import FRAMES, project_px, write_human36m
from helpers_official_files import official_arrays, write_python2_pickle
from helpers_runs import run_tool, save_toy_model
from scipy.spatial.transform import Rotation

from i2l_plugin.datasets import AnnotationRecord, MeshDataset

TRAIN, TEST = (1, 5, 6, 7, 8), (9, 11)
ALL = (1, 2, 3, 4)


@pytest.fixture(scope='module')
def data():
    return body_off_origin()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('h36m')


@pytest.fixture(scope='module')
def truth(folder, data):
    return write_human36m(folder, data)


@pytest.fixture(scope='module')
def model(folder, data):
    return str(save_toy_model(folder / 'smpl.npz', data=data))


@pytest.fixture(scope='module')
def convert(folder, truth, model):
    assert truth.people
    return Converter(human36m, folder, '--body-model', model)


@pytest.fixture(scope='module')
def record(convert):
    """All training people."""
    return convert('--split', 'train')[0]


@pytest.mark.parametrize(
    ('options', 'subjects', 'steps', 'cameras'),
    [
        (('--split', 'train'), TRAIN, [5], ALL),
        (('--split', 'test'), TEST, [64], (4,)),
        (('--split', 'test', '--cameras', '1', '2', '3', '4'), TEST, [64], ALL),
        (('--split', 'test', '--frame-step', '5'), TEST, [5], (4,)),
        (('--split', 'test', '--frame-step', '5', '64', '--cameras', '2'), TEST, [5, 64], (2,)),
        (('--split', 'train', '--subjects', '8', '1', '--frame-step', '1'), (1, 8), [1], ALL),
    ],
)
def test_exactly_the_selected_people_are_kept(convert, truth, options, subjects, steps, cameras):
    record, _ = convert(*options)
    expected = truth.selected(subjects, steps, cameras)
    assert sorted(record['sample_id'].tolist()) == expected
    for row, number in enumerate(record['sample_id'].tolist()):
        person = truth.people[number]
        assert record['image_id'][row] == person.image_id
        assert record['image_path'][row].decode() == person.file_name
        ids = {name: int(record[f'id_{name}'][row]) for name in person.ids}
        assert ids == person.ids


def test_the_default_protocols_have_the_papers_numbers_of_frames(convert):
    train, test = convert('--split', 'train')[0], convert('--split', 'test')[0]
    wanted = [frame for *_, frame in FRAMES if frame % 5 == 0]
    assert len(train) == len(TRAIN) * len(ALL) * len(wanted)
    assert len(test) == len(TEST) * sum(frame % 64 == 0 for *_, frame in FRAMES)
    assert set(test['id_camera'].tolist()) == {4}


def test_the_fits_land_where_the_world_and_the_cameras_put_them(convert, record, truth, data):
    dataset = MeshDataset(str(convert.out))
    people = [truth.people[n] for n in record['sample_id'].tolist()]
    posed = posed_vertices_mm(data, dataset)
    assert len(posed) == len(people)
    fitted = [i for i, person in enumerate(people) if person.fit != 'missing']
    expected = np.stack([people[i].vertices_cam_mm for i in fitted])
    np.testing.assert_allclose(posed[fitted], expected, atol=0.1, rtol=0)


def test_joints_cameras_and_boxes_are_those_of_the_truth(record, truth):
    for row, number in enumerate(record['sample_id'].tolist()):
        person = truth.people[number]
        joints_px = project_px(person.joints_cam_mm, person.focal_px, person.princpt_px)
        np.testing.assert_allclose(record['joints_px'][row], joints_px, atol=0.05, rtol=0)
        joints_mm = record['joints_cam_mm'][row]
        np.testing.assert_allclose(joints_mm, person.joints_cam_mm, atol=0.01, rtol=0)
        assert record['root_depth_mm'][row] == pytest.approx(person.joints_cam_mm[0, 2], abs=0.01)
        np.testing.assert_allclose(record['focal_px'][row], person.focal_px, rtol=1e-6)
        np.testing.assert_allclose(record['princpt_px'][row], person.princpt_px, rtol=1e-6)
        np.testing.assert_allclose(record['bbox_px'][row], person.bbox_px, atol=0.01)
    assert record['joints_valid'].all()
    assert record['has_depth'].all()


def test_left_joints_are_on_the_left_of_the_body(record):
    names = record.joint_names
    good = np.flatnonzero(record['fit_error_mm'] < 25)
    assert len(good)
    for row in good:
        to_body = Rotation.from_rotvec(record['pose'][row, 0]).inv()
        joints = to_body.apply(record['joints_cam_mm'][row])  # the toy's left is at +x
        for part in ('Hip', 'Shoulder'):
            assert joints[names.index(f'L_{part}'), 0] > joints[names.index(f'R_{part}'), 0] + 50


def test_fit_errors_are_stored_and_no_threshold_is_applied(record, truth):
    people = [truth.people[n] for n in record['sample_id'].tolist()]
    fits = np.array([person.fit for person in people])
    np.testing.assert_array_equal(record['fit_valid'], fits != 'missing')
    expected = [naive_fit_error_mm(p.fit_joints_cam_mm, p.joints_cam_mm) for p in people]
    error = record['fit_error_mm']
    has_fit = fits != 'missing'
    np.testing.assert_allclose(error[has_fit], np.array(expected)[has_fit], atol=0.01)
    assert np.isnan(error[~has_fit]).all()
    assert (error[fits == 'far'] > 25).all()
    assert (error[fits == 'good'] < 25).all()


def test_the_summary_counts_what_there_is(convert):
    _, said = convert('--split', 'train', '--check-images')
    assert ': 100 people in 100 images, 80 with a fit' in said
    assert 'subjects [1, 5, 6, 7, 8], frames divisible by 5, cameras [1, 2, 3, 4]' in said
    assert '75.0% within 25 mm; their means are' in said
    assert 'without a fit: 20 (not in smpl_param)' in said
    assert 'subject 1 [2][2][64]' not in said  # only every fifth frame counts
    assert 'subject 1 [16][2][10], annotation' in said


def test_official_model_files_and_the_regressor_file_do_as_well(convert, record, data, tmp_path):
    arrays = official_arrays(data)
    arrays['surface_joint_names'] = np.array(list(data.vertex_ids))
    arrays['surface_joint_vertices'] = np.array(list(data.vertex_ids.values()))
    write_python2_pickle(tmp_path / 'smpl.pkl', arrays)
    official = ('--split', 'train', '--body-model', str(tmp_path / 'smpl.pkl'))
    assert '--h36m-regressor' in convert.fails(*official)
    regressor = tmp_path / 'J_regressor_h36m_correct.npy'
    np.save(regressor, data.regressors['h36m_17'].astype(np.float64))
    again, _ = convert(*official, '--h36m-regressor', str(regressor))
    for name in record.columns:
        np.testing.assert_array_equal(again[name], record[name])


def test_another_body_model_is_seen_in_the_summary(convert, tmp_path):
    other = save_toy_model(tmp_path / 'other.npz')  # its root is 22 cm from there
    _, said = convert('--split', 'test', '--body-model', str(other))
    offset = float(said.split('their means are ')[1].split()[0])
    assert offset > 100


def test_it_runs_as_a_script(convert):
    run_tool('tools/dataset_converters/human36m.py', *convert.options, '--split', 'test')
    assert len(AnnotationRecord.load(convert.out)) == 8
