"""A connection of uvicorn with limits that uvicorn does not have.

This is the only module that reaches into uvicorn, beside `door.py`, which extends its server.
`RELIES_ON` lists what the two use there; a test checks each item, and names it when a new uvicorn
has changed it.

It changes no bytes. It only cuts a connection: when no whole request head arrives in time, or when
a stranger does not take his answer. Bodies have their time in `guard.py`, places in
`connection_places.py`.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from voiceflow.server.http.connection_places import Place

FIRST_REQUEST_S: Final = 20.0
ANSWER_S: Final = 20.0

# Methods that uvicorn calls and we extend, and attributes of a connection.
RELIES_ON: Final = {
    "connection_made": "called once, with the transport, when a client connects",
    "data_received": "called with the bytes that have come",
    "on_response_complete": "called after the last byte of each answer",
    "connection_lost": "called once, at the end",
    "pause_writing": "called when the client does not take what is sent",
    "resume_writing": "called when it does again",
    "connections": "the set of all open connections, this one among them",
    "app_state": "what `door.py` gave it: the connection's place; each request's `state` holds it",
    "client": "host and port of the other side, or None",
    "transport": "the socket's transport",
    "loop": "the event loop",
    "cycle": "the request that is being answered, with `response_complete`; None before the first",
}
# What `door.py` extends or uses of uvicorn's server.
SERVER_RELIES_ON: Final = {
    "startup": "called once with the listening sockets; with none it listens to none",
    "shutdown": "called once with the same; ends all that is in `connections`",
    "config": "with the TLS context as `ssl`, and the class of a connection",
    "server_state": "what all connections share, `connections` among it",
}


class BoundedConnection(H11Protocol):
    """A connection that is cut if its request is late, or if a stranger takes no answer."""

    _late: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None

    @property
    def place(self) -> Place | None:
        """Its place at the door; None if it came by another way, as in a test."""
        place: Place | None = self.app_state.get("place")
        return place

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect_request()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # Only a complete request head stops the clock: a request sent byte by byte is late too.
        if self._answering:
            self._stop_clock()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._answering:  # unless a pipelined request is already being answered
            self._expect_request()

    def pause_writing(self) -> None:
        super().pause_writing()
        # A phone may take hours: it has stopped the session, and goes on later.
        if self.place is None or not self.place.phone:
            self._stuck = self.loop.call_later(ANSWER_S, self._cut_stuck)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_stuck()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        self._stop_stuck()
        if self.place is not None:
            self.place.leave()
        super().connection_lost(exc)

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _expect_request(self) -> None:
        self._stop_clock()
        self._late = self.loop.call_later(FIRST_REQUEST_S, self._cut)

    def _stop_clock(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _stop_stuck(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _cut(self) -> None:
        if not self._answering and not self.transport.is_closing():
            self.transport.abort()

    def _cut_stuck(self) -> None:
        # Aborted even if it is closing: closing waits for what was not taken.
        self.transport.abort()
