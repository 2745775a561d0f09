"""The library's files at one moment, and which of them a session may depend on.

A session depends on every script but other sessions and exercises; and on those whose names
stand in it, or in one of those. Names can only stand there as words, so none is missed; a word
that is no name costs nothing but a look.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from voiceflow import __version__
from voiceflow.core.cache import Cache
from voiceflow.script.lookup import Library

Words = dict[str, tuple[str, frozenset[str]]]
"""By path: a file's stamp, and the words in it."""

_FOLDERS: Final = ("exercises", "sessions", "paces", "phrases", "sounds", "words")
_MOST_FILES: Final = 5_000
_MOST_WORDS: Final = 20_000
_MOST_BYTES: Final = 1 << 20
_DEPTH: Final = 3
_WORD: Final = re.compile(r"[^\s,:{}\[\]\"'#|]+")
_YAML: Final = (".yaml", ".yml")


class Look:
    """What the files are like now.

    Parameters
    ----------
    words : dict
        What is known of files already; it is added to.
    """

    def __init__(self, library: Library, words: Words) -> None:
        self._words = words
        self._files: dict[str, dict[str, str]] = {}
        for kind, path, stamp in _stamps(library):
            self._files.setdefault(kind, {})[path] = stamp
        scripts = {**self._files.get("exercises", {}), **self._files.get("sessions", {})}
        self._named: dict[str, list[tuple[str, str]]] = {}
        for path, stamp in scripts.items():
            first = next(iter(_words(Path(path).stem)), "")
            self._named.setdefault(first, []).append((path, stamp))
        shared = (item for kind in self._files if kind not in ("exercises", "sessions")
                  for item in self._files[kind].items())  # fmt: skip
        self._shared = Cache.key(__version__, *map(str, sorted(shared)))

    def of(self, kind: str) -> str:
        """Changes with every file of a kind."""
        return Cache.key(*map(str, sorted(self._files.get(kind, {}).items())))

    def stamp(self, session: Path) -> str:
        """Changes with every file that the session at `session` may depend on."""
        own = _stamp(str(session))
        found, open_ones = {str(session): own}, [(str(session), own)]
        while open_ones:
            for word in self._words_of(*open_ones.pop()):
                for path, stamp in self._named.get(word, ()):
                    if path not in found:
                        found[path] = stamp
                        open_ones.append((path, stamp))
        return Cache.key(self._shared, *map(str, sorted(found.items())))

    def _words_of(self, path: str, stamp: str) -> frozenset[str]:
        known = self._words.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        try:
            with Path(path).open("rb") as file:
                text = file.read(_MOST_BYTES).decode("utf-8", "replace")
        except OSError:
            text = ""
        words = frozenset(_words(text))
        if len(self._words) > _MOST_FILES:
            self._words.clear()
        if len(words) < _MOST_WORDS:
            self._words[path] = (stamp, words)
        return words


def _words(text: str) -> Iterator[str]:
    return (match[0].casefold() for match in _WORD.finditer(text))


def _stamps(library: Library) -> Iterator[tuple[str, str, str]]:
    """Kind, name and stamp of every file that a session may depend on."""
    roots = [("settings", library.user / "settings.yaml"), ("sounds", library.sounds)]
    for root in (library.user, library.bundled):
        roots += [(folder, root / folder) for folder in _FOLDERS]
    count = 0
    for kind, root in roots:
        for path in _files(str(root), _DEPTH):
            count += 1
            if count > _MOST_FILES:
                return
            if stamp := _stamp(path):
                yield kind, path, stamp


def _stamp(path: str) -> str:
    try:
        stat = os.stat(path)  # noqa: PTH116  plain paths: this runs at every look
    except OSError:
        return ""
    return f"{stat.st_mtime_ns} {stat.st_size} {stat.st_ino}"


def _files(root: str, depth: int) -> Iterator[str]:
    try:
        with os.scandir(root) as entries:
            found = list(entries)
    except NotADirectoryError:
        yield root
        return
    except OSError:
        return
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            if depth and not entry.name.startswith("."):
                yield from _files(entry.path, depth - 1)
        else:
            yield entry.path
