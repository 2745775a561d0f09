"""Which files a session depends on, and a stamp that changes when one of them does.

In come a library and the path of a session; out comes a short text, the same as long as no file
that the session may use was edited, added, removed or hidden by another.

A session depends on

- its own script, and every exercise whose name stands in it as a word, looked up as
  `Library.folders` says: beside the script, in the user's library, bundled;
- the exercises that those build on (`extends:`), looked up from where each of them lies;
- every pace, all phrases, pronunciation, positions, everything in the folders for sounds, settings;
- a pace or tone set in the session's own folder whose name stands in any of these, or is asked for.

A name can only stand in a script as a word, so scripts need not be parsed to find all names. A word
that is a name by chance makes a session depend on a file that it does not use, which costs a look.
"""

# Paths are plain strings here: this runs before every render, and at every page that is shown.
# ruff: noqa: PTH111, PTH116, PTH118, PTH119, PTH120, PTH122

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Final

from voiceflow import __version__
from voiceflow.core.cache import Cache
from voiceflow.core.opening import open_file
from voiceflow.script.lookup import Library, composed, is_name

Stat = tuple[int, int, int]
"""Of a file: when it was changed (ns), its size, its inode; `NOTHING` where there is none."""
Words = dict[str, tuple[Stat, bytes]]
"""What was read before, by path: the file's stat at that time, and its text."""

NOTHING: Final[Stat] = (0, -1, 0)
YAML: Final = (".yaml", ".yml")
SCRIPTS: Final = (*YAML, ".j2")
_DEPTH: Final = 3  # folders below a folder for sounds
_MOST_BYTES: Final = 1 << 20  # a larger script is refused, whatever it holds
_MOST_KNOWN: Final = 20_000
_MOST_KNOWN_BYTES: Final = 1 << 16
# Signs that YAML lets touch a word: `[bridge,squat]`, `bridge:`.
_APART: Final = str.maketrans(dict.fromkeys(",:{}[]\"'#|", " "))
_SAMPLE: Final = re.compile(r"""file["']?\s*:\s*["']?([^"'\n]+)""")


@dataclass(frozen=True, slots=True)
class Found:
    """A script in a folder: its name without ending, its path, and whether it is a link."""

    name: str
    ending: str
    path: str
    link: bool


# By first word, then by whole name: the files of that name, the one that is looked up first first.
_Names = dict[str, dict[str, list[Found]]]


