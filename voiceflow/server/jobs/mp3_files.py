"""MP3 files that are made while they are listened to.

A render comes in; out comes a `GrowingFile`, whose readers wait for the bytes they need. There is
one file per render. Worker threads take the most urgent file in slices: first those at which a
listener waits, in turn; then those whose listener is closest to the end of what is made; last those
without listeners. So fifty listeners all start at once and none runs dry. While sessions are being
decided, a file about 20 s ahead of its listener pauses.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from voiceflow.core.errors import VoiceflowError
from voiceflow.core.files import alive
from voiceflow.core.opening import why_unwritten
from voiceflow.server.http.refusals import Refusal
from voiceflow.server.jobs.render_records import GoneError, Render

LIMIT_BYTES: Final = 2 << 30
MOST_FILES: Final = 128
_MOST_FINISHED: Final = 32  # each holds a whole score in memory
PATIENCE_S: Final = 60.0
_MARGIN_BYTES: Final = 64 << 20
_SLICE_BYTES: Final = 1 << 20
_LOOK_BYTES: Final = 64 << 10
_ENOUGH_BYTES: Final = 256 << 10  # about 20 s of sound: from here on, others come first
_SLICE_S: Final = 0.5
_FRESH_S: Final = 10.0
_HELD_S: Final = 0.1
_MOST_OPEN: Final = 12

Source = Callable[[Render], Iterator[bytes]]


class StoppedGrowing(Exception):
    """The rest of a file will not come, or not in time."""


class GrowingFile:
    """The MP3 file of one render: what is made can be read, for the rest `wait`."""

    def __init__(self, render: Render, path: Path, done: int = 0) -> None:
        self.render, self.path, self.size = render, path, render.bytes
        self.done = done
        self.problem: Refusal | None = None
        self.readers: dict[object, int] = {}  # each reader's position in bytes
        self.seen = float("-inf")  # when its finished file was last checked
        self.served = 0.0  # when it was last worked on, or first requested
        self.source: Iterator[bytes] | None = None
        self.busy = False
        self.dropped = False
        self._waiters: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._lock = threading.Lock()

    @property
    def whole(self) -> bool:
        return self.done >= self.size

    @property
    def lead(self) -> int:
        """Bytes made ahead of the reader closest to the end; 0 or less if one waits."""
        # A copy, as readers come and go in other threads. Who has reached the end needs no more.
        places = [place for place in tuple(self.readers.values()) if place < self.size]
        return self.done - max((p for p in places), default=-self.size)

    def urgency(self) -> tuple[int, float]:
        """Sort key: the lowest is worked on next."""
        if not self.readers:
            return (2, self.served)
        return (0, self.served) if self.lead <= 0 else (1, self.lead)

    def grew(self, done: int) -> None:
        """More bytes are there: wake the readers."""
        self.done = done
        self.notify()

    def notify(self) -> None:
        with self._lock:
            waiters = tuple(self._waiters)
        # The makers are threads, and an asyncio event may be set only in its own loop.
        for loop, event in waiters:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(event.set)

    async def wait(self, place: int, patience_s: float = PATIENCE_S) -> int:
        """How many bytes are there from `place` on; at least one.

        Raises
        ------
        StoppedGrowing
            They will not come, or not in time.
        """
        waiter = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._waiters.add(waiter)
        try:
            while self.done <= place:
                if self.problem is not None or self.dropped:
                    raise StoppedGrowing
                waiter[1].clear()
                before = self.done
                # Once more, as the clear may have wiped out a call that came just before.
                if self.done > place or self.problem is not None:
                    continue
                # Patience begins anew with each growth: a part far ahead may take longer than that.
                try:
                    # Not `wait_for`, which may lose a cancellation in Python 3.11.
                    async with asyncio.timeout(patience_s):
                        await waiter[1].wait()
                except TimeoutError:
                    if self.done == before:
                        raise StoppedGrowing from None
        finally:
            with self._lock:
                self._waiters.discard(waiter)
        return self.done - place


class Mp3Files:
    """The folder of MP3 files, and the threads that make them.

    Parameters
    ----------
    folder : Path
    source : callable
        Yields a render's bytes, chunk by chunk.
    limit_bytes : int
        For finished files; the least recently used are removed first.
    """

    def __init__(
        self,
        folder: Path,
        source: Source,
        *,
        limit_bytes: int = LIMIT_BYTES,
        makers: int = 2,
        most: int = MOST_FILES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder, self._source, self._limit = folder, source, limit_bytes
        self._most, self._clock = most, clock
        self.others_wait: Callable[[], bool] = lambda: False
        self.on_gone: Callable[[Render], None] = lambda render: None
        self._files: dict[str, GrowingFile] = {}
        # Its lock is re-entrant, as `leave` needs: it calls `_settle` while it holds it.
        self._wake = threading.Condition()
        self._closed = False
        self._sweep()
        self._threads = [
            threading.Thread(target=self._run, name=f"mp3-{n}", daemon=True) for n in range(makers)
        ]
        for thread in self._threads:
            thread.start()

    def of(self, render: Render) -> GrowingFile:
        """The file of a render; if it is not there, making it begins.

        Raises
        ------
        Refusal
            503 if too many are being made; 507 if there is no space.
        """
        with self._wake:
            mp3 = self._files.get(render.id)
            # `voiceflow cache` may have cleared the file while the server ran.
            if mp3 is not None and mp3.problem is None and not self._lost(mp3):
                if mp3.whole:
                    mp3.seen = self._clock()
                    # Its time says when it was last used, for `_trim`.
                    with suppress(OSError):
                        os.utime(mp3.path)
                return mp3
            final = self._final(render.id)
            with suppress(OSError):
                if self.holds(render):
                    os.utime(final)
                    self._files[render.id] = mp3 = GrowingFile(render, final, render.bytes)
                    self._forget_finished()
                    return mp3
            return self._begin(render)

    def holds(self, render: Render) -> bool:
        """Whether the finished file of a render is in the folder."""
        try:
            return self._final(render.id).stat().st_size == render.bytes
        except OSError:
            return False

    def ready(self, render: Render) -> GrowingFile | None:
        """The finished file of a render if it was checked a moment ago, without disk access."""
        mp3 = self._files.get(render.id)
        fresh = mp3 is not None and mp3.whole and self._clock() - mp3.seen < _FRESH_S
        return mp3 if fresh else None

    def _begin(self, render: Render) -> GrowingFile:
        making = [one for one in self._files.values() if not one.whole and one.problem is None]
        if len(making) >= self._most or self._closed:
            # Drop one without listeners: it is made again when it is requested.
            left = [one for one in making if not one.readers and not one.busy]
            if left and not self._closed:
                self._give_up(min(left, key=lambda one: one.served))
                return self._begin(render)
            hint = "try again in a moment"
            raise Refusal(503, "busy", "too many sessions are being made", hint=hint, retry_after=5)
        self._make_room(render)
        # The number of our process tells the `_sweep` of another server to leave it alone.
        part = self.folder / f"{render.id}.{os.getpid()}-{os.urandom(3).hex()}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            part.open("xb").close()
        except OSError as error:
            raise storage(error) from None
        mp3 = GrowingFile(render, part)
        mp3.served = self._clock()
        self._files[render.id] = mp3
        self._forget_finished()
        self._wake.notify_all()
        return mp3

    def _give_up(self, mp3: GrowingFile) -> None:
        self._files.pop(mp3.render.id, None)
        mp3.dropped = True
        _shut(mp3)
        with suppress(OSError):
            mp3.path.unlink()

    def status(self, render: Render) -> dict[str, object]:
        """How much of a render's MP3 has been made, as plain values for JSON."""
        with self._wake:
            mp3 = self._files.get(render.id)
        if mp3 is None:
            there = self._final(render.id).is_file()
            return {"state": "ready" if there else "waiting", "made": render.bytes * there}
        if mp3.problem is not None:
            return {"state": "failed", "made": mp3.done, **mp3.problem.to_dict()}
        return {"state": "ready" if mp3.whole else "making", "made": mp3.done}

    def enter(self, mp3: GrowingFile, reader: object, place: int) -> None:
        """Note that a reader is at `place`, so that what it needs is made sooner."""
        with self._wake:
            mp3.readers[reader] = place
            if mp3.done <= place:
                self._wake.notify_all()

    def leave(self, mp3: GrowingFile, reader: object) -> None:
        """Note that a reader has left. The file is still finished when nothing else is to do."""
        with self._wake:
            mp3.readers.pop(reader, None)
            if not mp3.readers and mp3.whole and not mp3.busy:
                self._settle(mp3)

    def close(self) -> None:
        """Stop all work and remove unfinished files."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(timeout=5)
        for mp3 in self._files.values():
            mp3.dropped = True
            mp3.notify()
            if not mp3.whole:
                _shut(mp3)
                with suppress(OSError):
                    mp3.path.unlink()

    # The making

    def _run(self) -> None:
        while True:
            with self._wake:
                while (mp3 := self._next()) is None:
                    if self._closed:
                        return
                    # What is held back is looked at soon: nobody tells us when decisions end.
                    self._wake.wait(_HELD_S if self._unmade() else None)
                if self._closed:
                    return
                mp3.busy = True
            try:
                self._work(mp3)
            finally:
                with self._wake:
                    mp3.busy = False
                    mp3.served = self._clock()
                    self._wake.notify_all()

    def _unmade(self) -> list[GrowingFile]:
        return [
            one
            for one in self._files.values()
            if not (one.whole or one.busy or one.dropped or one.problem)
        ]

    def _next(self) -> GrowingFile | None:
        mp3 = min(self._unmade(), key=GrowingFile.urgency, default=None)
        return None if mp3 is None or self._can_wait(mp3) else mp3

    def _can_wait(self, mp3: GrowingFile) -> bool:
        """Whether sessions waiting to be decided come before more of this file."""
        enough = not mp3.readers or mp3.lead > _ENOUGH_BYTES
        return enough and self.others_wait()

    def _work(self, mp3: GrowingFile) -> None:
        try:
            # Unbuffered: what `grew` announces must be there for the readers, who open it anew.
            with mp3.path.open("r+b", buffering=0) as file:
                self._slice(mp3, file)
            if mp3.dropped:
                mp3.path.unlink()
            elif mp3.whole:
                _shut(mp3)
                self._settle(mp3)
                with self._wake:
                    self._trim()
        # Whatever ends this thread, those who wait for the file are told.
        except BaseException as error:
            _shut(mp3)
            mp3.problem = _problem(error)
            with suppress(OSError):
                mp3.path.unlink()
            mp3.notify()
            if isinstance(error, GoneError):
                # It looks at files of its own: what is wrong with them must not end this thread.
                with suppress(OSError, VoiceflowError, Refusal):
                    self.on_gone(mp3.render)
            if not isinstance(error, Exception):
                raise

    def _slice(self, mp3: GrowingFile, file: BinaryIO) -> None:
        """Work on a file until it is another one's turn."""
        until, made, looked = self._clock() + _SLICE_S, 0, 0
        source = self._opened(mp3)
        file.seek(mp3.done)
        while not mp3.whole:
            chunk = next(source, None)
            # Its length was promised long ago, in answers and feeds: no other bytes are given out.
            if chunk is None or mp3.done + len(chunk) > mp3.size:
                raise GoneError("its length has changed")
            _write(file, chunk)
            made += len(chunk)
            mp3.grew(mp3.done + len(chunk))
            if self._closed or mp3.dropped:
                _shut(mp3)
                return
            turn = made >= _SLICE_BYTES or self._clock() >= until
            # The looks below take the lock and go through all files: too dear for every chunk.
            if made - looked < _LOOK_BYTES and not turn:
                continue
            looked = made
            if self._can_wait(mp3):
                return
            if (turn or mp3.lead > _ENOUGH_BYTES) and self._others(mp3, waiting=not turn):
                return

    def _others(self, mp3: GrowingFile, *, waiting: bool) -> bool:
        """Whether another file is now more urgent than this one.

        With `waiting`, only files at which a listener waits count.
        """
        with self._wake:
            other = self._next()
            if other is None:
                return False
            (kind, when), (other_kind, other_when) = mp3.urgency(), other.urgency()
            if waiting:
                return other_kind == 0 < kind
            # `served` is set only after this turn: until then it counts as served just now.
            mine = (kind, self._clock() if kind != 1 else when)
            return (other_kind, other_when) < mine

    def _opened(self, mp3: GrowingFile) -> Iterator[bytes]:
        """The bytes still to come of a file. If too many sources are open, one is closed."""
        if mp3.source is not None:
            return mp3.source
        with self._wake:
            open_ones = [o for o in self._files.values() if o.source is not None and not o.busy]
            # A session with a bed cannot be resumed in the middle, so its source stays open.
            spare = [one for one in open_ones if one.render.bed is None]
            shut = (
                max(spare, key=GrowingFile.urgency)
                if len(open_ones) >= _MOST_OPEN and spare
                else None
            )
            if shut is not None:
                _shut(shut)
        # One that was closed begins anew; its pieces are in the cache, so skipping is quick.
        mp3.source = _from(self._source(mp3.render), mp3.done)
        return mp3.source

    def _settle(self, mp3: GrowingFile) -> None:
        """Give a finished file its final name; on Windows only once no reader has it open."""
        final = self._final(mp3.render.id)
        with self._wake:
            if mp3.path == final or mp3.dropped:
                return
            try:
                mp3.path.replace(final)
            except PermissionError:  # Windows, while it is being read: `leave` tries again
                if os.name == "posix":
                    raise
            else:
                mp3.path = final

    def _final(self, render_id: str) -> Path:
        return self.folder / f"{render_id}.mp3"

    # Disk space

    def _make_room(self, render: Render) -> None:
        # A folder that cannot be written is told by `_begin`, which makes the file next.
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._trim(render.bytes)
            if shutil.disk_usage(self.folder).free < render.bytes + _MARGIN_BYTES:
                # On a full disk every finished file may go: all of them can be made again.
                self._trim(self._limit)
            if shutil.disk_usage(self.folder).free < render.bytes + _MARGIN_BYTES:
                raise storage(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    def _trim(self, more: int = 0) -> None:
        """Bring the finished files under the limit minus `more`; files being read stay."""
        found = sorted(self._finished())
        total = sum(size for _, size, _ in found)
        for _, size, path in found:
            if total <= max(0, self._limit - more):
                break
            mp3 = self._files.get(path.stem)
            if mp3 is not None and mp3.readers:
                continue
            self._files.pop(path.stem, None)
            with suppress(OSError):
                path.unlink()
                total -= size

    def _finished(self) -> list[tuple[float, int, Path]]:
        found = []
        with suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                if entry.name.endswith(".mp3"):
                    with suppress(OSError):
                        stat = entry.stat()
                        found.append((stat.st_mtime, stat.st_size, Path(entry.path)))
        return found

    def _forget_finished(self) -> None:
        """Drop old entries that are finished or failed and have no readers; their files remain."""
        idle = [i for i, t in self._files.items() if (t.whole or t.problem) and not t.readers]
        for one in idle[: max(0, len(idle) - _MOST_FINISHED)]:
            del self._files[one]

    def _lost(self, mp3: GrowingFile) -> bool:
        """Whether the file was removed or truncated."""
        try:
            size = mp3.path.stat().st_size
        except OSError:
            return True
        return size < mp3.done

    def _sweep(self) -> None:
        """Remove unfinished files left by servers that were killed."""
        with suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                if entry.name.endswith(".part"):
                    with suppress(OSError, ValueError, IndexError):
                        writer = int(entry.name.split(".")[1].split("-")[0])
                        # None is ours yet: one of our number was left by an earlier process.
                        if writer == os.getpid() or not alive(writer):
                            Path(entry.path).unlink()


def storage(error: OSError) -> Refusal:
    """A 507: something cannot be written to disk."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "free some space on the computer, then try again"
        return Refusal(507, "storage", "the computer has no space left for this session", hint=hint)
    return Refusal(507, "storage", f"the session cannot be saved: {why_unwritten(error)}")


def _problem(error: BaseException) -> Refusal:
    if isinstance(error, Refusal):
        return error
    if isinstance(error, GoneError):
        told = f"this recording can no longer be made: {error}"
        return Refusal(410, "gone", told, hint="press Listen again")
    if isinstance(error, VoiceflowError):
        return Refusal(500, "failed", error.message, hint=error.hint)
    if isinstance(error, OSError):
        return storage(error)
    # Only its type: the message may hold paths of this computer.
    told = f"internal error: {type(error).__name__}"
    return Refusal(500, "failed", told, hint="please report this")


def _from(source: Iterator[bytes], skip: int) -> Iterator[bytes]:
    """`source` without its first `skip` bytes."""
    for chunk in source:
        if skip >= len(chunk):
            skip -= len(chunk)
            continue
        yield chunk[skip:]
        skip = 0


def _shut(mp3: GrowingFile) -> None:
    source, mp3.source = mp3.source, None
    close = getattr(source, "close", None)
    if close is not None:
        with suppress(Exception):
            close()


def _write(file: BinaryIO, data: bytes) -> None:
    # An unbuffered file may take less than it is given.
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
