"""The application: a library and a cache become routes behind a guard."""

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
        What it serves; whoever made it closes it.
    names : iterable of str
        Host names by which it may be called, besides its own and any address in numbers;
        with ``https://`` before it where a server before this one speaks that.
    """
    keeper = Keeper(studio)
    pages, api = Pages(studio, keeper), Api(studio, keeper)
    # A bare router: what is refused reaches the guard as it was raised.
    app = Router([*pages.routes(), *api.routes()], redirect_slashes=False, default=_no_route)
    called = {**dict.fromkeys(own_names(), ""), **dict(map(_called, names))}
    return Guard(app, studio, called, pages.locked)


def _called(name: str) -> tuple[str, str]:
    """Name and scheme of `class.example.org` or `https://class.example.org`."""
    scheme, found, host = name.strip().lower().rstrip("/").rpartition("://")
    return host_name(host), scheme if found and scheme in ("http", "https") else ""


def own_names() -> frozenset[str]:
    """The names that this computer goes by at home."""
    host = socket.gethostname().lower().rstrip(".")
    short = host.partition(".")[0]
    return frozenset({"localhost", host, short, f"{short}.local"} - {""})


async def _no_route(scope: Scope, receive: Receive, send: Send) -> None:
    raise unknown("page", str(scope["path"]))
