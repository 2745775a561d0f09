"""Arranging: moments and their clips become a score, to the millisecond.

Speech never bends the breath: in a phase the richest text that fits is taken, else a shorter
one, else the tone speaks alone. What is not yet known of a clip's length is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from voiceflow.core.errors import TimingError
from voiceflow.core.units import GRID_MS, clock, snap_up
from voiceflow.plan.cues import Cue, CueSheet
from voiceflow.plan.moments import Moment, Plan
from voiceflow.plan.timing import LONGEST_MS
from voiceflow.score.score import Chapter, Event, EventKind, Score
from voiceflow.script.models import Exercise

# Speech ends so long before its phase does; between phases a piece can then be cut.
SPARE_MS = 200
COUNT_SPARE_MS = 144
TONE_GAP_MS = 72
QUIET_LEFT_MS = 480
LEAST_TONE_MS = 120
LONGEST_TONE_MS = 288_000
QUIET_MS = 2_000
LEAD_MS = 240
TAIL_MS = 720


class Signals(Protocol):
    """What the score must know of a tone set: lengths, not sound."""

    def has(self, name: str) -> bool: ...

    def kind(self, name: str) -> Literal["tone", "sample"]: ...

    def length_ms(self, signal: str) -> int: ...


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


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A text that did not fit its phase: `needs_ms` of speech in `has_ms` of breath."""

    moment: int
    text: str
    needs_ms: int
    has_ms: int
    said: str


@dataclass(slots=True)
class _Laid:
    """One moment laid out: its events relative to its start, and how it gives."""

    length: int
    events: list[Event] = field(default_factory=list)
    stretch: int = 0
    shrink: int = 0
    words: int = 0


@dataclass(frozen=True, slots=True)
class Voicing:
    """How texts become clips: what the voice is given, and how long that lasts.

    Attributes
    ----------
    spelled : callable (exercise or None, text) -> str
        The text as the voice is given it (pronunciations applied).
    length : callable (text as spelled) -> int or None
        Milliseconds of its clip; None where that is not known.
    guess : callable (text) -> int
        A length for one that is not known.
    """

    spelled: Callable[[Exercise | None, str], str]
    length: Callable[[str], int | None]
    guess: Callable[[str], int]


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
    arranger = _Arranger(plan, cue_sheet, voicing, signals)
    laid = arranger.lay()
    natural = sum(one.length for one in laid) + LEAD_MS + TAIL_MS
    shrink, stretch = sum(one.shrink for one in laid), sum(one.stretch for one in laid)
    if bounded and natural > LONGEST_MS:
        raise TimingError(f"the session would last {clock(natural)}", hint="six hours at most")
    told: dict[str, Any] = {"natural_ms": natural, "shrink_ms": shrink, "stretch_ms": stretch}
    if arranger.missing:
        return Arranged(None, frozenset(arranger.missing), **told)
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
    return Arranged(score, starts=tuple(starts), unsaid=tuple(arranger.unsaid), **told)


