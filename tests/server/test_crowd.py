"""Strangers who hold on to connections shut out nobody: every kind of holding, plain and in TLS.

With few places and few connections in every `pytest`; marked slow, with 600 against a process of
its own.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from serving import Home, Outside, certificate, free_port, home_in, open_files, wait_for
from starlette.datastructures import Headers
from starlette.types import Message
from strangers import KINDS, answered, strangers

from voiceflow.server.http import body, door
from voiceflow.server.http.body import Body
from voiceflow.server.http.limits import Limits
from voiceflow.server.http.refusals import Refusal

FEW = Limits(connections=8, reserve=2, of_address=4, streams=4)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with home_in(tmp_path_factory.mktemp("plain"), limits=FEW) as home:
        yield home


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("secure")
    with home_in(folder, limits=FEW, certificate=certificate(folder)) as home:
        yield home


@pytest.mark.parametrize("kind", KINDS)
def test_who_holds_connections_shuts_out_no_phone(plain: Home, kind: str) -> None:
    _hold(plain, kind, secure=False)


@pytest.mark.parametrize("kind", [*KINDS, "hello"])
def test_nor_does_who_holds_them_in_tls(secure: Home, kind: str) -> None:
    _hold(secure, kind, secure=True)


def _hold(home: Home, kind: str, *, secure: bool) -> None:
    token, places = home.token(), home.server.places
    with strangers(home.port, kind, secure) as held:
        for _ in range(3):
            held.come(2 * FEW.connections)
            wait_for(lambda: len(places) <= FEW.connections)
            assert answered(home.base, token) == 200
            held.drip()
        assert held.cut or places.displaced
    wait_for(lambda: not places.strangers)
    assert answered(home.base, token) == 200


def test_a_phones_own_connection_is_not_cut(plain: Home) -> None:
    phone, places = plain.phone(), plain.server.places
    phone.get("/api/v1/phones")
    mine = set(places._phones)
    assert mine
    with strangers(plain.port, "idle", secure=False) as held:
        held.come(3 * FEW.connections)
        wait_for(lambda: places.displaced)
        assert phone.get("/api/v1/phones").status_code == 200
    # The client would have made a new one without a word.
    assert mine <= set(places._phones)


@pytest.mark.parametrize("path", [b"/", b"/pair?code=aaaaaaaaaaaaaaaaaaaaaaaa", b"/healthz"])
def test_strangers_wait_for_their_turn_and_a_phone_does_not(
    plain: Home, monkeypatch: pytest.MonkeyPatch, path: bytes
) -> None:
    token = plain.token()
    with socket.create_connection(("127.0.0.1", plain.port), timeout=60) as stranger:
        with monkeypatch.context() as patch:
            patch.setattr(plain.server._turns, "_each_round", 0)
            stranger.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            wait_for(lambda: plain.server._turns._waiting)
            assert answered(plain.base, token) == 200
            assert plain.server._turns._waiting
        assert stranger.recv(12) in (b"HTTP/1.1 401", b"HTTP/1.1 200")


def test_a_handshake_that_does_not_end_is_cut(
    secure: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "HANDSHAKE_S", 0.2)
    with strangers(secure.port, "hello", secure=True) as held:
        held.come(2)
        # Without our limit asyncio's own would cut it, after a minute.
        wait_for(lambda: held.drip() or held.cut == 2, limit_s=30)


@pytest.mark.skipif(sys.platform == "win32", reason="its event loop accepts by another call")
def test_with_no_descriptor_left_the_door_stays_open(
    plain: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes then waits a moment; asyncio's own would stop listening for a second."""
    real, failing = socket.socket.accept, [True] * 3

    def accept(listening: socket.socket) -> tuple[socket.socket, object]:
        if failing and listening.fileno() == plain.listening.fileno():
            failing.pop()
            raise OSError(24, "Too many open files")
        return real(listening)

    monkeypatch.setattr(socket.socket, "accept", accept)
    with strangers(plain.port, "idle", secure=False) as held:
        held.come(3)
        assert answered(plain.base, plain.token()) == 200
    assert not failing


def test_a_body_has_its_time_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_S", 0.2)

    async def drops() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"a", "more_body": True}

    async def read() -> None:
        receive = Body(Headers({}), drops)
        while True:
            await receive()

    with pytest.raises(Refusal) as refusal:
        asyncio.run(read())
    assert refusal.value.status == 408
    assert refusal.value.headers == {"Connection": "close"}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit of descriptors to be met")
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("kind", [*KINDS, "hello"])
def test_six_hundred_strangers_shut_out_no_phone(tmp_path: Path, kind: str, secure: bool) -> None:
    if kind == "hello" and not secure:
        pytest.skip("without TLS this is `idle`")
    (tmp_path / "user" / "sessions").mkdir(parents=True)
    (tmp_path / "user" / "settings.yaml").write_text("voice: silent\n")
    server = Outside(tmp_path, free_port(), certificate(tmp_path) if secure else None)
    token, until = server.pair(), time.monotonic() + 20
    try:
        with open_files(2_048), strangers(server.port, kind, secure) as held:
            while time.monotonic() < until:
                held.come(600 - len(held.links))
                for _ in range(5):
                    assert answered(server.base, token) == 200
                    held.drip()
                    time.sleep(0.2)
            assert held.cut
        assert answered(server.base, token) == 200
    finally:
        server.end(15)
    assert server.process.returncode == 0
    told = "".join(server.lines)
    assert "Traceback" not in told
    assert told.count("too many connections") == 1
    assert len(server.lines) < 40
