"""Builds the ASGI application: routes for pages and API, behind the guard.

A `Studio` and the host names it answers to come in; the application goes out.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable

from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from voiceflow.server.http.guard import Guard, host_name
from voiceflow.server.http.refusals import unknown
from voiceflow.server.http.routes import Api
from voiceflow.server.library.kept import Keeper
from voiceflow.server.pages.page_routes import Pages
from voiceflow.server.studio import Studio


def application(studio: Studio, names: Iterable[str] = ()) -> ASGIApp:
    """The server's application.

    Parameters
    ----------
    studio : Studio
        What is served. The caller closes it.
    names : iterable of str
        Host names to answer to, besides this computer's own and any IP address; with
        ``https://`` in front where a reverse proxy speaks https.
    """
    keeper = Keeper(studio)
    pages, api = Pages(studio, keeper), Api(studio, keeper)
    # A bare Router, not Starlette(): a Refusal must reach the guard as an exception.
    app = Router([*pages.routes(), *api.routes()], redirect_slashes=False, default=_no_route)
    called = {**dict.fromkeys(own_names(), ""), **dict(map(_called, names))}
    return Guard(app, studio, called, pages.locked)


def _called(name: str) -> tuple[str, str]:
    """Name and scheme of `class.example.org` or `https://class.example.org`."""
    scheme, found, host = name.strip().lower().rstrip("/").rpartition("://")
    return host_name(host), scheme if found and scheme in ("http", "https") else ""


def own_names() -> frozenset[str]:
    """The host names of this computer in a home network."""
    host = socket.gethostname().lower().rstrip(".")
    short = host.partition(".")[0]
    return frozenset({"localhost", host, short, f"{short}.local"} - {""})


async def _no_route(scope: Scope, receive: Receive, send: Send) -> None:
    raise unknown("page", str(scope["path"]))
