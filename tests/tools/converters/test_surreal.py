"""The SURREAL converter on small clips of a forward model of its Blender scene."""

import re
import shutil

import cv2
import numpy as np
import pytest
import surreal
import surreal_files
from helpers_converters import Converter
from helpers_gendered import model_options, posed_by_gender_mm, toy_bodies
from helpers_surreal import BLUE, CLIPS, RED, write_surreal
from PIL import Image
from scipy.io import loadmat, savemat
from surreal_geometry import annotated_px, camera_of

from i2l_plugin.body_models import SMPL_24
from i2l_plugin.datasets import MeshDataset, SURREALMeshDataset

TINY = {'train': {'run0/01_01/01_01_c0001': ('f', 2, ())}}
CLIP = 'cmu/train/run0/01_01/01_01_c0001'
INFO = f'{CLIP}_info.mat'
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


def converter(folder, bodies):
    images = ('--images-out', str(folder / 'images'))
    return Converter(surreal, folder, *images, *model_options(folder, bodies))


@pytest.fixture(scope='module', params=['train', 'test'])
def converted(request, convert):
    """Record of a split, its keys in order, the data set, and what was printed."""
    record, said = convert('--split', request.param, '--check-images')
    return record, keys_of(record), MeshDataset(str(convert.out)), said


def keys_of(record):
    clips, frames = record['id_clip'].tolist(), record['id_frame'].tolist()
    return [(clip.decode(), int(frame)) for clip, frame in zip(clips, frames, strict=True)]


@pytest.fixture
def tiny(tmp_path):
    """One clip of two frames, for files that get broken; options of its split included."""
    bodies = toy_bodies()
    write_surreal(tmp_path, bodies, clips=TINY)
    (tmp_path / 'images').mkdir()
    convert = converter(tmp_path, bodies)
    convert.options += ['--split', 'train']
    return convert


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


def test_extraction_resumes_and_leaves_nothing_half_written(tiny):
    (path,) = [tiny.root / 'images' / p.decode() for p in tiny()[0]['image_path']]
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    with Image.open(path) as picture:
        assert picture.format == 'JPEG'
        assert picture.size == (320, 240)
    (tiny.root / f'{CLIP}.mp4').write_bytes(b'')  # not read again
    before = path.stat().st_mtime_ns
    tiny('--check-images')
    assert path.stat().st_mtime_ns == before
    path.unlink()
    assert '01_01_c0001.mp4 ends or breaks before frame 0' in tiny.fails()


def test_a_failed_write_leaves_nothing(tiny, monkeypatch):
    def fail(*_):
        raise OSError('no space left')

    monkeypatch.setattr(surreal_files.os, 'replace', fail)
    with pytest.raises(SystemExit, match='no space left'):
        tiny()
    assert not [path for path in (tiny.root / 'images').rglob('*') if path.is_file()]


def edit_info(path, change):
    content = {k: v for k, v in loadmat(path).items() if not k.startswith('__')}
    change(content)
    savemat(path, content, do_compression=True)


def put(name, values):
    return lambda content: content.update({name: np.array(values, float)})


def spoil(name):
    def change(content):
        content[name][(0,) * content[name].ndim] = np.nan

    return change


CORRUPT = [
    (lambda content: content.pop('zrot'), r"it has no 'zrot'"),
    (put('pose', np.zeros((24, 3, 2))), r'pose: got shape \(24, 3, 2\), expected \(72, .T.\)'),
    (put('pose', np.zeros((72, 0))), r'pose: got shape \(72, 0\)'),
    (put('shape', np.zeros((10, 3))), r'shape: got 3 frames, expected the 2 of pose'),
    (put('gender', [[2], [0]]), r'gender: got \[0\. 2\.\], expected 0 \(female\)'),
    (put('camLoc', [1, 2]), r'camLoc: got shape \(1, 2\)'),
    (spoil('pose'), r'pose: got NaN'),
    (spoil('joints3D'), r'joints3D: got NaN'),
    (spoil('joints2D'), r'joints2D: got NaN'),
    (spoil('shape'), r'betas: got NaN'),
]


@pytest.mark.parametrize(('change', 'message'), CORRUPT)
def test_a_corrupt_info_file_stops_with_its_name(tiny, change, message):
    edit_info(tiny.root / INFO, change)
    said = tiny.fails()
    assert f'{INFO}: entry the clip: ' in said
    assert re.search(message, said), said


def test_broken_files_stop_with_their_name_or_are_left_out(tiny):
    whole = tiny.root / 'cmu/train/run0/01_01'
    broken = tiny.root / 'cmu/train/run0/01_02'
    shutil.copytree(whole, broken)
    for path in list(broken.iterdir()):
        path.rename(path.with_name(path.name.replace('01_01', '01_02')))
    info, video = (broken / f'01_02_c0001{end}' for end in ('_info.mat', '.mp4'))
    good = info.read_bytes()
    info.write_bytes(good[:-20])
    assert '01_02_c0001_info.mat: entry the clip: it cannot be read' in tiny.fails()
    record, said = tiny('--on-error', 'skip')
    assert {key[0] for key in keys_of(record)} == {'run0/01_01/01_01_c0001'}
    assert 'dropped: 1 (corrupt entry)' in said
    info.write_bytes(good)
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter_fourcc(*'mp4v'), 30, (64, 48))
    writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    said = tiny.fails()
    assert '01_02_c0001.mp4: frame 0: got 64 x 48 px, expected 320 x 240' in said


def test_a_frame_that_cannot_be_decoded_is_named(tmp_path, monkeypatch):
    class Capture:
        def __init__(self, _):
            self.released = False

        def grab(self):
            return True

        def retrieve(self):
            return False, None

        def release(self):
            self.released = True

    monkeypatch.setattr(surreal_files.cv2, 'VideoCapture', Capture)
    with pytest.raises(ValueError, match=r'clip\.mp4: frame 3: got nothing, expected 320 x 240'):
        surreal_files.extract_frames(tmp_path / 'clip.mp4', {3: tmp_path / 'a.jpg'})


def go_behind(content):
    content['joints3D'][0] += 20  # the camera looks along -x


def test_people_behind_the_camera_are_dropped(tiny):
    edit_info(tiny.root / INFO, go_behind)
    assert "no person is left; dropped: {'behind the camera': 1}" in tiny.fails()


def test_frames_without_joints_are_dropped(tiny):
    edit_info(tiny.root / INFO, lambda content: content['joints3D'].fill(0))
    assert "no person is left; dropped: {'joints3D are all 0': 1}" in tiny.fails()


def test_a_clip_of_one_frame_can_be_read(tmp_path):
    clips = {'val': {'run0/01_01/01_01_c0001': ('m', 1, ())}}
    bodies = toy_bodies()
    truth = write_surreal(tmp_path, bodies, clips=clips)
    convert = converter(tmp_path, bodies)
    record, _ = convert('--split', 'test')
    (person,) = truth.people.values()
    posed = posed_by_gender_mm(bodies, MeshDataset(str(convert.out)), ['m'])
    np.testing.assert_allclose(posed[0], person.vertices_cam_mm, atol=0.1, rtol=0)
    assert keys_of(record) == [('run0/01_01/01_01_c0001', 0)]


def test_gender_and_zrot_may_be_given_once_for_all_frames(tiny):
    expected, _ = tiny()

    def change(content):
        for name in ('gender', 'zrot'):
            content[name] = content[name][:1]

    edit_info(tiny.root / INFO, change)
    record, _ = tiny()
    for name in ('gender', 'pose', 'transl_m'):
        np.testing.assert_array_equal(record[name], expected[name])


def mirror_joints2d(content):
    content['joints2D'][0] = 320 - content['joints2D'][0]


def turn_further(content):
    content['zrot'] = content['zrot'] + 0.5


@pytest.mark.parametrize(
    ('change', 'warning'),
    [
        (mirror_joints2d, 'more than 1 px, which is no rounding'),
        (turn_further, 'more than 15 mm or 3 px: the body models are not those'),
    ],
)
def test_another_convention_shows_in_the_summary(tiny, change, warning):
    assert 'WARNING' not in tiny()[1]
    edit_info(tiny.root / INFO, change)
    assert f'WARNING: that is {warning}' in tiny()[1]


def test_missing_files_are_listed_together(tiny, tmp_path):
    assert 'cmu/val: folder of run0' in tiny.fails('--split', 'test')
    (tmp_path / 'cmu/test').mkdir()
    assert 'or cmu/test and, by --clips' in tiny.fails('--split', 'test')
    (tmp_path / 'cmu/val').mkdir()
    assert 'got no run*/<sequence>/*_info.mat' in tiny.fails('--split', 'test')
    (tmp_path / f'{CLIP}.mp4').unlink()
    said = tiny.fails()
    assert '1 files of 1 clips are missing' in said
    assert f'{CLIP}.mp4' in said


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


def test_many_clips_come_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(surreal, '_AHEAD', 1)
    clips = {'train': {f'run0/01_0{i}/01_0{i}_c0001': ('m', 2, ()) for i in range(5)}}
    bodies = toy_bodies()
    write_surreal(tmp_path, bodies, clips=clips)
    record, _ = converter(tmp_path, bodies)('--split', 'train', '--workers', '2')
    assert [key[0] for key in keys_of(record)] == list(clips['train'])
    assert record['sample_id'].tolist() == [0, 1000, 2000, 3000, 4000]
