"""Parts: each chapter of a score with its events, and what the plan knows of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from voiceflow.core.units import clock
from voiceflow.draw.breath import Breath, breaths
from voiceflow.draw.text import clean
from voiceflow.plan.moments import Bout, Moment, Plan
from voiceflow.score.score import Chapter, Event, Score

EFFORTS = ("easy", "moderate", "hard")


@dataclass(frozen=True, slots=True)
class Part:
    """One chapter.

    Attributes
    ----------
    position : str
        A key such as ``supine``; "" where there is no plan, or no exercise.
    place : str
        The words for it, in the language of the session.
    dose : str
        How much: ``8 ×``, ``3 sets of 8 ×``, ``40 s``; "" for what is not counted.
    sides : tuple of (str, str)
        Sides worked, in order: key and word.
    effort : int
        1 easy to 3 hard; 0 not known.
    """

    title: str
    start_ms: int
    end_ms: int
    events: tuple[Event, ...]
    breaths: tuple[Breath, ...] = ()
    position: str = ""
    place: str = ""
    dose: str = ""
    sides: tuple[tuple[str, str], ...] = ()
    effort: int = 0

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms

    def side(self, key: str | None) -> str:
        """The word for a side."""
        return dict(self.sides).get(key or "", key or "")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A run of events of one kind of moment, up to the next kind or the end of the part."""

    moment: str
    start_ms: int
    end_ms: int


def parts(score: Score, plan: Plan | None = None) -> tuple[Part, ...]:
    """The chapters of `score`, in order, each with its events and what `plan` adds."""
    chapters = score.chapters or (Chapter(score.title, 0, score.length_ms),)
    known = plan if plan is not None and len(plan.chapters) == len(chapters) else None
    words = _side_words(known)
    shared = _shared(score.events, chapters)
    return tuple(
        _part(chapter, events, known, number, words)
        for number, (chapter, events) in enumerate(zip(chapters, shared, strict=True))
    )


def stretches(part: Part) -> Iterator[Stretch]:
    """The runs of moments in a part."""
    begun: Event | None = None
    for event in part.events:
        # What wakes the ear sounds before its moment.
        if event.name == "wake" and event.kind != "speech":
            continue
        if begun is not None and event.moment != begun.moment:
            yield Stretch(begun.moment, begun.start_ms, event.start_ms)
        if begun is None or event.moment != begun.moment:
            begun = event
    if begun is not None:
        yield Stretch(begun.moment, begun.start_ms, max(part.end_ms, begun.start_ms))


def summary(score: Score) -> str:
    """Length, pace and voice in a line."""
    facts = [clock(score.length_ms)]
    facts += [
        f"{name} {clean(value)}"
        for name, value in (("pace", score.pace), ("voice", score.voice))
        if value
    ]
    return " · ".join(facts)


def _shared(events: Sequence[Event], chapters: Sequence[Chapter]) -> list[tuple[Event, ...]]:
    """The events that start in each chapter; what starts after the last belongs to the last."""
    shared: list[list[Event]] = [[] for _ in chapters]
    at = 0
    for event in events:
        while at + 1 < len(chapters) and event.start_ms >= chapters[at + 1].start_ms:
            at += 1
        shared[at].append(event)
    return [tuple(some) for some in shared]


def _part(
    chapter: Chapter,
    events: tuple[Event, ...],
    plan: Plan | None,
    number: int,
    words: dict[str, str],
) -> Part:
    keys = dict.fromkeys(event.side for event in events if event.side)
    part = Part(
        title=clean(chapter.title),
        start_ms=chapter.start_ms,
        end_ms=chapter.end_ms,
        events=events,
        breaths=breaths(events),
        sides=tuple((key, words.get(key, clean(key))) for key in keys),
    )
    moments = _moments(plan, number)
    bout = _bout(plan, moments)
    if bout is None:
        reps = max((event.rep or 0 for event in events), default=0)
        return replace(part, dose=f"{reps} ×" if reps else "")
    place = next((str(dict(m.context).get("position", "")) for m in moments if m.exercise >= 0), "")
    effort = bout.exercise.effort
    return replace(
        part,
        position=bout.exercise.position,
        place=clean(place),
        dose=_dose(bout),
        effort=EFFORTS.index(effort) + 1 if effort in EFFORTS else 0,
    )


def _moments(plan: Plan | None, number: int) -> tuple[Moment, ...]:
    if plan is None:
        return ()
    starts = [start for _, start in plan.chapters] + [len(plan.moments)]
    return plan.moments[starts[number] : starts[number + 1]]


def _bout(plan: Plan | None, moments: Sequence[Moment]) -> Bout | None:
    if plan is None:
        return None
    index = next((moment.exercise for moment in moments if moment.exercise >= 0), -1)
    return plan.bouts[index] if index >= 0 else None


def _dose(bout: Bout) -> str:
    exercise = bout.exercise
    if exercise.work_s is not None:
        once = f"{exercise.work_s:g} s"
    elif exercise.rep:
        once = f"{bout.reps} ×"
    else:
        return ""
    return f"{bout.sets} sets of {once}" if bout.sets > 1 else once


def _side_words(plan: Plan | None) -> dict[str, str]:
    """The words for the sides, as the templates were given them."""
    words: dict[str, str] = {}
    for moment in plan.moments if plan is not None else ():
        if moment.side and moment.side not in words:
            words[moment.side] = clean(str(dict(moment.context).get("side") or moment.side))
    return words
