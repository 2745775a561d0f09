"""The seam to uvicorn: everything we use there exists, and behaves as we need.

If one of these fails after an update, uvicorn has changed: `RELIES_ON` in `connection.py` says what
it was needed for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

import uvicorn
from uvicorn.server import ServerState

from voiceflow.server.http import connection as seam
from voiceflow.server.http.connection import RELIES_ON, SERVER_RELIES_ON, BoundedConnection
from voiceflow.server.http.connection_places import Places
from voiceflow.server.http.limits import limits_for
from voiceflow.server.http.listener import bind, server_of

REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


class Transport(asyncio.Transport):
    """A socket that notes what is done to it."""

    def __init__(self, host: str) -> None:
        super().__init__({"peername": (host, 50_000), "sockname": ("192.168.1.2", 8765)})
        self.written, self.aborted, self.closing = b"", False, False

    def write(self, data: Any) -> None:
        self.written += data

    def abort(self) -> None:
        self.aborted = self.closing = True

    def close(self) -> None:
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...


class Clock:
    """The event loop, whose timers only go off when the test says so."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.timers: list[tuple[Callable[[], None], asyncio.Event]] = []

    def call_later(self, delay: float, act: Callable[[], None]) -> Any:
        cancelled = asyncio.Event()
        # Not uvicorn's own timers: they close what has been idle after an answer.
        if act.__name__ in (BoundedConnection._cut.__name__, BoundedConnection._cut_stuck.__name__):
            assert delay == (seam.FIRST_REQUEST_S if act.__name__ == "_cut" else seam.ANSWER_S)
            self.timers.append((act, cancelled))

        class Handle:
            cancel = staticmethod(cancelled.set)

        return Handle

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def waits(self) -> bool:
        """Whether a connection is waiting for a request."""
        return any(not cancelled.is_set() for _, cancelled in self.timers)

    def go_off(self) -> None:
        """What was to happen later happens now, but what was cancelled."""
        due, self.timers = self.timers, []
        for act, cancelled in due:
            if not cancelled.is_set():
                act()


class FakeServer:
    """Connections to an application that answers when it is told to."""

    def __init__(self) -> None:
        self.answer = asyncio.Event()
        self.state = ServerState()
        self.config = server_of(self).config
        self.config.load()
        self.places = Places(limits_for(1_024))
        self.clock = Clock(asyncio.get_running_loop())

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.answer.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def connect(self, host: str = "192.168.1.9") -> tuple[BoundedConnection, Transport]:
        transport = Transport(host)
        place = self.places.enter(host, transport.abort)
        made: Any = BoundedConnection(self.config, self.state, {"place": place})
        made.loop = self.clock
        made.connection_made(transport)
        assert isinstance(made, BoundedConnection)
        return made, transport


def with_server(test: Callable[[FakeServer], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        await test(FakeServer())

    asyncio.run(run())


async def until(true: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if true():
            return
        await asyncio.sleep(0)
    pytest.fail("it never came")


def test_uvicorn_has_all_that_we_rely_on() -> None:
    async def look(server: FakeServer) -> None:
        made, _ = server.connect()
        lacks = [f"{name}: {why}" for name, why in RELIES_ON.items() if not hasattr(made, name)]
        assert not lacks, f"uvicorn {uvicorn.__version__} has no more of H11Protocol: {lacks}"
        assert made in made.connections
        assert made.client == ("192.168.1.9", 50_000)
        assert made.cycle is None
        made.data_received(REQUEST)
        assert made.cycle.response_complete is False
        assert made.cycle.scope["state"]["place"] is made.place
        server.answer.set()
        await until(lambda: made.cycle.response_complete)

    with_server(look)


def test_uvicorns_server_listens_through_our_door_alone() -> None:
    async def look(server: FakeServer) -> None:
        serves, listening = server_of(server), bind("127.0.0.1", 0)
        lacks = [
            f"{name}: {why}" for name, why in SERVER_RELIES_ON.items() if not hasattr(serves, name)
        ]
        assert not lacks, f"uvicorn {uvicorn.__version__} has no more of Server: {lacks}"
        port = listening.getsockname()[1]
        serving = asyncio.create_task(serves.serve([listening]))
        await until(lambda: serves.started)
        assert serves.servers == [], "uvicorn listens by itself, beside our door"
        server.answer.set()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        assert b" 204 " in await reader.readline()
        assert (len(serves.places), len(serves.server_state.connections)) == (1, 1)
        serves.should_exit = True
        await serving
        assert await reader.read() is not None  # its connection was ended
        writer.close()
        assert len(serves.places) == 0

    with_server(look)


def test_a_request_that_does_not_come_cuts_the_connection() -> None:
    async def nothing(server: FakeServer) -> None:
        _, transport = server.connect()
        server.clock.go_off()
        assert transport.aborted

    async def drops(server: FakeServer) -> None:
        made, transport = server.connect()
        for byte in REQUEST[:-2]:
            made.data_received(bytes([byte]))
        server.clock.go_off()
        assert transport.aborted

    with_server(nothing)
    with_server(drops)


def test_an_answer_may_take_any_time() -> None:
    async def slow(server: FakeServer) -> None:
        made, transport = server.connect()
        made.data_received(REQUEST)
        assert not server.clock.waits()
        server.clock.go_off()
        assert not transport.aborted
        server.answer.set()
        await until(lambda: b" 204 " in transport.written)

    with_server(slow)


def test_after_an_answer_the_next_request_is_waited_for() -> None:
    async def twice(server: FakeServer) -> None:
        server.answer.set()
        made, transport = server.connect()
        for count in (1, 2):
            made.data_received(REQUEST)
            while transport.written.count(b" 204 ") < count:
                await asyncio.sleep(0)
            await until(server.clock.waits)
        server.clock.go_off()
        assert transport.aborted

    with_server(twice)


def test_a_connection_that_is_gone_is_not_waited_for() -> None:
    async def gone(server: FakeServer) -> None:
        made, transport = server.connect()
        made.connection_lost(None)
        assert not server.clock.waits()
        assert made not in made.connections
        assert not transport.aborted
        assert len(server.places) == 0

    with_server(gone)


def test_a_stranger_who_takes_no_answer_is_cut_and_a_phone_is_not() -> None:
    async def stuck(server: FakeServer) -> None:
        stranger, phone = server.connect(), server.connect()
        phone[0].place.let_in("a phone")
        for made, _ in (stranger, phone):
            made.data_received(REQUEST)
            made.pause_writing()
        server.clock.go_off()
        assert stranger[1].aborted
        assert not phone[1].aborted
        for made, _ in (stranger, phone):
            made.connection_lost(None)

    async def goes_on(server: FakeServer) -> None:
        made, transport = server.connect()
        made.data_received(REQUEST)
        made.pause_writing()
        made.resume_writing()
        server.clock.go_off()
        assert not transport.aborted
        made.connection_lost(None)

    with_server(stuck)
    with_server(goes_on)
