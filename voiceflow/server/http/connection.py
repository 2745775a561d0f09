"""A connection of uvicorn with limits that uvicorn does not have.

This is the only module that reaches into uvicorn. `RELIES_ON` lists what it uses there; a test
checks each item, and names it when a new uvicorn has changed it.

It changes no bytes. It only cuts a connection: when there are too many, or when no whole request
arrives in time.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from voiceflow.server.terminal import is_local

MOST_CONNECTIONS: Final = 512
MOST_OF_ONE: Final = 128
FIRST_REQUEST_S: Final = 20.0

# Methods that uvicorn calls and we extend, and attributes of a connection.
RELIES_ON: Final = {
    "connection_made": "called once, with the transport, when a client connects",
    "data_received": "called with the bytes that have come",
    "on_response_complete": "called after the last byte of each answer",
    "connection_lost": "called once, at the end",
    "connections": "the set of all open connections, this one among them",
    "client": "host and port of the other side, or None",
    "transport": "the socket's transport",
    "loop": "the event loop",
    "cycle": "the request that is being answered, with `response_complete`; None before the first",
}


class BoundedConnection(H11Protocol):
    """A connection that is cut if there are too many, or if its request is late."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        # First, as it adds this connection to those that are counted.
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS or self._siblings() > MOST_OF_ONE:
            # Not `close`, which first sends what is still waiting.
            transport.abort()
            return
        self._expect_request()

    def _siblings(self) -> int:
        """Connections from the same address; from this computer any number, for a proxy."""
        if self.client is None or is_local(self.client[0]):
            return 0
        clients = (getattr(one, "client", None) for one in self.connections)
        return sum(one is not None and one[0] == self.client[0] for one in clients)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # Only a complete request head stops the clock: a request sent byte by byte is late too.
        if self._answering:
            self._stop_clock()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._answering:  # unless a pipelined request is already being answered
            self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
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

    def _cut(self) -> None:
        if not self._answering and not self.transport.is_closing():
            self.transport.abort()
