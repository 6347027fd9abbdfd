"""What the converters share: streams, entries, the record builder, images, fit errors, cameras."""

import argparse
import json
import math
import re
import tracemalloc
from itertools import pairwise

import cv2
import numpy as np
import pytest
import torch
from converter_core.arguments import converter_main, converter_parser
from converter_core.builder import RecordBuilder
from converter_core.cameras import WorldCamera
from converter_core.columns import CHUNK, NumberColumn, TextColumn
from converter_core.entries import as_numbers, box_from_xywh, integer, label, text, value
from converter_core.files import (
    detect_source,
    open_json,
    require_files,
    stream_items,
    stream_pairs,
)
from converter_core.fit_error import (
    JointPoser,
    fill_fit_error_mm,
    h36m_rows,
    joint_set_rows,
    load_model_data,
)
from converter_core.images import find_bad_images
from converter_core.progress import Progress
from helpers_converters import body_off_origin, naive_fit_error_mm
from helpers_human36m import look_at
from helpers_toy_body import toy_body_data
from PIL import Image

from i2l_plugin.body_models import BODY_29, H36M_17, BodyModel
from i2l_plugin.datasets import AnnotationRecord

NAMES = ('Pelvis', 'L_Hip', 'R_Hip')


def person(number=1, **changes):
    """Arguments of `RecordBuilder.add` for three joints."""
    return {
        'sample_id': number,
        'image_id': 10 * number,
        'image_path': f'a/{number}.png',
        'image_size_px': (32, 24),
        'bbox_px': [1, 2, 20, 22],
        'focal_px': [100, 110],
        'princpt_px': [16, 12],
        'joints_cam_mm': [[0, 0, 3000], [10, 0, 3000], [-10, 0, 3000]],
        'joints_px': [[16, 12], [17, 12], [15, 12]],
        'root_depth_mm': 3000,
        **changes,
    }


def fit(rng=None):
    pose = np.zeros((24, 3)) if rng is None else rng.normal(0, 0.3, (24, 3))
    betas = np.zeros(10) if rng is None else rng.normal(0, 1, 10)
    return {'pose': pose, 'betas': betas, 'transl_m': [0.1, 0.2, 3.0]}


# --- files


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_streams_give_what_json_gives(tmp_path):
    rng = np.random.default_rng(0)
    items = [
        {'id': i, 'name': f'é, ]{i}', 'x': rng.normal(size=3).tolist(), 'deep': {'a': [None, True]}}
        for i in range(50)
    ]
    path = write(tmp_path / 'a.json', {'images': [], 'items': items, 'pairs': {'p': 1, 'q': [2.5]}})
    assert list(stream_items(path, 'items.item')) == items
    assert list(stream_items(path, 'images.item')) == []
    assert dict(stream_pairs(path, 'pairs')) == {'p': 1, 'q': [2.5]}
    assert dict(stream_pairs(path)) == json.loads(path.read_text())
    assert isinstance(next(stream_items(path, 'items.item'))['x'][0], float)


@pytest.mark.parametrize('buffer', [1, 7, 64, 1 << 20])
def test_nan_and_infinity_come_as_none_wherever_the_buffer_ends(tmp_path, monkeypatch, buffer):
    monkeypatch.setattr('converter_core.files._BUFFER', buffer)
    values = [1.5, math.nan, -math.inf, math.inf, 'NaN', 'is NaN', 2]
    path = write(tmp_path / 'a.json', {'a': values, 'b': [{'x': math.nan}] * 30, 'c': math.inf})
    assert dict(stream_pairs(path)) == {
        'a': [1.5, None, None, None, 'NaN', 'is NaN', 2],
        'b': [{'x': None}] * 30,
        'c': None,
    }


@pytest.mark.parametrize(
    'content', ['', '{"items": [1, 2', '{"items": [1, 2]', '{"items": nothing}', '\x00\x01']
)
@pytest.mark.parametrize('read', [open_json, lambda path: list(stream_items(path, 'items.item'))])
def test_a_file_that_is_no_whole_json_is_named(tmp_path, content, read):
    path = write(tmp_path / 'a.json', content)
    with pytest.raises(ValueError, match=f'{re.escape(str(path))}: got a file that is cut short'):
        read(path)


