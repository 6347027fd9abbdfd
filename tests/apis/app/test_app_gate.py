"""The gate: visitors apart, Gradio's file routes closed, uploads limited; raw ASGI, no Gradio."""

import asyncio
import json
from urllib.parse import quote

import pytest
from helpers_app import COOKIE, make_gate, new_store, request

from i2l_plugin.apis.app import uploads
from i2l_plugin.apis.app.gate import VISITOR_HEADER
from i2l_plugin.apis.app.storage import Served
from i2l_plugin.apis.app.uploads import file_name

JOIN = '/gradio_api/queue/join'


@pytest.fixture
def store():
    store = new_store(max_mb=1)
    yield store
    store.close_all()


@pytest.fixture
def gate(store):
    return make_gate(store)


def cookie_of(answer):
    """The visitor's cookie as a browser sends it back."""
    return answer.headers['set-cookie'].split(';')[0]


def visitor_of(gate):
    """The headers of a new visitor."""
    return {'cookie': cookie_of(request(gate, 'GET', '/'))}


def result_of(store, visitor):
    """A job with one file to fetch, and its address."""
    job = store.open(visitor['cookie'].split('=', 1)[1], 'x.png', 3)
    path = job.folder / 'overlay.jpg'
    path.write_bytes(b'secret')
    job.files['overlay.jpg'] = Served(path, 'image/jpeg', 'x.jpg')
    return job, f'/files/{job.id}/overlay.jpg'


def test_a_file_is_there_for_its_visitor_alone(gate, store):
    mine, theirs = visitor_of(gate), visitor_of(gate)
    job, address = result_of(store, mine)
    assert request(gate, 'GET', address, mine).body == b'secret'
    forged = {'cookie': f'{COOKIE}={job.visitor.split(".")[0]}.{"0" * 64}'}
    for others in (theirs, {}, forged, {'cookie': f'{COOKIE}='}, {VISITOR_HEADER: job.visitor}):
        answer = request(gate, 'GET', address, others)
        assert answer.status == 404
        assert b'secret' not in answer.body
    store.close(job)
    assert request(gate, 'GET', address, mine).status == 404


def test_no_path_leads_out_of_the_list_of_files(gate, store):
    mine = visitor_of(gate)
    job, address = result_of(store, mine)
    (job.folder / 'people.json').write_bytes(b'secret too')  # there, but not to be fetched
    (store.root / 'beside').write_bytes(b'secret too')
    start = address.rsplit('/', 1)[0]
    for end in (
        '/people.json',
        '/../beside',
        '/..%2fbeside',
        '/%2e%2e/beside',
        '/..\\beside',
        '/overlay.jpg/../people.json',
        '/overlay.jpg%00',
        '/.',
        '/..',
        '//etc/passwd',
        '',
    ):
        assert request(gate, 'GET', start + end, mine).status == 404, end
    assert not gate.page.requests[1:]  # nor does Gradio see any of it


@pytest.mark.parametrize(
    'path',
    [
        '/gradio_api/file=/etc/passwd',
        '/gradio_api/file=https://example.org/x',
        '/gradio_api/file/etc/passwd',
        '/file=/etc/passwd',
        '/gradio_api/proxy=https://example.org/',
        '/gradio_api/stream/a/b/1/playlist-file',
        '/gradio_api/upload_progress',
        '/gradio_api/call/work/1',
        '/gradio_api/info',
        '/gradio_api/runs',
        '/monitoring',
        '/assets/../../secret',
        '/static/..%2f..',
        '/docs',
    ],
)
def test_the_rest_of_gradio_is_closed(gate, path):
    assert request(gate, 'GET', path).status == 404
    assert request(gate, 'POST', path, body=b'{}').status == 404
    assert not gate.page.requests


def test_what_the_page_needs_passes_with_the_visitors_name(gate):
    mine = visitor_of(gate)
    name = mine['cookie'].split('=', 1)[1]
    paths = ['/', '/assets/index-D_a.1.js', '/theme.css', '/gradio_api/queue/data']
    for path in paths:
        answer = request(gate, 'GET', path, {**mine, VISITOR_HEADER: 'somebody else'})
        assert answer.body == b'page'
        assert 'set-cookie' not in answer.headers  # they have theirs
    assert [path for path, _, _ in gate.page.requests[1:]] == paths
    assert {headers[VISITOR_HEADER] for _, headers, _ in gate.page.requests[1:]} == {name}


