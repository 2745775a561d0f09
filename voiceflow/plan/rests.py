"""Rests of a written length: where they lie in a plan, and which words give way in a short one.

In: moments. Out: the `Rest`s between two bouts of work, and each moment as it is at a `Level`, from
everything that may be said to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from voiceflow.core.errors import Mark
from voiceflow.plan.moments import RICHNESS, Bout, Line, Moment, Richness
from voiceflow.script.fields import Text

WORKING: Final = frozenset({"phase", "work", "say", "silence", "bell"})
"""The kinds of moments with which a bout of work begins."""


class Level(IntEnum):
    """What a short rest has given up, each level with all of those before it."""

    ALL = 0
    CLOSE = 1  # the pauses between sentences
    NO_READY = 2  # "ready" and the time left: words of the phrases, not the script's
    NAMED_ONCE = 3  # the name said again
    BRIEF = 4  # the fuller versions
    SHORTEST = 5
    NO_NUMBERS = 6  # of set and round
    NO_PURPOSE = 7  # nor the title of the section
    NO_REST = 8  # "Rest.", which the signal tells as well
    NO_CAUTION = 9
    FEWER_BEATS = 10  # the count-in's first beats, but for two
    NO_SET_UP = 11
    NO_BEATS = 12
    NAME_ALONE = 13  # all but the name of what comes next, and the side
    ON_THE_BEAT = 14  # all: the next name is said in the work before and after


_NOWHERE = Mark("", 1, 1)
_NAME_ALONE = Line("", Text(("{{ next }}.",), _NOWHERE))
NAME_AT_START = Line("", Text(("{{ exercise }}{% if side %}, {{ side }}{% endif %}.",), _NOWHERE))
"""What work begins with, in place of "Go", where nothing else has room for its name and side."""

# From which level on a line is not said: by its macro.
_LEAVES: Final[dict[str, Level]] = {
    "ready": Level.NO_READY,
    "remaining": Level.NO_READY,
    "set": Level.NO_NUMBERS,
    "round": Level.NO_NUMBERS,
    "section": Level.NO_PURPOSE,
    "relax": Level.NO_REST,
    "rest": Level.NO_REST,
    "finish": Level.NO_REST,
    "next": Level.ON_THE_BEAT,
}
# The same by the kind of its moment. These teach: breaths or free steps, which cannot be followed
# without having been taught, keep them.
_TEACHES: Final[dict[str, Level]] = {
    "name": Level.NAMED_ONCE,
    "caution": Level.NO_CAUTION,
    "set-up": Level.NO_SET_UP,
    "sides": Level.ON_THE_BEAT,
}


@dataclass(frozen=True, slots=True)
class Rest:
    """The moments between two bouts of work, `first` to `end` (where the next work begins).

    Attributes
    ----------
    at : int
        The moment that says "Rest"; its `least_ms` is the length of all of them together.
    written : bool
        Somebody wrote the length; else it is the pace's, and no words give way to it.
    works : bool
        An interval follows, which can be followed without having been taught.
    """

    first: int
    at: int
    end: int
    written: bool
    works: bool

    @property
    def levels(self) -> Sequence[Level]:
        """The levels that may be tried, from rich to short."""
        if not self.written:
            return (Level.ALL,)
        return tuple(Level) if self.works else tuple(Level)[: Level.NO_SET_UP]


def rests(moments: Sequence[Moment], bouts: Sequence[Bout]) -> tuple[Rest, ...]:
    """The rests that last until the next work, in their order."""
    found = []
    for at, moment in enumerate(moments):
        if not moment.until_work:
            continue
        end = next((n for n in range(at, len(moments)) if moments[n].kind in WORKING), None)
        if end is None:
            continue
        # The rest counts from the end of the work, so the words of the finish are part of it.
        first = at - 1 if moments[at - 1].kind == "finish" else at
        written = bouts[moment.exercise].rest_written
        found.append(Rest(first, at, end, written, moments[end].kind == "work"))
    return tuple(found)


def at_level(moment: Moment, level: Level, *, works: bool) -> Moment:
    """`moment` with the lines that `level` leaves, and as rich as it leaves them."""
    lines = tuple(
        one for line in moment.lines if (one := _line(moment, line, level, works)) is not None
    )
    if level < Level.BRIEF or moment.richness == "word":
        return replace(moment, lines=lines)
    wanted: Richness = "brief" if level == Level.BRIEF else "word"
    # The script's texts by themselves: a brief macro may leave out what it carries.
    if any(line.text for line in lines):
        step = RICHNESS.index(wanted) - RICHNESS.index(moment.richness)
        return replace(moment, lines=tuple(_shorter(line, step) for line in lines))
    return replace(moment, lines=lines, richness=wanted)


def _shorter(line: Line, step: int) -> Line:
    """A line with its text from the `step`-th version on, or the last."""
    if line.text is None or step < 1:
        return line
    versions = line.text.versions
    return replace(line, text=replace(line.text, versions=versions[step:] or versions[-1:]))


def _line(moment: Moment, line: Line, level: Level, works: bool) -> Line | None:
    if level >= _leaves(moment, line, works):
        purpose = line.text if moment.kind == "name" else None
        # The purpose outlasts the name that it is said with.
        return Line("", purpose) if purpose and level < Level.NO_PURPOSE else None
    if level == Level.NAME_ALONE and line.macro == "next":
        return _NAME_ALONE
    if level >= Level.NO_PURPOSE and line.macro == "exercise":
        return Line("exercise")
    return line


def _leaves(moment: Moment, line: Line, works: bool) -> int:
    """The first level at which a line is not said; beyond all of them for one that always is."""
    never = len(Level)
    if moment.kind in _TEACHES:
        return _TEACHES[moment.kind] if works else never
    # The script's own words for coming out of a position, or onto the other side.
    if line.text is not None and moment.kind in ("finish", "switch"):
        return Level.NAME_ALONE
    if line.macro == "next" and not works:
        return Level.NAMED_ONCE
    # Between sets there is no signal: nothing else tells that the work is over.
    told = any(one.macro == "next" for one in moment.lines)
    if moment.kind == "rest" and line.macro in ("relax", "rest") and not told:
        return Level.ON_THE_BEAT
    return _LEAVES.get(line.macro, never)
