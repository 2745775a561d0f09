"""Lays out each moment by itself: its words, tones and counts, relative to its start.

Speech never bends the breath: in a phase the richest text that fits is taken, else a shorter
one, else the tone speaks alone. What is not yet known of a clip's length is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from voiceflow.core.units import snap_up
from voiceflow.plan.cues import Cue, CueSheet
from voiceflow.plan.moments import Moment, Plan
from voiceflow.plan.rests import Level
from voiceflow.score.laid import Ahead, Laid, Settled, Signals, Unsaid, Voicing
from voiceflow.score.score import Event, EventKind

# Speech ends so long before its phase does; between phases a piece can then be cut.
SPARE_MS = 200
COUNT_SPARE_MS = 144
TONE_GAP_MS = 72
LEAST_TONE_MS = 120
LONGEST_TONE_MS = 288_000
# Tips in an interval: where they begin, as shares of it. In a shorter one there is no room.
TIP_PLACES = (0.25, 0.65)
LEAST_TIP_WORK_MS = 15_000


class MomentLayout:
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

    def lay(self, settled: Settled) -> list[Laid]:
        """All moments, with those of the rests as they were settled."""
        laid: list[Laid] = []
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
            if index in settled.laid:
                laid.append(settled.laid[index])
            elif moment.kind == "work":
                named = cues[index].named if index in settled.named else ""
                laid.append(self._work(moment, cues[index], settled.ahead.get(index, ()), named))
            else:
                if moment.kind == "silence" and index - 1 not in settled.laid:
                    self._begin_silence(index, laid)
                laid.append(self.spoken(index))
            index += 1
        return laid

    def _begin_silence(self, index: int, laid: Sequence[Laid]) -> None:
        """Lets a silence begin where the words or the bell before it end.

        Their air is part of it: it is heard as no more than what is written.
        """
        before, cue = self.plan.moments[index - 1], self.cue_sheet.cues[index]
        last = max((event.end_ms for event in laid[-1].events), default=0) if laid else 0
        air = self.air(before)
        # A silence with words of its own keeps them apart from those before; a pause to get into
        # place, or the rest of a box, is no air.
        if not last or cue.sentences or before.box or laid[-1].length > snap_up(last + air):
            return
        # What is shorter than the air does not part the words on either side by itself.
        kept = max(0, air - self.plan.moments[index].least_ms)
        laid[-1].length = max(snap_up(last + kept), before.least_ms)

    # Lengths

    def length(self, exercise: int, text: str) -> int:
        """Milliseconds of `text` as the voice says it in an exercise (-1: in the session)."""
        return self._length(exercise, text)[1]

    def _length(self, exercise: int, text: str) -> tuple[str, int]:
        """`text` as spoken, and its length; a guess, noted as missing, where it is not known."""
        own = self.plan.bouts[exercise].exercise if exercise >= 0 else None
        spoken = self.voicing.spelled(own, text)
        known = self.voicing.length(spoken)
        if known is None:
            self.missing.add(spoken)
            return spoken, self.voicing.guess(text)
        return spoken, known

    def air(self, moment: Moment) -> int:
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

    def spoken(self, index: int, level: Level = Level.ALL, beats: int | None = None) -> Laid:
        """A moment that waits for its words; in a short rest with those that `level` leaves.

        Parameters
        ----------
        beats : int >= 0, optional
            How many of its last beats are counted, if not all.
        """
        moment, cue = self.plan.moments[index], self.cue_sheet.cues[index]
        air = self.air(moment)
        gap, after = max(snap_up(air * 1.6), 240), max(moment.after_ms, air)
        if level > Level.ALL:
            gap = after = air
        events: list[Event] = []
        at = 0
        signal = self._signal(moment, moment.signal, 0)
        if signal and moment.kind != "end":
            events.append(signal)
            at = snap_up(signal.end_ms + air)
        for sentence in cue.at(level):
            event = self._speech(moment, at, sentence)
            events.append(event)
            at = snap_up(event.end_ms + gap)
        last = events[-1].end_ms if events else 0
        end = snap_up(last + after) if events else 0
        if signal and moment.kind == "end":
            events.append(replace(signal, start_ms=end))
            end += snap_up(signal.length_ms)
        counts = cue.counts if beats is None else cue.counts[len(cue.counts) - beats :]
        if counts:
            end = self._count(
                moment, counts, events, end, snap_up(end) + moment.beat_ms * len(counts)
            )
        length = max(end, moment.least_ms)
        # Only quiet shrinks, never words; and no pause before a count, whose beats lead to the end.
        least = end if cue.counts or not events else snap_up(events[-1].end_ms + air)
        shrink = max(0, min(moment.shrink_ms, length - least))
        return Laid(length, events, moment.stretch_ms, shrink, end)

    def _count(
        self, moment: Moment, numbers: Sequence[str], events: list[Event], free: int, end: int
    ) -> int:
        """Counts a beat apart, the last a beat before `end`: those that fit after `free`."""
        placed = []
        spare = max(COUNT_SPARE_MS, self.air(moment))
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

    def _work(self, moment: Moment, cue: Cue, ahead: Ahead, named: str) -> Laid:
        """An interval. Beside a rest without room for words it says `ahead` at its end what comes
        next, and begins with its name, `named`, in place of "Go".
        """
        length, air = moment.least_ms, self.air(moment)
        events, counted = self._begun_and_counted(moment, cue, named)
        free = events[-1].end_ms if events else 0
        counted[:0] = self._ahead(moment, ahead, events, counted)
        before = counted[0].start_ms if counted else length
        if cue.halfway:
            half = self._speech(moment, snap_up(length // 2), cue.halfway)
            if half.start_ms >= free + air and half.end_ms + air <= before:
                events.append(half)
        events.extend(self._work_tips(moment, (*events, *counted), length))
        return Laid(length, sorted((*events, *counted), key=lambda event: event.start_ms))

    def _begun_and_counted(
        self, moment: Moment, cue: Cue, named: str
    ) -> tuple[list[Event], list[Event]]:
        """What an interval begins with, and the counts at its end."""
        length, air = moment.least_ms, self.air(moment)
        events: list[Event] = []
        for text in (named, *cue.versions) if named else cue.versions:
            event = self._speech(moment, 0, text)
            if event.end_ms + max(SPARE_MS, air) <= length:
                events.append(event)
                break
        counted: list[Event] = []
        free = events[-1].end_ms if events else 0
        self._count(moment, cue.counts, counted, snap_up(free + air), length)
        return events, counted

    def fitting_ahead(self, index: int, options: Iterable[Ahead], named: str) -> Ahead:
        """The first of `options` that the end of the interval at `index` has room for, or ()."""
        moment, cue = self.plan.moments[index], self.cue_sheet.cues[index]
        events, counted = self._begun_and_counted(moment, cue, named)
        return next((one for one in options if self._ahead(moment, one, events, counted)), ())

    def _ahead(
        self, moment: Moment, told: Ahead, begun: Sequence[Event], counted: Sequence[Event]
    ) -> list[Event]:
        """`told` as late before the counts as it can be said; nothing where it does not fit."""
        air, length = self.air(moment), moment.least_ms
        free = snap_up((begun[-1].end_ms if begun else 0) + air)
        if any(self.plan.moments[owner] is not moment for owner, _ in told):
            # What teaches the next work takes no more than half of this one.
            free = max(free, snap_up(length // 2))
        at = counted[0].start_ms if counted else length
        events: list[Event] = []
        for owner, text in reversed(told):
            # Spelled as its own exercise asks for, and heard in this moment.
            spoken, lasts = self._length(self.plan.moments[owner].exercise, text)
            at -= snap_up(lasts + max(SPARE_MS, air))
            events.insert(0, self._event(moment, "speech", at, lasts, text, spoken))
        return events if at >= free else []

    def _work_tips(self, moment: Moment, taken: Sequence[Event], length: int) -> list[Event]:
        """Tips a quarter and two thirds into an interval, where nothing else is said."""
        said: list[Event] = []
        for share in TIP_PLACES:
            tips = self.tips[moment.exercise]
            if not tips or length < LEAST_TIP_WORK_MS:
                break
            event = self._speech(moment, snap_up(length * share), tips[0])
            air = max(self.air(moment), SPARE_MS)
            clear = all(
                event.end_ms + air <= one.start_ms or one.end_ms + air <= event.start_ms
                for one in (*taken, *said)
            )
            if clear and event.end_ms + air <= length:
                said.append(event)
                tips.pop(0)
        return said

    def _repetition(self, start: int, end: int) -> list[Laid]:
        """The phases of one repetition: their texts, then a tip where there is room."""
        moments = self.plan.moments[start:end]
        laid = [self._phase(start + n, moment) for n, moment in enumerate(moments)]
        first = moments[0]
        bout = self.plan.bouts[first.exercise]
        quiet = first.richness == "brief" and first.announces in ((), ("alternate",))
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

    def _phase(self, index: int, moment: Moment) -> Laid:
        length, cue = moment.least_ms, self.cue_sheet.cues[index]
        laid = Laid(length)
        name = moment.breath or ""
        tone = min(length - TONE_GAP_MS, LONGEST_TONE_MS)
        if tone >= LEAST_TONE_MS and self.signals.has(name):
            laid.events.append(self._event(moment, "tone", 0, tone, name))
        spare = max(SPARE_MS, self.air(moment))
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

    def _tip(self, moments: Sequence[Moment], laid: Sequence[Laid], tip: str) -> bool:
        """Says `tip` after a phase's own words, or in their stead in the longest phase."""
        best: tuple[int, int, int] | None = None
        for n, (moment, one) in enumerate(zip(moments, laid, strict=True)):
            if self._counted(moment):
                continue
            speech = [event for event in one.events if event.kind == "speech"]
            air = max(self.air(moment), SPARE_MS)
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
        # In the only repetition, the script's own cue would not be heard at all.
        once = self.plan.bouts[moments[0].exercise].reps == 1
        return not once and self._tip_alone(moments, laid, tip)

    def _tip_alone(self, moments: Sequence[Moment], laid: Sequence[Laid], tip: str) -> bool:
        # A side that is just being named is not passed over.
        begin = 1 if moments[0].announces else 0
        free = [n for n in range(begin, len(moments)) if not self._counted(moments[n])]
        if not free:
            return False
        n = max(free, key=lambda one: moments[one].least_ms)
        moment = moments[n]
        if not self.signals.has(moment.breath or ""):
            return False  # without a tone, the breath word is all that tells the breath
        event = self._speech(moment, 0, tip)
        if event.length_ms > moment.least_ms - max(self.air(moment), SPARE_MS):
            return False
        laid[n].events[:] = [e for e in laid[n].events if e.kind != "speech"] + [event]
        return True

    @staticmethod
    def _counted(moment: Moment) -> bool:
        return moment.count > 0
