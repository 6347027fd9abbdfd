"""Reading of files and entries, and the command line that all converters share."""

import json
import math
import re
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from converter_core.arguments import converter_main, converter_parser
from converter_core.builder import RecordBuilder
from converter_core.entries import as_numbers, box_from_xywh, integer, label, text, value
from converter_core.files import (
    detect_source,
    open_json,
    require_files,
    stream_items,
    stream_pairs,
)
from converter_core.progress import Progress
from helpers_converters import NAMES, person


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
