"""What a server changes of its process while it runs: files' rights, threads, memory, its end.

Each is a context manager, which puts everything back.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# No file for everybody: new ones are 0640 at most, where the process had not been stricter.
_WITHHELD: Final = 0o027
_TURN_S: Final = 0.0005
_ARENA_MAX: Final = -8  # as glibc's malloc.h numbers it
_HEAPS: Final = 2


@contextmanager
def private_files() -> Iterator[None]:
    """New files are readable by their owner and group at most."""
    # The only way to read the mask is to set it.
    before = os.umask(0o077)
    os.umask(before | _WITHHELD)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def short_turns() -> Iterator[None]:
    """A thread that decides a session hands over to the one that answers after half a millisecond.

    Python's 5 ms have to be waited for with each call to the system: six hundred connections that
    come at once would take seconds to be let in while a session is decided.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextmanager
def few_heaps() -> Iterator[None]:
    """What one thread has given back, another one gets: the server stays as small as it can be.

    glibc gives each thread a heap of its own, eight for each core; each grows to the most that was
    ever needed there, and keeps it in pieces. A server that makes sound in many threads then grows
    by a quarter over its first hundred sessions. Other systems have no such heaps.
    """
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None:
        yield
        return
    mallopt(_ARENA_MAX, _HEAPS)
    try:
        yield
    finally:
        mallopt(_ARENA_MAX, 0)  # as many as there may be usually


@contextmanager
def ending_on_terminate() -> Iterator[None]:
    """SIGTERM, as systemd and containers send it, ends like Ctrl-C: by a KeyboardInterrupt.

    uvicorn sends itself the signal again once it has ended, and would be killed by it before
    workers are stopped and unfinished files removed.
    """
    usual = signal.getsignal(signal.SIGTERM)
    # Whoever has a handler of his own keeps it; and only the main thread may set one.
    if usual is not signal.SIG_DFL or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, usual)
