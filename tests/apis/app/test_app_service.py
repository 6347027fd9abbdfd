"""What visitors are told: turns, progress, results, and one sentence where something goes wrong."""

import logging
import re

import pytest
from helpers_app import new_store

from i2l_plugin.apis.app import pieces
from i2l_plugin.apis.app.engine import Findings, Progress
from i2l_plugin.apis.app.limits import Limits, RefusedError
from i2l_plugin.apis.app.service import Service, View
from i2l_plugin.apis.app.storage import Served

HOSTILE = '<img src=x onerror=alert(1)> & "me".png'


class FakeEngine:
    """Takes the steps it is told; an error among them is raised."""

    def __init__(self, limits):
        self.limits = limits
        self.steps = [Progress(0), Findings('picture', (1,), (), '')]

    def run(self, job):
        for name in ('overlay.jpg', 'people.json', 'overlay.mp4', 'people.jsonl'):
            self.serve(job, name)
        for step in self.steps:
            if isinstance(step, Exception):
                raise step
            if job.closed:
                return
            yield step

    def show(self, job, findings, index):
        if findings.people[index]:
            self.serve(job, f'mesh_{index}.glb')

    @staticmethod
    def serve(job, name):
        (job.folder / name).write_bytes(b'x')
        job.files[name] = Served(job.folder / name, 'x/y', name)


@pytest.fixture
def store():
    store = new_store()
    yield store
    store.close_all()


@pytest.fixture
def service(store):
    return Service(FakeEngine(Limits(max_waiting=2)), store)


def accepted(service, name='x.png', visitor='A', page='page'):
    job = service.store.open(visitor, name, 3)
    job.upload.write_bytes(b'abc')
    return job, service.accept(visitor, page, job.id)


def words(html):
    """The text of a piece of HTML."""
    return re.sub(r'<[^>]+>', ' ', html).strip()


def test_from_upload_to_results(service):
    job, view = accepted(service)
    assert words(view.status) == '“x.png” is next.'
    assert view.overlay == ''
    busy, done = service.work('A', 'page')
    assert words(busy.status) == 'Looking for people in “x.png” …'
    assert words(done.status) == 'Found 1 person in “x.png”.'
    assert f'src="/files/{job.id}/overlay.jpg"' in done.overlay
    assert f'src="/files/{job.id}/scene_0.html"' in done.scene
    assert f'href="/files/{job.id}/mesh_0.glb"' in done.scene
    assert (done.num_frames, done.frame) == (1, 0)
    assert not list(service.work('A', 'page'))  # once is enough


def test_others_wait(service):
    accepted(service, page='1')
    _, view = accepted(service, page='2', visitor='B')
    assert words(view.status) == '“x.png” waits its turn: one other upload came before it.'
    _, view = accepted(service, page='3', visitor='C')
    assert words(view.status) == '“x.png” waits its turn: 2 other uploads came before it.'
    job, view = accepted(service, page='4', visitor='D')
    assert 'role="alert"' in view.status
    assert words(view.status) == 'Too many people are waiting; try again in some minutes.'
    assert not job.folder.exists()
    list(service.work('A', '1'))
    _, view = accepted(service, page='4', visitor='D')
    assert '2 other uploads' in view.status


def test_who_went_away_holds_nobody_up(service, store):
    job, _ = accepted(service, page='1')
    store.close(job)
    _, view = accepted(service, page='2')
    assert words(view.status) == '“x.png” is next.'


def test_a_new_upload_takes_the_place_of_the_one_before(service):
    first, _ = accepted(service, 'first.png')
    working = service.work('A', 'page')
    next(working)
    accepted(service, 'second.png')
    assert first.closed
    assert not list(working)
    assert not first.folder.exists()
    *_, done = service.work('A', 'page')
    assert 'second.png' in done.status
    assert not list(service.work('A', 'page'))  # of the first one's turn


def test_an_upload_that_is_refused_before_it_came_ends_the_one_before(service):
    """Or its progress and its results would take the place of the reason."""
    first, _ = accepted(service, 'first.png')
    other, _ = accepted(service, 'other.png', page='another page')
    working = service.work('A', 'page')
    next(working)
    assert service.refuse('A', 'page', '<Too> large.') == View(pieces.refusal('<Too> large.'))
    assert not list(working)
    assert not first.folder.exists()
    assert service.refuse('B', 'another page', 'Too large.').overlay == ''
    assert not other.closed


def test_nothing_is_shown_of_a_job_that_was_closed_in_the_middle_of_a_step(service, monkeypatch):
    job, _ = accepted(service)

    def steps(_):
        service.store.close(job)
        yield Progress(1, 9)
        yield Findings('picture', (1,), (), '')

    monkeypatch.setattr(service.engine, 'run', steps)
    assert not list(service.work('A', 'page'))
    assert not job.folder.exists()


def test_refusals_reach_the_visitor_and_nothing_else_happens(service):
    service.engine.steps = [Progress(0), RefusedError('“x.png” is <damaged>.')]
    job, _ = accepted(service)
    *_, last = service.work('A', 'page')
    assert last == View(pieces.refusal('“x.png” is <damaged>.'))
    assert words(last.status) == '“x.png” is &lt;damaged&gt;.'
    assert not job.folder.exists()
    service.engine.steps = [Findings('picture', (1,), (), '')]
    accepted(service)
    *_, last = service.work('A', 'page')
    assert 'Found 1 person' in last.status  # the page goes on working


