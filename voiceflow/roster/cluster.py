"""A roster on many machines, by Dask: the same tasks, the same `make`, other processes.

Tasks are a session's name and options and nothing else; sound goes through a shared store. Whoever
reaches a scheduler's port runs code on it and on its workers: the local cluster listens on this
machine alone, and a scheduler elsewhere should have TLS.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from voiceflow.core.cache import Cache
from voiceflow.core.errors import InputError, OutputError, UnfinishedError
from voiceflow.roster.workers import Made, Task, UntrimmedCache, make
from voiceflow.score.options import Context
from voiceflow.script.lookup import Library, content

_AHEAD: Final = 2  # tasks that wait for each thread of a worker
_ANSWER_S: Final = 15


@dataclass(frozen=True, slots=True)
class Cluster:
    """Which machines work.

    Attributes
    ----------
    scheduler : str
        The address of a Dask scheduler, ``tcp://…`` or ``tls://…``; "" for a local cluster.
    workers : int > 0
        Processes of the local cluster.
    store : str
        An address that all workers reach, for clips and pieces; "" for none.
    tls : tuple of str
        Certificate authority, certificate and key, as PEM files; () for none.
    """

    scheduler: str = ""
    workers: int = 2
    store: str = ""
    tls: tuple[str, str, str] | tuple[()] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """What a worker needs to know once: where scripts, cache and store are.

    Attributes
    ----------
    user : str
        The user's library, on a disk that all workers see; bundled scripts are each one's own.
    cache : str
        The cache's folder; "" for the usual one of the worker.
    """

    user: str
    cache: str
    store: str


# The contexts of this process, by place. Loaded where it is first asked for: a worker that joins
# late, or whose plugin was missed, has one too.
_contexts: dict[Place, Context] = {}
_lock = threading.Lock()


def context_of(place: Place) -> Context:
    """This worker's context, made once; from then on its voices stay loaded."""
    with _lock:
        if place not in _contexts:
            from voiceflow.roster.shared_cache import SharedCache
            from voiceflow.voices import resident

            root = Path(place.cache) if place.cache else Cache.default_root()
            cache = SharedCache(root, place.store) if place.store else UntrimmedCache(root)
            library = Library(Path(place.user), content() / "scripts", content() / "sounds")
            _contexts[place] = Context(library=library, cache=cache, jobs=1)
            resident.stay()
    return _contexts[place]


def work(task: Task, place: Place) -> Made:
    """What a worker does with a task."""
    return make(task, context_of(place))


class DaskCrew:
    """Workers of a Dask cluster. A context manager: leaving it ends a local cluster.

    Raises
    ------
    InputError
        Dask is not installed.
    OutputError
        The scheduler does not answer.
    """

    def __init__(self, cluster: Cluster, library: Library, cache: Path | None) -> None:
        self._cluster = cluster
        away = bool(cluster.scheduler)
        # Elsewhere each machine has a cache of its own.
        self._place = Place(str(library.user), "" if away else str(cache or ""), cluster.store)
        self._client: Any = None
        self._local: Any = None

    def __enter__(self) -> Self:
        try:
            import distributed
        except ImportError:
            hint = "pip install 'voiceflow[cluster]'"
            raise InputError("a cluster needs the extra `cluster`", hint=hint) from None
        address = self._cluster.scheduler
        try:
            if address:
                security = _security(self._cluster.tls)
                self._client = distributed.Client(address, timeout=_ANSWER_S, security=security)
            else:
                self._local = distributed.LocalCluster(
                    n_workers=self._cluster.workers, threads_per_worker=1, processes=True,
                    host="127.0.0.1", dashboard_address=None, silence_logs=50,
                )  # fmt: skip
                self._client = distributed.Client(self._local)
            self._client.register_plugin(_plugin(self._place), name="voiceflow")
        except (OSError, TimeoutError, ValueError) as error:
            self.__exit__()
            message = f"the scheduler {address or 'of this machine'} does not answer"
            raise OutputError(message, hint="is its address right, and TLS as it wants?") from error
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for one in (self._client, self._local):
            if one is not None:
                one.close()
        self._client = self._local = None

    def run(self, tasks: Iterable[Task]) -> Iterator[Made]:
        """What became of each task, as it is done."""
        from distributed import as_completed

        waiting = deque(tasks)
        running: dict[Any, Task] = {}
        done = as_completed([])
        while waiting or running:
            while waiting and len(running) < self._threads() * _AHEAD:
                task = waiting.popleft()
                # Not pure: its file is its effect, and two tasks that are alike are two.
                future = self._client.submit(work, task, self._place, pure=False)
                running[future.key] = task
                done.add(future)
            future = next(done)
            task = running.pop(future.key)
            yield _made(future, task)
            # Nothing of it is wanted any more: a worker that dies now need not do it again.
            future.release()

    def _threads(self) -> int:
        threads = int(sum(self._client.nthreads().values()))
        if not threads and self._local is None and not self._client.scheduler_info()["workers"]:
            raise UnfinishedError(
                f"the scheduler {self._cluster.scheduler} has no worker",
                hint="start one: dask worker ADDRESS --nthreads 1",
            )
        return max(1, threads)


def _made(future: Any, task: Task) -> Made:
    try:
        made = future.result()
    except Exception as error:  # of Dask, or whatever ended the task on its worker
        killed = type(error).__name__ == "KilledWorker"
        told = "the workers that made it ended" if killed else f"its worker failed: {error}"
        return Made(task.id, error=" ".join(told.split())[:300])
    return made if isinstance(made, Made) else Made(task.id, error="its worker gave no answer")


def _plugin(place: Place) -> Any:
    from distributed import WorkerPlugin

    class Voiceflow(WorkerPlugin):  # type: ignore[misc,unused-ignore]
        """Looks up scripts and store when a worker starts, and not with its first client."""

        def setup(self, worker: Any) -> None:
            context_of(place)

    return Voiceflow()


def _security(tls: tuple[str, str, str] | tuple[()]) -> Any:
    if not tls:
        return None
    from distributed.security import Security

    for file in tls:
        if not Path(file).is_file():
            raise InputError(f"--tls: there is no file {file}")
    authority, certificate, key = tls
    return Security(
        tls_ca_file=authority, tls_client_cert=certificate, tls_client_key=key,
        require_encryption=True,
    )  # fmt: skip
