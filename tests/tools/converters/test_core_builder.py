"""Columns, people and images of a record that is built."""

import math
import tracemalloc

import cv2
import numpy as np
import pytest
from converter_core.builder import RecordBuilder
from converter_core.columns import CHUNK, NumberColumn, TextColumn
from converter_core.images import find_bad_images
from helpers_converters import NAMES, fit, person
from PIL import Image

from i2l_plugin.datasets import AnnotationRecord


def test_columns_grow_over_chunks_and_come_out_whole():
    rng = np.random.default_rng(0)
    numbers, texts = NumberColumn((2, 3), 'float32'), TextColumn()
    expected = rng.normal(size=(2 * CHUNK + 5, 2, 3)).astype(np.float32)
    words = ['ä' * (i % 4) + str(i) for i in range(len(expected))]
    for row, word in zip(expected, words, strict=True):
        numbers.append(row)
        texts.append(word)
    numbers[CHUNK + 1] = expected[CHUNK + 1] = 7
    assert len(numbers) == len(texts) == len(expected)
    assert texts[0] == b'0'
    np.testing.assert_array_equal(numbers.chunk(2), expected[2 * CHUNK :])
    np.testing.assert_array_equal(numbers.take(), expected)
    assert [row.decode() for row in texts.take()] == words
    assert len(numbers) == len(texts) == 0
    assert TextColumn().take().shape == (0,)


def test_a_person_takes_less_than_2_kilobytes():
    builder = RecordBuilder('body', MUCO_LIKE, ('fit_error_mm', 'id_frame'))
    joints = np.ones((21, 3))
    tracemalloc.start()
    for i in range(2 * CHUNK):
        changes = {'joints_cam_mm': joints, 'joints_px': joints[:, :2], 'id_frame': i}
        builder.add(**person(i, **changes), **fit())
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used < 2048 * len(builder)


MUCO_LIKE = ('Pelvis', *(f'Joint{i}' for i in range(20)))


def test_what_is_added_is_saved(tmp_path):
    rng = np.random.default_rng(0)
    optional = ('gender', 'id_frame', 'id_clip', 'fit_error_mm', 'fit_error_lixel')
    builder = RecordBuilder('body', NAMES, optional, text_ids=('id_clip',))
    parts = fit(rng)
    extra = {'gender': 'f', 'id_frame': 7, 'id_clip': 'c7'}
    builder.add(**person(1), **extra, **parts, fit_error_mm=3.5)
    builder.add(
        **person(2, joints_px=None, joints_cam_mm=None, root_depth_mm=None),
        **{**extra, 'gender': b'n'},
    )
    valid = {'joints_valid': [True, False, True], 'joints_px': [[1, 2], [None, None], [3, 4]]}
    row = builder.add(**person(3, **valid), **extra)
    builder.set_fit(row, *parts.values())
    builder.drop('too small', 'x')
    builder.invalid_fit('lost', 'y')
    builder.note('from raw files')
    said = str(builder.finish(tmp_path / 'r.npz'))
    record = AnnotationRecord.load(tmp_path / 'r.npz')
    assert record['fit_valid'].tolist() == [True, False, True]
    for name, part in parts.items():
        for i in (0, 2):
            np.testing.assert_allclose(record[name][i], part, rtol=1e-6)
    assert record['joints_valid'].tolist() == [[True] * 3, [False] * 3, [True, False, True]]
    assert record['joints_px'][2].tolist() == [[1, 2], [0, 0], [3, 4]]
    assert record['has_depth'].tolist() == [True, False, True]
    assert record['gender'].tolist() == [b'f', b'n', b'f']
    assert record['id_clip'].tolist() == [b'c7'] * 3
    assert record['fit_error_mm'][0] == 3.5
    assert np.isnan(record['fit_error_mm'][1:]).all()
    assert np.isnan(record['fit_error_lixel']).all()
    assert 'r.npz: 3 people in 3 images, 2 with a fit\n  from raw files' in said
    assert 'dropped: 1 (too small)\n    x' in said
    assert 'without a fit: 1 (lost)\n    y' in said


@pytest.mark.parametrize(
    ('changes', 'says'),
    [
        ({'bbox_px': [1, 2, math.nan, 4]}, 'bbox_px: got NaN'),
        ({'focal_px': [0, 1]}, r'focal_px: got \[0.0, 1.0\], expected numbers > 0'),
        ({'image_size_px': (0, 5)}, 'image_size_px: got'),
        ({'root_depth_mm': -5}, 'root_depth_mm: got -5, expected > 0'),
        ({'root_depth_mm': math.nan}, 'root_depth_mm: got NaN'),
        ({'joints_cam_mm': None}, 'joints_cam_mm: got none, expected 3 valid joints'),
        ({'joints_px': None, 'joints_valid': [1, 0, 0]}, 'joints_px: got none, expected 1 valid'),
        ({'joints_px': [[1, 2]]}, r'joints_px: got shape \(1, 2\), expected \(3, 2\)'),
        ({'image_path': ''}, 'image_path: got no path'),
        ({'sample_id': 1.5}, 'sample_id: got 1.5'),
        ({**fit(), 'betas': None}, 'got a part of pose, betas and transl_m'),
        ({**fit(), 'pose': np.zeros(71)}, r'pose: got shape \(71,\)'),
        ({**fit(), 'betas': np.zeros(9)}, r'betas: got shape \(9,\)'),
        ({'gender': 5}, 'gender: got 5, expected text'),
        ({'id_frame': 'x'}, "id_frame: got 'x', expected a whole number"),
        ({'fit_error_mm': 'x'}, 'fit_error_mm: got no array of numbers'),
    ],
)
def test_a_wrong_person_is_refused_and_leaves_no_trace(changes, says):
    builder = RecordBuilder('body', NAMES, ('gender', 'id_frame', 'fit_error_mm'))
    base = {'gender': 'm', 'id_frame': 1}
    builder.add(**person(), **base)
    with pytest.raises(ValueError, match=says):
        builder.add(**{**person(2), **base, **changes})
    assert {len(column) for column in builder.columns.values()} == {1}


