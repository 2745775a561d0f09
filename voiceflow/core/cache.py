"""Content-addressed store on disk: one file an entry, believed only with its checksum.

No lock and no index, so there is nothing to go stale: an entry is written beside its place and
renamed into it, so that any number of processes may read, write, trim and clear at once and any
of them may be killed at any moment. What goes wrong costs time, never correctness: a broken entry
is deleted and reads as missing, a disk that cannot be written leaves the session without cache.
"""

# Paths are plain strings here: making a Path costs more than reading a small entry.
# ruff: noqa: PTH103, PTH106, PTH108, PTH118, PTH119, PTH120

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

from voiceflow.core import cache_size
from voiceflow.core.files import PendingFile, is_abandoned, is_draft
from voiceflow.core.opening import NotOrdinaryError, open_file, why_unwritten
from voiceflow.core.places import named_or

# The folder carries the layout's number: versions of voiceflow that lay out otherwise live side
# by side in one root, and neither ever opens a file of the other.
_LAYOUT: Final = "layout-1"
_MAGIC: Final = b"vfc1"
_DIGEST: Final = 16
_HEADER: Final = len(_MAGIC) + _DIGEST
# What `Cache.key` returns. A file of another name is not of this store, and is left alone.
_ENTRY: Final = re.compile(r"[0-9a-f]{40}")
_HELD: Final = "held"  # beside the folders of all kinds
_TOUCH_AGE_S: Final = 60


