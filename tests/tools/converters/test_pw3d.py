"""The 3DPW converter on a small data set, raw and parsed, against its known truth."""

import os
import pickle
import re

import numpy as np
import pw3d
import pytest
from helpers_converters import Converter, edit_json, naive_fit_error_mm
from helpers_gendered import model_options, pose_body, posed_by_gender_mm, toy_bodies
from helpers_official_files import write_python2_pickle
from helpers_pw3d import INVALID, OUTSIDE, SEQUENCES, TRUNCATED, write_pw3d
from helpers_runs import save_toy_model
from PIL import Image
from scipy.spatial.transform import Rotation

from i2l_plugin.body_models.safe_pickle import restricted_load
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


def keys_of(record):
    names = ('id_sequence', 'id_person', 'id_frame')
    return [
        (name.decode(), int(person), int(frame))
        for name, person, frame in zip(*(record[n].tolist() for n in names), strict=True)
    ]


def small(tmp_path, **kwargs):
    """A converter of the one-actor training sequence, for files that get broken."""
    bodies = toy_bodies()
    truth = write_pw3d(tmp_path, bodies, splits=('train',), **kwargs)
    return Converter(pw3d, tmp_path, '--split', 'train', *model_options(tmp_path, bodies)), truth


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


def edit_pickle(path, change):
    with path.open('rb') as file:
        content = restricted_load(file, path)
    change(content)
    write_python2_pickle(path, content)


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


def test_files_without_detections_are_fine(tmp_path):
    convert, _ = small(tmp_path)
    edit_pickle(
        next(tmp_path.glob('sequenceFiles/*/*.pkl')), lambda content: content.pop('poses2d')
    )
    record, said = convert()
    assert len(record) == 3
    assert 'poses2d' not in said


def shorten(name):
    def change(content):
        content[name] = [content[name][0][:-1]]

    return change


def put(name, entry):
    def change(content):
        content[name] = entry

    return change


def spoil(name, index=0):
    def change(content):
        content[name][0] = np.array(content[name][0], float)
        content[name][0][index] = np.nan

    return change


CORRUPT_SEQUENCES = [
    (shorten('poses'), r'entry the sequence: poses: got shape \(2, 72\) of person 0, expected \(3'),
    (shorten('campose_valid'), r'campose_valid: got shape \(2,\)'),
    (lambda content: content.pop('trans'), r"the sequence: it has no 'trans'"),
    (put('genders', []), r'genders: got no entry of person 0'),
    (put('genders', ['x']), r"gender: got 'x', expected one of \['f', 'female'"),
    (put('betas', [np.zeros(9)]), r'betas: got shape \(9,\)'),
    (put('cam_poses', np.zeros((3, 3, 4))), r'cam_poses: got shape \(3, 3, 4\)'),
    (put('cam_intrinsics', np.zeros(4)), r'cam_intrinsics: got shape \(4,\)'),
]
CORRUPT_FRAMES = [
    (spoil('poses'), 'entry person 0, frame 0: poses: got NaN'),
    (spoil('trans'), 'entry person 0, frame 0: trans: got NaN'),
    (spoil('jointPositions'), 'entry person 0, frame 0: jointPositions: got NaN'),
    (put('cam_poses', np.ones((3, 4, 4))), r'entry person 0, frame 0: R: got \[\[1'),
]


@pytest.mark.parametrize(('change', 'message'), CORRUPT_SEQUENCES + CORRUPT_FRAMES)
def test_a_corrupt_entry_stops_with_file_and_key(tmp_path, change, message):
    convert, _ = small(tmp_path)
    edit_pickle(next(tmp_path.glob('sequenceFiles/*/*.pkl')), change)
    said = convert.fails()
    assert 'courtyard_toy_00.pkl: entry' in said
    assert said.count('--on-error skip') == 1
    assert re.search(message, said), said


def test_corrupt_entries_are_left_out_on_request(tmp_path):
    convert, truth = small(tmp_path)
    path = next(tmp_path.glob('sequenceFiles/*/*.pkl'))
    edit_pickle(path, spoil('poses', index=1))
    (path.parent / 'another.pkl').write_bytes(path.read_bytes()[:-50])
    (tmp_path / 'imageFiles' / 'another').mkdir()
    record, said = convert('--on-error', 'skip')
    assert keys_of(record) == [key for key in truth.kept('train') if key[2] != 1]
    assert 'dropped: 2 (corrupt entry)' in said
    assert 'another.pkl is truncated' in said


