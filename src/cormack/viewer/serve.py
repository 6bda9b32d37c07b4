"""Running the viewer's server: on this machine's own address only, behind a token."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Callable

import uvicorn

from cormack.core.errors import InputError
from cormack.viewer.app import make_app
from cormack.viewer.sources import Sources

LOOPBACK = "127.0.0.1"
_TOKEN_BYTES = 16
_LAST_PORT = 65_535


def serve(sources: Sources, *, port: int = 0, ready: Callable[[str], None] = lambda address: None) -> None:
    """Serve the page until the process is asked to stop.

    Parameters
    ----------
    sources : Sources
    port : int
        0 for any that is free.
    ready : callable
        Called with the address of the page once it answers.

    Raises
    ------
    InputError
        If the port is taken or not allowed.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    listening = _listen(port)
    app = make_app(sources, token)
    config = uvicorn.Config(
        app, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1, server_header=False
    )
    threading.Thread(target=app.state.shelf.warm_up, name="warm-up", daemon=True).start()
    with listening:
        ready(f"http://{LOOPBACK}:{listening.getsockname()[1]}/{token}/")
        uvicorn.Server(config).run(sockets=[listening])


def _listen(port: int) -> socket.socket:
    if not 0 <= port <= _LAST_PORT:
        raise InputError(f"port {port}: a port is a number from 0 to {_LAST_PORT}")
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as error:
        raise InputError(
            f"port {port} cannot be used ({error.strerror}); another program may hold it: choose another, or leave "
            "the port out and take one that is free"
        ) from error
