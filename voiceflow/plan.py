"""The plan: a session unrolled into moments, each with its length or its glue, and what it may say.

Time is set like type: a breath phase is a box, whatever speech needs; a spoken moment is as long
as its words and a breath of air; rests are glue with a stretch and a shrink. Nothing is rendered
or measured here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from voiceflow.errors import TimingError
from voiceflow.script.fields import Text
from voiceflow.script.models import Exercise, Section, Session
from voiceflow.script.positions import Positions
from voiceflow.script.steps import Phase, Step
from voiceflow.settings import Layer, Pacing, resolve
from voiceflow.units import snap

Richness = Literal["full", "brief", "word", "none"]

# A spoken breath word needs time to be heard; below this a phase has only its tone.
LEAST_COUNTED_MS = 3_500
LEAST_REMINDED = 5
# Six hours of the shortest breaths have fewer.
MOST_MOMENTS = 100_000
REST_STRETCH, REST_SHRINK = 2.0, 0.5
SILENCE_STRETCH, SILENCE_SHRINK = 1.0, 0.5
# So much quiet a set-up, a change of sides or a finish bears; together they make up for half a
# repetition even where a session has a single exercise.
QUIET_STRETCH_MS, FINISH_STRETCH_MS = 4_992, 9_984


@dataclass(frozen=True, slots=True)
class Line:
    """One thing said: a macro of the phrases, or a script's own text said through it."""

    macro: str
    text: Text | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of the session.

    Attributes
    ----------
    kind : str
        welcome, section, transition, name, set-up, caution, count-in, phase, switch, rest,
        work, silence, finish, farewell, end, bell or say.
    least_ms : int
        Of a box (`box`), its length; else the least length, which words may exceed.
    stretch_ms, shrink_ms : int
        How far glue gives, from `least_ms` up and down.
    after_ms : int
        Quiet after the words of a spoken moment.
    lines : tuple of Line
        Said in order.
    prefix : str
        Macro said before the text of a phase: last, more, halfway or alternate.
    richness : {"full", "brief", "word", "none"}
        From which version of its text a phase begins.
    signal : str
        A signal at its start; "" for none.
    count : int
        How many beats are counted before its end.
    """

    kind: str
    exercise: int = -1
    least_ms: int = 0
    box: bool = False
    stretch_ms: int = 0
    shrink_ms: int = 0
    after_ms: int = 0
    lines: tuple[Line, ...] = ()
    context: tuple[tuple[str, Any], ...] = ()
    breath: str | None = None
    side: str | None = None
    rep: int | None = None
    group: int = -1
    prefix: str = ""
    richness: Richness = "full"
    signal: str = ""
    count: int = 0
    count_up: bool = False
    beat_ms: int = 1000
    halfway: bool = False
    section: int = 0


@dataclass(frozen=True, slots=True)
class Bout:
    """One exercise as it stands in the plan: with its own pacing, and known or new."""

    exercise: Exercise
    pacing: Pacing
    title: str
    section: int
    known: bool = False
    reps: int = 1
    sets: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """A session unrolled. `chapters` are (title, index of the first moment)."""

    session: Session
    pacing: Pacing
    bouts: tuple[Bout, ...]
    moments: tuple[Moment, ...]
    chapters: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person asks of a session, beside its pacing."""

    name: str = ""
    known: tuple[str, ...] = ()
    reps: tuple[tuple[int, int], ...] = ()
    before: tuple[Layer, ...] = ()
    after: tuple[Layer, ...] = ()


def pacing_of(session: Session, wishes: Wishes, exercise: Exercise | None = None) -> Pacing:
    """The pacing of a session, or of one exercise in it."""
    own = (exercise.pacing,) if exercise else ()
    return resolve((*wishes.before, session.pacing, *own, *wishes.after))


def unroll(session: Session, positions: Positions, wishes: Wishes) -> Plan:
    """The plan of `session`.

    Parameters
    ----------
    positions : Positions
        How the body moves between positions, and how long it takes.
    wishes : Wishes
        The person's name, known exercises, chosen repetitions (by bout) and layers of pacing
        under (`before`) and over (`after`) the session's own.
    """
    bouts = tuple(_bouts(session, wishes))
    roll = _Unroller(session, positions, wishes, bouts)
    return Plan(session, roll.pacing, bouts, *roll.run())