class Hostile:
    def __init__(self, folder):
        self.command = f'touch {folder}/executed'

    def __reduce__(self):
        return os.system, (self.command,)


def test_a_hostile_pickle_is_refused_by_name(tmp_path):
    convert, _ = small(tmp_path)
    path = next(tmp_path.glob('sequenceFiles/*/*.pkl'))
    path.write_bytes(pickle.dumps({'poses': [Hostile(tmp_path)]}, protocol=2))
    said = convert.fails()
    assert 'courtyard_toy_00.pkl is refused: it names posix.system' in said
    assert not (tmp_path / 'executed').exists()
    path.write_bytes(pickle.dumps([1, 2], protocol=2))
    assert 'got a list, expected a dict' in convert.fails()


def corrupt_parsed(group, **values):
    return lambda content: content[group][0].update(values)


CORRUPT_PARSED = [
    (corrupt_parsed('images', cam_param={}), "images, id 40: it has no 'focal'"),
    (corrupt_parsed('annotations', image_id=5), 'annotations, id 7: image_id: got 5'),
    (corrupt_parsed('annotations', joint_cam=[[0, 0, 1]]), 'id 7: joint_cam: got shape (1, 3)'),
    (corrupt_parsed('annotations', smpl_param={'gender': 3}), 'id 7: gender: got 3'),
    (corrupt_parsed('annotations', bbox=[0, 0, -1, 2]), 'id 7: bbox: got width -1'),
]


@pytest.mark.parametrize(('change', 'message'), CORRUPT_PARSED)
def test_a_corrupt_parsed_entry_stops_with_its_key(tmp_path, change, message):
    convert, _ = small(tmp_path, sources=('parsed',))
    edit_json(tmp_path / '3DPW_train.json', change)
    said = convert.fails()
    assert '3DPW_train.json: entry' in said
    assert message in said


@pytest.mark.parametrize('bbox', [[30, 20, 40, 0.4], [-60, 20, 60.5, 40], [500, 20, 40, 40]])
def test_a_box_that_tests_would_refuse_gives_way_to_the_picture(tmp_path, bbox):
    convert, _ = small(tmp_path, sources=('parsed',))
    edit_json(tmp_path / '3DPW_train.json', corrupt_parsed('annotations', bbox=bbox))
    record, _ = convert()
    assert record['bbox_px'][0].tolist() == [0, 0, 191, 107]
    assert len(MeshDataset(str(convert.out), test_mode=True)) == len(record) == 3


def test_missing_files_are_listed_together(tmp_path):
    convert, _ = small(tmp_path)
    (tmp_path / 'imageFiles').rename(tmp_path / 'elsewhere')
    said = convert.fails()
    for line in ('parsed files lack\n  3DPW_train.json:', 'imageFiles/courtyard_toy_00: folder of'):
        assert line in said
    assert '3DPW_train.json' not in convert.fails('--source', 'raw')
    said = convert.fails('--split', 'test', '--source', 'raw')
    assert 'sequenceFiles/test/*.pkl: SMPL and cameras' in said
    (tmp_path / 'elsewhere').rename(tmp_path / 'imageFiles')
    pictures = sorted(tmp_path.glob('imageFiles/*/*'))
    pictures[0].unlink()  # the size comes from another one
    assert '1 of 3 images are missing or bad' in convert.fails()
    pictures[1].write_bytes(b'no picture')
    assert f'{pictures[1].name} cannot be decoded' in convert.fails()
    for picture in pictures[1:]:
        picture.unlink()
    assert 'got no pictures, expected image_%05d.jpg of 3 frames' in convert.fails()


def test_both_models_are_needed(tmp_path, capsys):
    convert, _ = small(tmp_path)
    convert.options = convert.options[:-2]
    with pytest.raises(SystemExit):
        convert()
    assert '--body-model-female' in capsys.readouterr().err


def test_pictures_that_lie_on_their_side_have_the_size_of_the_upright_one(tmp_path):
    convert, _ = small(tmp_path)
    for path in tmp_path.glob('imageFiles/*/*'):
        with Image.open(path) as picture:
            turned = picture.transpose(Image.Transpose.ROTATE_90)
        exif = Image.Exif()
        exif[0x0112] = 6
        turned.save(path, exif=exif)
    record, _ = convert('--check-images')
    assert record['image_size_px'].tolist() == [[192, 108]] * 3
