"""The server: gate, page and files together, on one port of one interface."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

from .engine import Engine
from .gate import Gate, is_local
from .messages import App
from .page import build_page, import_gradio, page_options
from .service import Service
from .storage import Served, Store

_SWEEP_S = 10.0
_MAX_CONNECTIONS = 200


def build_app(engine: Engine, store: Store, port: int, local_only: bool) -> App:
    """The whole page as one ASGI application.

    Args:
        engine: Finds people.
        store: Where files are.
        port: Of the server.
        local_only: See `Gate`.

    Raises:
        ValueError: Gradio is not installed.
    """
    gr = import_gradio(store.root)
    from fastapi import FastAPI
    from starlette.responses import FileResponse

    def file_response(served: Served, headers: dict[str, str]) -> Any:
        return FileResponse(
            served.path,
            media_type=served.media_type,
            filename=served.save_as,
            content_disposition_type='inline' if served.is_shown else 'attachment',
            headers=headers,
        )

    outside = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    page = build_page(gr, Service(engine, store))
    page = gr.mount_gradio_app(outside, page, path='/', server_port=port, **page_options(gr))
    return Gate(page, store, file_response, port, local_only)


def make_server(app: App) -> Any:
    """Uvicorn's server of an application; its log names no visitor and no file."""
    import uvicorn

    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_level='warning',
            ws='none',
            proxy_headers=False,
            server_header=False,
            limit_concurrency=_MAX_CONNECTIONS,
            timeout_graceful_shutdown=1,
        )
    )


def address(host: str, port: int) -> str:
    """Of the page, for a browser on this computer."""
    name = {'0.0.0.0': 'localhost', '::': 'localhost'}.get(host, host)
    return f'http://[{name}]:{port}' if ':' in name else f'http://{name}:{port}'


def listen(host: str, port: int) -> socket.socket:
    """A socket on a port; 0 takes a free one.

    Raises:
        OSError: It is taken or not allowed, or there is no such interface; it says which.
    """
    try:
        return socket.create_server((host, port), family=_family(host))
    except OSError as error:
        raise OSError(
            f'cannot listen on {host}, port {port}: {error.strerror or error}; choose another '
            '--port or --host'
        ) from error


def serve(engine: Engine, bound: socket.socket, store: Store, on_ready: Callable[[], None]) -> None:
    """Serve the page until Ctrl-C; all files of visitors are deleted at the end.

    Args:
        engine: Finds people.
        bound: Of `listen`.
        store: Where files are.
        on_ready: Called when the page can be opened.
    """
    host, port = bound.getsockname()[:2]
    stopped = threading.Event()

    def sweep() -> None:
        while not stopped.wait(_SWEEP_S):
            store.sweep()

    try:
        server = make_server(build_app(engine, store, port, is_local(host)))
        threading.Thread(target=sweep, daemon=True).start()
        on_ready()
        server.run(sockets=[bound])
    finally:
        stopped.set()
        store.close_all()


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ':' in host else socket.AF_INET