class Look:
    """The files of a library as they are now. Every folder and file is looked at once.

    Parameters
    ----------
    words : dict
        What was read before: a file that has not changed since is not read again. It is added to.

    Attributes
    ----------
    files, folders : dict
        What was looked at: the stat of each file, the names in each folder.
    uses : dict
        By the path of each session that has a stamp: its script and those that it may use.
    tables : set
        Paths of scripts that every session depends on, and that may name others.
    """

    def __init__(self, library: Library, words: Words) -> None:
        self.library, self._known = library, words
        self.files: dict[str, Stat] = {}
        self.folders: dict[str, frozenset[str]] = {}
        self.uses: dict[str, tuple[str, ...]] = {}
        self.tables: set[str] = set()
        self._texts: dict[str, bytes] = {}
        self._folders: dict[str, tuple[Found, ...]] = {}
        self._names: dict[tuple[Path, ...], _Names] = {}
        self._real: dict[str, Path | None] = {}
        self._tables: dict[tuple[str, Path | None], dict[str, bytes]] = {}

    def of(self, kind: str) -> str:
        """Changes with every file of `kind` in the user's library and the bundled one."""
        return _key(self._shared(kind, None))

    def sessions(self) -> dict[str, Found]:
        """The sessions of the library by name: for each the script that wins, as `Library.find`."""
        found: dict[str, Found] = {}
        for folder in self.library.folders("sessions"):
            for entry in self._entries(str(folder)):
                name = composed(entry.name)
                # `positions` is a table, and `coach.es` is `coach` in another language.
                other = entry.name == "positions" or "." in name or not is_name(name)
                if entry.ending in YAML and not other:
                    found.setdefault(name, entry)
        for entry in found.values():
            self._stat(entry.path)
        return found

    def stamp(self, session: Path, asked: Sequence[str] = ()) -> str:
        """Changes with every file that the session at `session` may depend on.

        Parameters
        ----------
        asked : sequence of str
            What is asked for besides: names of a pace or tone set, or the path of a tone set.
        """
        near = self._near(session)
        found = self._exercises(str(session), near)
        given = {path: self._text(path) for path in _paths(asked)}
        settings = str(self.library.user / "settings.yaml")
        tables = {settings: self._text(settings), **self._shared("paces", near)}
        tables |= self._shared("sounds", near)
        if near is not None:
            here = [text for path, text in found.items() if os.path.dirname(path) == str(near)]
            # What nothing names is named by default: its name is that of a pace or tone set.
            names = "\n".join((*asked, *map(_name, tables)))
            texts = (os.fsencode(names), found[str(session)], *here, *tables.values())
            found |= self._named_in(str(near), (*texts, *given.values()))
        for path, text in given.items():
            found |= self._named_in(os.path.dirname(path) or ".", (text,))
        self.uses[str(session)] = tuple(found)
        self.tables.update(tables)
        found |= {**tables, **given, **self._shared("phrases", near)}
        found |= self._shared("pronunciation", None)
        return _key({**found, **self._samples(found)}, str(near))

    def _near(self, script: Path) -> Path | None:
        """The folder beside which `script` has names looked up; None if it is bundled."""
        near = Path(os.path.dirname(os.path.realpath(script)))
        return None if near.is_relative_to(self.library.bundled) else near

    def _exercises(self, session: str, near: Path | None) -> dict[str, bytes]:
        """The session's script and all exercises it may use: text by path."""
        found = {session: self._text(session)}
        real = os.path.realpath(session)
        waiting = [(session, near)]
        while waiting:
            path, beside = waiting.pop()
            text = found[path]
            # An exercise names others only with `extends`.
            if path != session and b"extends" not in text and b"\\" not in text:
                continue
            for entry in self._named(text, beside, real):
                if entry.path not in found:
                    found[entry.path] = self._text(entry.path)
                    waiting.append((entry.path, self._beside(entry)))
        return found

    def _named(self, text: bytes, beside: Path | None, session: str) -> Iterator[Found]:
        """The exercises whose names stand in `text`, looked up beside the folder `beside`."""
        names = self._names_in(self.library.folders("exercises", beside))
        for first in _first_words(text, names):
            for entries in names[first].values():
                # A session in which an exercise of its own name stands does not mean itself.
                hidden = self._is_session(entries[0], session)
                yield from entries if hidden else entries[:1]

    def _named_in(self, folder: str, texts: Iterable[bytes]) -> dict[str, bytes]:
        """Scripts in `folder` whose names stand in `texts`, or in one another; text by path."""
        names, found = self._names_in((Path(folder),)), dict[str, bytes]()
        texts = [*texts]
        while texts:
            # One by one: the tables are the same for every session.
            firsts = {word for text in texts for word in _first_words(text, names)}
            named = chain.from_iterable(chain(*names[first].values()) for first in firsts)
            new = {one.path: self._text(one.path) for one in named if one.path not in found}
            found |= new
            texts = [*new.values()]
        return found

    def _names_in(self, folders: tuple[Path, ...]) -> _Names:
        """The YAML scripts in `folders` by name."""
        if folders not in self._names:
            names: _Names = {}
            for entry in chain.from_iterable(self._entries(str(folder)) for folder in folders):
                if entry.ending in YAML:
                    first = (words_of(entry.name) or [""])[0]
                    names.setdefault(first, {}).setdefault(entry.name, []).append(entry)
            self._names[folders] = names
        return self._names[folders]

    def _shared(self, kind: str, near: Path | None) -> dict[str, bytes]:
        """Every script of a kind outside the session's own folder; phrases there, too."""
        key = kind, near
        if key not in self._tables:
            self._tables[key] = self._shared_now(kind, near)
        return self._tables[key]

    def _shared_now(self, kind: str, near: Path | None) -> dict[str, bytes]:
        # The first folder is the session's own: there, only what is named counts.
        folders = self.library.folders(kind, near)[0 if near is None else 1 :]
        entries = [entry for folder in folders for entry in self._entries(str(folder))]
        if near is not None and kind == "phrases":
            entries += [entry for entry in self._entries(str(near)) if entry.ending == ".j2"]
        found = {entry.path: self._text(entry.path) for entry in entries}
        if kind == "sounds":
            below = (self._below(str(folder), _DEPTH) for folder in folders)
            for path in chain.from_iterable(below):
                if path not in found:
                    found[path] = _told(self._stat(path))
        return found

    def _entries(self, folder: str) -> tuple[Found, ...]:
        """The scripts in a folder, in order."""
        if folder not in self._folders:
            found = []
            for entry in self._scan(folder):
                name, ending = os.path.splitext(entry.name)
                if ending in SCRIPTS and _is_file(entry):
                    found.append(Found(name, ending, entry.path, entry.is_symlink()))
                elif ending in SCRIPTS:  # a link that leads nowhere yet
                    self._stat(entry.path)
            self._folders[folder] = tuple(sorted(found, key=lambda one: one.path))
        return self._folders[folder]

    def _beside(self, entry: Found) -> Path | None:
        """The folder beside which an exercise has names looked up, see `_near`."""
        # A link is looked up from where it leads; all others share their folder's answer.
        folder = entry.path if entry.link else os.path.dirname(entry.path)
        if folder not in self._real:
            self._real[folder] = self._near(Path(entry.path))
        return self._real[folder]

    @staticmethod
    def _is_session(entry: Found, session: str) -> bool:
        # `realpath` costs, so it is asked only where it can say yes.
        same_name = os.path.basename(session) == entry.name + entry.ending
        return (same_name or entry.link) and os.path.realpath(entry.path) == session

    def _text(self, path: str) -> bytes:
        """What is in a file; of one that cannot be read, why not."""
        if path not in self._texts:
            stat = self._stat(path)
            known = self._known.get(path)
            if known is not None and known[0] == stat:
                self._texts[path] = known[1]
            else:
                self._texts[path] = text = _read(path)
                # The newest gives way: of a larger library, looked at again and again in the same
                # order, most is known. If the oldest did, nothing would be.
                while len(self._known) >= _MOST_KNOWN and path not in self._known:
                    self._known.popitem()
                if len(text) < _MOST_KNOWN_BYTES:
                    self._known[path] = (stat, text)
        return self._texts[path]

    def _samples(self, scripts: dict[str, bytes]) -> dict[str, bytes]:
        """The recordings that tone sets name, wherever they lie: stamp by path."""
        return {path: _told(self._stat(path)) for path in _sample_paths(scripts)}

    def _stat(self, path: str) -> Stat:
        if path not in self.files:
            self.files[path] = stat_of(path)
        return self.files[path]

    def _below(self, folder: str, depth: int) -> Iterator[str]:
        """All files in a folder and in the folders below it."""
        for entry in self._scan(folder):
            if not entry.is_dir(follow_symlinks=False):
                yield entry.path
            elif depth and not entry.name.startswith("."):
                yield from self._below(entry.path, depth - 1)

    def _scan(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                found = list(entries)
        except (OSError, ValueError):
            found = []
        self.folders.setdefault(folder, frozenset(entry.name for entry in found))
        return found


def _first_words(text: bytes, names: _Names) -> Iterable[str]:
    """Those first words of `names` that stand in `text`."""
    # With a backslash, YAML can spell a name without writing it: then any name may be meant.
    # A name of signs alone has no words: it stands under "", and always counts.
    return names.keys() if b"\\" in text else names.keys() & {*_words(text), ""}


@lru_cache(maxsize=1024)
def _words(text: bytes) -> frozenset[str]:
    return frozenset(words_of(text.decode("utf-8", "replace")))


def words_of(text: str) -> list[str]:
    """The words of a text as names are compared: some systems find `Bridge` as `bridge`."""
    if not text.isascii():
        from unicodedata import normalize

        text = normalize("NFC", text)
    return text.casefold().translate(_APART).split()


def _name(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _paths(asked: Iterable[str]) -> Iterator[str]:
    """Those of the names asked for that are paths of tone sets."""
    for one in asked:
        if one.endswith(YAML) or os.path.dirname(one):
            yield os.path.expanduser(one)


def _sample_paths(scripts: dict[str, bytes]) -> Iterator[str]:
    for path, text in scripts.items():
        if b"file" in text and path.endswith(YAML):
            for match in _SAMPLE.finditer(text.decode("utf-8", "replace")):
                # Where the value ends depends on what it stands in: each end is tried.
                for end in (len(match[1]), *(at.start() for at in re.finditer("[,}#]", match[1]))):
                    name = os.path.expanduser(match[1][:end].strip())
                    yield os.path.join(os.path.dirname(path), name)


def _key(files: dict[str, bytes], near: str = "") -> str:
    parts: Iterator[str | bytes] = chain.from_iterable(sorted(files.items()))
    return Cache.key(__version__, near, *parts)


def _read(path: str) -> bytes:
    try:
        with open_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            return file.read() if size <= _MOST_BYTES else b"too large: %d" % size
    except (OSError, ValueError) as error:
        return f"cannot be read: {type(error).__name__}".encode()


def stat_of(path: str) -> Stat:
    """What tells one state of a file from another."""
    try:
        stat = os.stat(path)
    except (OSError, ValueError):
        return NOTHING
    # The inode tells of a file that was replaced, even where time and size are the same.
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _told(stat: Stat) -> bytes:
    return b"" if stat == NOTHING else b"%d %d %d" % stat


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link that leads back to itself
        return False
