"""Rows: the session broken into lines, as music is, and what stands where in one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from voiceflow.draw.chapters import Part
from voiceflow.draw.text import clean, lettered, print_cut, print_width
from voiceflow.score.score import Event

_LEAST_ROW_MS = 30_000
_STEP_MS = 5_000
# A row ends, within its last part, before a moment or a repetition; else where nothing sounds.
_AT_MOMENT, _AT_QUIET = 0.65, 0.5


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a part, or a stretch of it. `number` of `count` lines of the part, from 0."""

    part: Part
    number: int
    count: int
    start_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms

    def events(self) -> Iterator[Event]:
        """The events that sound in this row, also those that began in the one before."""
        for event in self.part.events:
            if event.start_ms < self.end_ms and event.end_ms > self.start_ms:
                yield event


@dataclass(frozen=True, slots=True)
class Word:
    """A text set in a row: how far from its left, and on which line under the staff."""

    x: float
    line: int
    text: str


def rows(found: Sequence[Part]) -> tuple[Row, ...]:
    """The parts, each on a row of its own; long ones on as many rows of about equal length."""
    limit = _limit(sum(part.length_ms for part in found))
    broken: list[Row] = []
    for part in found:
        breaks = _breaks(part, limit)
        spans = pairwise(breaks)
        broken += [Row(part, n, len(breaks) - 1, *span) for n, span in enumerate(spans)]
    return tuple(broken)


def row_length(found: Sequence[Row]) -> int:
    """Milliseconds that the full width stands for: the longest row, to the next five seconds."""
    longest = max((row.length_ms for row in found), default=0)
    return max(-(-longest // _STEP_MS) * _STEP_MS, _LEAST_ROW_MS)


def _limit(length_ms: int) -> int:
    """The longest row of a session of `length_ms`."""
    minutes = length_ms / 60_000
    return 150_000 if minutes <= 40 else 180_000 if minutes <= 75 else 300_000


def _breaks(part: Part, limit: int) -> list[int]:
    """Where the rows of a part begin, and where the last one ends."""
    count = max(math.ceil(part.length_ms / limit), 1)
    breaks = [part.start_ms]
    quiet, opening = _quiet(part.events)
    while count > 1 and part.end_ms - breaks[-1] > limit:
        left = math.ceil((part.end_ms - breaks[-1]) / limit)
        aim = (part.end_ms - breaks[-1]) / left
        breaks.append(_break(breaks[-1], aim, limit, quiet, opening))
    return [*breaks, part.end_ms]


def _break(start: int, aim: float, limit: int, quiet: Sequence[int], opening: set[int]) -> int:
    """The break nearest to `aim` after `start`: before a moment, in a quiet, or where it falls."""
    for least, places in ((_AT_MOMENT, opening), (_AT_QUIET, set(quiet))):
        near = [at for at in quiet if at in places and start + aim * least <= at <= start + limit]
        if near:
            return min(near, key=lambda at: abs(at - start - aim))
    return start + round(aim)


def _quiet(events: Sequence[Event]) -> tuple[list[int], set[int]]:
    """Starts of events after a quiet, and those of them that open a moment or a repetition."""
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
    """The texts of a row, each under its start on the first line that is free there.

    Parameters
    ----------
    scale : float
        Units a millisecond takes.
    room : float
        Units from the left of the row that a text may reach.
    lines : int
        What finds none of so many lines free is left to the blocks above.
    """
    free = [0.0] * lines
    placed = []
    for event in row.events():
        # Counts are plain to see in their blocks; as words they would only stand in the way.
        if event.kind != "speech" or event.start_ms < row.start_ms or not lettered(event.name):
            continue
        x = (event.start_ms - row.start_ms) * scale
        text = print_cut(clean(event.name), size, room - x)
        line = next((n for n, used in enumerate(free) if used <= x), None)
        if line is not None and text:
            placed.append(Word(x, line, text))
            free[line] = x + print_width(text, size) + size * 0.6
    return tuple(placed)