class _Arranger:
    """Lays out each moment by itself."""

    def __init__(self, plan: Plan, cue_sheet: CueSheet, voicing: Voicing, signals: Signals) -> None:
        self.plan, self.cue_sheet, self.voicing, self.signals = plan, cue_sheet, voicing, signals
        self.missing: set[str] = set()
        self.unsaid: list[Unsaid] = []
        # An exercise that comes again goes on with the tips not said yet.
        shared: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        self.tips = [
            shared.setdefault((bout.exercise.slug, tips), list(tips))
            for bout, tips in zip(plan.bouts, cue_sheet.tips, strict=True)
        ]
        self._tip_group: dict[int, int] = {}

    def lay(self) -> list[_Laid]:
        laid: list[_Laid] = []
        moments, cues = self.plan.moments, self.cue_sheet.cues
        index = 0
        while index < len(moments):
            moment = moments[index]
            if moment.kind == "phase":
                end = index + 1
                while end < len(moments) and moments[end].group == moment.group:
                    end += 1
                laid.extend(self._repetition(index, end))
                index = end
                continue
            lay = self._work if moment.kind == "work" else self._spoken
            laid.append(lay(moment, cues[index]))
            index += 1
        # Last, because a rest gives up the time of words that come after it.
        _close_rests(moments, laid, self._air)
        return laid

    # Lengths

    def _length(self, exercise: int, text: str) -> tuple[str, int]:
        """`text` as spoken, and its length; a guess, noted as missing, where it is not known."""
        own = self.plan.bouts[exercise].exercise if exercise >= 0 else None
        spoken = self.voicing.spelled(own, text)
        known = self.voicing.length(spoken)
        if known is None:
            self.missing.add(spoken)
            return spoken, self.voicing.guess(text)
        return spoken, known

    def _air(self, moment: Moment) -> int:
        pacing = (
            self.plan.bouts[moment.exercise].pacing if moment.exercise >= 0 else self.plan.pacing
        )
        return snap_up(pacing.air * 1000)

    def _event(
        self, moment: Moment, kind: EventKind, at: int, length: int, name: str, spoken: str = ""
    ) -> Event:
        bout = self.plan.bouts[moment.exercise] if moment.exercise >= 0 else None
        return Event(
            kind,
            at,
            length,
            name,
            spoken,
            moment.kind,
            bout.exercise.name if bout else None,
            moment.side,
            moment.rep,
            moment.breath,
        )

    def _speech(self, moment: Moment, at: int, text: str) -> Event:
        spoken, length = self._length(moment.exercise, text)
        return self._event(moment, "speech", at, length, text, spoken)

    def _signal(self, moment: Moment, name: str, at: int) -> Event | None:
        length = self.signals.length_ms(name) if name and self.signals.has(name) else 0
        return self._event(moment, self.signals.kind(name), at, length, name) if length else None

    # Moments that wait for their words

    def _spoken(self, moment: Moment, cue: Cue) -> _Laid:
        air = self._air(moment)
        gap = max(snap_up(air * 1.6), 240)
        events: list[Event] = []
        at = 0
        signal = self._signal(moment, moment.signal, 0)
        if signal and moment.kind != "end":
            events.append(signal)
            at = snap_up(signal.end_ms + air)
        for sentence in cue.sentences:
            event = self._speech(moment, at, sentence)
            events.append(event)
            at = snap_up(event.end_ms + gap)
        last = events[-1].end_ms if events else 0
        end = snap_up(last + max(moment.after_ms, air)) if events else 0
        if signal and moment.kind == "end":
            events.append(replace(signal, start_ms=end))
            end += snap_up(signal.length_ms)
        if cue.counts:
            end = self._count(
                moment, cue.counts, events, end, snap_up(end) + moment.beat_ms * len(cue.counts)
            )
        length = max(end, moment.least_ms)
        # Only quiet shrinks, never words.
        shrink = max(0, min(moment.shrink_ms, length - end))
        return _Laid(length, events, moment.stretch_ms, shrink, end)

    def _count(
        self, moment: Moment, numbers: Sequence[str], events: list[Event], free: int, end: int
    ) -> int:
        """Counts a beat apart, the last a beat before `end`: those that fit after `free`."""
        placed = []
        spare = max(COUNT_SPARE_MS, self._air(moment))
        # From the end back: where room is short the first numbers go, the last lead to the change.
        for step, text in enumerate(reversed(numbers), 1):
            at = end - step * moment.beat_ms
            event = self._speech(moment, at, text)
            if at < free or event.length_ms + spare > moment.beat_ms:
                break
            placed.append(event)
        if len(placed) > 1 or len(numbers) == 1:  # "one" alone counts nothing
            events.extend(reversed(placed))
        return end

    # Boxes

    def _work(self, moment: Moment, cue: Cue) -> _Laid:
        length, air = moment.least_ms, self._air(moment)
        events: list[Event] = []
        for text in cue.versions:
            event = self._speech(moment, 0, text)
            if event.end_ms + max(SPARE_MS, air) <= length:
                events.append(event)
                break
        free = events[-1].end_ms if events else 0
        counted: list[Event] = []
        self._count(moment, cue.counts, counted, snap_up(free + air), length)
        before = counted[0].start_ms if counted else length
        if cue.halfway:
            half = self._speech(moment, snap_up(length // 2), cue.halfway)
            if half.start_ms >= free + air and half.end_ms + air <= before:
                events.append(half)
        events.extend(self._work_tips(moment, (*events, *counted), length))
        return _Laid(length, sorted((*events, *counted), key=lambda event: event.start_ms))

    def _work_tips(self, moment: Moment, taken: Sequence[Event], length: int) -> list[Event]:
        """Tips a quarter and two thirds into an interval, where nothing else is said."""
        said: list[Event] = []
        for share in (0.25, 0.65):
            tips = self.tips[moment.exercise]
            if not tips or length < 15_000:
                break
            event = self._speech(moment, snap_up(length * share), tips[0])
            air = max(self._air(moment), SPARE_MS)
            clear = all(
                event.end_ms + air <= one.start_ms or one.end_ms + air <= event.start_ms
                for one in (*taken, *said)
            )
            if clear and event.end_ms + air <= length:
                said.append(event)
                tips.pop(0)
        return said

    def _repetition(self, start: int, end: int) -> list[_Laid]:
        """The phases of one repetition: their texts, then a tip where there is room."""
        moments = self.plan.moments[start:end]
        laid = [self._phase(start + n, moment) for n, moment in enumerate(moments)]
        first = moments[0]
        bout = self.plan.bouts[first.exercise]
        quiet = first.richness == "brief" and first.prefix in ("", "alternate")
        # Tips are never in neighbouring repetitions; -2 is before any group.
        rested = first.group > self._tip_group.get(first.exercise, -2) + 1
        if quiet and rested and first.rep is not None:
            tips = self.tips[first.exercise]
            for tip in tuple(tips):
                true_here = tip not in self.cue_sheet.sided or first.side == bout.exercise.first
                if true_here and self._tip(moments, laid, tip):
                    tips.remove(tip)
                    self._tip_group[first.exercise] = first.group
                    break
        return laid

    def _phase(self, index: int, moment: Moment) -> _Laid:
        length, cue = moment.least_ms, self.cue_sheet.cues[index]
        laid = _Laid(length)
        name = moment.breath or ""
        tone = min(length - TONE_GAP_MS, LONGEST_TONE_MS)
        if tone >= LEAST_TONE_MS and self.signals.has(name):
            laid.events.append(self._event(moment, "tone", 0, tone, name))
        spare = max(SPARE_MS, self._air(moment))
        speech = self._choose(index, moment, cue.versions, length - spare)
        if speech is not None:
            laid.events.append(speech)
        if cue.counts:
            free = snap_up(speech.end_ms + spare) if speech else 0
            self._count(moment, cue.counts, laid.events, free, length)
        return laid

    def _choose(
        self, index: int, moment: Moment, versions: Sequence[str], room: int
    ) -> Event | None:
        """The richest version that fits `room`; a version not known yet is asked for first."""
        missed: list[tuple[str, int]] = []
        chosen: Event | None = None
        for text in versions:
            event = self._speech(moment, 0, text)
            unknown = event.spoken in self.missing
            if event.length_ms <= room:
                chosen = event
                # A guess near the edge may turn out too long: ask for the next version at once.
                if not unknown or event.length_ms <= room * 0.75:
                    break
            # That a guess does not fit proves nothing yet.
            elif not unknown:
                missed.append((text, event.length_ms))
        said = chosen.name if chosen else ""
        self.unsaid.extend(Unsaid(index, text, needs, room, said) for text, needs in missed)
        return chosen

    def _tip(self, moments: Sequence[Moment], laid: Sequence[_Laid], tip: str) -> bool:
        """Says `tip` after a phase's own words, or in their stead in the longest phase."""
        best: tuple[int, int, int] | None = None
        for n, (moment, one) in enumerate(zip(moments, laid, strict=True)):
            if self._counted(moment):
                continue
            speech = [event for event in one.events if event.kind == "speech"]
            air = max(self._air(moment), SPARE_MS)
            # In a phase without words nothing needs air before the tip: it starts at 0.
            at = snap_up(max((event.end_ms for event in speech), default=-air) + air)
            room = moment.least_ms - air - at
            if best is None or room > best[0]:
                best = (room, n, at)
        if best is None:
            return False
        room, n, at = best
        event = self._speech(moments[n], at, tip)
        if event.length_ms <= room:
            laid[n].events.append(event)
            return True
        return self._tip_alone(moments, laid, tip)

    def _tip_alone(self, moments: Sequence[Moment], laid: Sequence[_Laid], tip: str) -> bool:
        # A side that is just being named is not passed over.
        begin = 1 if moments[0].prefix else 0
        free = [n for n in range(begin, len(moments)) if not self._counted(moments[n])]
        if not free:
            return False
        n = max(free, key=lambda one: moments[one].least_ms)
        moment = moments[n]
        if not self.signals.has(moment.breath or ""):
            return False  # without a tone, the breath word is all that tells the breath
        event = self._speech(moment, 0, tip)
        if event.length_ms > moment.least_ms - max(self._air(moment), SPARE_MS):
            return False
        laid[n].events[:] = [e for e in laid[n].events if e.kind != "speech"] + [event]
        return True

    @staticmethod
    def _counted(moment: Moment) -> bool:
        return moment.count > 0


def _close_rests(
    moments: Sequence[Moment], laid: Sequence[_Laid], air: Callable[[Moment], int]
) -> None:
    """An interval's rest lasts to the next "Go": what is said before it comes out of the rest.

    The quiet that is left stands before the count-in, where the body gets into place.
    """
    for start, moment in enumerate(moments):
        if not moment.until_work:
            continue
        end = start + 1
        while end < len(moments) and moments[end].kind != "work":
            end += 1
        if end == len(moments):
            continue
        laid[start].length = laid[start].words
        # The rest counts from the end of the work, so the words of the finish are part of it.
        first = start - 1 if moments[start - 1].kind == "finish" else start
        left = moment.least_ms - sum(snap_up(one.length) for one in laid[first:end])
        for one in laid[first:end]:
            one.stretch = one.shrink = 0
        quiet = end - 2 if moments[end - 1].kind == "count-in" else end - 1
        rests = laid[max(start, quiet)]
        spoken = max((event.end_ms for event in rests.events), default=0)
        # Where the words need the whole rest, the quiet after them gives way.
        kept = snap_up(spoken + max(QUIET_LEFT_MS, air(moments[max(start, quiet)])))
        rests.length = max(rests.length + left, min(rests.length, kept))


def _set_glue(laid: Sequence[_Laid], delta: int) -> None:
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


def _place(laid: Iterable[_Laid]) -> tuple[list[Event], list[int], int]:
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