def test_files_that_are_not_there_are_listed_together(tmp_path):
    write(tmp_path / 'b.json', {})
    with pytest.raises(FileNotFoundError, match=r'2 missing:\n  a.json: the a\n  c/d: the d'):
        require_files(tmp_path, {'a.json': 'the a', 'b.json': 'the b', 'c/d': 'the d'})
    with pytest.raises(FileNotFoundError, match=r'a\.json'):
        list(stream_pairs(tmp_path / 'a.json'))
    with pytest.raises(FileNotFoundError, match=r'a\.json'):
        open_json(tmp_path / 'a.json')
    with pytest.raises(FileNotFoundError, match=r'--root .*x: no such folder'):
        require_files(tmp_path / 'x', {'a': 'b'})


def test_the_first_complete_source_is_detected(tmp_path):
    sources = {'parsed': {'p.json': 'all of it'}, 'raw': {'r.json': 'one', 's.json': 'two'}}
    write(tmp_path / 'r.json', {})
    message = r'parsed files lack\n  p.json: all of it\n raw files lack\n  s.json: two'
    with pytest.raises(FileNotFoundError, match=message):
        detect_source(tmp_path, sources)
    write(tmp_path / 's.json', {})
    assert detect_source(tmp_path, sources) == 'raw'
    write(tmp_path / 'p.json', {})
    assert detect_source(tmp_path, sources) == 'parsed'
    with pytest.raises(FileNotFoundError, match='no such folder'):
        detect_source(tmp_path / 'x', sources)


def test_a_stream_needs_no_more_memory_for_a_file_16_times_as_long(tmp_path, monkeypatch):
    monkeypatch.setattr('converter_core.files._BUFFER', 1 << 16)
    entry = json.dumps({'id': 1, 'keypoints': [[0.123456789, 1.5, 2.25]] * 21})

    def peak_bytes(count):
        path = write(tmp_path / f'{count}.json', '{"items": [' + ', '.join([entry] * count) + ']}')
        tracemalloc.start()
        assert sum(1 for _ in stream_items(path, 'items.item')) == count
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    small = peak_bytes(200)  # 100 kB: more than one buffer
    assert peak_bytes(3_200) < 1.5 * small


# --- entries


@pytest.mark.parametrize(
    ('read', 'says'),
    [
        (lambda: value({'b': 1}, 'a'), "it has no 'a', only"),
        (lambda: value([1], 'a'), 'got a list, expected an object'),
        (lambda: integer({'a': 1.5}, 'a'), 'a: got 1.5, expected a whole number'),
        (lambda: integer({'a': None}, 'a'), 'a: got None'),
        (lambda: integer({'a': math.inf}, 'a'), 'a: got inf'),
        (lambda: text({'a': ''}, 'a'), "a: got '', expected text"),
        (lambda: text({'a': 3}, 'a'), 'a: got 3, expected text'),
        (lambda: as_numbers([1, 2], 'a', (3,)), r'a: got shape \(2,\), expected \(3,\)'),
        (lambda: as_numbers([[1], [1, 2]], 'a', (3,)), 'a: got no array of numbers'),
        (lambda: as_numbers([1, None, 2], 'a', (3,)), 'a: got NaN or inf in 1 of 3'),
        (lambda: as_numbers(np.zeros((3, 24)), 'a', (24, 3)), r'got shape \(3, 24\)'),
        (lambda: box_from_xywh([0, 0, -1, 5]), 'bbox: got width -1 and height 5'),
    ],
)
def test_wrong_values_are_said(read, says):
    with pytest.raises(ValueError, match=says):
        read()


def test_right_values_are_read():
    assert integer({'a': '12'}, 'a') == integer({'a': 12.0}, 'a') == 12
    assert text({'a': 'x'}, 'a') == 'x'
    assert as_numbers(range(6), 'a', (2, 3)).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert as_numbers([[[1.0, 2.0]]], 'a', (2,)).tolist() == [1, 2]
    assert box_from_xywh([1, 2, 3, 4]).tolist() == [1, 2, 4, 6]
    assert label({'id': 5}) == 5
    assert label([1, 2]) == '[1, 2]'


