"""The page on a real port with Gradio: what it serves to whom, and what it asks nobody for."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from helpers_app import tiny_engine
from helpers_app_server import Client, needs_gradio, running, wait_until
from helpers_inference import tiny_network
from helpers_runs import ROOT
from helpers_uploads import save_clip, save_picture

from i2l_plugin.apis.app.engine import Engine

pytestmark = needs_gradio


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    """Address and store of the running page."""
    with running(tiny_engine(tmp_path_factory.mktemp('site'))) as place:
        yield place


@pytest.fixture
def visitor(site):
    """Makes visitors."""
    opened = []

    def new(session='page1'):
        opened.append(httpx_client(site[0]))
        return Client(opened[-1], session)

    yield new
    for http in opened:
        http.close()


def httpx_client(address):
    """With cookies of its own."""
    import httpx  # comes with Gradio

    return httpx.Client(base_url=address, timeout=60)


def addresses(outputs):
    """Every file that the outputs of an event name."""
    return sorted(set(re.findall(r'/files/[\w-]+/[\w.]+', str(outputs))))


def test_nothing_comes_after_results_that_could_undo_them(visitor, tmp_path):
    """Gradio's page changes what it has not drawn yet by what comes next."""
    page = visitor()
    outputs = page.call('upload', job=page.upload(save_picture(tmp_path / 'a.png')))
    assert page.completed == outputs
    assert addresses(page.completed)


def test_one_visitors_files_are_nothing_to_another(site, visitor, tmp_path):
    """Nor if the other one knows the addresses and the name of the page."""
    a, b, nobody = visitor('page1'), visitor('page1'), visitor('page2')
    outputs = a.call('upload', job=a.upload(save_picture(tmp_path / 'a.png')))
    files = addresses(outputs)
    assert [file.rsplit('/', 1)[1] for file in files] == [
        'mesh_0.glb',
        'overlay.jpg',
        'people.json',
        'scene_0.html',
    ]
    nobody.http.cookies.clear()
    folders = {file.split('/')[2] for file in files}
    assert folders <= {path.name for path in site[1].root.iterdir()}
    for file in files:
        assert a.http.get(file).status_code == 200
        assert b.http.get(file).status_code == 404
        assert nobody.http.get(file).status_code == 404
    (folder,) = folders
    assert 'is not there any more' in str(b.call('upload', job=folder))
    assert 'were deleted meanwhile' in str(b.call('input', 1))
    assert a.http.get(files[0]).status_code == 200


@pytest.mark.parametrize('start', ['gradio_api/file=', 'gradio_api/file/', 'file='])
def test_gradio_serves_no_file_at_all(site, visitor, tmp_path, start):
    a = visitor('page3')
    a.upload(save_picture(tmp_path / 'a.png'))
    uploads = list(site[1].root.glob('*/upload'))
    assert uploads
    for path in [*uploads, '/etc/passwd', 'setup.cfg', 'https://example.org/']:
        assert a.http.get(f'/{start}{path}').status_code == 404


def test_paths_do_not_lead_out(visitor, tmp_path):
    a = visitor('page4')
    outputs = a.call('upload', job=a.upload(save_picture(tmp_path / 'a.png')))
    start = addresses(outputs)[0].rsplit('/', 1)[0]
    kept = a.http.get(f'{start}/frame_0.npz')  # there, but not to be fetched
    assert kept.status_code == 404
    for end in ('%2e%2e/x', '..%2f..%2fetc%2fpasswd', '..', '%00', 'overlay.jpg/..'):
        assert a.http.get(f'{start}/{end}').status_code in (404, 405)
    for path in ('/assets/..%2f..%2froutes.py', '/static/%2e%2e/index.html'):
        assert a.http.get(path).status_code == 404


def test_a_call_cannot_make_gradio_read_or_fetch_a_file(site, visitor):
    a = visitor('page5')
    for path in ('/etc/hostname', 'http://localhost:1/'):
        file = {'path': path, 'meta': {'_type': 'gradio.FileData'}}
        call = {'data': [file], 'fn_index': a.events['input'], 'session_hash': 'page5'}
        assert a.http.post('/gradio_api/queue/join', json=call).status_code == 400
    assert not [p for p in site[1].root.rglob('*') if 'hostname' in p.name]


def test_media_types_names_and_parts(visitor, tmp_path):
    a = visitor('page6')
    outputs = a.call('upload', job=a.upload(save_clip(tmp_path / 'my walk.mp4')))
    files = {file.rsplit('/', 1)[1]: file for file in addresses(outputs)}
    heads = {name: a.http.head(file).headers for name, file in files.items()}
    assert heads['overlay.mp4']['content-type'] == 'video/mp4'
    assert heads['overlay.mp4']['content-disposition'].startswith('inline')
    assert heads['mesh_0.glb']['content-type'] == 'model/gltf-binary'
    assert heads['mesh_0.glb']['content-disposition'] == 'attachment; filename="my_walk_0001.glb"'
    assert heads['people.jsonl']['content-disposition'] == 'attachment; filename="my_walk.jsonl"'
    assert heads['scene_0.html']['content-security-policy'].startswith('sandbox allow-scripts')
    part = a.http.get(files['overlay.mp4'], headers={'Range': 'bytes=4-7'})
    assert (part.status_code, part.content) == (206, b'ftyp')  # as players ask when they seek


