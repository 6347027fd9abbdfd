"""The web page on a real port, with Gradio, and a client that does what its script does."""

import importlib.util
import json
import threading
import time
from contextlib import contextmanager
from urllib.parse import quote

import pytest

from i2l_plugin.apis.app.gate import is_local
from i2l_plugin.apis.app.server import address, build_app, listen, make_server
from i2l_plugin.apis.app.storage import Store

needs_gradio = pytest.mark.skipif(
    importlib.util.find_spec('gradio') is None,
    reason='needs Gradio (make test-app installs it)',
)


@contextmanager
def running(engine, host='127.0.0.1'):
    """The page's address and its store, while it runs."""
    store, bound = Store(engine.limits), listen(host, 0)
    port = bound.getsockname()[1]
    server = make_server(build_app(engine, store, port, is_local(host)))
    thread = threading.Thread(target=server.run, kwargs={'sockets': [bound]})
    thread.start()
    try:
        yield address(host, port), store
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        bound.close()
        store.close_all()


def wait_until(condition, seconds=20):
    """Wait for something that another thread does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'it never came'
        time.sleep(0.02)


class Client:
    """A visitor's page without a browser.

    Args:
        http: httpx.Client with the address of the page.
        session: Its `session_hash`.
    """

    def __init__(self, http, session):
        self.http, self.session = http, session
        self.completed = None  # outputs with which the last event ended
        page = http.get('/').text
        config = json.loads(page.split('window.gradio_config = ', 1)[1].split(';</script>', 1)[0])
        self.events = {
            event: dependency['id']
            for dependency in config['dependencies']
            for _, event in dependency['targets']
        }

    def upload(self, path):
        """The id of a new job."""
        answer = self.http.post(
            '/upload', content=path.read_bytes(), headers={'X-File-Name': quote(path.name)}
        )
        return answer.json()['job']

    def call(self, event, *data, **event_data):
        """Trigger an event and what follows it; -> the last outputs that change anything."""
        self.join(self.events[event], data, event_data)
        last = self.outputs()
        if event == 'upload':
            self.join(self.events['then'], [], None)
            last = self.outputs() or last
        return last

    def join(self, number, data, event_data):
        call = {'data': list(data), 'event_data': event_data, 'fn_index': number}
        answer = self.http.post(
            '/gradio_api/queue/join', json={**call, 'session_hash': self.session, 'trigger_id': 1}
        )
        assert answer.status_code == 200, answer.text

    def outputs(self):
        """Of the event that is joined, when it is complete."""
        from gradio_client.utils import apply_diff

        address, last, whole = '/gradio_api/queue/data', None, None
        with self.http.stream('GET', address, params={'session_hash': self.session}) as stream:
            for line in stream.iter_lines():
                if not line.startswith('data: '):
                    continue
                message = json.loads(line[6:])
                output = message.get('output') or {}
                if message['msg'] in ('process_generating', 'process_completed'):
                    assert message['success'], message
                    data = output.get('data') or []
                    if message['msg'] == 'process_generating':  # from the second on, differences
                        if whole is not None:
                            data = [apply_diff(*pair) for pair in zip(whole, data, strict=True)]
                        whole = data
                    last = data if any(isinstance(value, str) for value in data) else last
                if message['msg'] == 'process_completed':
                    self.completed = data
                    return last
        return last
