"""What a user asks for, as a list of inputs: kinds, order, names, and every mistake."""

import os
from pathlib import Path

import numpy as np
import pytest

from i2l_plugin.apis.inference import inputs as inputs_module
from i2l_plugin.apis.inference.inputs import find_inputs, frame_name


@pytest.fixture
def folder(tmp_path):
    """Files that sort differently as text and by their numbers; they are never opened."""
    for name in ('im10.jpg', 'im2.JPG', 'Im1.png', 'note.txt', '.im0.jpg', 'clip.mp4'):
        (tmp_path / name).touch()
    (tmp_path / 'sub.jpg').mkdir()  # a folder in spite of its name
    (tmp_path / 'sub.jpg' / 'im3.png').touch()
    return tmp_path


def read(what):
    return [(item.kind, Path(item.path).name) for item in find_inputs(what)]


def test_a_folder_gives_its_images_in_the_order_of_their_numbers(folder):
    expected = [('image', 'Im1.png'), ('image', 'im2.JPG'), ('image', 'im10.jpg')]
    assert read(str(folder)) == read(folder) == expected


def test_a_glob_gives_images_and_videos_at_the_depth_that_it_says(folder):
    assert read(f'{folder}/*') == [
        ('video', 'clip.mp4'),
        ('image', 'Im1.png'),
        ('image', 'im2.JPG'),
        ('image', 'im10.jpg'),
    ]
    assert read(f'{folder}/**/*.png') == [('image', 'Im1.png'), ('image', 'im3.png')]


def test_a_list_keeps_its_order_and_may_mix_all_kinds(folder):
    image = np.zeros((4, 5, 3), np.uint8)
    found = find_inputs([folder / 'clip.mp4', image, str(folder), 'webcam:3', (image,)])
    kinds = [item.kind for item in found]
    assert kinds == ['video', 'array', 'image', 'image', 'image', 'webcam', 'array']
    assert found[5].camera_id == 3
    assert find_inputs('webcam')[0].camera_id == 0
    assert [item.name for item in found if item.kind == 'array'] == ['array', 'array_2']


def test_a_file_with_characters_of_a_glob_is_that_file(tmp_path):
    (tmp_path / 'a[1].jpg').touch()
    (tmp_path / 'a1.jpg').touch()
    assert read(str(tmp_path / 'a[1].jpg')) == [('image', 'a[1].jpg')]


def test_no_two_outputs_have_one_name(tmp_path):
    """Pictures of two folders, of two types, in two cases, and called like a frame of a video."""
    paths = []
    for name in ('a/x.jpg', 'b/x.jpg', 'a/X.png', 'a/x_2.jpg', 'a/clip_000001.jpg', 'a/clip.mp4'):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        paths.append(path)
    for order in (paths, paths[::-1]):
        stems = []
        for item in find_inputs([*order, *order]):
            is_video = item.kind == 'video'
            stems += [item.name] + [frame_name(item.name, i) for i in range(3) if is_video]
        assert len({stem.casefold() for stem in stems}) == len(stems)
    assert [item.name for item in find_inputs(paths[:3])] == ['x', 'x_2', 'X_3']


BAD_ARRAYS = [
    np.zeros((4, 5), np.uint8),
    np.zeros((4, 5, 4), np.uint8),
    np.zeros((4, 5, 3), np.float32),
    np.zeros((0, 4, 5, 3), np.uint8),
    np.zeros((2, 2, 4, 5, 3), np.uint8),
]


@pytest.mark.parametrize('array', BAD_ARRAYS, ids=lambda array: f'{array.shape}-{array.dtype}')
def test_an_array_of_another_type_or_shape_is_refused(array):
    with pytest.raises(ValueError, match=r'inputs: got an array of shape .* expected \(H, W, 3\)'):
        find_inputs([np.zeros((4, 5, 3), np.uint8), array])


@pytest.mark.parametrize(
    ('what', 'error', 'message'),
    [
        ([], ValueError, 'empty list'),
        (None, ValueError, 'got NoneType'),
        ({'a': 1}, ValueError, 'got dict'),
        ('https://example.org/a.jpg', ValueError, 'URL, and nothing is downloaded'),
        ('rtsp://camera/1', ValueError, 'URL'),
        ('webcam:front', ValueError, "'webcam:front', expected 'webcam' or 'webcam:ID'"),
        ('nothing.jpg', FileNotFoundError, "'nothing.jpg' does not exist"),
        ('nothing*.jpg', FileNotFoundError, 'no file that matches'),
        ('{tmp}/*.txt', ValueError, 'matches 1 files but no image'),
        ('{tmp}/note.txt', ValueError, "extension '.txt'"),
        ('{tmp}', ValueError, '1 files but no image'),
        ('{tmp}/empty', ValueError, 'has no files'),
        ('{tmp}/empty/\0', FileNotFoundError, 'does not exist'),
    ],
)
def test_mistakes_are_named(tmp_path, monkeypatch, what, error, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'note.txt').touch()
    (tmp_path / 'empty').mkdir()
    if isinstance(what, str):
        what = what.replace('{tmp}', str(tmp_path))
    with pytest.raises(error, match=r'^inputs: ') as raised:
        find_inputs(what)
    assert message in str(raised.value)
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize('call', ['scandir', 'stat'])
def test_a_folder_without_permission_is_named(folder, monkeypatch, call):
    """Faked, because root may read every folder."""

    class _Denied:
        def __getattr__(self, name):
            return self._refuse if name == call else getattr(os, name)

        def _refuse(self, path):
            raise PermissionError(13, 'Permission denied', path)

    monkeypatch.setattr(inputs_module, 'os', _Denied())
    with pytest.raises(OSError, match=f'inputs: .*{folder.name}.*: Permission denied'):
        find_inputs(str(folder))
