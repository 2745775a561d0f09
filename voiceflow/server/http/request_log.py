"""The server's log: a line for each request at `-v`, and no secret in any line.

A request's scope and its status come in, a line goes out. Of an address only the route is told,
never what stands in it: that may be a token, a code or somebody's wrong guess at one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from starlette.types import Scope

log = logging.getLogger("voiceflow.server")

SELDOM_S: Final = 600.0
_MOST_TOLD: Final = 64
_METHODS: Final = frozenset("GET HEAD OPTIONS POST PUT PATCH DELETE".split())
_BEGINNINGS: Final = frozenset("api renders feed session player static settings pair".split())


@contextmanager
def written(verbose: int) -> Iterator[None]:
    """Write to the terminal's error output: warnings, at 1 requests too, at 2 all there is."""
    before = (log.handlers[:], log.propagate, log.level)
    handler = logging.StreamHandler()
    # Without a date: systemd and containers write their own.
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    handler.addFilter(Seldom())
    log.handlers[:] = [handler]
    log.propagate = False
    log.setLevel({0: logging.WARNING, 1: logging.INFO}.get(verbose, logging.DEBUG))
    try:
        yield
    finally:
        log.handlers[:], log.propagate, level = before
        log.setLevel(level)


class Seldom(logging.Filter):
    """Lets a warning pass once in `SELDOM_S`: what a stranger can cause must flood no terminal."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        now, message = self._clock(), record.getMessage()
        if now - self._told.get(message, float("-inf")) < SELDOM_S:
            return False
        if len(self._told) >= _MOST_TOLD:
            self._told.clear()
        self._told[message] = now
        return True


def tell(scope: Scope, status: int, took_s: float) -> None:
    """Tell of one request, if that is wanted; a `status` of 0 is for one that was broken off."""
    if log.isEnabledFor(logging.INFO):
        log.info("%s", _line(scope, status, took_s))


def _line(scope: Scope, status: int, took_s: float) -> str:
    method = scope["method"] if scope["method"] in _METHODS else "?"
    phone = scope.get("vf.phone")
    who = phone.name if phone is not None else "stranger"
    at = scope.get("vf.client", "?")
    return f"{method} {route(scope)} {status or 'broken off'} {took_s * 1000:.0f} ms {who} {at}"


def route(scope: Scope) -> str:
    """A request's path, with a name in the place of all that is not ours: `/feed/{token}.xml`."""
    path: str = scope["path"]
    if "endpoint" not in scope:  # no route has seen it, so all of it may be anything
        first = path[1:].partition("/")[0]
        return f"/{first}/…" if first in _BEGINNINGS else "/…"
    # From the end, where the last of them stands.
    for name, value in reversed(scope.get("path_params", {}).items()):
        head, _, tail = path.rpartition(str(value))
        path = f"{head}{{{name}}}{tail}"
    return path


def place(error: BaseException) -> str:
    """The last file and line of voiceflow in a traceback."""
    trace, found = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if "voiceflow" in code.co_filename:
            name = code.co_filename.replace("\\", "/").rpartition("voiceflow/")[2]
            found = f" ({name}:{trace.tb_lineno})"
        trace = trace.tb_next
    return found
