"""An upload on its way to the disk: the body is the file, and its name is in a header."""

from __future__ import annotations

import asyncio
from urllib.parse import unquote

from .limits import RefusedError
from .messages import (
    BrokenOffError,
    Message,
    Receive,
    Scope,
    Send,
    TooLongError,
    answer,
    chunks,
    header,
)
from .storage import Store

NAME_HEADER = 'x-file-name'  # percent-encoded
_MAX_NAME = 120
_STALL_S = 60.0  # a phone that lost its net never says so, and its place would be taken for ever


async def receive_upload(
    store: Store, visitor: str, scope: Scope, receive: Receive, send: Send
) -> None:
    """Make a job of a request and answer with its id, or with the reason why not.

    The size is known before the first byte is read, and no more is taken.
    """
    name = file_name(unquote(header(scope, NAME_HEADER)))
    length = header(scope, 'content-length')
    if not length.isdecimal():
        await answer(send, 411, {'error': 'An upload must say its size.'})
        return
    try:
        job = store.open(visitor, name, int(length))
    except RefusedError as error:
        await answer(send, 413, {'error': str(error)})
        return

    async def patient() -> Message:
        async with asyncio.timeout(_STALL_S):
            return await receive()

    with store.work(job):
        try:
            with job.upload.open('wb') as file:
                async for data in chunks(patient, int(length)):
                    file.write(data)
            await answer(send, 200, {'job': job.id})
        except BrokenOffError:
            store.close(job)
        except TooLongError:
            store.close(job)
            await answer(send, 413, {'error': 'More came than the upload said.'})
        except TimeoutError:
            store.close(job)
            await answer(send, 408, {'error': 'The upload stood still for too long; try again.'})
        except OSError:
            store.close(job)
            await answer(send, 507, {'error': 'The server could not store the file.'})


def file_name(name: str) -> str:
    """A visitor's name of a file without folders and control characters."""
    name = ''.join(c for c in name.replace('\\', '/').split('/')[-1] if c.isprintable()).strip()
    if len(name) > _MAX_NAME:
        name = f'{name[: _MAX_NAME // 2]}…{name[-_MAX_NAME // 2 :]}'
    return name or 'your file'