@pytest.mark.parametrize('error', [ValueError('secret'), RuntimeError('secret'), MemoryError()])
def test_mistakes_of_the_program_are_one_sentence_and_a_line_in_the_log(service, caplog, error):
    service.engine.steps = [Progress(0), error]
    job, _ = accepted(service)
    with caplog.at_level(logging.ERROR):
        *_, last = service.work('A', 'page')
    assert 'could not be processed' in last.status
    assert 'secret' not in last.status
    assert 'Traceback' not in last.status
    number = re.search(r'number (\w+)', last.status)[1]
    assert number in caplog.text
    assert type(error).__name__ in caplog.text
    assert not job.folder.exists()


def test_foreign_and_missing_uploads(service):
    job, _ = accepted(service, visitor='A')
    for visitor, job_id in (('B', job.id), ('A', 'nothing'), ('', '')):
        view = service.accept(visitor, 'page', job_id)
        assert words(view.status) == 'The upload is not there any more; please try again.'
    assert not job.closed
    assert not list(service.work('B', 'page'))


def test_frames_of_a_clip(service, store):
    service.engine.steps = [Findings('clip', (0, 2, 1), ('It was cut.',), '')]
    job, _ = accepted(service, 'x.mp4')
    (done,) = service.work('A', 'page')
    assert words(done.status) == 'Found up to 2 people at a time in “x.mp4” (3 frames). It was cut.'
    assert (done.num_frames, done.frame) == (3, 1)
    assert f'<video src="/files/{job.id}/overlay.mp4"' in done.overlay
    assert 'mesh_2.glb' in service.show_frame('A', 'page', 2)
    assert 'Nobody in this frame' in service.show_frame('A', 'page', 0)
    assert 'scene_2.html' in service.show_frame('A', 'page', 99)
    assert 'scene_0.html' in service.show_frame('A', 'page', -1)
    assert job.id not in service.show_frame('B', 'page', 1)
    store.close(job)
    assert 'deleted meanwhile' in service.show_frame('A', 'page', 1)


@pytest.mark.parametrize(
    ('step', 'expected'),
    [
        (Progress(1, 1), 'Looking for people in “x” …'),
        (Progress(2, 40, 80), '“x”: frame 2 of 40 …'),
        (Progress(10, 40, 31.4), '“x”: frame 10 of 40, about 31 s left …'),
        (Progress(10, 40, 310), '“x”: frame 10 of 40, about 5 min left …'),
        (Progress(39, 40, 0.2), '“x”: frame 39 of 40, about 1 s left …'),
        (Progress(7), '“x”: frame 7 is done …'),
    ],
)
def test_progress(step, expected):
    assert words(pieces.progress(step, 'x')) == expected


def test_nobody_is_found_with_advice():
    text = words(pieces.summary(Findings('picture', (0,), (), ''), 'x'))
    assert text.startswith('Found nobody in “x”.')
    assert 'Try one where people are larger' in text


@pytest.mark.parametrize(
    ('size', 'expected'),
    [
        (1, '1 kB'),
        (45_300, '46 kB'),
        (999_999, '1000 kB'),
        (1_000_000, '1.0 MB'),
        (3_460_000, '3.5 MB'),
    ],
)
def test_sizes_of_files_to_save_are_never_nothing(service, size, expected):
    job, _ = accepted(service)
    service.engine.serve(job, 'mesh_0.glb')
    (job.folder / 'mesh_0.glb').write_bytes(bytes(size))
    assert f'GLB: all meshes ({expected})' in ' '.join(words(pieces.scene(job, 0)).split()).replace(
        '( ', '('
    )


def test_names_of_files_are_words_never_html(service):
    findings = Findings('clip', (1,), (HOSTILE,), '')
    for html in (
        pieces.waiting(0, HOSTILE),
        pieces.waiting(2, HOSTILE),
        pieces.progress(Progress(0), HOSTILE),
        pieces.progress(Progress(5, 9, 1), HOSTILE),
        pieces.progress(Progress(5), HOSTILE),
        pieces.summary(findings, HOSTILE),
        pieces.refusal(HOSTILE),
    ):
        assert '<img' not in html
        assert '&lt;img src=x onerror=alert(1)&gt; &amp; &quot;me&quot;.png' in html
    accepted(service, HOSTILE)
    *_, done = service.work('A', 'page')
    assert 'onerror=alert(1)>' not in done.overlay + done.scene


def test_limits_are_told_before_the_upload():
    limits = Limits(max_mb=5, max_people=3, max_seconds=7, max_megapixels=2, keep_minutes=12)
    zone = words(pieces.upload_zone(limits))
    for text in ('Up to 5 MB', '2 million pixels', '3 people', 'first 7 seconds'):
        assert text in zone
    assert 'data-max-bytes="5000000"' in pieces.upload_zone(limits)
    assert '12 minutes' in pieces.introduction(limits)