@pytest.mark.parametrize(
    'other', ['prefs={"a": 1}', 'note=two words', 'x="open', 'flag', 'a[0]=1', 'é=ü', 'a==b', '']
)
def test_cookies_of_other_programs_on_this_computer_are_no_hindrance(gate, other):
    """Browsers send a name's cookies to all its ports."""
    mine = cookie_of(request(gate, 'GET', '/'))
    for sent in (f'{other}; {mine}', f'{mine}; {other}', f'{other};{mine}'):
        assert 'set-cookie' not in request(gate, 'GET', '/', {'cookie': sent}).headers


def test_cookies_and_policies(gate):
    answer = request(gate, 'GET', '/')
    assert 'HttpOnly' in answer.headers['set-cookie']
    assert 'SameSite=Lax' in answer.headers['set-cookie']
    policy = dict(
        part.split(' ', 1) for part in answer.headers['content-security-policy'].split('; ')
    )
    assert policy['default-src'] == "'self'"  # nothing from anywhere else
    assert not any('http' in value or '*' in value for value in policy.values())
    assert answer.headers['referrer-policy'] == 'no-referrer'


def test_a_served_page_is_no_part_of_the_site(gate, store):
    mine = visitor_of(gate)
    _, address = result_of(store, mine)
    headers = request(gate, 'GET', address, mine).headers
    assert headers['content-security-policy'].startswith('sandbox allow-scripts')
    assert headers['content-security-policy'].endswith("; frame-ancestors 'self'")
    assert 'allow-same-origin' not in headers['content-security-policy']
    assert headers['cache-control'] == 'private, no-store'
    assert headers['x-content-type-options'] == 'nosniff'


def send_file(gate, visitor, data=b'abc', name='me.png', **headers):
    return request(
        gate, 'POST', '/upload', {**visitor, 'x-file-name': quote(name), **headers}, data
    )


def test_an_upload_becomes_a_job_of_its_visitor(gate, store):
    mine, theirs = visitor_of(gate), visitor_of(gate)
    answer = send_file(gate, mine, b'a picture', 'ich & du.png')
    job_id = json.loads(answer.body)['job']
    job = store.find(mine['cookie'].split('=', 1)[1], job_id)
    assert job.upload.read_bytes() == b'a picture'
    assert job.name == 'ich & du.png'
    assert store.find(theirs['cookie'].split('=', 1)[1], job_id) is None
    assert not job.files  # it cannot be fetched


def test_too_large_uploads_are_refused_before_they_come(gate, store):
    mine = visitor_of(gate)
    answer = send_file(gate, mine, b'', **{'content-length': '1000001'})
    assert answer.status == 413
    assert json.loads(answer.body)['error'] == '“me.png” has 1.0 MB; at most 1 MB are taken.'
    assert send_file(gate, mine, **{'content-length': ''}).status == 411
    assert not list(store.root.iterdir())


@pytest.mark.parametrize(
    'parts', [[b'abc', None], [b'abc', b'def']], ids=['broken off', 'too long']
)
def test_uploads_that_go_wrong_leave_nothing(gate, store, parts):
    headers = {**visitor_of(gate), 'content-length': '5', 'x-file-name': 'x.png'}
    answer = request(gate, 'POST', '/upload', headers, parts=parts)
    assert answer.status in (None, 413)
    assert not list(store.root.iterdir())


def test_an_upload_that_stands_still_is_given_up(gate, store, monkeypatch):
    """A phone that has lost its net does not say so."""
    monkeypatch.setattr(uploads, '_STALL_S', 0.05)

    async def receive():
        await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    sent = []
    headers = {**visitor_of(gate), 'host': 'localhost', 'content-length': '9'}
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = dict(type='http', method='POST', path='/upload', headers=pairs)
    asyncio.run(asyncio.wait_for(gate(scope, receive, send), 10))
    assert sent[0]['status'] == 408
    assert 'stood still' in json.loads(sent[1]['body'])['error']
    assert not list(store.root.iterdir())


