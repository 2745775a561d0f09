"""Finished pieces of lists, each made once: a card of a page, an episode of a feed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Piece = TypeVar("Piece")


class Fragments(Generic[Key, Piece]):
    """The pieces used last.

    Parameters
    ----------
    make : callable
        Makes the piece of a key; None if it cannot be made now.
    most : int > 0
        Pieces to hold; the least recently used go first.
    """

    def __init__(self, make: Callable[[Key], Piece | None], most: int) -> None:
        self._make, self._most = make, most
        self._held: OrderedDict[Key, Piece] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Piece | None:
        """The piece of a key, made if need be."""
        with self._lock:
            if (held := self._held.get(key)) is not None:
                self._held.move_to_end(key)
                return held
        made = self._make(key)  # not under the lock: it may read a file
        if made is not None:
            with self._lock:
                self._held[key] = made
                while len(self._held) > self._most:
                    self._held.popitem(last=False)
        return made