def test_the_page_names_no_other_host(visitor):
    """But in the social networks' meta elements, which no browser fetches."""
    a = visitor('page7')
    page = a.http.get('/')
    body = re.sub(r'<meta[^>]*>', '', page.text)
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', body)
    assert not re.findall(r'url\((?:https?:)?//|@import', a.http.get('/theme.css').text)
    assert "default-src 'self'" in page.headers['content-security-policy']
    assert '"analytics_enabled":false' in page.text.replace(' ', '')
    assert 'server' not in page.headers


def test_names_of_other_computers_are_not_answered(visitor):
    a = visitor('page8')
    answer = a.http.get('/', headers={'Host': 'evil.example'})
    assert answer.status_code == 421
    assert 'gradio' not in answer.text


def test_closing_the_page_deletes_its_files(site, visitor, tmp_path, monkeypatch):
    monkeypatch.setattr('i2l_plugin.apis.app.storage.GRACE_S', 0.2)
    a, store = visitor('page9'), site[1]
    is_open, close = threading.Event(), threading.Event()

    def stay():
        with a.http.stream('GET', '/gradio_api/heartbeat/page9'):
            is_open.set()
            close.wait(60)

    page = threading.Thread(target=stay)
    page.start()
    is_open.wait(60)
    job = a.upload(save_picture(tmp_path / 'a.png'))
    files = addresses(a.call('upload', job=job))
    store.sweep()
    assert (store.root / job).exists()
    close.set()
    page.join()

    def is_gone():
        store.sweep()
        return not (store.root / job).exists()

    wait_until(is_gone)
    assert a.http.get(files[0]).status_code == 404


def test_one_visitor_is_served_at_a_time(visitor, tmp_path, monkeypatch):
    working, most = [], []

    def watched(self, job):
        working.append(job)
        most.append(len(working))
        time.sleep(0.2)
        yield from run(self, job)
        working.remove(job)

    run = Engine.run
    monkeypatch.setattr(Engine, 'run', watched)
    path = save_picture(tmp_path / 'a.png')
    with ThreadPoolExecutor() as pool:
        visitors = [visitor(f'queue{i}') for i in range(4)]
        ends = [pool.submit(lambda a: a.call('upload', job=a.upload(path)), a) for a in visitors]
        outputs = [str(end.result()) for end in ends]
    assert all('Found 2 people' in text for text in outputs)
    assert len({file for text in outputs for file in addresses(text)}) == 16  # none is shared
    assert most == [1] * 4


@pytest.mark.parametrize('end', [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_it_is_stopped_and_leaves_nothing(tmp_path, end):
    """As a user starts it, on networks in files."""
    network = tiny_network(tmp_path)
    network.cfg.dump(tmp_path / 'config.py')
    torch.save({'state_dict': network.state_dict(), 'meta': {}}, tmp_path / 'weights.pth')
    folders = tmp_path / 'folders'
    folders.mkdir()
    options = f'--config {tmp_path}/config.py --checkpoint {tmp_path}/weights.pth --port 0'
    process = subprocess.Popen(
        [sys.executable, 'tools/app.py', *options.split(), '--device', 'cpu'],
        cwd=ROOT,
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'TMPDIR': str(folders)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        lines = iter(process.stderr.readline, '')
        line = next(line for line in lines if line.startswith('open http://127.0.0.1:'))
        http = httpx_client(line.split()[1])
        job = Client(http, 'page').upload(save_picture(tmp_path / 'a.png'))
        (folder,) = folders.glob('i2l_app_*')
        assert (folder / job / 'upload').exists()
        http.close()
        process.send_signal(end)
        rest = process.communicate(timeout=60)[1]
    finally:
        process.kill()
    assert rest.endswith('stopped; the files of all visitors are deleted\n')
    assert 'Traceback' not in rest
    assert process.returncode == 0
    assert not list(folders.glob('i2l_app_*'))


def test_the_page_goes_on_after_bad_uploads(visitor, tmp_path):
    a = visitor('page10')
    (tmp_path / 'bad.png').write_text('text')
    assert 'is neither a picture' in str(a.call('upload', job=a.upload(tmp_path / 'bad.png')))
    assert 'Too large.' in str(a.call('upload', refused='Too large.'))
    outputs = a.call('upload', job=a.upload(save_picture(tmp_path / 'good.png')))
    assert 'Found 2 people in' in str(outputs)
