"""Runs the application: opens the socket, starts uvicorn, and ends cleanly on Ctrl-C.

A studio, host and port come in; `run` returns when the server has stopped.
"""

from __future__ import annotations

import logging
import socket
import ssl
import sys
import threading
import webbrowser
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from voiceflow.core.errors import InputError, OutputError
from voiceflow.server.http.app import application
from voiceflow.server.http.connection import BoundedConnection
from voiceflow.server.http.door import Server
from voiceflow.server.studio import Studio
from voiceflow.server.terminal import Terminal, base_address, is_local

KEEP_ALIVE_S: Final = 20
# Whoever finds it full tries again only after a second.
_BACKLOG: Final = 2_048


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises InputError or OutputError."""
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError):
        hint = "use 127.0.0.1 for this computer alone, 0.0.0.0 for the home network"
        raise InputError(f"cannot find the host {host!r}", hint=hint) from None
    # `localhost` may have two addresses; we listen on the one that the system prefers.
    family, kind, protocol, _, address = found[0]
    listening = socket.socket(family, kind, protocol)
    try:
        # On Windows this would let two programs share a port, and a taken one go unnoticed.
        if sys.platform != "win32":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        reason = error.strerror or str(error)
        hint = f"use --port {port + 1}, or stop the program that uses this one" if port else ""
        raise OutputError(f"cannot listen on {host}:{port}: {reason}", hint=hint) from None
    listening.setblocking(False)
    return listening


def server_of(app: ASGIApp, certificate: Path | None = None, key: Path | None = None) -> Server:
    """The uvicorn server of an application. It logs nothing and trusts no proxy headers."""
    config = uvicorn.Config(
        app,
        http=BoundedConnection,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        # Else whoever listens to a session would keep the server from ending.
        timeout_graceful_shutdown=2,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    # When a request breaks off, uvicorn would log its URL, which may hold a token.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return Server(config)


def run(
    studio: Studio,
    host: str,
    port: int,
    *,
    names: Iterable[str] = (),
    open_browser: bool = False,
    warm: bool = True,
    certificate: Path | None = None,
    key: Path | None = None,
) -> None:
    """Serve until Ctrl-C. Raises InputError or OutputError if it cannot start."""
    # First of all: a port that is taken is told before there is a code on show.
    listening = bind(host, port)
    try:
        # uvicorn reads it only once it serves, and would fail with an exception of its own.
        if certificate is not None:
            _try_certificate(certificate, key)
        app = application(studio, names=names)
        server = server_of(app, certificate, key)
        scheme = "http" if certificate is None else "https"
        bound = int(listening.getsockname()[1])
        terminal = Terminal(base_address(host, bound, scheme), local=is_local(host))
        minutes = round(studio.pairing.lasts_s / 60)
        terminal.invite(studio.pairing.new(), minutes)
        terminal.say("", "Press Ctrl-C to stop the server.")
        studio.on_paired = terminal.paired
        _listen_to_keys(studio, terminal, minutes)
        # Set before the thread starts that calls it.
        studio.on_renewed = terminal.renewed
        look = partial(studio.look, warm=warm)
        threading.Thread(target=look, name="look", daemon=True).start()
        if open_browser:
            here = base_address("127.0.0.1", bound, scheme)
            # A code of its own, as each is good once: the one on show is for a phone.
            webbrowser.open(f"{here}/pair?code={studio.pairing.new()}")
        server.run(sockets=[listening])
    finally:
        listening.close()


def _try_certificate(certificate: Path, key: Path | None) -> None:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise InputError(f"the certificate {certificate} cannot be used: {reason}") from None


def _listen_to_keys(studio: Studio, terminal: Terminal, minutes: int) -> None:
    """Show a new code whenever Enter is pressed, if there is a keyboard."""
    if not (sys.stdin is not None and sys.stdin.isatty()):
        return

    def listen() -> None:
        for _ in sys.stdin:
            terminal.invite(studio.pairing.new(), minutes)

    threading.Thread(target=listen, name="keys", daemon=True).start()
