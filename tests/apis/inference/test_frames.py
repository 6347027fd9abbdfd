"""Frames of pictures and arrays, what is skipped, and what is an error."""

import itertools

import cv2
import numpy as np
import pytest
from helpers_video import grey_video, level, levels_of
from PIL import Image, ImageOps

from i2l_plugin.apis.inference.frames import count_frames, read_frames, read_image


@pytest.fixture
def picture():
    """Smooth, and different at its four corners: (20, 30, 3) RGB."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (2, 2, 3), dtype=np.uint8)
    return cv2.resize(small, (30, 20), interpolation=cv2.INTER_LINEAR)


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.webp', '.tiff'])
def test_exif_orientation_is_honoured(tmp_path, picture, orientation, suffix):
    path = tmp_path / f'a{suffix}'
    exif = Image.Exif()
    exif[0x112] = orientation
    saving = {'tiffinfo': {0x112: orientation}} if suffix == '.tiff' else {'exif': exif}
    Image.fromarray(picture).save(path, **saving)
    upright = ImageOps.exif_transpose(Image.open(path)).convert('RGB')
    (frame,) = read_frames(path)
    difference = frame.image_bgr[..., ::-1].astype(int) - np.array(upright)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize('mode', ['1', 'L', 'LA', 'P', 'RGBA'])
def test_grey_palette_and_transparent_pictures_become_bgr(tmp_path, picture, mode):
    path = tmp_path / 'a.png'
    image = Image.fromarray(picture).convert(mode)
    image.save(path)
    expected = np.array(image.convert('RGB'))[..., ::-1]
    np.testing.assert_array_equal(read_image(str(path)), expected)


@pytest.mark.parametrize('suffix', ['.png', '.tiff'])
@pytest.mark.parametrize('channels', [1, 3])
def test_16_bits_become_8(tmp_path, picture, suffix, channels):
    path = tmp_path / f'a{suffix}'
    deep = (picture.astype(np.uint16) * 257)[..., :channels]
    cv2.imwrite(str(path), deep)
    shallow = np.broadcast_to(picture[..., :channels], picture.shape)
    np.testing.assert_array_equal(read_image(str(path)), shallow)


def test_damaged_files_are_reported_and_the_rest_goes_on(tmp_path, picture):
    for name in ('im1', 'im2', 'im3', 'im4', 'im5'):
        Image.fromarray(picture).save(tmp_path / f'{name}.jpg')
    data = (tmp_path / 'im2.jpg').read_bytes()
    (tmp_path / 'im2.jpg').write_bytes(data[: len(data) * 3 // 4])
    (tmp_path / 'im3.jpg').write_bytes(b'')
    (tmp_path / 'im4.jpg').write_text('no picture')
    reported = []
    frames = list(read_frames(tmp_path, on_skip=lambda *report: reported.append(report)))
    assert [frame.name for frame in frames] == ['im1', 'im5']
    assert [frame.path for frame in frames] == [str(tmp_path / f'im{i}.jpg') for i in (1, 5)]
    assert reported == [
        (str(tmp_path / 'im2.jpg'), 'the file is damaged or not an image'),
        (str(tmp_path / 'im3.jpg'), 'the file is empty (0 bytes)'),
        (str(tmp_path / 'im4.jpg'), 'the file is damaged or not an image'),
    ]
    assert count_frames(tmp_path) == 5


@pytest.mark.parametrize('name', ['a.jpg', 'a.mp4'])
@pytest.mark.parametrize('content', [b'', b'nothing that can be decoded' * 99])
def test_nothing_readable_is_an_error_after_the_report(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    frames = read_frames(str(tmp_path / name))
    with pytest.raises(ValueError, match=f'inputs: nothing could be read; .*{name}: the file is'):
        next(frames)


def test_a_file_that_goes_away_is_skipped(tmp_path, picture):
    paths = [tmp_path / f'{i}.png' for i in range(3)]
    for path in paths:
        Image.fromarray(picture).save(path)
    reported = []
    frames = read_frames(paths, on_skip=lambda *report: reported.append(report))
    next(frames)
    paths[1].unlink()
    assert [frame.name for frame in frames] == ['2']
    assert reported == [(str(paths[1]), 'the file cannot be read: No such file or directory')]


def test_mistakes_are_raised_before_the_first_frame():
    with pytest.raises(FileNotFoundError, match=r'nothing\.jpg'):
        read_frames([np.zeros((4, 5, 3), np.uint8), 'nothing.jpg'])


def test_arrays_are_frames(picture):
    batch = np.stack([picture, picture + 1, picture + 2])
    single, *numbered = read_frames([picture[..., ::-1], batch])
    np.testing.assert_array_equal(single.image_bgr, picture[..., ::-1])
    assert single.image_bgr.flags.c_contiguous  # OpenCV cannot draw on others
    assert (single.name, single.frame_id, single.path, single.time_s) == ('array', 0, None, None)
    assert [frame.name for frame in numbered] == [f'array_2_{i:06d}' for i in range(3)]
    for i, frame in enumerate(numbered):
        assert frame.frame_id == i
        assert frame.source is numbered[0].source
        np.testing.assert_array_equal(frame.image_bgr, batch[i])
    assert numbered[0].source.num_frames == 3
    assert count_frames([picture, batch]) == 4


def test_sources_group_a_mixed_list(tmp_path, picture):
    """As the inferencer tracks and smooths: each video for itself."""
    Image.fromarray(picture).save(tmp_path / 'a.png')
    grey_video(tmp_path / 'b.mp4', num_frames=4)
    inputs = [tmp_path / 'b.mp4', tmp_path / 'a.png', tmp_path / 'b.mp4', tmp_path / 'b.mp4']
    groups = [
        (source.name, source.path, [(frame.frame_id, frame.name) for frame in frames])
        for source, frames in itertools.groupby(read_frames(inputs), lambda frame: frame.source)
    ]
    path = str(tmp_path / 'b.mp4')
    assert groups[1] == ('a', str(tmp_path / 'a.png'), [(0, 'a')])
    for name, group in zip(('b', 'b_2', 'b_3'), (groups[0], groups[2], groups[3]), strict=True):
        assert group == (name, path, [(i, f'{name}_{i:06d}') for i in range(4)])
    assert count_frames(inputs) == 13
    assert count_frames([*inputs, 'webcam']) is None


def test_videos_that_cannot_be_opened_are_skipped_in_a_list(tmp_path):
    grey_video(tmp_path / 'good.mp4', num_frames=3)
    (tmp_path / 'bad.mp4').write_bytes(b'x' * 1000)
    inputs = [tmp_path / 'bad.mp4', tmp_path / 'good.mp4']
    reported = []
    frames = list(read_frames(inputs, on_skip=lambda *report: reported.append(report)))
    assert np.allclose(levels_of(f.image_bgr for f in frames), [level(i) for i in range(3)], atol=2)
    assert [name for name, _ in reported] == [str(tmp_path / 'bad.mp4')]
    assert count_frames(inputs) == 3
