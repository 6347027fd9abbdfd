"""What stands before Gradio: who the visitor is, what may be asked for, uploads and downloads.

Gradio's own file routes serve every file of its folder to whoever knows the address, and fetch
addresses that a visitor names. Here they are closed: files come and go through this gate alone,
where each is bound to its visitor's cookie, and only numbers and words pass on to Gradio.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable
from typing import Any

from .messages import (
    App,
    BrokenOffError,
    Receive,
    Scope,
    Send,
    TooLongError,
    answer,
    chunks,
    cookie,
    header,
    with_headers,
)
from .storage import Job, Served, Store
from .uploads import receive_upload
from .visitors import Visitors

VISITOR_HEADER = 'x-i2l-visitor'  # from the gate to the page; what a browser sends is dropped
UPLOAD = '/upload'
_PAGES = re.compile(
    r'/|/(theme\.css|favicon\.ico|manifest\.json|config|robots\.txt)|/(assets|static)/[\w./-]+'
    r'|/gradio_api/(startup-events|queue/data|heartbeat/\w+)'
)
_CALLS = re.compile(r'/gradio_api/(queue/join|cancel)')
_HEARTBEAT = re.compile(r'/gradio_api/heartbeat/(\w+)')
_FILE = re.compile(r'/files/([\w-]{43})/([\w.-]+)')
_MAX_CALL_BYTES = 64_000

_EVERYWHERE = {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
}
# Gradio compiles its pages' little scripts in the browser, hence the two 'unsafe'.
_PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "object-src 'none'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)
# A scene's page has a policy of its own; beside it, it may not act as a part of this site.
_FILE_POLICY = "sandbox allow-scripts allow-downloads; frame-ancestors 'self'"

FileResponse = Callable[[Served, dict[str, str]], App]


class Gate:
    """ASGI application in front of the page's.

    Args:
        page: The page's.
        store: Where files are.
        file_response: Makes the ASGI answer of a file with some headers.
        port: Of the server; cookies are shared by all ports of a name.
        local_only: Answer only to names of this computer, so that no foreign site can take the
            browser here by a name of its own (DNS rebinding).
    """

    def __init__(
        self,
        page: App,
        store: Store,
        file_response: FileResponse,
        port: int,
        local_only: bool,
    ) -> None:
        self.page, self.store = page, store
        self.file_response, self.local_only = file_response, local_only
        self.visitors = Visitors()
        self.cookie = f'i2l_visitor_{port}'

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope['type'] == 'lifespan':
            await self.page(scope, receive, send)
            return
        if scope['type'] != 'http':
            raise ValueError(f'got a {scope["type"]} connection, expected http')
        added = {**_EVERYWHERE, 'content-security-policy': _PAGE_POLICY}
        visitor = cookie(scope, self.cookie)
        if not self.visitors.knows(visitor):
            visitor = self.visitors.issue()
            added['set-cookie'] = f'{self.cookie}={visitor}; Path=/; HttpOnly; SameSite=Lax'
        send = with_headers(send, added)
        if self.local_only and not _is_for_here(header(scope, 'host')):
            await answer(send, 421, {'error': 'this server answers to localhost only'})
        elif header(scope, 'sec-fetch-site') == 'cross-site' and scope['method'] != 'GET':
            await answer(send, 403, {'error': 'not from another site'})
        else:
            await self._route(scope, receive, send, visitor)

    async def _route(self, scope: Scope, receive: Receive, send: Send, visitor: str) -> None:
        path, method = scope['path'], scope['method']
        if method == 'POST' and path == UPLOAD:
            await receive_upload(self.store, visitor, scope, receive, send)
        elif method in ('GET', 'HEAD') and (match := _FILE.fullmatch(path)):
            await self._send_file(
                scope, receive, send, self.store.find(visitor, match[1]), match[2]
            )
        elif method in ('GET', 'HEAD') and (match := _HEARTBEAT.fullmatch(path)):
            with self.store.page(visitor, match[1]):
                await self.page(_as(scope, visitor), receive, send)
        elif method in ('GET', 'HEAD') and _PAGES.fullmatch(path) and '..' not in path:
            await self.page(_as(scope, visitor), receive, send)
        elif method == 'POST' and _CALLS.fullmatch(path):
            await self._call(_as(scope, visitor), receive, send)
        else:
            await answer(send, 404, {'error': 'not found'})

    async def _send_file(
        self, scope: Scope, receive: Receive, send: Send, job: Job | None, name: str
    ) -> None:
        served = job and job.files.get(name)
        if not served:
            await answer(send, 404, {'error': 'not found'})
            return
        own = {'cache-control': 'private, no-store', 'content-security-policy': _FILE_POLICY}
        await self.file_response(served, own)(scope, receive, send)

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a call on to Gradio if it holds numbers and words only.

        A dict in it can make Gradio read a file of this computer or fetch an address.
        """
        try:
            body = b''.join([part async for part in chunks(receive, _MAX_CALL_BYTES)])
            is_plain = _is_plain(json.loads(body))
        except (TooLongError, BrokenOffError, ValueError):
            is_plain = False
        if not is_plain:
            await answer(send, 400, {'error': 'not a call of this page'})
            return
        whole = iter([{'type': 'http.request', 'body': body, 'more_body': False}])

        async def replay() -> Any:
            return next(whole, None) or await receive()

        await self.page(scope, replay, send)


def is_local(host: str) -> bool:
    """Whether only this computer can reach an interface."""
    try:
        return host == 'localhost' or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_for_here(host: str) -> bool:
    """Whether a request's Host header names this computer alone."""
    name = re.sub(r':\d+$', '', host).lower()
    return is_local(name[1:-1] if re.fullmatch(r'\[.*\]', name) else name)


def _as(scope: Scope, visitor: str) -> Scope:
    """The request with its visitor's name."""
    key = VISITOR_HEADER.encode()
    own = [pair for pair in scope['headers'] if pair[0].lower() != key]
    return {**scope, 'headers': [*own, (key, visitor.encode())]}


def _is_plain(call: Any) -> bool:
    """Whether the inputs of a call are numbers, words and nothing, not further lists and dicts."""
    if not isinstance(call, dict):
        return False
    data, event = call.get('data', []), call.get('event_data')
    values = [*data] if isinstance(data, list) else [data]
    values += event.values() if isinstance(event, dict) else [event]
    return not any(isinstance(value, (dict, list)) for value in values)