def _bouts(session: Session, wishes: Wishes) -> Iterator[Bout]:
    chosen = dict(wishes.reps)
    index = 0
    for number, section in enumerate(session.sections):
        for turn in range(section.rounds):
            for exercise in section.exercises:
                pacing = pacing_of(session, wishes, exercise)
                rounds = f" ({turn + 1}/{section.rounds})" if section.rounds > 1 else ""
                known = turn > 0 or exercise.slug in wishes.known
                count = chosen.get(index, exercise.reps if exercise.rep else exercise.sets)
                if exercise.rep and exercise.sides == "alternate":
                    count += count % 2
                sets = exercise.sets if exercise.rep else count
                reps = count if exercise.rep else 1
                yield Bout(exercise, pacing, exercise.name + rounds, number, known, reps, sets)
                index += 1


class _Unroller:
    """Walks the bouts and lays moments one after another."""

    def __init__(
        self, session: Session, positions: Positions, wishes: Wishes, bouts: Sequence[Bout]
    ) -> None:
        self.session, self.positions, self.bouts = session, positions, bouts
        self.pacing = pacing_of(session, wishes)
        self.name = wishes.name or session.name
        self.moments: list[Moment] = []
        self.chapters: list[tuple[str, int]] = []
        self.at: str | None = None
        self.base: dict[str, Any] = {}
        self.group = 0

    def run(self) -> tuple[tuple[Moment, ...], tuple[tuple[str, int], ...]]:
        self.base = self._session_context()
        self._open()
        for index, bout in enumerate(self.bouts):
            box = self.session.sections[bout.section].box_s
            self._bout(index, bout)
            if box is not None and self._ends_section(index):
                self._time_box(index, box)
            self._between(index)
        self._close()
        return tuple(self.moments), tuple(self.chapters)

    # The session as a whole

    def _session_context(self) -> dict[str, Any]:
        needs = self.session.needs or tuple(
            dict.fromkeys(
                need
                for bout in self.bouts
                for need in (*bout.exercise.needs, *bout.exercise.equipment)
            )
        )
        about = self.session.about.versions[0] if self.session.about else ""
        return {
            "title": self.session.title,
            "name": self.name,
            "about": about,
            "equipment": self.positions.listed(needs),
            "exercises": len({b.exercise.slug for b in self.bouts}),
            "level": self.session.level,
            "exercise": "",
            "next": "",
            "position": "",
            "next_position": "",
            "side": "",
            "other_side": "",
            "sides": "none",
            "rep": 1,
            "reps": 1,
            "left": 0,
            "set": 1,
            "sets": 1,
            "breath": "",
            "seconds": 0,
            "n": 0,
            "purpose": "",
            "caution": "",
            "tip": "",
            "section": "",
        }

    def _bound(self) -> None:
        if len(self.moments) > MOST_MOMENTS:
            raise TimingError("the session is far too long", hint="six hours at most")

    def _add(
        self, kind: str, *lines: Line, context: Mapping[str, Any] | None = None, **more: Any
    ) -> None:
        given = tuple({**self.base, **(context or {})}.items())
        self.moments.append(Moment(kind, lines=lines, context=given, **more))

    def _open(self) -> None:
        first = self.bouts[0].exercise
        self.chapters.append((self.session.title, 0))
        context = {"next": first.name, "next_position": self.positions.name(first.position)}
        after = _ms(self.pacing.settle)
        self._add(
            "welcome",
            Line("welcome"),
            context=context,
            after_ms=after,
            stretch_ms=QUIET_STRETCH_MS,
            signal="start",
        )

    def _close(self) -> None:
        self.chapters.append(("", len(self.moments)))
        self.base = {**self.base, "position": self.positions.name(self.at or "standing")}
        after = _ms(self.pacing.air * 2)
        self._add("farewell", Line("farewell"), after_ms=after, stretch_ms=QUIET_STRETCH_MS)
        self._add("end", Line("end"), signal="end")

    def _begins_section(self, index: int) -> bool:
        return index == 0 or self.bouts[index - 1].section != self.bouts[index].section

    def _ends_section(self, index: int) -> bool:
        return (
            index + 1 == len(self.bouts)
            or self.bouts[index + 1].section != self.bouts[index].section
        )

    # One exercise

    def _bout(self, index: int, bout: Bout) -> None:
        exercise, pacing = bout.exercise, bout.pacing
        section = self.session.sections[bout.section]
        self.chapters.append((bout.title, len(self.moments)))
        first = exercise.first if exercise.sides != "none" else None
        self.base = {**self.base, **self._bout_context(bout, section), **self._sides(first)}
        lead: dict[str, Any] = {"exercise": index, "section": bout.section}
        if self._begins_section(index):
            lines = [Line("section")] if section.title else []
            if bout.section and pacing.remaining:
                lines.append(Line("remaining"))
            self._add("section", *lines, after_ms=_ms(pacing.air), **lead)
        self._transition(exercise, pacing, lead)
        self._introduce(bout, lead)
        self.at = exercise.position
        if section.box_s is not None:
            return
        for number in range(1, bout.sets + 1):
            self._set(index, bout, number)
        self._add(
            "finish",
            Line("finish", exercise.finish),
            after_ms=_ms(pacing.air),
            stretch_ms=FINISH_STRETCH_MS,
            signal="change",
            **lead,
        )

    def _bout_context(self, bout: Bout, section: Section) -> dict[str, Any]:
        exercise = bout.exercise
        return {
            "exercise": exercise.name,
            "section": section.title,
            "level": exercise.level,
            "position": self.positions.name(exercise.position),
            "sides": exercise.sides,
            "reps": bout.reps,
            "sets": bout.sets,
            "rep": 1,
            "set": 1,
            "left": bout.reps - 1,
            "seconds": round(exercise.work_s or 0),
        }

    def _sides(self, side: str | None) -> dict[str, str]:
        if side is None:
            return {"side": "", "other_side": ""}
        other = "left" if side == "right" else "right"
        return {"side": self.positions.side(side), "other_side": self.positions.side(other)}

    def _transition(self, exercise: Exercise, pacing: Pacing, lead: dict[str, Any]) -> None:
        if exercise.position == self.at:
            return
        path = self.positions.path(self.at, exercise.position)
        seconds = sum(step.seconds for step in path) * pacing.transition
        lines = [Line("", step.say) for step in path]
        self._add("transition", *lines, least_ms=_ms(seconds), after_ms=_ms(pacing.air), **lead)

    def _introduce(self, bout: Bout, lead: dict[str, Any]) -> None:
        exercise, pacing = bout.exercise, bout.pacing
        quick = bout.known or pacing.detail != "full"
        gap = _ms(pacing.air)
        purpose = None if quick else exercise.purpose
        self._add("name", Line("exercise", purpose), after_ms=gap, **lead)
        if exercise.sides != "none":
            self._add("sides", Line("sides"), after_ms=gap, **lead)
        if pacing.detail == "tones":
            settle = _ms(pacing.settle)
            self.moments[-1] = replace(self.moments[-1], after_ms=settle)
            return
        if exercise.setup is not None:
            settle = _ms(pacing.settle)
            self._add(
                "set-up",
                Line("", exercise.setup),
                after_ms=settle,
                stretch_ms=QUIET_STRETCH_MS,
                richness="brief" if quick else "full",
                **lead,
            )
        if exercise.caution is not None and not bout.known:
            self._add("caution", Line("caution", exercise.caution), after_ms=gap, **lead)

    def _set(self, index: int, bout: Bout, number: int) -> None:
        exercise, pacing = bout.exercise, bout.pacing
        lead: dict[str, Any] = {"exercise": index, "section": bout.section}
        sides = (exercise.first, _other(exercise.first)) if exercise.sides == "each" else (None,)
        for turn, side in enumerate(sides):
            self.base = {**self.base, "set": number, **(self._sides(side) if side else {})}
            if turn:
                self._switch(bout, side, lead)
            elif number > 1:
                self._set_rest(bout, number, lead)
            elif bout.sets > 1 and pacing.say_sets and pacing.detail != "tones":
                self._add("set", Line("set"), after_ms=_ms(pacing.air), **lead)
            if exercise.work_s is not None:
                self._count_in(bout, side, lead)
                self._work(bout, exercise.work_s, side, lead)
            elif exercise.flow:
                self._flow(index, bout, side)
            else:
                self._count_in(bout, side, lead)
                self._reps(index, bout, side, fresh=not turn and number == 1)

    def _switch(self, bout: Bout, side: str | None, lead: dict[str, Any]) -> None:
        lines = [Line("switch")]
        if bout.exercise.switch is not None and bout.pacing.detail != "tones":
            lines.append(Line("", bout.exercise.switch))
        # What an exercise asks for is at least what the pace gives.
        seconds = max(bout.pacing.switch_time, self.pacing.switch_time)
        least, gap = _ms(seconds), _ms(bout.pacing.air)
        self._add(
            "switch",
            *lines,
            least_ms=least,
            after_ms=gap,
            stretch_ms=QUIET_STRETCH_MS,
            signal="switch",
            side=side,
            **lead,
        )

    def _set_rest(self, bout: Bout, number: int, lead: dict[str, Any]) -> None:
        lines = [Line("relax" if bout.exercise.work_s else "rest")]
        if bout.pacing.say_sets and bout.pacing.detail != "tones":
            lines.append(Line("set"))
        self._rest_moment(bout, lines, lead)

    def _rest_moment(
        self, bout: Bout, lines: Sequence[Line], lead: dict[str, Any], **context: Any
    ) -> None:
        rest = bout.pacing.rest
        # An interval's rest is part of the exercise: it does not give.
        stretch = 0.0 if bout.exercise.work_s else REST_STRETCH
        shrink = 0.0 if bout.exercise.work_s else REST_SHRINK
        self._add(
            "rest",
            *lines,
            context=context,
            least_ms=_ms(rest),
            after_ms=_ms(bout.pacing.air),
            stretch_ms=_ms(max(rest, 4) * stretch),
            shrink_ms=_ms(rest * shrink),
            **lead,
        )

    def _count_in(self, bout: Bout, side: str | None, lead: dict[str, Any]) -> None:
        if bout.pacing.count_in:
            ready = () if bout.pacing.detail == "tones" else (Line("ready"),)
            beat = _beat(bout.pacing)
            self._add(
                "count-in", *ready, count=bout.pacing.count_in, beat_ms=beat, side=side, **lead
            )

    def _reps(self, index: int, bout: Bout, side: str | None, *, fresh: bool) -> None:
        exercise, pacing = bout.exercise, bout.pacing
        phases = [(phase, _phase_ms(phase, exercise, pacing)) for phase in exercise.rep]
        teach = _taught(bout, fresh)
        shared = tuple({**self.base, "reps": bout.reps}.items())
        for rep in range(1, bout.reps + 1):
            working = side
            if exercise.sides == "alternate":
                working = exercise.first if rep % 2 else _other(exercise.first)
            self._bound()
            self.group += 1
            context = dict(shared)
            context.update(
                rep=rep, left=bout.reps - rep, **(self._sides(working) if working else {})
            )
            prefix = _prefix(rep, bout, alternate=exercise.sides == "alternate")
            richness = _richness(pacing, rep <= teach)
            for number, (phase, length) in enumerate(phases):
                context.update(breath=phase.breath, seconds=round(phase.seconds))
                self.moments.append(
                    Moment(
                        "phase",
                        index,
                        length,
                        box=True,
                        context=tuple(context.items()),
                        lines=(Line(phase.breath, phase.text),),
                        breath=phase.breath,
                        side=working,
                        rep=rep,
                        group=self.group,
                        prefix="" if number else prefix,
                        richness=richness,
                        section=bout.section,
                        beat_ms=_beat(pacing),
                        count=_hold_count(phase, length, pacing),
                        count_up=pacing.count == "up",
                    )
                )

    def _work(self, bout: Bout, seconds: float, side: str | None, lead: dict[str, Any]) -> None:
        pacing = bout.pacing
        self.group += 1
        beats = {"none": 0, "last3": 3, "down": 3, "up": 3}[pacing.count]
        self._add(
            "work",
            Line("work"),
            least_ms=_ms(seconds),
            box=True,
            side=side,
            signal="change",
            count=beats,
            beat_ms=1008,
            halfway=pacing.halfway and seconds >= 20 and pacing.detail != "tones",
            group=self.group,
            **lead,
        )

    def _flow(self, index: int, bout: Bout, side: str | None) -> None:
        lead: dict[str, Any] = {"exercise": index, "section": bout.section, "side": side}
        gap = _ms(bout.pacing.air)
        for step in bout.exercise.flow:
            if step.kind == "say":
                self._add("say", Line("", step.text), after_ms=gap, **lead)
            elif step.kind == "bell":
                self._add("bell", *_own(step), after_ms=gap, signal="bell", **lead)
            elif step.kind == "silence":
                length = _ms(step.seconds / bout.pacing.tempo)
                give: dict[str, Any] = {
                    "stretch_ms": int(length * SILENCE_STRETCH),
                    "shrink_ms": int(length * SILENCE_SHRINK),
                }
                self._add("silence", *_own(step), least_ms=length, after_ms=gap, **give, **lead)
            else:
                phase = Phase(step.kind, step.seconds, step.text, step.mark)
                self.group += 1
                self._add(
                    "phase",
                    Line(step.kind, step.text),
                    least_ms=_phase_ms(phase, bout.exercise, bout.pacing),
                    box=True,
                    breath=step.kind,
                    group=self.group,
                    richness=_richness(bout.pacing, True),
                    beat_ms=_beat(bout.pacing),
                    context={"breath": step.kind, "seconds": round(step.seconds)},
                    **lead,
                )

    def _time_box(self, index: int, seconds: float) -> None:
        """As many rounds as the person makes of a section's exercises, until the time is over."""
        bout = self.bouts[index]
        lead: dict[str, Any] = {"exercise": index, "section": bout.section}
        self._count_in(bout, None, lead)
        self._work(bout, seconds, None, lead)
        self._add("finish", Line("relax"), after_ms=_ms(bout.pacing.air), signal="change", **lead)

    def _between(self, index: int) -> None:
        bout = self.bouts[index]
        boxed = self.session.sections[bout.section].box_s is not None
        if index + 1 == len(self.bouts) or (boxed and not self._ends_section(index)):
            return
        after = self.bouts[index + 1].exercise
        context = {"next": after.name, "next_position": self.positions.name(after.position)}
        lines = [Line("relax" if bout.exercise.work_s else "rest"), Line("next")]
        if bout.pacing.detail == "tones":
            lines = lines[1:]
        self._rest_moment(bout, lines, {"exercise": index, "section": bout.section}, **context)


