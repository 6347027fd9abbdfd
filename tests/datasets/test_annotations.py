import multiprocessing
import pickle
from pathlib import Path

import numpy as np
import pytest
from helpers_records import toy_columns

from i2l_plugin.datasets import AnnotationRecord
from i2l_plugin.datasets.annotation_schema import COLUMNS


@pytest.fixture(scope='module')
def columns():
    return toy_columns(n=5)


@pytest.fixture
def path(columns, tmp_path):
    path = tmp_path / 'record.npz'
    AnnotationRecord.create(**columns).save(path)
    return path


def rewrite(path, **changes):
    """Replace (or, with None, drop) arrays of the file behind the writer's back."""
    with np.load(path) as file:
        arrays = {**file, **changes}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


def test_what_is_written_is_read(columns, path):
    extra = {
        'gender': ['n', 'm', 'f', 'n', 'n'],
        'id_action': [3, 1, 4, 1, 5],
        'id_clip': list('abcde'),
    }
    AnnotationRecord.create(**columns, **extra).save(path)
    record = AnnotationRecord.load(path)
    assert record.kind == 'body'
    assert len(record) == 5
    assert record.joint_names == columns['joint_names']
    assert record.optional_columns == ('gender', 'id_action', 'id_clip')
    for name in record.columns.keys() & COLUMNS.keys():
        assert record[name].dtype == COLUMNS[name].dtype or COLUMNS[name].dtype == 'S'
    for name in set(columns) - {'kind', 'joint_names', 'image_path'}:
        np.testing.assert_array_equal(record[name], columns[name])
    assert record['image_path'][3].decode() == 'images/3.png'
    assert record['id_action'].tolist() == [3, 1, 4, 1, 5]
    assert b'b' in record['id_clip']


def test_numpy_alone_can_read_the_file(columns, path):
    with np.load(path, allow_pickle=False) as file:
        assert file['version'] == 1
        np.testing.assert_array_equal(file['betas'], columns['betas'])


def test_paths_beyond_ascii_survive(columns, path):
    paths = ['images/été 01.jpg', 'ü/图.png', 'a', 'b', 'c']
    AnnotationRecord.create(**{**columns, 'image_path': paths}).save(path)
    assert [name.decode() for name in AnnotationRecord.load(path)['image_path']] == paths


def test_the_same_record_gives_the_same_bytes(columns, path, tmp_path):
    AnnotationRecord.create(**columns).save(tmp_path / 'again.npz')
    assert (tmp_path / 'again.npz').read_bytes() == path.read_bytes()


def test_columns_are_read_only_views_of_the_file(path):
    record = AnnotationRecord.load(path)
    base = record['pose']
    while base.base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
    with pytest.raises(ValueError, match='read-only'):
        record['pose'][0] = 0


def test_a_compressed_file_is_read_too(columns, path):
    with np.load(path) as file:
        np.savez_compressed(path, **file)
    record = AnnotationRecord.load(path)
    np.testing.assert_array_equal(record['pose'], columns['pose'])
    assert not record['pose'].flags.writeable


def test_a_column_in_fortran_order_is_read(columns, path):
    rewrite(path, pose=np.asfortranarray(columns['pose']))
    np.testing.assert_array_equal(AnnotationRecord.load(path)['pose'], columns['pose'])


def test_pickling_sends_the_path_not_the_columns(columns, path):
    record = AnnotationRecord.load(path)
    sent = pickle.dumps(record)
    assert len(sent) < 1000
    np.testing.assert_array_equal(pickle.loads(sent)['pose'], columns['pose'])


def private_mb():
    """Memory that this process shares with no file and no other process."""
    lines = Path('/proc/self/smaps_rollup').read_text().splitlines()
    return next(int(x.split()[1]) / 1024 for x in lines if x.startswith('Private_Dirty'))


def read_everything(record, queue):
    before = private_mb()
    total = sum(float(record[name].sum()) for name in ('pose', 'joints_cam_mm', 'joints_px'))
    received = pickle.loads(pickle.dumps(record))  # what a spawned worker does
    total -= sum(float(received[name].sum()) for name in ('pose', 'joints_cam_mm', 'joints_px'))
    queue.put((total, private_mb() - before))


def test_workers_share_the_columns(columns, tmp_path):
    n = 20_000
    many = {name: np.tile(x, (n // 5, *[1] * (np.ndim(x) - 1))) for name, x in columns.items()}
    many.update(kind='body', joint_names=columns['joint_names'], sample_id=np.arange(n))
    many['image_path'] = columns['image_path'] * (n // 5)
    AnnotationRecord.create(**many).save(tmp_path / 'many.npz')
    file_mb = (tmp_path / 'many.npz').stat().st_size / 2**20
    assert file_mb > 10
    fork = multiprocessing.get_context('fork')
    queue = fork.Queue()
    record = AnnotationRecord.load(tmp_path / 'many.npz')
    worker = fork.Process(target=read_everything, args=(record, queue))
    worker.start()
    difference, grown_mb = queue.get(timeout=30)
    worker.join()
    assert difference == 0
    assert grown_mb < 0.2 * file_mb


def test_a_record_that_was_never_saved_is_pickled_whole(columns):
    record = pickle.loads(pickle.dumps(AnnotationRecord.create(**columns)))
    np.testing.assert_array_equal(record['pose'], columns['pose'])
