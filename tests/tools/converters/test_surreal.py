"""The SURREAL converter on small clips of a forward model of its Blender scene."""

import cv2
import numpy as np
import pytest
from helpers_gendered import posed_by_gender_mm, toy_bodies
from helpers_surreal import BLUE, CLIPS, RED, write_surreal
from helpers_surreal_converter import converter, keys_of
from surreal_geometry import annotated_px, camera_of

from i2l_plugin.body_models import SMPL_24
from i2l_plugin.datasets import MeshDataset, SURREALMeshDataset

TRAIN_FRAMES = {  # by the definition: one frame a second of 30, no clip of one frame
    ('run0/01_01/01_01_c0001', 0),
    ('run0/01_01/01_01_c0001', 30),
    ('run0/01_01/01_01_c0001', 60),
    ('run1/ung_02_03/ung_02_03_c0001', 0),  # nobody is in the picture in frame 30
    ('run2/02_03/02_03_c0010', 0),
}
TEST_FRAMES = {  # BodyNet: frame ceil(T / 2), counted from 1
    ('run0/03_01/03_01_c0008', 3),
    ('run1/06_01/06_01_c0002', 2),
    ('run2/ung_104_02/ung_104_02_c0003', 1),
}


@pytest.fixture(scope='module')
def bodies():
    return toy_bodies()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('surreal')


@pytest.fixture(scope='module')
def truth(folder, bodies):
    return write_surreal(folder, bodies)


@pytest.fixture(scope='module')
def convert(folder, truth, bodies):
    assert truth.people
    return converter(folder, bodies)


@pytest.fixture(scope='module', params=['train', 'test'])
def converted(request, convert):
    """Record of a split, its keys in order, the data set, and what was printed."""
    record, said = convert('--split', request.param, '--check-images')
    return record, keys_of(record), MeshDataset(str(convert.out)), said


def test_exactly_the_frames_of_the_split_are_kept(convert):
    record, said = convert('--split', 'train')
    assert set(keys_of(record)) == TRAIN_FRAMES
    assert len(record) == len(TRAIN_FRAMES)
    assert 'dropped: 1 (clip of one frame)\n    run0/01_01/01_01_c0002' in said
    assert (
        'dropped: 1 (nobody in the picture)\n    run1/ung_02_03/ung_02_03_c0001, frame 30' in said
    )
    assert f'every 30th frame of {len(CLIPS["train"])} clips' in said
    record, said = convert('--split', 'test')
    assert set(keys_of(record)) == TEST_FRAMES
    assert len(record) == len(TEST_FRAMES)
    assert '2 of 3 people have their middle in the picture' in said
    assert "BodyNet's test split has 507 clips, not 3" in said
    assert len(np.unique(record['sample_id'])) == 3


def test_the_two_test_protocols_differ_by_the_people_in_view(convert, truth):
    convert('--split', 'test')
    number = {
        name: len(SURREALMeshDataset(str(convert.out), protocol=f'surreal/{name}'))
        for name in ('507', '493')
    }
    in_view = sum(truth.people[key].in_view for key in TEST_FRAMES)
    assert number == {'507': len(TEST_FRAMES), '493': in_view} == {'507': 3, '493': 2}


def test_posed_fits_are_the_rendered_bodies_mirrored_back(converted, truth, bodies):
    record, keys, dataset, _ = converted
    genders = [gender.decode() for gender in record['gender']]
    assert genders == [truth.people[key].gender for key in keys]
    assert set(genders) == {'m', 'f'}
    posed = posed_by_gender_mm(bodies, dataset, genders)
    expected = np.stack([truth.people[key].vertices_cam_mm for key in keys])
    np.testing.assert_allclose(posed, expected, atol=0.1, rtol=0)
    for row, key in enumerate(keys):  # projected with the record's camera: where they were drawn
        xy = posed[row, :, :2] / posed[row, :, 2:]
        vertices_px = xy * record['focal_px'][row] + record['princpt_px'][row]
        np.testing.assert_allclose(vertices_px, truth.people[key].vertices_px, atol=0.05, rtol=0)


def test_joints_and_cameras_are_those_of_the_truth(converted, truth):
    record, keys, _, _ = converted
    assert record.joint_names == SMPL_24.joint_names
    for row, key in enumerate(keys):
        person = truth.people[key]
        np.testing.assert_allclose(record['joints_px'][row], person.joints_px, atol=0.05, rtol=0)
        joints_mm = record['joints_cam_mm'][row]
        np.testing.assert_allclose(joints_mm, person.joints_cam_mm, atol=0.01, rtol=0)
        assert record['root_depth_mm'][row] == pytest.approx(person.joints_cam_mm[0, 2], abs=0.01)
    np.testing.assert_array_equal(record['focal_px'], 600)
    np.testing.assert_array_equal(record['image_size_px'], [[320, 240]] * len(record))
    assert record['fit_error_mm'].max() < 0.01