@dataclass(frozen=True, slots=True)
class KindInfo:
    """How much the cache holds of one kind."""

    kind: str
    entries: int
    bytes: int


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """What the cache holds; `kinds` in the order of their names."""

    entries: int
    bytes: int
    kinds: tuple[KindInfo, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """One file of the store as a scan met it. `scrap` is what a killed writer left."""

    path: str
    kind: str
    bytes: int
    mtime: float
    scrap: bool


class Cache:
    """Bytes by kind and key, least recently used out first.

    Parameters
    ----------
    root : Path or None
        The folder, made when first written to. None is no cache: nothing is found, nothing kept.
    limit_bytes : int >= 0
        What `trim` leaves at most.

    Attributes
    ----------
    problem : str
        Why the first write that failed did fail, as a sentence; empty while all is well.
    """

    def __init__(self, root: Path | None, limit_bytes: int = 1 << 30) -> None:
        self.root = root
        self.limit_bytes = limit_bytes
        self.problem = ""
        self._base = os.path.join(root, _LAYOUT) if root is not None else None
        # Roughly: of two threads that write at once, one may go uncounted.
        self._written = 0

    def get(self, kind: str, key: str) -> bytes | None:
        """The entry's bytes, or None if it is missing or broken (then it is gone too)."""
        if self._base is None:
            return None
        path = self._path(kind, key)
        try:
            with open_file(path) as file:
                stat = os.fstat(file.fileno())
                # What is larger was never kept here; to read it could fill the memory.
                raw = file.read() if stat.st_size <= self.limit_bytes else b""
        except FileNotFoundError:
            return None
        # A pipe, a device, a link to itself: nothing that was kept here.
        except (NotOrdinaryError, ValueError):
            _unlink(path)
            return None
        except OSError:
            return None
        mtime = stat.st_mtime
        value = unpacked(kind, key, raw)
        if value is None:
            _unlink(path)
            return None
        # Touched at most once a minute, and at once where the clock was set back.
        if not -1 < time.time() - mtime < _TOUCH_AGE_S:
            with suppress(OSError):
                os.utime(path)
        return value

    def put(self, kind: str, key: str, value: bytes) -> bool:
        """Keep `value`; where that is not possible, remember why in `problem` and go on.

        Returns
        -------
        bool
            Whether it is kept.
        """
        if self._base is None or len(value) + _HEADER > self.limit_bytes:
            return False
        path = self._path(kind, key)
        raw = packed(kind, key, value)
        try:
            try:
                _write(path, raw)
            except FileNotFoundError:  # the first of its folder, or someone cleared the cache
                os.makedirs(os.path.dirname(path), exist_ok=True)
                _write(path, raw)
        except OSError as error:
            told = f"the cache in {self.root} cannot be written: {why_unwritten(error)}"
            self.problem = self.problem or told
            return False
        self._written += len(raw)
        return True

    def size(self, kind: str, key: str) -> int | None:
        """How many bytes an entry has, without a look at them; None if it is missing."""
        if self._base is None:
            return None
        try:
            return max(os.stat(self._path(kind, key)).st_size - _HEADER, 0)  # noqa: PTH116
        except (OSError, ValueError):
            return None

    def holds(self, kind: str) -> bool:
        """Whether there may be entries of `kind`: whether one was ever kept."""
        return self._base is not None and os.path.isdir(os.path.join(self._base, kind))  # noqa: PTH112

    def trim(self, *, always: bool = False) -> None:
        """Bring the store under its limit, least recently used out first.

        Scans the folder only if this object has written to it and the limit may be reached, see
        `voiceflow.core.cache_size`, or `always`. Goes a tenth below the limit, so that a full
        cache is not scanned and trimmed entry by entry.
        """
        if self._base is None or not (self._written or always):
            return
        written, self._written = self._written, 0
        held = os.path.join(self._base, _HELD)
        roughly = None if always else cache_size.added(held, written)
        if roughly is not None and roughly <= self.limit_bytes:
            return
        cache_size.found(held, self._trimmed())

    def _trimmed(self) -> int:
        """How many bytes are left under the limit, by a look at all there is."""
        now = time.time()
        found = [entry for entry in self._scan() if not self._sweep(entry, now)]
        total = sum(entry.bytes for entry in found)
        if total <= self.limit_bytes:
            return total
        # An entry from the future was last used before the clock was set back: it counts as old.
        found.sort(key=lambda entry: (entry.mtime <= now + 1, entry.mtime, entry.path))
        for entry in found:
            if total <= self.limit_bytes * 9 // 10:
                break
            _unlink(entry.path)
            total -= entry.bytes
        return total

    def info(self) -> CacheInfo:
        """Count what is there."""
        kinds: dict[str, list[int]] = {}
        for entry in self._scan():
            if not entry.scrap:
                kinds.setdefault(entry.kind, []).append(entry.bytes)
        found = tuple(KindInfo(kind, len(kinds[kind]), sum(kinds[kind])) for kind in sorted(kinds))
        return CacheInfo(sum(one.entries for one in found), sum(one.bytes for one in found), found)

    def clear(self) -> int:
        """Delete every entry; return how many there were. Files not of this store stay."""
        removed = 0
        # A draft in use goes, too: its writer's `put` meets FileNotFoundError and writes once more.
        for entry in self._scan():
            removed += _unlink(entry.path) and not entry.scrap
        if self._base is not None:
            _unlink(os.path.join(self._base, _HELD))
            # From the innermost out: a folder can go only when those in it are gone.
            for folder, _, _ in os.walk(self._base, topdown=False):
                with suppress(OSError):  # not empty: someone else is writing, or it is not ours
                    os.rmdir(folder)
        return removed

    @staticmethod
    def key(*parts: str | bytes | int | float | None) -> str:
        """160 bits of BLAKE2b as hex; each part goes in with its type and length."""
        digest = blake2b(digest_size=20)
        # Else "ab", "c" would be the key of "a", "bc", and 1 that of "1".
        for part in parts:
            if isinstance(part, str):
                # Paths are parts of keys, and may hold bytes that are no UTF-8, as lone surrogates.
                raw = b"s" + part.encode("utf-8", "surrogatepass")
            elif isinstance(part, bytes):
                raw = b"b" + part
            else:
                raw = b"n" + repr(part).encode()
            digest.update(b"%d:" % len(raw) + raw)
        return digest.hexdigest()

    @staticmethod
    def default_root() -> Path:
        """``$VOICEFLOW_CACHE``, or the user's cache folder as the system has it.

        Raises InputError where no such folder is known.
        """
        return named_or("VOICEFLOW_CACHE", _system_folder)

    def _path(self, kind: str, key: str) -> str:
        return f"{self._base}{os.sep}{kind}{os.sep}{key[:2]}{os.sep}{key}"

    def _scan(self) -> Iterator[_Found]:
        """Every entry and scrap; folders and files that vanish meanwhile are passed over."""
        for kind in _list(self._base):
            for shelf in _list(kind.path):
                for file in _list(shelf.path):
                    scrap = is_draft(file.name)
                    if not scrap and not _ENTRY.fullmatch(file.name):
                        continue
                    with suppress(OSError):
                        stat = file.stat(follow_symlinks=False)
                        yield _Found(file.path, kind.name, stat.st_size, stat.st_mtime, scrap)

    @staticmethod
    def _sweep(entry: _Found, now: float) -> bool:
        """Whether `entry` is scrap; it is deleted unless its writer may still be at work."""
        if is_abandoned(os.path.basename(entry.path), entry.mtime, now):
            _unlink(entry.path)
        # A draft whose writer is at work stays, but is no entry that counts or can be trimmed.
        return entry.scrap


def _system_folder() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("voiceflow", appauthor=False)


def packed(kind: str, key: str, value: bytes) -> bytes:
    """An entry's file: its value after a checksum of value and place."""
    return b"".join((_MAGIC, _digest(kind, key, value), value))


def unpacked(kind: str, key: str, raw: bytes) -> bytes | None:
    """The value of an entry's file; None where it is broken, or that of another place."""
    value = raw[_HEADER:]
    return value if raw[:_HEADER] == _MAGIC + _digest(kind, key, value) else None


def _digest(kind: str, key: str, value: bytes) -> bytes:
    """Checksum of the value and of its place: a file moved to another name is not believed."""
    digest = blake2b(f"{kind}/{key}/".encode(), digest_size=_DIGEST)
    digest.update(value)
    return digest.digest()


def _write(path: str, raw: bytes) -> None:
    # Not durable: an entry that lost its content in a power cut fails its checksum.
    with PendingFile(path, durable=False) as pending:
        pending.write(raw)


def _unlink(path: str) -> bool:
    try:
        os.unlink(path)
    except OSError:
        return False
    return True


def _list(folder: str | None) -> list[os.DirEntry[str]]:
    if folder is None:
        return []
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []
