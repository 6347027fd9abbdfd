"""SURREAL files that are broken or missing: what the converter says of them."""

import re
import shutil

import cv2
import numpy as np
import pytest
import surreal
import surreal_files
from helpers_gendered import posed_by_gender_mm, toy_bodies
from helpers_surreal import write_surreal
from helpers_surreal_converter import converter, keys_of
from PIL import Image
from scipy.io import loadmat, savemat

from i2l_plugin.datasets import MeshDataset

TINY = {'train': {'run0/01_01/01_01_c0001': ('f', 2, ())}}
CLIP = 'cmu/train/run0/01_01/01_01_c0001'
INFO = f'{CLIP}_info.mat'


@pytest.fixture
def tiny(tmp_path):
    """One clip of two frames, for files that get broken; options of its split included."""
    bodies = toy_bodies()
    write_surreal(tmp_path, bodies, clips=TINY)
    (tmp_path / 'images').mkdir()
    convert = converter(tmp_path, bodies)
    convert.options += ['--split', 'train']
    return convert


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

    monkeypatch.setattr('os.replace', fail)
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


def test_many_clips_come_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(surreal, '_AHEAD', 1)
    clips = {'train': {f'run0/01_0{i}/01_0{i}_c0001': ('m', 2, ()) for i in range(5)}}
    bodies = toy_bodies()
    write_surreal(tmp_path, bodies, clips=clips)
    record, _ = converter(tmp_path, bodies)('--split', 'train', '--workers', '2')
    assert [key[0] for key in keys_of(record)] == list(clips['train'])
    assert record['sample_id'].tolist() == [0, 1000, 2000, 3000, 4000]
