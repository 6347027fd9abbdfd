"""The little of ASGI that the gate needs: requests' headers, short answers, cookies."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class TooLongError(Exception):
    """More came than was announced or allowed."""


class BrokenOffError(Exception):
    """The browser went away in the middle of what it was sending."""


def header(scope: Scope, name: str) -> str:
    """A request's header, '' if it has none."""
    key = name.lower().encode()
    return next((value.decode('latin-1') for k, value in scope['headers'] if k == key), '')


def cookie(scope: Scope, name: str) -> str:
    """A cookie's value, '' if there is none.

    Split by hand: all ports of this computer share their cookies, and `http.cookies` finds none at
    all beside one of another program that is not to its taste, such as JSON.
    """
    pairs = (pair.strip().partition('=') for pair in header(scope, 'cookie').split(';'))
    return next((value for key, _, value in pairs if key == name), '')


async def chunks(receive: Receive, limit: int):
    """The parts of a request's body.

    Raises:
        TooLongError: There are more bytes than `limit`.
        BrokenOffError: The browser is gone.
    """
    total = 0
    while True:
        message = await receive()
        if message['type'] == 'http.disconnect':
            raise BrokenOffError
        data = message.get('body', b'')
        total += len(data)
        if total > limit:
            raise TooLongError
        yield data
        if not message.get('more_body'):
            return


async def answer(send: Send, status: int, content: Any) -> None:
    """Send something as JSON."""
    body = json.dumps(content).encode()
    headers = [(b'content-type', b'application/json'), (b'content-length', b'%d' % len(body))]
    await send({'type': 'http.response.start', 'status': status, 'headers': headers})
    await send({'type': 'http.response.body', 'body': body})


def with_headers(send: Send, added: dict[str, str]) -> Send:
    """A `send` that adds headers to the answer, but none that it has already."""

    async def send_more(message: Message) -> None:
        if message['type'] == 'http.response.start':
            own = list(message.get('headers', ()))
            names = {name.lower() for name, _ in own}
            more = [(name.encode(), value.encode('latin-1')) for name, value in added.items()]
            message = {**message, 'headers': [*own, *(p for p in more if p[0] not in names)]}
        await send(message)

    return send_more
