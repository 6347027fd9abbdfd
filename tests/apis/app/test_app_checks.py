"""What uploads are found to be, against files of other writers; nothing is decoded for it."""

import time

import av
import cv2
import numpy as np
import pytest
from helpers_inference import noise_picture
from helpers_uploads import png_bomb, save_clip, save_picture, save_sound
from helpers_video import grey_video
from PIL import Image

from i2l_plugin.apis.app.checks import check_upload
from i2l_plugin.apis.app.limits import Limits, RefusedError

LIMITS = Limits()
PLAYLIST = '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n'


def refusal(path, limits=LIMITS, name=None):
    """The sentence with which a file is refused."""
    with pytest.raises(RefusedError) as error:
        check_upload(path, name or path.name, limits)
    text = str(error.value)
    assert (name or path.name) in text
    assert '\n' not in text
    assert str(path.parent) not in text  # visitors learn nothing of the server
    return text


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.webp', '.bmp'])
def test_pictures_are_known_by_what_is_in_them(tmp_path, suffix):
    path = save_picture(tmp_path / f'picture{suffix}', size=(120, 90))
    path = path.rename(tmp_path / 'upload')  # as the store calls it
    found = check_upload(path, 'clip.mp4', LIMITS)
    assert (found.kind, found.suffix, found.width, found.height) == ('picture', suffix, 120, 90)


@pytest.mark.parametrize(
    ('suffix', 'codec', 'expected'),
    [
        ('.mp4', 'libx264', '.mp4'),
        ('.mov', 'libx264', '.mp4'),
        ('.mkv', 'libx264', '.mkv'),
        ('.webm', 'libvpx-vp9', '.mkv'),
        ('.avi', 'mpeg4', '.avi'),
    ],
)
def test_clips_are_known_by_what_is_in_them(tmp_path, suffix, codec, expected):
    path = grey_video(tmp_path / f'clip{suffix}', num_frames=20, fps=10, codec=codec)
    path = path.rename(tmp_path / 'upload')
    found = check_upload(path, 'picture.png', LIMITS)
    assert (found.kind, found.suffix, found.width, found.height) == ('clip', expected, 64, 48)
    assert found.seconds == pytest.approx(2, abs=0.11)


BAD = {  # name: content, and what the sentence says
    'notes.png': (b'hello, this is text', 'neither a picture'),
    'empty.jpg': (b'', 'empty (0 bytes)'),
    'list.mp4': (PLAYLIST.encode(), 'neither a picture'),
    'list.mkv': (b'ffconcat version 1.0\nfile /etc/passwd\n', 'neither a picture'),
    'page.svg': (b'<svg xmlns="http://www.w3.org/2000/svg"/>', 'neither a picture'),
    'phone.heic': (b'\0\0\0\x18ftypheic\0\0\0\0', 'HEIC picture; save it as JPEG'),
    'moving.gif': (b'GIF89a' + bytes(30), 'GIF; save it as PNG or MP4'),
    'raw.tif': (b'II*\0' + bytes(30), 'TIFF'),
    'paper.pdf': (b'%PDF-1.7' + bytes(30), 'PDF'),
    'head.png': (b'\x89PNG\r\n\x1a\n', 'PNG header cannot be read'),
    'head.jpg': (b'\xff\xd8\xff\xe0' + bytes(60), 'JPEG header cannot be read'),
    'head.mp4': (b'\0\0\0\x18ftypisom' + bytes(60), 'header cannot be read as that of a clip'),
    'head.mkv': (b'\x1a\x45\xdf\xa3' + bytes(60), 'header cannot be read as that of a clip'),
}


@pytest.mark.parametrize('name', BAD)
def test_bad_files_get_one_sentence(tmp_path, name):
    content, expected = BAD[name]
    (tmp_path / name).write_bytes(content)
    assert expected in refusal(tmp_path / name)


def test_a_clip_whose_table_of_contents_is_cut_off(tmp_path):
    whole = save_clip(tmp_path / 'whole.mp4')
    cut = tmp_path / 'cut.mp4'
    data = whole.read_bytes()
    cut.write_bytes(data[: data.index(b'moov') + 100])
    assert 'damaged or cut short' in refusal(cut)


def test_a_damaged_header_is_not_taken_for_sound(tmp_path):
    data = bytearray(save_clip(tmp_path / 'whole.mp4').read_bytes())
    data[200:300] = bytes(100)  # what says that the track is one of pictures
    (tmp_path / 'bad.mp4').write_bytes(data)
    assert 'damaged or cut short' in refusal(tmp_path / 'bad.mp4')


@pytest.mark.parametrize('suffix', ['.m4a', '.mkv'])
def test_sound_alone_is_refused(tmp_path, suffix):
    assert 'no moving pictures in it' in refusal(save_sound(tmp_path / f'song{suffix}'))


def test_the_cover_of_a_song_is_no_clip(tmp_path):
    path = tmp_path / 'song.mp4'
    with av.open(str(path), 'w') as container:
        sound = container.add_stream('aac', rate=8000)
        cover = container.add_stream('png')
        cover.width, cover.height, cover.pix_fmt = 64, 48, 'rgb24'
        cover.disposition = av.stream.Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(noise_picture(size=(64, 48)), format='rgb24')
        container.mux(cover.encode(picture))
        container.mux(cover.encode(None))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), 's16', 'mono')
        silence.sample_rate = 8000
        container.mux(sound.encode(silence))
        container.mux(sound.encode(None))
    assert 'no moving pictures in it' in refusal(path)


@pytest.mark.parametrize('size', [(60_000, 60_000), (9_000, 8_000), (400_000, 300_000)])
def test_bombs_are_refused_before_they_are_decoded(tmp_path, monkeypatch, size):
    monkeypatch.setattr(Image.Image, 'load', lambda _: pytest.fail('was decoded'))
    path = tmp_path / 'bomb.png'
    path.write_bytes(png_bomb(*size))
    assert path.stat().st_size < 10_000
    start = time.monotonic()
    text = refusal(path)
    assert '40 million pixels' in text
    assert time.monotonic() - start < 1


def test_clips_of_too_large_frames_are_refused(tmp_path):
    path = save_clip(tmp_path / 'large.mp4', size=(320, 240))
    text = refusal(path, Limits(max_megapixels=0.07))
    assert '320 x 240 px' in text
    assert '0.07 million pixels' in text
    check_upload(path, 'large.mp4', Limits(max_megapixels=0.0769))


@pytest.mark.parametrize(
    ('size', 'expected'), [((15, 40), 'at least 16 px'), ((300, 17), 'at most 16 times the other')]
)
def test_too_small_and_too_thin(tmp_path, size, expected):
    path = tmp_path / 'thin.png'
    cv2.imwrite(str(path), noise_picture(size=size))
    assert expected in refusal(path)


def test_limits_are_numbers_above_zero():
    with pytest.raises(ValueError, match=r'max_seconds: got -1, expected a number > 0'):
        Limits(max_seconds=-1)
    with pytest.raises(ValueError, match='max_mb: got nan'):
        Limits(max_mb=float('nan'))
