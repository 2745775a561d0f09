"""Worker processes that speak: started, fed, watched over, and ended whatever happens.

The parent decides everything in one thread; a reader thread for each worker only hands on what
the worker answered. A worker that overruns its time is killed, and its end reads like a crash.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self

from voiceflow.core.errors import VoiceError
from voiceflow.voices.pronounce import shorten

_MODULE = "voiceflow.voices.worker"
_AHEAD = 2  # texts a worker holds: the next one is there when the last one is done
_TRIES = 2
_LOAD_FACTOR = 2  # loading may take as many times an utterance's limit
_LIST_S = 20.0
_TICK_S = 0.5
# Workers share the cores as processes; threads within each would only get in their way.
_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is to be.

    Attributes
    ----------
    timeout_s : float
        The limit for one utterance.
    language : str
        What the voice speaks.
    """

    driver: str
    voice_id: str | None
    rate: int
    timeout_s: float
    language: str = ""


@dataclass(slots=True)
class _Job:
    """One text on its way."""

    text: str
    failures: int = 0


@dataclass(slots=True)
class _Worker:
    """The parent's side of a process."""

    process: subprocess.Popen[bytes]
    folder: str
    deadline: float
    failures: int  # of those before it, in whose place it loads
    jobs: deque[_Job] = field(default_factory=deque)
    ready: bool = False
    late: bool = False

    def send(self, line: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        with suppress(OSError):  # it is gone: its reader says so
            self.process.stdin.write(json.dumps(line).encode() + b"\n")
            self.process.stdin.flush()

    def kill(self) -> None:
        """Ends the process and all it made, at once."""
        with suppress(OSError):
            if sys.platform == "win32":
                self.process.kill()
            # The number of a process that has been waited for may be another's by now.
            elif self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)

    def bury(self) -> None:
        """Waits for the ended process and removes what it left."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


_Message = tuple[_Worker, dict[str, Any], bytes]


class Pool:
    """Workers for one order. A context manager: leaving it ends them all.

    Parameters
    ----------
    jobs : int > 0
        Workers at most.
    """

    def __init__(self, order: Order, jobs: int) -> None:
        self._order, self._jobs = order, jobs
        self._workers: list[_Worker] = []
        self._inbox: SimpleQueue[_Message] = SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self, count: int) -> None:
        """Starts loading until there are `count` workers, or as many as there may be."""
        while len(self._workers) < min(count, self._jobs):
            self._hire()

    def speak(self, texts: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Each of `texts` with its clip, as it is done. Longest first is the caller's to order.

        Raises
        ------
        VoiceError
            A text failed twice, each time in a fresh worker, or the voice cannot be loaded.
        """
        waiting = deque(_Job(text) for text in texts)
        left = len(waiting)
        self.start(1)
        while left:
            for worker in self._workers:
                self._feed(worker, waiting)
            message = self._next()
            if message is None:
                continue
            worker, head, body = message
            # What a worker said before it was lost; its texts have been given back.
            if worker not in self._workers:
                continue
            if done := self._take(worker, head, waiting):
                left -= 1
                yield done.text, body

    def close(self) -> None:
        """Ends all workers. Nothing of them is left."""
        workers, self._workers = self._workers, []
        # All are killed before the first is waited for, so that they end side by side.
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.bury()

    def _hire(self, failures: int = 0) -> None:
        limit = self._order.timeout_s * _LOAD_FACTOR
        name = f"voiceflow-voice-{os.getpid()}-{secrets.token_hex(6)}"
        folder = os.path.join(tempfile.gettempdir(), name)  # noqa: PTH118
        process = _taken(self._order.driver) or spawn()
        worker = _Worker(process, folder, time.monotonic() + limit, failures)
        self._workers.append(worker)
        worker.send(
            {
                "driver": self._order.driver,
                "voice_id": self._order.voice_id,
                "rate": self._order.rate,
                "timeout_s": self._order.timeout_s,
                "language": self._order.language,
                "folder": folder,
            }
        )
        threading.Thread(target=_read, args=(worker, self._inbox), daemon=True).start()

    def _feed(self, worker: _Worker, waiting: deque[_Job]) -> None:
        while worker.ready and waiting and len(worker.jobs) < _AHEAD:
            job = waiting.popleft()
            worker.jobs.append(job)
            worker.send({"text": job.text})
            # The clock is for the text being spoken; one that waits behind it gets its time later.
            if len(worker.jobs) == 1:
                worker.deadline = time.monotonic() + self._order.timeout_s

    def _next(self) -> _Message | None:
        """The next answer; None where none came within a tick.

        What has been answered already counts before the clock: the parent may have been busy.
        """
        with suppress(Empty):
            return self._inbox.get_nowait()
        now, wait = time.monotonic(), _TICK_S
        for worker in self._workers:
            if worker.late or not (worker.jobs or not worker.ready):
                continue
            if now > worker.deadline:
                worker.late = True
                worker.kill()
            else:
                wait = min(wait, worker.deadline - now)
        with suppress(Empty):
            return self._inbox.get(timeout=wait)
        return None

    def _take(self, worker: _Worker, head: dict[str, Any], waiting: deque[_Job]) -> _Job | None:
        """Deals with one answer; gives the job that it ends."""
        kind = head["is"]
        if kind == "ready":
            worker.ready = True
        elif kind == "clip":
            job = worker.jobs.popleft()
            worker.deadline = time.monotonic() + self._order.timeout_s
            return job
        elif kind == "unfit":
            raise VoiceError(head["message"], hint=head["hint"])
        else:
            self._lose(worker, head, waiting)
        return None

    def _lose(self, worker: _Worker, head: dict[str, Any], waiting: deque[_Job]) -> None:
        """Puts a fresh worker in the place of one that failed, and gives its texts back."""
        self._workers.remove(worker)
        worker.kill()
        worker.bury()
        # Only now: how the process ended is known once it has been waited for.
        message = head.get("message") or self._epitaph(worker)
        jobs = list(worker.jobs) if worker.ready else []
        failures = 0 if worker.ready else worker.failures + 1
        if jobs:
            # Only the first was being spoken; the other one had merely been sent ahead.
            jobs[0].failures += 1
            if jobs[0].failures >= _TRIES:
                _give_up(jobs[0].text, message, head.get("hint", ""))
        if failures >= _TRIES:
            raise VoiceError(f"the voice could not be loaded: {message}")
        # `extendleft` turns the order round.
        waiting.extendleft(reversed(jobs))
        self._hire(failures)

    def _epitaph(self, worker: _Worker) -> str:
        if worker.late and worker.ready:
            return f"the voice took more than {self._order.timeout_s:g} s"
        if worker.late:
            return f"it took more than {self._order.timeout_s * _LOAD_FACTOR:g} s"
        return f"the voice crashed ({_how(worker.process.returncode)})"


