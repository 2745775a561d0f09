"""Unchanged, at once: what an earlier render came to, kept under all that decides it.

A render of the same session with the same options, scripts, sounds, code and packages is the same
to the byte. So its pieces are remembered by their keys, and the next render joins them without
reading a script. If anything at all has changed, or a piece has left the cache, nothing is
remembered and everything is decided anew.
"""

# Paths are plain strings here: making a Path costs more than looking at a file.
# ruff: noqa: PTH116, PTH118, PTH122

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from voiceflow import __version__
from voiceflow.core.cache import Cache
from voiceflow.script.lookup import Library

KIND = "memo"
_SCRIPTS = (".yaml", ".yml", ".j2")
_SAMPLES = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff")
_MOST_FILES = 2_000
_MOST_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Remembered:
    """A render as its parts.

    Attributes
    ----------
    chapters : tuple of (str, int)
        Title and start in milliseconds.
    head : str
        Key of the tag.
    pieces : tuple of (int, str)
        Start in milliseconds and key of each piece.
    """

    length_ms: int
    chapters: tuple[tuple[str, int], ...]
    loudness: float
    peak: float
    channels: int
    head: str
    pieces: tuple[tuple[int, str], ...]

    def pack(self) -> bytes:
        return json.dumps([getattr(self, name) for name in self.__slots__]).encode()

    @staticmethod
    def unpack(value: bytes) -> Remembered:
        told = dict(zip(Remembered.__slots__, json.loads(value), strict=True))
        pairs = {name: tuple(map(tuple, told[name])) for name in ("chapters", "pieces")}
        return Remembered(**{**told, **pairs})


def memo_key(reference: str | Path, options: object, library: Library) -> str | None:
    """The key of a render; None where there is too much to look at.

    It holds what is asked for and, by content, every script that could be read for it: those in
    both libraries and beside the session. Code, packages and samples go in by size and time.
    """
    path = Path(reference).expanduser()
    near = path.resolve().parent if path.is_file() else None
    folders = [library.user, library.bundled, library.sounds]
    folders += [near, near / "sounds"] if near else []
    seen = blake2b(digest_size=20)
    seen.update(repr((__version__, sys.version, str(reference), str(near))).encode())
    seen.update(repr(options).encode())
    budget = [_MOST_FILES, _MOST_BYTES]
    for folder in _with_kinds(folders, near):
        if not _look(folder, seen.update, budget):
            return None
    # A package that comes, goes or changes its version touches the folder of all packages.
    packages = (entry for entry in sys.path if entry.endswith("-packages"))
    for source in (*packages, *_code()):
        seen.update(_stamp(source).encode())
    return seen.hexdigest()


def _with_kinds(folders: Iterable[Path], near: Path | None) -> Iterator[Path]:
    kinds = ("exercises", "sessions", "paces", "phrases", "sounds", "words")
    for folder in folders:
        yield folder
        yield from (folder / kind for kind in kinds)
    if near:
        yield from (near.parent / kind for kind in kinds)


def _look(folder: Path, update: Callable[[bytes], object], budget: list[int]) -> bool:
    """Takes a folder's scripts and samples into account; whether that is within the budget.

    Samples stand in a folder for sounds. Recordings elsewhere are what was rendered before.
    """
    endings = _SAMPLES if folder.name == "sounds" else ()
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        return True
    for entry in entries:
        ending = os.path.splitext(entry.name)[1].lower()
        if ending in _SCRIPTS:
            try:
                data = Path(entry.path).read_bytes()
            except OSError:
                data = b"unreadable"
            update(f"{entry.path} {len(data)} ".encode() + data)
            budget[0] -= 1
            budget[1] -= len(data)
        elif ending in endings:
            update(_stamp(entry.path).encode())
            budget[0] -= 1
        if min(budget) < 0:
            return False
    return True


def _code() -> Iterator[str]:
    root = Path(__file__).parents[1]
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in ("__pycache__", "_content", "server"))
        yield from (os.path.join(folder, name) for name in sorted(files) if name.endswith(".py"))


def _stamp(path: str) -> str:
    try:
        stat = os.stat(path or ".")
    except OSError:
        return f"{path} is not there"
    return f"{path} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"


def remember(cache: Cache, key: str | None, remembered: Remembered) -> None:
    """Keep what a render came to."""
    if key is not None:
        cache.put(KIND, key, remembered.pack())


def recall(cache: Cache, key: str | None) -> Remembered | None:
    """What the render under `key` came to; None where it is not known."""
    value = cache.get(KIND, key) if key is not None else None
    return None if value is None else Remembered.unpack(value)
