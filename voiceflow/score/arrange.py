"""Arranging: a plan and its cues become a score, to the millisecond.

In: moments, each laid out by itself. Out: all of their events at absolute times, with the glue set
so that the session is as long as it shall be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from voiceflow.core.errors import TimingError
from voiceflow.core.units import GRID_MS, clock, snap_up
from voiceflow.plan.cues import CueSheet
from voiceflow.plan.moments import Plan
from voiceflow.plan.timing import LONGEST_MS
from voiceflow.score.laid import Laid, SettledRest, Signals, Unsaid, Voicing
from voiceflow.score.lay_moments import MomentLayout
from voiceflow.score.lay_rests import settle_rests
from voiceflow.score.score import Chapter, Event, Score

QUIET_MS = 2_000
LEAD_MS = 240
TAIL_MS = 720


@dataclass(frozen=True, slots=True)
class Arranged:
    """A score, or what it still needs: `missing` are texts, as spoken, whose length is unknown."""

    score: Score | None
    missing: frozenset[str] = frozenset()
    starts: tuple[int, ...] = ()
    natural_ms: int = 0
    shrink_ms: int = 0
    stretch_ms: int = 0
    unsaid: tuple[Unsaid, ...] = ()
    rests: tuple[SettledRest, ...] = ()


def arrange(
    plan: Plan,
    cue_sheet: CueSheet,
    voicing: Voicing,
    signals: Signals,
    *,
    voice: str = "",
    pace: str = "",
    target_ms: int | None = None,
    bounded: bool = True,
) -> Arranged:
    """The score of a plan, or the texts whose lengths it needs first.

    Parameters
    ----------
    target_ms : int > 0, optional
        The length wanted: glue is set to reach it, to the grid.
    bounded : bool
        Whether a length of more than six hours is an error: not while it is still to be fitted.

    Raises
    ------
    TimingError
        The glue does not reach `target_ms`, or it would be longer than six hours.
    """
    layout = MomentLayout(plan, cue_sheet, voicing, signals)
    # First, because the work before and after a short rest says what has no room in it.
    settled = settle_rests(plan, cue_sheet, layout)
    laid = layout.lay(settled)
    natural = sum(one.length for one in laid) + LEAD_MS + TAIL_MS
    shrink, stretch = sum(one.shrink for one in laid), sum(one.stretch for one in laid)
    if bounded and natural > LONGEST_MS:
        raise TimingError(f"the session would last {clock(natural)}", hint="six hours at most")
    told: dict[str, Any] = {"natural_ms": natural, "shrink_ms": shrink, "stretch_ms": stretch}
    if layout.missing:
        return Arranged(None, frozenset(layout.missing), **told)
    if target_ms is not None:
        _set_glue(laid, target_ms - natural)
    events, starts, end = _place(laid)
    events = _wake(events, signals)
    length = snap_up(end + TAIL_MS)
    chapters = _chapters(plan, cue_sheet, starts, length)
    session = plan.session
    score = Score(
        title=session.title,
        about=session.about.versions[0] if session.about else "",
        language=session.language,
        voice=voice,
        pace=pace,
        tones=plan.pacing.tones,
        events=tuple(events),
        chapters=chapters,
        length_ms=length,
    )
    unsaid = tuple(layout.unsaid)
    return Arranged(score, starts=tuple(starts), unsaid=unsaid, rests=settled.rests, **told)


def _set_glue(laid: Sequence[Laid], delta: int) -> None:
    """Stretches or shrinks the glue by `delta` milliseconds in all, in proportion, on the grid."""
    room = [one.stretch if delta > 0 else one.shrink for one in laid]
    total = sum(room)
    if abs(delta) > total + GRID_MS:
        raise TimingError("the length cannot be reached", hint="ask for a little more or less")
    # The running sum is rounded, not each share: so the steps given add up to just `steps`.
    steps = round(abs(delta) / GRID_MS)
    sign = 1 if delta > 0 else -1
    given = spent = 0
    for one, part in zip(laid, room, strict=True):
        spent += part
        due = round(steps * spent / total) if total else 0
        one.length += sign * (due - given) * GRID_MS
        given = due


def _place(laid: Iterable[Laid]) -> tuple[list[Event], list[int], int]:
    """All events at absolute times, in order; the start of each moment; the end of the last."""
    events: list[Event] = []
    starts: list[int] = []
    at = LEAD_MS
    for one in laid:
        starts.append(at)
        events.extend(event.later(at) for event in one.events)
        # Every moment starts on the grid: an event off it cannot be stitched.
        at += snap_up(one.length)
    events.sort(key=lambda event: (event.start_ms, event.kind != "tone"))
    last = max((event.end_ms for event in events), default=at)
    return events, starts, max(at, last)


def _wake(events: Sequence[Event], signals: Signals) -> list[Event]:
    """A soft tone before speech after a long quiet: it wakes the ear, and the Bluetooth link."""
    length = signals.length_ms("wake") if signals.has("wake") else 0
    if not length:
        return list(events)
    spoken = {event.start_ms for event in events if event.kind == "speech"}
    woken: list[Event] = []
    before = end = at = 0
    for event in events:
        if event.start_ms > at or not woken:
            # A breath tone that begins with the word does not wake anybody in time.
            before, at = end, event.start_ms
            if at in spoken and at - before > QUIET_MS:
                start = at - snap_up(length)
                kind = signals.kind("wake")
                wake = replace(event, kind=kind, start_ms=start, length_ms=length, name="wake")
                woken.append(replace(wake, spoken=""))
        woken.append(event)
        end = max(end, event.end_ms)
    return woken


def _chapters(
    plan: Plan, cue_sheet: CueSheet, starts: Sequence[int], length: int
) -> tuple[Chapter, ...]:
    # The first chapter starts at 0, with the lead before the first moment.
    marks = [(title or cue_sheet.closing, 0 if not n else starts[n]) for title, n in plan.chapters]
    ends = [start for _, start in marks[1:]] + [length]
    return tuple(
        Chapter(title, start, end) for (title, start), end in zip(marks, ends, strict=True)
    )