_begun: dict[str, list[subprocess.Popen[bytes]]] = {}
_beginning = threading.Lock()


@contextmanager
def begun(driver: str, count: int) -> Iterator[None]:
    """Meanwhile processes load `driver`, before anyone knows what they are to say, or whether.

    The first workers for that driver are these. Those that were not needed are gone at the end.

    Parameters
    ----------
    count : int > 0
        How many there shall be, with those that others have begun.
    """
    with _beginning:
        there = _begun.setdefault(driver, [])
        own = [spawn(driver) for _ in range(count - len(there))]
        there += own
    try:
        yield
    finally:
        with _beginning:
            # Those that were taken meanwhile belong to a pool, which ends them.
            left = [process for process in own if process in there]
            there[:] = [process for process in there if process not in own]
        for process in left:
            process.kill()
            process.communicate()


def _taken(driver: str) -> subprocess.Popen[bytes] | None:
    """A process that has begun to load `driver`, if there is one."""
    with _beginning:
        there = _begun.get(driver)
        return there.pop(0) if there else None


def spawn(ahead: str = "") -> subprocess.Popen[bytes]:
    """A worker process, apart from the terminal's signals and from the current folder's modules.

    Parameters
    ----------
    ahead : str
        The driver to load before there is an order.
    """
    environment = os.environ | dict.fromkeys(_ONE_THREAD, "1")
    # -P keeps the current folder off the path, so a source tree has to be put on it by name.
    home = str(Path(__file__).resolve().parents[2])
    if Path(home).name not in ("site-packages", "dist-packages"):
        paths = [home, environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    # A session of its own is also a process group of its own, which `kill` ends as a whole.
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", _MODULE, *filter(None, (ahead,))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        **apart,
    )


def list_voices(driver: str) -> list[tuple[str, str, str]]:
    """Id, name and language of each voice of a system's driver; none where it does not answer."""
    process = spawn()
    assert process.stdin is not None
    assert process.stdout is not None
    watch = threading.Timer(_LIST_S, process.kill)
    watch.start()
    try:
        process.stdin.write(json.dumps({"list": True, "driver": driver}).encode() + b"\n")
        process.stdin.flush()
        found = json.loads(process.stdout.readline())["voices"]
        return [(str(voice_id), str(name), str(language)) for voice_id, name, language in found]
    except (OSError, ValueError, KeyError):
        return []
    finally:
        watch.cancel()
        process.kill()
        process.communicate()


def _read(worker: _Worker, inbox: SimpleQueue[_Message]) -> None:
    """Hands on a worker's answers until it ends, and that it did."""
    pipe = worker.process.stdout
    assert pipe is not None
    with suppress(OSError, ValueError):  # closed under the reader, or cut in the middle of a line
        while line := pipe.readline():
            head = json.loads(line)
            inbox.put((worker, head, pipe.read(head.get("bytes", 0))))
    worker.process.wait()
    inbox.put((worker, {"is": "gone"}, b""))


def _give_up(text: str, message: str, hint: str) -> None:
    raise VoiceError(
        f"{message}, twice, for {shorten(text)!r}",
        hint=hint or "try another voice, or other words",
        text=text,
    )


def _how(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"
