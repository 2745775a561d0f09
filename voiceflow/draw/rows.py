"""The session broken into rows, as music is broken into lines.

Takes the chapters and returns rows of about equal length, and the words that fit under each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from voiceflow.draw.breath import Breath
from voiceflow.draw.chapters import ChapterView
from voiceflow.draw.text import clean, lettered, print_cut, print_width
from voiceflow.score.score import Event

_LEAST_ROW_MS = 30_000
_STEP_MS = 5_000
# Within a chapter a row ends before a moment or a repetition if one is near: at this share of the
# length aimed at, or later. Else it ends where nothing sounds.
_AT_MOMENT, _AT_QUIET = 0.65, 0.5


@dataclass(frozen=True, slots=True)
class Row:
    """A chapter, or a stretch of it: row `number` of `count`, from 0."""

    view: ChapterView
    number: int
    count: int
    start_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms

    def events(self) -> tuple[Event, ...]:
        """The events that sound in this row, including those that began in the one before."""
        return tuple(event for event in self.view.events if self._meets(event))

    def breaths(self) -> tuple[Breath, ...]:
        """The phases of breath in this row, including one that began in the row before."""
        return tuple(breath for breath in self.view.breaths if self._meets(breath))

    def clip(self, start_ms: int, end_ms: int) -> tuple[int, int]:
        """The part of a time that is in this row."""
        return max(start_ms, self.start_ms), min(end_ms, self.end_ms)

    def _meets(self, span: Event | Breath) -> bool:
        return span.start_ms < self.end_ms and span.end_ms > self.start_ms


@dataclass(frozen=True, slots=True)
class Word:
    """A text placed in a row: how far from its left, and on which line under the staff."""

    x: float
    line: int
    text: str


def rows(views: Sequence[ChapterView]) -> tuple[Row, ...]:
    """Each chapter on a row of its own; a long one on several rows of about equal length."""
    limit = _limit(sum(view.length_ms for view in views))
    broken: list[Row] = []
    for view in views:
        breaks = _breaks(view, limit)
        spans = pairwise(breaks)
        broken += [Row(view, n, len(breaks) - 1, *span) for n, span in enumerate(spans)]
    return tuple(broken)


def row_length(broken: Sequence[Row]) -> int:
    """Milliseconds of the full width: the longest row, rounded up to five seconds."""
    longest = max((row.length_ms for row in broken), default=0)
    return max(-(-longest // _STEP_MS) * _STEP_MS, _LEAST_ROW_MS)


def _limit(length_ms: int) -> int:
    """The longest row of a session of `length_ms`."""
    # With the shortest rows, six hours would make 144 of them.
    minutes = length_ms / 60_000
    return 150_000 if minutes <= 40 else 180_000 if minutes <= 75 else 300_000


def _breaks(view: ChapterView, limit: int) -> list[int]:
    """Where the rows of a chapter begin, and where the last one ends."""
    count = max(math.ceil(view.length_ms / limit), 1)
    breaks = [view.start_ms]
    quiet, opening = _quiet(view.events)
    while count > 1 and view.end_ms - breaks[-1] > limit:
        # Divided anew after each break: what one row was longer or shorter, the rest share.
        left = math.ceil((view.end_ms - breaks[-1]) / limit)
        aim = (view.end_ms - breaks[-1]) / left
        breaks.append(_break(breaks[-1], aim, limit, quiet, opening))
    return [*breaks, view.end_ms]


def _break(start: int, aim: float, limit: int, quiet: Sequence[int], opening: set[int]) -> int:
    """The best break near `aim` after `start`: before a moment, in a quiet, or right there."""
    for least, places in ((_AT_MOMENT, opening), (_AT_QUIET, set(quiet))):
        near = [at for at in quiet if at in places and start + aim * least <= at <= start + limit]
        if near:
            return min(near, key=lambda at: abs(at - start - aim))
    return start + round(aim)


def _quiet(events: Sequence[Event]) -> tuple[list[int], set[int]]:
    """Starts of events after a quiet, and those that also open a moment or a repetition."""
    starts: list[int] = []
    opening: set[int] = set()
    end = 0
    last: tuple[str, int | None] = ("", None)
    for event in events:
        here = event.moment, event.rep
        if event.start_ms >= end:
            starts.append(event.start_ms)
            if here != last:
                opening.add(event.start_ms)
        end, last = max(end, event.end_ms), here
    return starts, opening


def words(row: Row, scale: float, room: float, size: float, lines: int) -> tuple[Word, ...]:
    """The texts of a row, each under its start, on the first line that is free there.

    Parameters
    ----------
    scale : float
        Units of the picture per millisecond.
    room : float
        How far from the left of the row a text may reach, in units.
    size : float
        Of the letters, in units.
    lines : int
        How many there are. A text that finds none of them free is left out.
    """
    free = [0.0] * lines
    placed = []
    for event in row.events():
        # Counts show as blocks; as words they would only take the room of others.
        if event.kind != "speech" or event.start_ms < row.start_ms or not lettered(event.name):
            continue
        x = (event.start_ms - row.start_ms) * scale
        text = print_cut(clean(event.name), size, room - x)
        line = next((n for n, used in enumerate(free) if used <= x), None)
        if line is not None and text:
            placed.append(Word(x, line, text))
            free[line] = x + print_width(text, size) + size * 0.6
    return tuple(placed)
