"""The web page without a browser: a tiny engine, and requests to ASGI applications."""

import asyncio
from types import SimpleNamespace

import numpy as np
from helpers_inference import tiny_network
from helpers_uploads import CLIP_SIZE

from i2l_plugin.apis.app.engine import Engine, Findings
from i2l_plugin.apis.app.gate import Gate
from i2l_plugin.apis.app.limits import Limits
from i2l_plugin.apis.app.storage import Store
from i2l_plugin.apis.inference.mesh_inferencer import MeshInferencer

BOXES = [[10, 20, 150, 220, 0.9], [170, 30, 310, 230, 0.8]]
CLIP_BOXES = [[4, 6, 44, 60, 0.9], [50, 8, 92, 62, 0.8]]
PORT = 7860
COOKIE = f'i2l_visitor_{PORT}'


class FakeDetector:
    """Finds what it is told, else two people in noise pictures and clips."""

    name = 'fake detector'
    boxes = None

    def __call__(self, image_bgr):
        usual = CLIP_BOXES if image_bgr.shape[1::-1] == CLIP_SIZE else BOXES
        boxes = usual if self.boxes is None else self.boxes
        return np.array(boxes, np.float32).reshape(-1, 5)


def tiny_engine(folder, **limits):
    """An engine on a random network; its detector finds two people of noise pictures."""
    inferencer = MeshInferencer(tiny_network(folder), det_model=FakeDetector())
    return Engine(inferencer, Limits(**limits))


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def upload(store, path, visitor='A'):
    """A job with a file as its upload."""
    data = path.read_bytes()
    job = store.open(visitor, path.name, len(data))
    job.upload.write_bytes(data)
    return job


def findings_of(steps):
    """The last of an engine's steps."""
    *_, last = steps
    assert isinstance(last, Findings)
    return last


def request(app, method, path, headers=(), body=b'', parts=None):
    """What an ASGI application answers: status, headers (names to values), body.

    `parts` are the messages of a body that comes in pieces; None in them is a browser that is gone.
    """
    if parts is None:
        parts = [body]
    messages = [
        {'type': 'http.disconnect'}
        if part is None
        else {'type': 'http.request', 'body': part, 'more_body': i + 1 < len(parts)}
        for i, part in enumerate(parts)
    ]
    given = {'host': f'localhost:{PORT}', 'content-length': str(len(body)), **dict(headers)}
    scope = {
        'type': 'http',
        'method': method,
        'path': path,
        'query_string': b'',
        'headers': [(name.encode(), value.encode()) for name, value in given.items()],
    }
    answer = SimpleNamespace(status=None, headers={}, body=b'')

    async def receive():
        return messages.pop(0) if messages else {'type': 'http.disconnect'}

    async def send(message):
        if message['type'] == 'http.response.start':
            answer.status = message['status']
            answer.headers = {k.decode(): v.decode() for k, v in message['headers']}
        else:
            answer.body += message.get('body', b'')

    asyncio.run(app(scope, receive, send))
    return answer


class FakePage:
    """In Gradio's place: remembers what reaches it."""

    def __init__(self):
        self.requests = []

    async def __call__(self, scope, receive, send):
        if scope['type'] != 'http':
            self.requests.append(scope['type'])
            return
        body = (await receive()).get('body')
        headers = {name.decode(): value.decode() for name, value in scope['headers']}
        self.requests.append((scope['path'], headers, body))
        await send({'type': 'http.response.start', 'status': 200, 'headers': []})
        await send({'type': 'http.response.body', 'body': b'page'})


def whole_file(served, headers):
    """In the place of Starlette's FileResponse."""

    async def respond(_scope, _receive, send):
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({'type': 'http.response.start', 'status': 200, 'headers': pairs})
        await send({'type': 'http.response.body', 'body': served.path.read_bytes()})

    return respond


def make_gate(store, local_only=True):
    """A gate before a `FakePage`."""
    return Gate(FakePage(), store, whole_file, PORT, local_only)


def new_store(clock=None, **limits):
    """An empty store."""
    return Store(Limits(**limits), clock or Clock())
