"""A cache that many machines share: each has its own, and a store that all can reach.

What one has spoken or encoded, the others take from the store. Entries are the files of the cache,
byte by byte, with their checksums: what does not hold against its checksum is a miss. A store that
fails, or answers late, costs time and never a file: it is left alone for a while.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from voiceflow.core.cache import packed, unpacked
from voiceflow.roster.addresses import opened
from voiceflow.roster.workers import UntrimmedCache

# What a session is made of; memos are of one machine.
_SHARED: Final = frozenset(("clip", "length", "piece", "head", "picture", "cover"))
_REST_S: Final = 60.0


class SharedCache(UntrimmedCache):
    """A cache in `root`, before the store at the address `store`. Raises InputError."""

    def __init__(self, root: Path | None, store: str) -> None:
        super().__init__(root)
        self._files, self._store = opened(store.rstrip("/"))
        self._rests_until = 0.0

    def get(self, kind: str, key: str) -> bytes | None:
        value = super().get(kind, key)
        if value is not None or kind not in _SHARED or not self._answers():
            return value
        try:
            raw = self._files.cat_file(self._place(kind, key))
        except FileNotFoundError:
            return None
        except Exception:  # each kind of store has errors of its own
            self._rest()
            return None
        value = unpacked(kind, key, raw)
        if value is not None:
            super().put(kind, key, value)
        return value

    def put(self, kind: str, key: str, value: bytes) -> bool:
        kept = super().put(kind, key, value)
        if kind in _SHARED and self._answers():
            place = self._place(kind, key)
            aside = f"{place}.{os.urandom(4).hex()}.part"
            try:
                self._files.makedirs(place.rpartition("/")[0], exist_ok=True)
                self._files.pipe_file(aside, packed(kind, key, value))
                self._files.mv(aside, place)
            except Exception:
                self._rest()
        return kept

    def _place(self, kind: str, key: str) -> str:
        return f"{self._store}/{kind}/{key[:2]}/{key}"

    def _answers(self) -> bool:
        return time.monotonic() >= self._rests_until

    def _rest(self) -> None:
        self._rests_until = time.monotonic() + _REST_S
