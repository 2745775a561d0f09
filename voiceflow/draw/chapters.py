"""Each chapter of a score, ready to be drawn.

Takes a score and its plan (optional), and returns a view of each chapter: its events, its breath,
and what the plan knows about its exercise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from voiceflow.core.units import clock
from voiceflow.draw.breath import Breath, breaths
from voiceflow.draw.text import clean
from voiceflow.plan.moments import Bout, Moment, Plan
from voiceflow.score.score import Chapter, Event, Score
from voiceflow.script.models import EFFORTS


@dataclass(frozen=True, slots=True)
class ChapterView:
    """One chapter of the score, with what a picture shows of it.

    Attributes
    ----------
    position : str
        A key such as ``supine``; "" without a plan or an exercise.
    place : str
        The position in words, in the language of the session.
    dose : str
        How much is done: ``8 ×``, ``3 sets of 8 ×``, ``40 s``; "" if it is not counted.
    sides : tuple of (str, str)
        The sides that work, in order: key and word.
    effort : int
        1 easy to 3 hard; 0 if not known.
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

    @property
    def work(self) -> str:
        """Dose and sides in a line: ``8 × · right + left``."""
        sides = " + ".join(word for _, word in self.sides)
        return " · ".join(filter(None, (self.dose, sides)))

    def side(self, key: str | None) -> str:
        """The word for a side."""
        return dict(self.sides).get(key or "", key or "")


@dataclass(frozen=True, slots=True)
class MomentRun:
    """The time of one kind of moment, up to the next kind or the end of the chapter."""

    moment: str
    start_ms: int
    end_ms: int


def chapter_views(score: Score, plan: Plan | None = None) -> tuple[ChapterView, ...]:
    """The chapters of `score`, in order; one for the whole if the score has none."""
    chapters = score.chapters or (Chapter(score.title, 0, score.length_ms),)
    # A plan with another number of chapters is not the one that this score was arranged from.
    known = plan if plan is not None and len(plan.chapters) == len(chapters) else None
    words = _side_words(known)
    shared = _shared(score.events, chapters)
    return tuple(
        _view(chapter, events, known, number, words)
        for number, (chapter, events) in enumerate(zip(chapters, shared, strict=True))
    )


def moment_runs(view: ChapterView) -> Iterator[MomentRun]:
    """The kinds of moments in a chapter, in order."""
    begun: Event | None = None
    for event in view.events:
        # A wake tone sounds before the moment that it belongs to.
        if event.name == "wake" and event.kind != "speech":
            continue
        if begun is not None and event.moment != begun.moment:
            yield MomentRun(begun.moment, begun.start_ms, event.start_ms)
        if begun is None or event.moment != begun.moment:
            begun = event
    if begun is not None:
        # The last chapter also has the events that begin after its end.
        yield MomentRun(begun.moment, begun.start_ms, max(view.end_ms, begun.start_ms))


def summary(score: Score) -> str:
    """Length, pace and voice of a session, in one line."""
    facts = [clock(score.length_ms)]
    facts += [
        f"{name} {clean(value)}"
        for name, value in (("pace", score.pace), ("voice", score.voice))
        if value
    ]
    return " · ".join(facts)


def _shared(events: Sequence[Event], chapters: Sequence[Chapter]) -> list[tuple[Event, ...]]:
    """The events that start in each chapter; any after the last chapter belong to it."""
    shared: list[list[Event]] = [[] for _ in chapters]
    at = 0
    for event in events:
        while at + 1 < len(chapters) and event.start_ms >= chapters[at + 1].start_ms:
            at += 1
        shared[at].append(event)
    return [tuple(some) for some in shared]


def _view(
    chapter: Chapter,
    events: tuple[Event, ...],
    plan: Plan | None,
    number: int,
    words: dict[str, str],
) -> ChapterView:
    # A dict, as a set would lose the order in which the sides work.
    keys = dict.fromkeys(event.side for event in events if event.side)
    view = ChapterView(
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
        # A score by itself tells of no sets and no seconds.
        reps = max((event.rep or 0 for event in events), default=0)
        return replace(view, dose=f"{reps} ×" if reps else "")
    # As the texts were given it: in the language of the session.
    place = next((str(dict(m.context).get("position", "")) for m in moments if m.exercise >= 0), "")
    effort = bout.exercise.effort
    return replace(
        view,
        position=bout.exercise.position,
        place=clean(place),
        dose=_dose(bout),
        effort=EFFORTS.index(effort) + 1 if effort in EFFORTS else 0,
    )


def _moments(plan: Plan | None, number: int) -> tuple[Moment, ...]:
    """The plan's moments in a chapter."""
    if plan is None:
        return ()
    starts = [start for _, start in plan.chapters] + [len(plan.moments)]
    return plan.moments[starts[number] : starts[number + 1]]


def _bout(plan: Plan | None, moments: Sequence[Moment]) -> Bout | None:
    """The first exercise among `moments`."""
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
    """The word for each side, as the templates were given it."""
    words: dict[str, str] = {}
    for moment in plan.moments if plan is not None else ():
        if moment.side and moment.side not in words:
            words[moment.side] = clean(str(dict(moment.context).get("side") or moment.side))
    return words