@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        ('../../etc/passwd', 'passwd'),
        ('C:\\pictures\\me.png', 'me.png'),
        ('a\nb\0.png', 'ab.png'),
        ('', 'your file'),
        ('/', 'your file'),
        ('x' * 300 + '.png', 'x' * 60 + '…' + 'x' * 56 + '.png'),
    ],
)
def test_names_of_files_are_only_names(given, expected):
    assert file_name(given) == expected


def join(gate, **call):
    body = json.dumps({'fn_index': 1, 'session_hash': 'abc', **call}).encode()
    return request(gate, 'POST', JOIN, body=body)


def test_calls_hold_numbers_and_words_only(gate):
    """A dict that says it is a file makes Gradio copy it, or fetch it if it has an address."""
    for data in ([3], ['word', None, 1.5, True], []):
        assert join(gate, data=data, event_data={'job': 'abc'}).status == 200
    passed = len(gate.page.requests)
    assert json.loads(gate.page.requests[0][2])['data'] == [3]
    file = {'path': '/etc/passwd', 'meta': {'_type': 'gradio.FileData'}}
    for data in ([file], [[file]], {'a': file}, [{'a': {'b': file}}]):
        assert join(gate, data=data).status == 400
    assert join(gate, data=[1], event_data={'job': file}).status == 400
    assert join(gate, data=[1], event_data=[file]).status == 400
    escaped = b'{"data": [{"path": "x", "meta": {"_type": "\\u0067radio.FileData"}}]}'
    assert request(gate, 'POST', JOIN, body=escaped).status == 400
    for body in (b'', b'[1]', b'no json', b'{"data": "' + b'x' * 70_000 + b'"}'):
        assert request(gate, 'POST', JOIN, body=body).status == 400
    assert len(gate.page.requests) == passed


def test_a_call_in_pieces_arrives_whole(gate):
    assert request(gate, 'POST', JOIN, parts=[b'{"data', b'": [1]}']).status == 200
    assert gate.page.requests[0][2] == b'{"data": [1]}'


@pytest.mark.parametrize(
    ('host', 'status'),
    [
        ('localhost:7860', 200),
        ('127.0.0.1', 200),
        ('[::1]:7860', 200),
        ('LOCALHOST', 200),
        ('127.0.0.5:7860', 200),  # --host 127.0.0.5
        ('evil.example', 421),
        ('localhost.evil.example:7860', 421),
        ('127.0.0.1.evil.example', 421),
        ('[127.0.0.1.evil.example]', 421),
        ('192.168.0.2:7860', 421),
        ('', 421),
    ],
)
def test_a_local_page_answers_to_local_names_only(store, host, status):
    assert request(make_gate(store), 'GET', '/', {'host': host}).status == status
    assert request(make_gate(store, local_only=False), 'GET', '/', {'host': host}).status == 200


def test_other_sites_cannot_upload(gate, store):
    answer = send_file(gate, visitor_of(gate), **{'sec-fetch-site': 'cross-site'})
    assert answer.status == 403
    assert not list(store.root.iterdir())
    assert request(gate, 'GET', '/', {'sec-fetch-site': 'cross-site'}).status == 200  # a link


def test_an_open_page_is_known_by_its_connection(gate, store):
    visitor = visitor_of(gate)
    name = visitor['cookie'].split('=', 1)[1]
    job = store.open(name, 'x.png', 1)
    store.show(job, 'abc123')

    async def page(*_):
        store.clock.now += 1000
        store.sweep()
        assert not job.closed

    gate.page = page
    request(gate, 'GET', '/gradio_api/heartbeat/abc123', visitor)
    store.clock.now += 1000
    store.sweep()
    assert job.closed


def test_other_connections_are_refused_and_the_lifespan_passes(gate):
    with pytest.raises(ValueError, match='got a websocket connection, expected http'):
        asyncio.run(gate({'type': 'websocket'}, None, None))
    asyncio.run(gate({'type': 'lifespan'}, None, None))
    assert gate.page.requests == ['lifespan']
