"""Voices that stay loaded between sessions: whoever makes many does not load one for each.

Where nobody asked for it, workers end with the session that needed them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voiceflow.voices.pool import Order, Pool

_lock = threading.Lock()
_asked = 0  # how many want voices to stay
_most = 1
# Waiting for the next session, the one that waits longest first. Each worker holds a whole voice.
_waiting: list[tuple[Order, int, Pool]] = []


def stay(most: int = 1) -> None:
    """From now on, until this process ends, up to `most` voices stay loaded."""
    global _asked, _most
    with _lock:
        _asked += 1
        _most = most


@contextmanager
def staying(most: int = 1) -> Iterator[None]:
    """Meanwhile up to `most` voices stay loaded when the session that they spoke is done."""
    stay(most)
    try:
        yield
    finally:
        with _lock:
            global _asked
            _asked -= 1
            left = [pool for *_, pool in _waiting] if not _asked else []
            if left:
                _waiting.clear()
        for pool in left:
            pool.close()


def stays() -> bool:
    """Whether voices stay: none need be begun before it is known what there is to say."""
    return _asked > 0


def taken(order: Order, jobs: int) -> Pool | None:
    """A loaded pool for `order`, which is now the caller's.

    None where there is none: the caller is about to load one, so that others make room for it.
    """
    with _lock:
        for at, (known, workers, pool) in enumerate(_waiting):
            if known == order and workers == jobs:
                del _waiting[at]
                return pool
        gone = [one for *_, one in _waiting[: max(0, len(_waiting) + 1 - _most)]]
        del _waiting[: len(gone)]
    for one in gone:
        one.close()
    return None


def given_back(order: Order, jobs: int, pool: Pool) -> None:
    """Take back a pool that has nothing left to say: it waits for the next session, or ends."""
    with _lock:
        if _asked:
            _waiting.append((order, jobs, pool))
        gone = [one for *_, one in _waiting[:-_most]] if _asked else [pool]
        del _waiting[:-_most]
    for one in gone:
        one.close()
