"""What has changed among the files that sessions were looked at with, and whom it may concern.

What a `Look` has seen is noted; later, `since` looks at the same folders and files once more, and
names the sessions whose stamp may be another now. It may name one too many, never one too few. No
file is read for that: 5,000 files take some 10 ms.
"""

# Paths are plain strings here, as in `dependencies`.
# ruff: noqa: PTH118, PTH119, PTH120, PTH122, PTH208

from __future__ import annotations

import os
from collections.abc import Iterable, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from unicodedata import normalize

from voiceflow.script.dependencies import SCRIPTS, YAML, Look, Stat, Words, stat_of, words_of
from voiceflow.script.lookup import Library


@dataclass(frozen=True, slots=True)
class Change:
    """The paths of the sessions that a change may concern; None for all of them."""

    sessions: frozenset[str] | None

    def concerns(self, session: str) -> bool:
        return self.sessions is None or session in self.sessions


EVERYTHING: Final = Change(None)
_UNREAD: Final = (None, None)


class Changes:
    """What looks have seen of a library.

    Parameters
    ----------
    words : dict
        The texts that the looks have read, see `Look`.
    """

    def __init__(self, library: Library, words: Words) -> None:
        self._words = words
        beside = Path(os.path.realpath(library.user / "sessions"))
        folders = (*library.folders("exercises", beside), *library.folders("exercises"))
        # Of what lies elsewhere, all sessions may be made: paces, sounds, settings.
        self._folders_of_scripts = {*map(str, (*folders, *library.folders("sessions")))}
        self._files: dict[str, Stat] = {}
        self._folders: dict[str, frozenset[str]] = {}
        self._uses: dict[str, tuple[str, ...]] = {}
        self._tables: set[str] = set()

    def __len__(self) -> int:
        """How many files are looked at each time."""
        return len(self._files)

    def note(self, look: Look) -> None:
        """Add what a look has seen."""
        # What is known stays as it was: a session that was not looked at anew has it from then.
        self._files = {**look.files, **self._files}
        self._folders = {**look.folders, **self._folders}
        self._uses.update(look.uses)
        self._tables |= look.tables

    def since(self) -> Change | None:
        """What has changed since the last time; None if nothing has."""
        if not self._folders:
            return EVERYTHING
        moved = {path for folder in self._folders for path in self._moved(folder)}
        now = ((path, before, stat_of(path)) for path, before in self._files.items())
        edited = {path: stat for path, before, stat in now if stat != before}
        if not moved and not edited:
            return None
        self._files |= edited
        change = self._change(moved, edited.keys())
        for path in moved:
            self._uses.pop(path, None)
            # It will be seen again when its folder has it again.
            self._files.pop(path, None)
        return change

    def _moved(self, folder: str) -> Iterable[str]:
        """The paths that have come into a folder, or gone."""
        before, now = self._folders[folder], _names(folder)
        self._folders[folder] = now
        return [os.path.join(folder, name) for name in before ^ now]

    def _change(self, moved: Set[str], edited: Set[str]) -> Change:
        names = set()
        for path in moved | edited:
            name, ending = os.path.splitext(os.path.basename(path))
            near = os.path.dirname(path) in self._folders_of_scripts
            # Beside scripts lie phrases, too, and recordings.
            if not near or ending == ".j2" or (path in edited and ending not in YAML):
                return EVERYTHING
            if path in moved and ending in YAML:
                names.add((words_of(name) or [""])[0])
        # A pace or tone set beside a session counts if its name stands in one of these.
        if names and any(self._may_name(names, path) for path in self._tables):
            return EVERYTHING
        hit = {*moved, *edited}
        if names:
            used = {path for paths in self._uses.values() for path in paths}
            hit |= {path for path in used if self._may_name(names, path)}
        return Change(
            frozenset(one for one, used in self._uses.items() if not hit.isdisjoint((one, *used)))
        )

    def _may_name(self, names: set[str], path: str) -> bool:
        """Whether one of `names` may stand in a script, or in the script's own name."""
        # Of a recording, only its own name.
        script = path.endswith(SCRIPTS)
        known = self._words.get(path, _UNREAD)[1] if script else b""
        # With a backslash, YAML can spell any name.
        if known is None or b"\\" in known:
            return True
        text = f"{os.path.basename(path)}\n{known.decode('utf-8', 'replace')}"
        text = (text if text.isascii() else normalize("NFC", text)).casefold()
        return any(name in text for name in names)


def _names(folder: str) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))
    except (OSError, ValueError):
        return frozenset()
