"""Workers: processes that each render one client after another, with the voice loaded once.

They write into one folder and one cache: both take what several processes write at a time. A worker
that dies takes only its client with it, which is tried once more.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NoReturn

from voiceflow.core.cache import Cache
from voiceflow.core.errors import OutputError, UnfinishedError, VoiceflowError
from voiceflow.core.files import drop_unfinished
from voiceflow.core.opening import why
from voiceflow.roster.addresses import Address, digest, is_address, linked
from voiceflow.score.options import Context, Options
from voiceflow.script.lookup import Library

_AHEAD: Final = 2  # tasks that wait for each worker: the next is there when one is done
# Loaded once before the workers are copied from it: what they share counts once.
_SHARED: Final = (
    "voiceflow.roster.workers", "voiceflow.stitch.stitcher", "voiceflow.score.decide",
    "voiceflow.score.inputs", "voiceflow.formats.id3", "lameenc", "numpy",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Task:
    """One client's file: all that a worker needs to know, plain and picklable.

    Attributes
    ----------
    into, file : str
        The folder or address, and the path below it, with `/`.
    """

    id: str
    reference: str
    options: Options
    into: str
    file: str
    form: str


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a task. `error` is empty where the file was written."""

    id: str
    length_ms: int = 0
    bytes: int = 0
    sha256: str = ""
    error: str = ""
    seconds: float = 0.0


class UntrimmedCache(Cache):
    """A cache that its owner trims: to look through all of it after each client takes too long."""

    def trim(self, *, always: bool = False) -> None:
        """Nothing: see `roster.making`."""


def make(task: Task, context: Context) -> Made:
    """Render one client's file; whatever goes wrong is told, and is no one else's."""
    from voiceflow.stitch.render import render

    began = time.monotonic()
    try:
        with _drafted(task) as target:
            summary = render(task.reference, target, task.form, task.options, context)
            sha256, size = digest(target)
    except VoiceflowError as error:
        return Made(
            task.id, error=_anonymous(str(error).replace(f"{task.into}/", ""), task.options)
        )
    # A name that the system's encoding does not have is a ValueError.
    except (OSError, ValueError) as error:
        return Made(task.id, error=f"{task.file} cannot be written: {why(error)}")
    except MemoryError:
        return Made(task.id, error="there is not enough memory")
    seconds = time.monotonic() - began
    return Made(task.id, summary.length_ms, size, sha256, seconds=seconds)


@contextmanager
def _drafted(task: Task) -> Iterator[Path]:
    """Where a file is rendered to: its place, or one of this machine's from which it is sent."""
    if not is_address(task.into):
        path = Path(task.into) / task.file
        # Whoever else may write into the folder could make one of its names a way out of it.
        if link := linked(Path(task.into), task.file):
            raise OutputError(
                f"{link} is a link", hint="no file of a roster is written through one"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        yield path
        return
    address = Address(task.into)
    with TemporaryDirectory(prefix="voiceflow-roster-") as place:
        draft = Path(place) / task.file.rpartition("/")[2]
        yield draft
        address.send(draft, task.file)


def _anonymous(message: str, options: Options) -> str:
    """A message without what is known of the client: many may read the manifest."""
    message = " ".join(message.split())
    for said in (options.name, *(value for _, value in options.client)):
        if said:
            message = message.replace(said, "…")
    return message


class Crew:
    """Worker processes for one run.

    A context manager: leaving it ends them, and what they had begun is gone.

    Parameters
    ----------
    count : int > 0
    """

    def __init__(self, count: int, library: Library, cache: Path | None) -> None:
        self._count, self._given = count, (library, cache)
        # Copied from a process without threads. Where that cannot be, each starts on its own.
        methods = multiprocessing.get_all_start_methods()
        start = "forkserver" if "forkserver" in methods else "spawn"
        self._processes = multiprocessing.get_context(start)
        if start == "forkserver":
            self._processes.set_forkserver_preload([*_SHARED])
        # A pipe and no event: to set one waits for those who sleep on it, and one may be dead.
        self._told, self._alive = self._processes.Pipe(duplex=False)
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        # Whoever is still at work drops what it has begun and ends.
        self._alive.close()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._told.close()

    def run(self, tasks: Iterable[Task]) -> Iterator[Made]:
        """What became of each task, as it is done."""
        waiting, suspects = deque(tasks), deque[Task]()
        running: dict[Future[Made], Task] = {}
        while waiting or running or suspects:
            # With a worker that dies all that was under way is lost, and nobody knows whose fault
            # it was: each is tried again alone.
            most = 1 if suspects else self._count * _AHEAD
            while (waiting or suspects) and len(running) < most:
                task = (suspects or waiting).popleft()
                running[self._submit(task)] = task
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            alone = most == 1
            for future in done:
                task = running.pop(future)
                try:
                    yield future.result()
                except BrokenProcessPool:
                    self._pool = None
                    if alone:
                        yield Made(task.id, error="the process that made it ended, twice")
                    else:
                        suspects.append(task)

    def _submit(self, task: Task) -> Future[Made]:
        try:
            if self._pool is None:
                # The workers of one that broke are gone; it has no other use.
                self._pool = ProcessPoolExecutor(
                    self._count,
                    mp_context=self._processes,
                    initializer=_begin,
                    initargs=(*self._given, self._told),
                )
            return self._pool.submit(_work, task)
        # The system has no descriptors or processes left, or somebody ended the server of forks.
        except (OSError, EOFError) as error:
            reason = why(error) if isinstance(error, OSError) else "the system refuses them"
            raise UnfinishedError(f"worker processes cannot be started: {reason}") from error


# A worker's own: where it looks things up and keeps them.
_context: Context | None = None


def _begin(library: Library, cache: Path | None, told: Connection) -> None:
    """Make this process a worker."""
    global _context
    # Ctrl-C is for who started it to deal with.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _end)
    _context = Context(library=library, cache=UntrimmedCache(cache), jobs=1)
    threading.Thread(target=_watch, args=(told,), daemon=True).start()
    from voiceflow.voices import resident

    resident.stay()


def _watch(told: Connection) -> None:
    """Ends this process when who started it says so, or is gone: both end the pipe."""
    with suppress(EOFError, OSError):
        told.recv()
    _end()


def _end(*_: object) -> NoReturn:
    """End this process, with nothing half-written left of it."""
    drop_unfinished()
    # Its voices see the end of their input, and go too.
    os._exit(0)


def _work(task: Task) -> Made:
    assert _context is not None
    return make(task, _context)