# --- columns and builder


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


# --- images


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


# --- fit errors and cameras


@pytest.mark.parametrize('kind', ['body', 'hand'])
def test_posing_only_the_vertices_that_joints_read_changes_nothing(kind):
    rng = np.random.default_rng(0)
    data = body_off_origin() if kind == 'body' else toy_body_data('hand')
    model = BodyModel(data).double()
    rows = h36m_rows(data) if kind == 'body' else model.joint_regressor.numpy()
    poser = JointPoser(data, rows)
    assert len(poser.used) < data.num_vertices
    pose = rng.normal(0, 0.5, (4, model.num_pose, 3))
    betas, transl = rng.normal(0, 1, (4, 10)), rng.normal(0, 1, (4, 3))
    tensors = (torch.from_numpy(array) for array in (pose, betas, transl))
    vertices = 1000 * model(*tensors).vertices_m.numpy()
    np.testing.assert_allclose(poser(pose, betas, transl), rows @ vertices, atol=1e-3)
    root = model.rest_root_m(torch.from_numpy(betas)).numpy()
    np.testing.assert_allclose(poser.rest_root_m(betas), root, atol=1e-7)


def test_a_joint_sets_own_rows_give_its_joints():
    data = toy_body_data()
    joints = JointPoser(data, joint_set_rows(data, BODY_29))(
        *(np.zeros(shape) for shape in ((1, 24, 3), (1, 10), (1, 3)))
    )
    expected = 1000 * BodyModel(data)(torch.zeros(1, 24, 3)).joints_m[0]
    np.testing.assert_allclose(joints[0], expected, atol=1e-3)


def test_fit_errors_are_filled_where_everything_is_known(tmp_path):
    rng = np.random.default_rng(0)
    data = toy_body_data()
    poser = JointPoser(data, h36m_rows(data))
    builder = RecordBuilder('body', H36M_17.joint_names, ('fit_error_mm',))
    expected = []
    for number in range(CHUNK + 40):
        parts = fit(rng if number % 50 == 0 else None) if number % 5 else {}
        if number % 50 == 1:
            parts = fit(rng)
        joints = rng.normal([0, 0, 3000], 100, (17, 3))
        changes = {'joints_cam_mm': joints, 'joints_px': joints[:, :2]}
        known = bool(parts)
        if number % 7 == 0:
            known, changes['joints_valid'] = False, np.arange(17) > 0
        if number % 11 == 0:
            known, changes['root_depth_mm'] = False, None
        builder.add(**person(number, **changes), **parts)
        expected.append((parts, joints) if known else None)
    fill_fit_error_mm(builder, poser, H36M_17.joint_names)
    said = str(builder.finish(tmp_path / 'r.npz'))
    errors = AnnotationRecord.load(tmp_path / 'r.npz')['fit_error_mm']
    assert [e is None for e in expected] == np.isnan(errors).tolist()
    for number in [*range(60), *range(CHUNK, CHUNK + 40)]:
        if expected[number] is not None:
            parts, joints = expected[number]
            fitted = poser(*(np.asarray(part)[None] for part in parts.values()))[0]
            assert errors[number] == pytest.approx(naive_fit_error_mm(fitted, joints), rel=1e-4)
    assert f'of {len(errors)}' not in said
    assert 'fits: median error' in said


def test_nothing_is_said_of_fit_errors_without_fits(tmp_path):
    data = toy_body_data()
    builder = RecordBuilder('body', NAMES, ('fit_error_mm',))
    builder.add(**person())
    rows = h36m_rows(data)[[H36M_17.index(name) for name in NAMES]]
    fill_fit_error_mm(builder, JointPoser(data, rows), NAMES)
    assert 'error' not in str(builder.finish(tmp_path / 'r.npz'))


