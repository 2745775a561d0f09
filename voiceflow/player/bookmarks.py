"""Remembers where a session was left, so that it can go on from there.

In: a reel and a time. Out: a `Bookmark`, kept as a small file for each session.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from voiceflow.core.errors import OutputError
from voiceflow.core.files import writing
from voiceflow.core.opening import open_file
from voiceflow.player.reel import Reel
from voiceflow.script.lookup import Library

_WORTH_MS = 5_000  # so near to the start or the end, starting again is as good


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A time in a session, as an exercise and a time within it: other paces have that, too.

    Attributes
    ----------
    part, title
        The number and the name of the exercise.
    into_ms, length_ms : int
        The time within the exercise, and the length that it had.
    """

    part: int
    title: str
    into_ms: int
    length_ms: int


def bookmark_at(reel: Reel, at_ms: int) -> Bookmark | None:
    """The bookmark for the time `at_ms`; None too near to the start or the end."""
    if not _WORTH_MS <= at_ms <= reel.score.length_ms - _WORTH_MS:
        return None
    number = reel.part_at(at_ms)
    part = reel.parts[number]
    return Bookmark(number, part.title, at_ms - part.start_ms, part.length_ms)


def time_of(bookmark: Bookmark, reel: Reel) -> int:
    """Where `bookmark` is in `reel` (ms): the same breath if nothing changed, else its exercise."""
    found = [number for number, part in enumerate(reel.parts) if part.title == bookmark.title]
    if not found:
        return 0
    # A title may stand more than once, and numbers shift where exercises were dropped.
    number = min(found, key=lambda one: abs(one - bookmark.part))
    part = reel.parts[number]
    # Another length means another pacing: the same time would fall on another breath.
    same = part.length_ms == bookmark.length_ms and 0 <= bookmark.into_ms < part.length_ms
    return part.start_ms + (bookmark.into_ms if same else 0)


class Bookmarks:
    """The bookmarks of all sessions, each a small file in the user's library."""

    def __init__(self, library: Library) -> None:
        self._folder = library.user / "play"

    def get(self, slug: str) -> Bookmark | None:
        """The bookmark of a session; None if there is none or its file is damaged."""
        try:
            with open_file(self._path(slug)) as file:
                told = json.loads(file.read())
            bookmark = Bookmark(**told)
            # A dataclass takes values of any type, and so whatever a damaged file holds.
            times = (bookmark.part, bookmark.into_ms, bookmark.length_ms)
            whole = all(isinstance(number, int) for number in times)
            return bookmark if whole and isinstance(bookmark.title, str) else None
        except (OSError, ValueError, TypeError, RecursionError):
            return None

    def put(self, slug: str, bookmark: Bookmark | None) -> None:
        """Save a bookmark, or delete it (None). Does nothing if the library is not writable."""
        with suppress(OSError, OutputError, ValueError):
            if bookmark is None:
                self._path(slug).unlink(missing_ok=True)
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            with writing(self._path(slug)) as draft:
                draft.write(json.dumps(asdict(bookmark), ensure_ascii=False).encode())

    def _path(self, slug: str) -> Path:
        return self._folder / f"{slug}.json"