def test_boxes_hold_the_joints_in_view_or_everything(converted, truth):
    record, keys, _, _ = converted
    for row, key in enumerate(keys):
        x1, y1, x2, y2 = record['bbox_px'][row]
        x, y = truth.people[key].joints_px.T
        if truth.people[key].in_view:
            assert x2 - x1 == pytest.approx(1.2 * np.ptp(x), abs=0.05)
            assert (y1 + y2) / 2 == pytest.approx((y.min() + y.max()) / 2, abs=0.05)
        else:
            assert (x1, y1, x2, y2) == (0, 0, 319, 239)


def picture_of(record, row, convert):
    return cv2.imread(str(convert.root / 'images' / record['image_path'][row].decode()))


def test_left_in_the_annotation_is_left_in_the_pictures(converted, truth, convert):
    record, keys, _, _ = converted
    names = record.joint_names
    per_joint = len(truth.people[keys[0]].vertices_px) // len(names)
    for row, key in enumerate(keys):
        if not truth.people[key].in_view:
            continue
        picture = picture_of(record, row, convert).astype(int)
        painted = {
            side: np.argwhere(np.abs(picture - color).sum(axis=-1) < 120)[:, ::-1]
            for side, color in (('L_', RED), ('R_', BLUE))
        }
        for side, other in (('L_', 'R_'), ('R_', 'L_')):
            arm = [names.index(f'{side}{part}') for part in ('Elbow', 'Wrist', 'Hand')]
            joints_px = record['joints_px'][row, arm]
            distance = np.linalg.norm(painted[side][:, None] - joints_px, axis=-1)
            assert distance.min(axis=0).max() < 4
            distance = np.linalg.norm(painted[other][:, None] - joints_px, axis=-1)
            assert distance.min() > 8
        assert per_joint == 8
        left, right = (record['joints_px'][row, names.index(f'{s}_Shoulder'), 0] for s in 'LR')
        assert left > right + 10  # they look at the camera


def test_a_published_example_of_the_camera():
    """Numbers in the comments of datageneration/misc/3Dto2D/main.m of the data set's code."""
    camera = camera_of(np.array([6.7456, -0.9839, -1.9293]))
    joint_mm = 1000 * np.array([[-0.8645, -1.0915, -1.0260]])
    x, y = camera.project(camera.points_to_camera(joint_mm))[0]
    assert (319 - x + 0.5, y + 0.5) == (pytest.approx(89, abs=0.5), pytest.approx(112, abs=0.5))
    assert np.linalg.det(camera.rotation) == pytest.approx(1)
    np.testing.assert_allclose(annotated_px(np.array([[89.0, 112.0]])), [[230.5, 111.5]])
    np.testing.assert_allclose(camera.princpt_px, [159.5, 119.5])


def test_pictures_are_the_frames_of_the_clips_mirrored(convert, folder):
    record, _ = convert('--split', 'train', '--image-format', 'png', '--check-images')
    for row, (clip, frame) in enumerate(keys_of(record)):
        path = record['image_path'][row].decode()
        assert path == f'train/{clip}_f{frame:04d}.png'
        capture = cv2.VideoCapture(str(folder / 'cmu' / 'train' / f'{clip}.mp4'))
        decoded = [capture.read()[1] for _ in range(frame + 1)][-1]
        np.testing.assert_array_equal(cv2.flip(picture_of(record, row, convert), 1), decoded)
    record, _ = convert('--split', 'train')
    for row, (clip, frame) in enumerate(keys_of(record)):
        lossless = cv2.imread(str(folder / 'images' / f'train/{clip}_f{frame:04d}.png'))
        lossy = picture_of(record, row, convert)
        assert cv2.PSNR(lossy, lossless) > 30


def test_clips_can_be_chosen_by_a_list(convert, tmp_path):
    chosen = list(CLIPS['val'])[1:]
    listed = tmp_path / 'names.txt'
    lines = [f'https://host/SURREAL/data/cmu/val/{chosen[0]}.mp4', '', f'val/{chosen[1]}.mp4\t100']
    listed.write_text('\n'.join(lines))
    options = ('--split', 'test', '--clips', str(listed))
    record, _ = convert(*options)
    assert {key[0] for key in keys_of(record)} == set(chosen)
    listed.write_text('val/run0/00_00/00_00_c0001.mp4')
    assert '2 files of 1 clips are missing' in convert.fails(
        '--split', 'test', '--clips', str(listed)
    )
    listed.write_text(f'{chosen[0]}\nnonsense')
    said = convert.fails(*options)
    assert "line 2 names no clip: 'nonsense'" in said
    listed.write_text('')
    assert 'got an empty list' in convert.fails(*options)
    assert 'no such file' in convert.fails('--split', 'test', '--clips', str(tmp_path / 'none.txt'))
