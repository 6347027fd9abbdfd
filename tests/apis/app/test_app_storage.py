"""Whose files are whose, how long they are there, and how much room they have."""

import os
import stat

import pytest
from helpers_app import Clock, new_store

from i2l_plugin.apis.app.limits import RefusedError
from i2l_plugin.apis.app.storage import GRACE_S, Store
from i2l_plugin.apis.app.visitors import Visitors


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock):
    store = new_store(clock, max_mb=1, max_store_mb=2, keep_minutes=30)
    yield store
    store.close_all()


def filled(store, visitor='A', size=1000):
    job = store.open(visitor, 'x.png', size)
    job.upload.write_bytes(bytes(size))
    return job


def test_only_the_own_visitor_finds_a_job(store):
    mine, other = filled(store, 'A'), filled(store, 'B')
    assert store.find('A', mine.id) is mine
    assert store.find('B', other.id) is other
    assert store.find('B', mine.id) is None
    assert store.find('', mine.id) is None
    assert store.find('A', 'no such job') is None


def test_folders_cannot_be_guessed_or_read_by_other_users(store):
    names = {filled(store).folder.name for _ in range(50)}
    assert len(names) == 50
    assert all(len(name) >= 43 for name in names)  # 256 bits in base 64
    assert stat.S_IMODE(os.stat(store.root).st_mode) == 0o700


def test_a_page_shows_one_job_and_deletes_the_one_before(store):
    first, second, elsewhere = filled(store), filled(store), filled(store)
    store.show(elsewhere, 'another page')
    store.show(first, 'page')
    store.show(second, 'page')
    assert store.shown('A', 'page') is second
    assert not first.folder.exists()
    assert store.find('A', first.id) is None
    assert elsewhere.folder.exists()


def test_a_page_of_the_same_name_shows_another_visitor_nothing(store):
    job = filled(store, 'A')
    store.show(job, 'page')
    theirs = filled(store, 'B')
    store.show(theirs, 'page')
    assert store.shown('A', 'page') is job
    assert store.shown('B', 'page') is theirs
    assert store.shown('C', 'page') is None


def test_what_is_not_used_is_deleted(store, clock):
    old, used = filled(store), filled(store)
    clock.now = 29 * 60
    store.find('A', used.id)
    clock.now = 31 * 60
    store.sweep()
    assert not old.folder.exists()
    assert used.folder.exists()
    assert store.find('A', old.id) is None


def test_closing_a_page_deletes_its_files_after_a_while(store, clock):
    job, other = filled(store), filled(store)
    store.show(job, 'page')
    store.show(other, 'other')
    with store.page('A', 'page'), store.page('A', 'other'):
        clock.now += 10 * GRACE_S
        store.sweep()
        assert job.folder.exists()
        with store.page('B', 'page'):  # of somebody else who took the same name
            pass
        clock.now += 2 * GRACE_S
        store.sweep()
        assert job.folder.exists()
    clock.now += GRACE_S - 1
    store.sweep()
    assert job.folder.exists()
    with store.page('A', 'page'):  # a phone that was away is there again
        clock.now += GRACE_S
        store.sweep()
        assert job.folder.exists()
        assert not other.folder.exists()
    clock.now += GRACE_S + 1
    store.sweep()
    assert not job.folder.exists()


def test_a_folder_stays_while_somebody_works_in_it(store, clock):
    job = filled(store)
    with store.work(job):
        store.close(job)
        assert job.closed
        assert job.folder.exists()
        assert store.find('A', job.id) is None
    assert not job.folder.exists()
    long = filled(store)
    with store.work(long):
        clock.now += 2 * 30 * 60
        store.sweep()
        assert long.folder.exists()
    store.sweep()
    assert long.folder.exists()  # used until now


def test_sizes_are_limited_one_by_one_and_together(store):
    with pytest.raises(RefusedError, match=r'“big.png” has 1.5 MB; at most 1 MB are taken'):
        store.open('A', 'big.png', 1_500_000)
    jobs = [store.open(visitor, 'x.png', 900_000) for visitor in 'AB']  # on their way
    with pytest.raises(RefusedError, match='disk is full at the moment'):
        store.open('C', 'x.png', 900_000)
    jobs[0].upload.write_bytes(bytes(900_000))
    with pytest.raises(RefusedError, match='disk is full'):
        store.open('C', 'x.png', 900_000)
    store.close(jobs[0])
    store.open('C', 'x.png', 900_000)


def test_results_count_too(store):
    job = filled(store, size=10)
    (job.folder / 'overlay.mp4').write_bytes(bytes(1_500_000))
    with pytest.raises(RefusedError, match='disk is full'):
        store.open('B', 'x.png', 600_000)


def test_nothing_is_left_at_the_end():
    store = Store(new_store().limits)
    job = filled(store)
    store.close_all()
    assert not job.folder.exists()
    assert not store.root.exists()


def test_visitors_names_are_random_and_signed():
    ours, theirs = Visitors(), Visitors()
    tokens = {ours.issue() for _ in range(50)}
    assert len(tokens) == 50
    token = tokens.pop()
    assert ours.knows(token)
    assert not theirs.knows(token)
    name, signature = token.split('.')
    assert not ours.knows(f'{name[:-1]}_.{signature}')
    for forged in ('', '.', 'x', f'{name}.', name, f'{name}.ü', f'.{signature}'):
        assert not ours.knows(forged)
