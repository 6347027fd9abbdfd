"""Files appear whole, or what was there stays."""

import json
import os

import pytest

from i2l_plugin.files import replacing, write_atomically, write_json


def test_the_file_takes_its_place_when_the_block_ends(tmp_path):
    path = tmp_path / 'new/folder/a.tar.gz'
    with replacing(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.suffix == '.gz'  # writers choose the format by it
        temporary.write_bytes(b'content')
        assert not path.exists()
    assert path.read_bytes() == b'content'
    assert os.listdir(path.parent) == ['a.tar.gz']


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / 'a.txt'
    path.write_text('old')

    def fail():
        with replacing(path) as temporary:
            temporary.write_text('half')
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == 'old'
    assert os.listdir(tmp_path) == ['a.txt']


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / 'a.txt'
    with replacing(path) as first, replacing(path) as second:
        assert first != second
        first.write_text('outer')
        second.write_text('inner')
    assert path.read_text() == 'outer'  # whose block ended last


def test_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / 'plain').write_bytes(b'')
    write_atomically(tmp_path / 'atomic', b'')
    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_json_that_others_cannot_read_is_refused_and_nothing_written(tmp_path):
    path = tmp_path / 'a.json'
    with pytest.raises(ValueError, match='not JSON compliant'):
        write_json({'score': float('nan')}, path)
    assert not list(tmp_path.iterdir())
    write_json({'score': 1.5}, path)
    assert json.loads(path.read_text()) == {'score': 1.5}
