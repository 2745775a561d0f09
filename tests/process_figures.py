"""What a process of Linux and its children hold: memory and descriptors, as the system says."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_PROC = Path("/proc")
THERE = (_PROC / "self" / "smaps_rollup").exists()
_EACH_S = 0.2


def memory_kib(pid: int) -> int:
    """The resident memory of a process; 0 if it has gone."""
    with suppress(OSError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Rss:"):
                return int(line.split()[1])
    return 0


def descriptors(pid: int) -> int:
    """How many files, pipes and sockets it has open."""
    return len(list((_PROC / str(pid) / "fd").iterdir()))


def children(pid: int) -> list[int]:
    """The processes that it has started, and theirs."""
    found: list[int] = []
    with suppress(OSError):
        for task in (_PROC / str(pid) / "task").iterdir():
            found += [int(one) for one in (task / "children").read_text().split()]
    return found + [one for child in found for one in children(child)]


@dataclass(slots=True)
class Watch:
    """Looks at a process and its children all the while, for the most that they hold.

    Attributes
    ----------
    most_kib : int
        Of the process itself.
    most_of_worker_kib : int
        Of one child.
    """

    pid: int
    most_kib: int = 0
    most_of_worker_kib: int = 0
    workers: set[int] = field(default_factory=set)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watch:
        threading.Thread(target=self._look, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _look(self) -> None:
        while not self._over.wait(_EACH_S):
            self.most_kib = max(self.most_kib, memory_kib(self.pid))
            for child in children(self.pid):
                self.workers.add(child)
                self.most_of_worker_kib = max(self.most_of_worker_kib, memory_kib(child))