def test_a_model_without_the_regressor_says_how_to_give_it(tmp_path):
    hand = load_model_data(argparse.Namespace(body_model='open'), 'hand')
    assert hand.kind == 'hand'
    with pytest.raises(ValueError, match=r'name its file.*with --h36m-regressor'):
        h36m_rows(hand)
    args = argparse.Namespace(body_model='open', h36m_regressor=str(tmp_path / 'no.npy'))
    with pytest.raises(FileNotFoundError, match='h36m_17'):
        load_model_data(args)


def test_a_fit_moves_into_the_camera_as_its_vertices_do():
    rng = np.random.default_rng(0)
    data = body_off_origin()
    model = BodyModel(data).double()
    for _ in range(5):
        rotation, translation = look_at(rng.normal(0, 2000, 3), rng.normal(0, 500, 3))
        camera = WorldCamera(rotation, translation, np.array([500.0, 510.0]), np.zeros(2))
        parts = fit(rng)
        parts['pose'][0] = rng.normal(0, 2, 3)
        pose, transl = camera.fit_to_camera(
            parts['pose'],
            np.array(parts['transl_m']),
            model.rest_root_m(torch.from_numpy(parts['betas'])[None])[0].numpy(),
        )
        in_world, in_camera = (
            1000 * model(*(torch.from_numpy(np.asarray(a))[None] for a in arrays)).vertices_m[0]
            for arrays in (parts.values(), (pose, parts['betas'], transl))
        )
        expected = camera.points_to_camera(in_world.numpy())
        np.testing.assert_allclose(in_camera.numpy(), expected, atol=1e-4)
        in_image = expected[:, :2] / expected[:, 2:] * [500, 510]
        np.testing.assert_allclose(camera.project(expected), in_image, atol=1e-9)


# --- command line


def parser():
    return converter_parser('A converter.', ['train'])


def command(tmp_path, *more):
    return ['--root', str(tmp_path), '--split', 'train', '--out', str(tmp_path / 'r.npz'), *more]


def one_person(args):
    builder = RecordBuilder.from_args(args, 'body', NAMES)
    for number in builder.progress.over(range(3), 3, 'people'):
        builder.add(**person(number))
    return builder


def test_a_conversion_ends_with_its_summary(tmp_path, capsys):
    converter_main(one_person, parser(), command(tmp_path))
    printed = capsys.readouterr()
    assert printed.out.startswith(f'{tmp_path}/r.npz: 3 people in 3 images')
    assert printed.err == ''  # no terminal, no bar
    converter_main(one_person, parser(), command(tmp_path, '--progress', 'on'))
    assert 'people' in capsys.readouterr().err
    with pytest.raises(ValueError, match="progress: got 'loud'"):
        Progress('loud')


@pytest.mark.parametrize(
    ('error', 'says'),
    [
        (ValueError('a bad value'), 'error: a bad value'),
        (FileNotFoundError('no file'), 'error: no file'),
        (PermissionError('not yours'), 'error: not yours'),
        (KeyboardInterrupt(), 'interrupted: nothing was written'),
    ],
)
def test_a_failed_conversion_ends_in_one_line_and_writes_nothing(tmp_path, error, says):
    def convert(args):
        one_person(args)
        raise error

    with pytest.raises(SystemExit, match=says):
        converter_main(convert, parser(), command(tmp_path))
    assert not list(tmp_path.iterdir())


def test_an_out_that_cannot_be_written_is_said_before_the_work(tmp_path, monkeypatch):
    for out, says in (('r.json', 'expected the name of an .npz file'), ('.', 'expected the name')):
        with pytest.raises(SystemExit, match=says):
            converter_main(None, parser(), command(tmp_path, '--out', str(tmp_path / out)))
    monkeypatch.setattr('os.access', lambda *_: False)
    with pytest.raises(SystemExit, match='the folder cannot be written to'):
        converter_main(None, parser(), command(tmp_path))
    (tmp_path / 'file').touch()
    with pytest.raises(SystemExit, match=r'error: .*file'):
        converter_main(None, parser(), command(tmp_path, '--out', f'{tmp_path}/file/r.npz'))


def test_the_help_of_the_options_is_complete():
    said = parser().format_help()
    places = [said.index(option) for option in ('--root', '--split', '--out', '--on-error')]
    assert all(a < b for a, b in pairwise(places))