def _own(step: Step) -> tuple[Line, ...]:
    return (Line("", step.text),) if step.text else ()


def _ms(seconds: float) -> int:
    return snap(seconds * 1000)


def _other(side: str) -> str:
    return "left" if side == "right" else "right"


def _beat(pacing: Pacing) -> int:
    """A counted beat: a second over the tempo, never too fast to be spoken."""
    return max(snap(1000 / pacing.tempo), 792)


def _phase_ms(phase: Phase, exercise: Exercise, pacing: Pacing) -> int:
    """A phase's length: the script's seconds over the tempo, or scaled to a person's own breath."""
    own = {"inhale": pacing.breath_in, "exhale": pacing.breath_out}.get(phase.breath)
    if own is None:
        return max(snap(phase.seconds * 1000 / pacing.tempo), 120)
    alike = [one.seconds for one in exercise.rep if one.breath == phase.breath] or [phase.seconds]
    return max(snap(phase.seconds * own * 1000 * len(alike) / sum(alike)), 120)


def _richness(pacing: Pacing, taught: bool) -> Richness:
    if pacing.detail == "tones":
        return "none"
    return "full" if taught and pacing.detail == "full" else "brief"


def _taught(bout: Bout, fresh: bool) -> int:
    """Repetitions said in full: of few, one stays brief, so that a tip and the end have room."""
    if bout.known:
        return 0
    teach = bout.pacing.teach if fresh else min(1, bout.pacing.teach)
    return min(teach, max(1, bout.reps - 2))


def _prefix(rep: int, bout: Bout, *, alternate: bool) -> str:
    """What is announced with repetition `rep`: at most one thing, the most useful."""
    pacing, reps = bout.pacing, bout.reps
    if pacing.detail == "tones":
        return ""
    if pacing.last and rep == reps and reps > 1:
        return "last"
    if alternate:
        # The side of the first one has just been named.
        return "alternate" if rep > 1 else ""
    if pacing.more and rep == reps - 1 and reps > LEAST_REMINDED:
        return "more"
    if pacing.halfway and reps > LEAST_REMINDED + 1 and rep == reps // 2 + 1:
        return "halfway"
    return ""


def _hold_count(phase: Phase, length_ms: int, pacing: Pacing) -> int:
    """How many beats of a hold are counted."""
    if phase.breath not in ("hold", "pause") or pacing.count == "none" or pacing.detail == "tones":
        return 0
    if length_ms < LEAST_COUNTED_MS:
        return 0
    beats = length_ms // _beat(pacing) - 1
    return min(beats, 3) if pacing.count == "last3" else min(beats, 60)