def test_optional_columns_must_be_given():
    builder = RecordBuilder('body', NAMES, ('gender', 'fit_error_mm'))
    with pytest.raises(ValueError, match=r"got no optional column \['gender'\]"):
        builder.add(**person())
    with pytest.raises(ValueError, match="on_error: got 'ignore'"):
        RecordBuilder('body', NAMES, on_error='ignore')


def test_300_betas_give_their_first_10(tmp_path):
    builder = RecordBuilder('body', NAMES)
    builder.add(**person(), **{**fit(), 'betas': np.arange(300.0)})
    builder.finish(tmp_path / 'r.npz')
    assert AnnotationRecord.load(tmp_path / 'r.npz')['betas'][0].tolist() == list(range(10))


def test_a_corrupt_entry_stops_or_is_left_out(tmp_path):
    stops = RecordBuilder('body', NAMES)
    message = 'f.json: entry k7: no .lost.; --on-error skip leaves such entries out'
    with pytest.raises(ValueError, match=message), stops.entry('f.json', 'k7'):
        {}['lost']
    skips = RecordBuilder('body', NAMES, on_error='skip')
    for number in range(5):
        with skips.entry('f.json', number):
            if number == 2:
                raise ValueError('it is bad')
            skips.add(**person(number))
    with skips.entry('fits.json', 0, row=0):
        raise ValueError('its fit is bad')
    said = str(skips.finish(tmp_path / 'r.npz'))
    assert AnnotationRecord.load(tmp_path / 'r.npz')['sample_id'].tolist() == [1, 3, 4]
    assert 'dropped: 2 (corrupt entry)\n    f.json: entry 2: it is bad\n    fits.json: ent' in said
    with pytest.raises(FileNotFoundError), skips.entry('f.json', 0):
        raise FileNotFoundError('a missing file is no corrupt entry')


def test_a_repeated_person_is_refused_by_the_record(tmp_path):
    builder = RecordBuilder('body', NAMES)
    for _ in range(2):
        builder.add(**person(4))
    with pytest.raises(ValueError, match=r'sample_id.*repeated number for 1 of 2 persons'):
        builder.finish(tmp_path / 'r.npz')
    assert not list(tmp_path.iterdir())


def images_and_builder(folder, **options):
    """Five people: 1 and 2 fine, 3 missing, 4 cut short, 5 of another size."""
    (folder / 'a').mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    for number in (1, 2, 4, 5):
        picture = noise if number < 5 else noise[:, :20]
        cv2.imwrite(str(folder / f'a/{number}.jpg'), picture)
    data = (folder / 'a/4.jpg').read_bytes()
    (folder / 'a/4.jpg').write_bytes(data[: len(data) // 2])
    builder = RecordBuilder('body', NAMES, image_root=folder, **options)
    for number in range(1, 6):
        builder.add(**person(number, image_path=f'a/{number}.jpg'))
    return builder


def test_missing_and_bad_images_stop_or_take_their_people_along(tmp_path):
    out = tmp_path / 'r.npz'
    with pytest.raises(ValueError, match=r'1 of 5 images are missing or bad.*\n  a/3.jpg: missing'):
        images_and_builder(tmp_path).finish(out)
    (tmp_path / 'decode').mkdir()
    with pytest.raises(ValueError, match='3 of 5 images') as error:
        images_and_builder(tmp_path / 'decode', check_images=True).finish(out)
    assert 'a/4.jpg: cannot be decoded (' in str(error.value)
    assert 'a/5.jpg: is 20 x 24 px, annotated as 32 x 24' in str(error.value)
    assert not out.exists()
    (tmp_path / 'skip').mkdir()
    options = {'check_images': True, 'on_error': 'skip'}
    said = str(images_and_builder(tmp_path / 'skip', **options).finish(out))
    assert AnnotationRecord.load(out)['sample_id'].tolist() == [1, 2]
    assert 'dropped: 3 (bad image)\n    sample_id 3' in said
    assert 'bad images: 3\n    a/3.jpg: missing' in said


def test_a_picture_on_its_side_has_the_size_that_it_is_shown_in(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (30, 20)).save(tmp_path / 'a.jpg', exif=exif)
    assert cv2.imread(str(tmp_path / 'a.jpg')).shape == (30, 20, 3)
    assert find_bad_images(tmp_path, ['a.jpg'], [(20, 30)], decode=True) == {}
    assert 'is 20 x 30' in find_bad_images(tmp_path, ['a.jpg'], [(30, 20)], decode=True)['a.jpg']
    assert find_bad_images(tmp_path, ['no/b.jpg'], [(1, 1)]) == {'no/b.jpg': 'missing'}


def test_of_many_bad_images_20_are_named(tmp_path):
    builder = RecordBuilder('body', NAMES, image_root=tmp_path)
    for number in range(50):
        builder.add(**person(number))
    with pytest.raises(ValueError, match=r'50 of 50 images') as error:
        builder.finish(tmp_path / 'r.npz')
    assert str(error.value).count('.png: missing') == 20
    assert str(error.value).endswith('... and 30 more')
