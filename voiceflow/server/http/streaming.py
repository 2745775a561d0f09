"""Sends an MP3 while it is still being made.

A render and a range come in; bytes go out as soon as the growing file has them. A client that goes
away is noticed, and one that stands still gives up its place to a new one.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from voiceflow.server.http.ranges import Answer, answer
from voiceflow.server.http.refusals import Refusal
from voiceflow.server.jobs.mp3_files import GrowingFile, Mp3Files, StoppedGrowing
from voiceflow.server.jobs.render_records import Render

T = TypeVar("T")

MOST: Final = 256
MOST_OF_ONE: Final = 16
_NO_WAIT: Final[int | None] = getattr(os, "RWF_NOWAIT", None)  # Linux
STALLED_S: Final = 5.0
_CHUNK: Final = 64 << 10


class BrokenOff(Exception):
    """A response that cannot be completed: the connection is cut, and the client asks again."""


# Compared by identity, so that it can be a reader's key in `GrowingFile.readers`.
@dataclass(eq=False, slots=True)
class _Stream:
    client: str
    moved: float
    task: asyncio.Task[None] | None = None
    over: bool = field(default=False)


class Streams:
    """The responses being sent. A stalled one is dropped rather than a new one refused.

    Parameters
    ----------
    most, most_of_one : int > 0
        Responses at the same time, for all clients and for one.
    """

    def __init__(
        self,
        most: int = MOST,
        most_of_one: int = MOST_OF_ONE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._most_of_one, self.clock = most, most_of_one, clock
        self._open: list[_Stream] = []

    @property
    def count(self) -> int:
        return len(self._open)

    def enter(self, client: str) -> _Stream:
        """Take a place. Raises Refusal (429 or 503) if there is none."""
        mine = [one for one in self._open if one.client == client]
        if len(mine) >= self._most_of_one and not self._give_way(mine):
            hint = "stop another one first"
            raise Refusal(429, "busy", "too many downloads at once", hint=hint, retry_after=5)
        if len(self._open) >= self._most and not self._give_way(self._open):
            hint = "try again in a moment"
            raise Refusal(
                503, "busy", "too many people are listening right now", hint=hint, retry_after=5
            )
        stream = _Stream(client, self.clock())
        self._open.append(stream)
        return stream

    def leave(self, stream: _Stream) -> None:
        with suppress(ValueError):
            self._open.remove(stream)

    def _give_way(self, streams: list[_Stream]) -> bool:
        stillest = min(streams, key=lambda one: one.moved)
        if self.clock() - stillest.moved < STALLED_S:
            return False
        # Its place is free at once; the task itself ends a little later.
        self.leave(stillest)
        if stillest.task is not None:
            stillest.task.cancel()
        return True


class GrowingFileResponse:
    """The MP3 of a render, or the range asked for, as an ASGI application."""

    def __init__(
        self, render: Render, mp3_files: Mp3Files, streams: Streams, client: str, name: str
    ) -> None:
        self.render, self.mp3_files, self.streams = render, mp3_files, streams
        self.client, self.name = client, name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        render = self.render
        found = answer(request.headers, render.bytes, f'"{render.id}"', render.created)
        found.headers.update(self._headers())
        if request.method == "HEAD" or found.start >= found.end:
            await _start(send, found)
            await send({"type": "http.response.body", "body": b""})
            return
        stream = self.streams.enter(self.client)
        try:
            mp3 = self.mp3_files.ready(render)
            if mp3 is None:
                mp3 = await asyncio.to_thread(self.mp3_files.of, render)
            # Before anything is there: what somebody waits for is made first.
            self.mp3_files.enter(mp3, stream, found.start)
            try:
                if mp3.whole and found.end - found.start <= _CHUNK:
                    # Small and finished: no need to watch for the client leaving.
                    await self._send(found, mp3, stream, send)
                    return
                await self._run(found, mp3, stream, receive, send)
            finally:
                self.mp3_files.leave(mp3, stream)
        finally:
            self.streams.leave(stream)

    def _headers(self) -> dict[str, str]:
        return {
            "Content-Type": "audio/mpeg",
            "Content-Disposition": f'inline; filename="{self.name}.mp3"',
            "Cache-Control": "private, max-age=31536000, immutable",
        }

    async def _run(
        self, found: Answer, mp3: GrowingFile, stream: _Stream, receive: Receive, send: Send
    ) -> None:
        """Send until done, or until the client goes away."""
        sending = stream.task = asyncio.create_task(self._send(found, mp3, stream, send))
        leaving = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            leaving.cancel()
            # Both have to end first: on Windows `leave` cannot rename a file that is still open.
            await asyncio.wait({sending, leaving})
        if sending.cancelled():
            raise BrokenOff
        if (error := sending.exception()) is not None:
            raise error

    async def _send(self, found: Answer, mp3: GrowingFile, stream: _Stream, send: Send) -> None:
        place, begun = found.start, False
        file: BinaryIO | None = None
        try:
            while place < found.end:
                there = await mp3.wait(place)
                if file is None:
                    file = _opened(mp3.path, mp3.render.id)
                # Not before the first bytes are there: until then a refusal can still be sent.
                if not begun:
                    await _start(send, found)
                    begun = True
                count = min(there, found.end - place, _CHUNK)
                data = _read_now(file, place, count)
                data = data or await asyncio.to_thread(_read, file, place, count)
                if not data:
                    raise StoppedGrowing
                place += len(data)
                self.mp3_files.enter(mp3, stream, place)
                more = place < found.end
                await send({"type": "http.response.body", "body": data, "more_body": more})
                # After `send`, which does not return while the client takes nothing.
                stream.moved = self.streams.clock()
        except (StoppedGrowing, OSError):
            if begun:
                raise BrokenOff from None
            slow = Refusal(503, "busy", "this is taking too long", retry_after=5)
            raise mp3.problem or slow from None
        finally:
            if file is not None:
                file.close()


async def _start(send: Send, found: Answer) -> None:
    headers = [(k.lower().encode(), v.encode("latin-1")) for k, v in found.headers.items()]
    await send({"type": "http.response.start", "status": found.status, "headers": headers})


async def while_there(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled if the client goes away first.

    Raises
    ------
    BrokenOff
        The client went away.
    """
    doing, leaving = asyncio.create_task(work), asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait({doing, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
        if not doing.done():
            doing.cancel()
    if not doing.done():
        raise BrokenOff
    return doing.result()


async def _gone(receive: Receive) -> None:
    """Return once the client has gone away."""
    message: Message = {"type": ""}
    while message["type"] != "http.disconnect":
        message = await receive()


def _opened(path: Path, render_id: str) -> BinaryIO:
    """Open a growing file, which may just have been given its final name."""
    try:
        return path.open("rb", buffering=0)
    except FileNotFoundError:
        return path.with_name(f"{render_id}.mp3").open("rb", buffering=0)


def _read_now(file: BinaryIO, place: int, count: int) -> bytes:
    """What can be read without waiting for the disk; b"" if that is not known."""
    if _NO_WAIT is None:
        return b""
    data = bytearray(count)
    try:
        found = os.preadv(file.fileno(), [data], place, _NO_WAIT)
    except OSError:  # it would wait, or the file system does not know how not to
        return b""
    return bytes(data[:found])


def _read(file: BinaryIO, place: int, count: int) -> bytes:
    file.seek(place)
    return file.read(count)
