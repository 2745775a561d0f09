"""The queue of decisions: a few threads work on it, and every phone gets its turn.

Work comes in with the phone that wants it; its result goes out. Phones take turns, and one phone's
requests keep their order. Equal requests are done once. Work that nobody waits for any more is
dropped, or stopped at its next report of progress.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from voiceflow.server.http.refusals import Refusal

T = TypeVar("T")
Report = Callable[[str, int, int], None]
Work = Callable[[Report], T]

AT_ONCE: Final = 2
MOST_WAITING: Final = 96
MOST_OF_ONE: Final = 6
PATIENCE_S: Final = 120.0
IDLE: Final = ""  # the client of background work, which comes after everyone else's


class Dropped(Exception):
    """The work was given up: nobody waits for it, it took too long, or others come first."""


# Compared by identity: `_leave` and `_promote` look for this very job in its queue.
@dataclass(slots=True, eq=False)
class _Job(Generic[T]):
    client: str
    key: Hashable
    work: Work[T]
    future: Future[T] = field(default_factory=Future)
    waiting: int = 1
    idle: bool = False
    running: bool = False
    deadline: float = 0.0


class JobQueue:
    """A bounded, fair queue and its threads.

    Parameters
    ----------
    at_once : int > 0
        Jobs at the same time.
    most, most_of_one : int > 0
        Waiting jobs, in total and for one client.
    longest_s : float > 0
        A job that takes longer is stopped at its next report.
    """

    def __init__(
        self,
        at_once: int = AT_ONCE,
        most: int = MOST_WAITING,
        most_of_one: int = MOST_OF_ONE,
        longest_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._most_of_one, self._clock = most, most_of_one, clock
        self._longest_s = longest_s
        self._queues: OrderedDict[str, deque[_Job[Any]]] = OrderedDict()
        self._jobs: dict[Hashable, _Job[Any]] = {}
        # A guess, until the first jobs have been timed.
        self._usual_s = 1.0
        self._at_once = at_once
        self._closed = False
        self._wake = threading.Condition()
        self._threads = [
            threading.Thread(target=self._run, name=f"job-{n}", daemon=True) for n in range(at_once)
        ]
        for thread in self._threads:
            thread.start()

    async def do(self, client: str, key: Hashable, work: Work[T]) -> T:
        """The result of `work`, once it has had its turn.

        `work` gets a function to report progress with, which may raise `Dropped`.

        Raises
        ------
        Refusal
            503 if too many are waiting. What `work` raises is passed on.
        """
        job = self._join(client, key, work)
        try:
            return await asyncio.wrap_future(_watched(job.future))
        except Dropped:
            raise self._busy("this is taking too long") from None
        finally:
            self._leave(job)

    def begin(self, key: Hashable, work: Work[Any]) -> Future[Any] | None:
        """Do something in the background, if and when no one else is waiting.

        Returns
        -------
        Future or None
            Its result, or `Dropped`; None if it was not accepted.
        """
        with self._wake:
            queue = self._queues.get(IDLE, ())
            if key in self._jobs or len(queue) >= self._most_of_one or self._closed:
                return None
            return self._add(_Job(IDLE, key, work, waiting=0, idle=True)).future

    @property
    def waiting(self) -> int:
        """How many requests wait or are being worked on; background work is not counted."""
        with self._wake:
            return sum(not job.idle for job in self._jobs.values())

    def close(self) -> None:
        """Accept nothing more; running jobs stop at their next report."""
        with self._wake:
            self._closed = True
            for queue in self._queues.values():
                for job in queue:
                    job.future.cancel()
            self._queues.clear()
            for job in self._jobs.values():
                job.deadline = 0.0
            self._wake.notify_all()

    def _join(self, client: str, key: Hashable, work: Work[T]) -> _Job[T]:
        with self._wake:
            if self._closed:
                raise self._busy("the server is shutting down")
            job = self._jobs.get(key)
            if job is not None:
                job.waiting += 1
                if job.idle and not job.running:
                    self._promote(job, client)
                # Somebody waits for it now, so it no longer gives way to others.
                job.idle = False
                return job
            mine = len(self._queues.get(client, ()))
            # Background work is not counted: it must not keep a request out.
            waiting = sum(len(q) for name, q in self._queues.items() if name != IDLE)
            if waiting >= self._most or mine >= self._most_of_one:
                raise self._busy("too many sessions are being prepared")
            return self._add(_Job(client, key, work))

    def _add(self, job: _Job[Any]) -> _Job[Any]:
        self._jobs[job.key] = job
        self._queues.setdefault(job.client, deque()).append(job)
        self._wake.notify()
        return job

    def _promote(self, job: _Job[Any], client: str) -> None:
        self._queues[job.client].remove(job)
        job.client = client
        self._queues.setdefault(client, deque()).append(job)
        self._wake.notify()

    def _leave(self, job: _Job[Any]) -> None:
        with self._wake:
            job.waiting -= 1
            queue = self._queues.get(job.client)
            # One that runs ends by itself, at its next report.
            if job.waiting <= 0 and not job.running and queue is not None and job in queue:
                queue.remove(job)
                self._jobs.pop(job.key, None)

    def _busy(self, message: str) -> Refusal:
        waiting = sum(len(queue) for queue in self._queues.values())
        after = min(60, max(1, round(waiting * self._usual_s / self._at_once)))
        hint = f"try again in {after} s"
        return Refusal(503, "busy", message, hint=hint, retry_after=after)

    def _run(self) -> None:
        while True:
            with self._wake:
                while (job := self._next()) is None:
                    if self._closed:
                        return
                    self._wake.wait()
                job.running = True
                began = self._clock()
                job.deadline = began + self._longest_s
            self._work(job)
            with self._wake:
                self._jobs.pop(job.key, None)
                # A moving average, only to tell those refused when to come back.
                self._usual_s += 0.2 * (self._clock() - began - self._usual_s)

    def _next(self) -> _Job[Any] | None:
        """The next job of the client whose turn it is; that client then goes to the end."""
        for client in list(self._queues):
            if client == IDLE:
                continue
            queue = self._queues.pop(client)
            if queue:
                job = queue.popleft()
                if queue:
                    self._queues[client] = queue
                return job
        idle = self._queues.get(IDLE)
        # Only while nothing else runs, and one at a time: a thread stays free for a request.
        running = sum(job.running for job in self._jobs.values())
        return idle.popleft() if idle and not running else None

    def _work(self, job: _Job[Any]) -> None:
        def report(*_: object) -> None:
            if self._closed or self._clock() > job.deadline or self._in_the_way(job):
                raise Dropped

        try:
            result = job.work(report)
        # Whatever it is has to reach the future, or those who wait would never be told.
        except BaseException as caught:
            error = caught
            _settle(job.future, lambda: job.future.set_exception(error))
        else:
            _settle(job.future, lambda: job.future.set_result(result))

    def _in_the_way(self, job: _Job[Any]) -> bool:
        """Whether `job` should stop: nobody waits for it, or others wait and it is background."""
        with self._wake:
            if job.waiting > 0:
                return False
            return not job.idle or any(q for name, q in self._queues.items() if name != IDLE)


def _watched(future: Future[T]) -> Future[T]:
    """A separate future for one waiter, so that cancelling it does not affect the others."""
    own: Future[T] = Future()

    def hand_on(done: Future[T]) -> None:
        if done.cancelled():
            own.cancel()
            return
        error = done.exception()
        if error is not None:
            _settle(own, lambda: own.set_exception(error))
        else:
            _settle(own, lambda: own.set_result(done.result()))

    future.add_done_callback(hand_on)
    return own


def _settle(future: Future[Any], act: Callable[[], None]) -> None:
    # One that was cancelled meanwhile would refuse a result.
    if future.set_running_or_notify_cancel():
        act()
