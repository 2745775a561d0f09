"""Unrolls a session: exercises, repeated as rounds ask, become moments in their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from voiceflow.core.errors import TimingError
from voiceflow.plan.builder import MOST_MOMENTS, PlanBuilder
from voiceflow.plan.moments import Bout, Line, Moment, Plan, Wishes, pacing_of
from voiceflow.plan.sets import (
    FINISH_STRETCH_MS,
    QUIET_STRETCH_MS,
    SETTLE_SHRINK,
    lay_count_in,
    lay_rest,
    lay_set,
    lay_work,
)
from voiceflow.plan.timing import LONGEST_MS, flow_phase, phase_ms, to_ms
from voiceflow.script.models import Exercise, Section, Session
from voiceflow.script.pacing import Layer, Pacing
from voiceflow.script.positions import Positions
from voiceflow.script.sandbox import CLIENT
from voiceflow.script.steps import Step


def unroll(session: Session, positions: Positions, wishes: Wishes) -> Plan:
    """The plan of `session`.

    Parameters
    ----------
    positions : Positions
        The moves between positions, with their words and seconds.
    wishes : Wishes
        The person's name, known exercises, chosen repetitions (by bout) and layers of pacing
        under (`before`) and over (`after`) the session's own.

    Raises
    ------
    TimingError
        It has more moments than any session of six hours.
    """
    bouts = tuple(_bouts(session, wishes))
    _bound(session, bouts)
    walk = _Unroller(session, positions, wishes, bouts)
    return Plan(session, walk.builder.pacing, bouts, *walk.run())


def least_ms(session: Session, wishes: Wishes) -> int:
    """The milliseconds of a session's breaths, intervals and silences, found without unrolling it.

    Words and rests come on top.

    Raises
    ------
    TimingError
        As of `unroll`.
    """
    return _bound(session, tuple(_bouts(session, wishes)))


def too_long(least: int) -> TimingError:
    """What to say of a session that lasts `least` milliseconds or more: hours, at most six."""
    told = f"the session is too long: {least // 3_600_000:,} hours or more"
    return TimingError(told, hint="six hours at most: take away repetitions, sets or rounds")


def _bound(session: Session, bouts: Sequence[Bout]) -> int:
    moments, least = 0, 0
    boxes = [section.box_s for section in session.sections]
    for bout in bouts:
        # In a time box nothing is laid but the box itself.
        if boxes[bout.section] is None:
            count, length = _size(bout)
            moments, least = moments + count, least + length
    least += sum(to_ms(box) for box in boxes if box is not None)
    # Length alone is no error here: --minutes may still shorten it.
    if moments > MOST_MOMENTS:
        if least >= LONGEST_MS:
            raise too_long(least)
        told = f"the session has {moments:,} moments, at most {MOST_MOMENTS:,}"
        raise TimingError(told, hint="make it shorter")
    return least


def _size(bout: Bout) -> tuple[int, int]:
    """How many breaths, intervals or steps a bout has, and how many milliseconds they last."""
    exercise, pacing = bout.exercise, bout.pacing
    times = bout.sets * (2 if exercise.sides == "each" else 1)
    if exercise.work_s is not None:
        return times, times * to_ms(exercise.work_s)
    if exercise.flow:
        length = sum(_step_ms(step, bout) for step in exercise.flow)
        return times * len(exercise.flow), times * length
    times *= bout.reps
    lengths = (phase_ms(phase, exercise, pacing) for phase in exercise.rep)
    return times * len(exercise.rep), times * sum(lengths)


def _step_ms(step: Step, bout: Bout) -> int:
    if step.kind in ("say", "bell"):
        return 0
    if step.kind == "silence":
        return to_ms(step.seconds)
    return phase_ms(flow_phase(step), bout.exercise, bout.pacing)


def _bouts(session: Session, wishes: Wishes) -> Iterator[Bout]:
    chosen, turns = dict(wishes.reps), dict(wishes.rounds)
    index = 0
    heard: dict[str, frozenset[tuple[str, ...]]] = {}
    for number, section in enumerate(session.sections):
        rounds_here = turns.get(number, section.rounds)
        for turn in range(rounds_here):
            for exercise in section.exercises:
                pacing = pacing_of(session, wishes, exercise)
                title = exercise.name + (f" ({turn + 1}/{rounds_here})" if rounds_here > 1 else "")
                known, seen = exercise.slug in wishes.known, exercise.slug in heard
                before = heard.get(exercise.slug, frozenset())
                heard[exercise.slug] = before | _words(exercise)
                count = chosen.get(index, exercise.reps if exercise.rep else exercise.sets)
                if exercise.rep and exercise.sides == "alternate":
                    # Both sides get as many, whatever number was asked for.
                    count += count % 2
                sets = exercise.sets if exercise.rep else count
                reps = count if exercise.rep else 1
                # Without `before`: a rest that only the pace gives stays loose for --minutes.
                layers = (_own_pacing(session, wishes), exercise.pacing, *wishes.after)
                rests = any(key == "rest" for one in layers for key, _ in one.values)
                yield Bout(
                    exercise, pacing, title, number, known, reps, sets, seen, before, turn, rests
                )
                index += 1


def _words(exercise: Exercise) -> frozenset[tuple[str, ...]]:
    """What is said of an exercise, but in brief or not at all once it has been heard."""
    texts = (exercise.purpose, exercise.setup, exercise.caution, *(p.text for p in exercise.rep))
    return frozenset(text.versions for text in texts if text)


def _own_pacing(session: Session, wishes: Wishes) -> Layer:
    """What a session asks of the pacing beyond its pace.

    A script that is kept writes out values of the pace that was heard: what is no more than the
    pace says promises no more.
    """
    paced = {pair for one in wishes.before if one.name.startswith("pace ") for pair in one.values}
    own = session.pacing
    return replace(own, values=tuple(pair for pair in own.values if pair not in paced))


class _Unroller:
    """Walks through the bouts: welcome, introduction, sets and rest of each, farewell."""

    def __init__(
        self, session: Session, positions: Positions, wishes: Wishes, bouts: Sequence[Bout]
    ) -> None:
        self.builder = PlanBuilder(positions, pacing_of(session, wishes), bouts)
        self.session, self.bouts = session, bouts
        self.name, self.spare_ms = wishes.name or session.name, wishes.spare_ms
        self.client = {f"{CLIENT}.{name}": value for name, value in wishes.client}
        self.chapters: list[tuple[str, int]] = []
        self.at: str | None = None

    def run(self) -> tuple[tuple[Moment, ...], tuple[tuple[str, int], ...]]:
        self.builder.base = self._session_context()
        self._open()
        for index, bout in enumerate(self.bouts):
            box = self.session.sections[bout.section].box_s
            self._bout(index, bout)
            if box is not None and self._ends_section(index):
                self._time_box(index, box)
            self._between(index)
        self._close()
        return tuple(self.builder.moments), tuple(self.chapters)

    def _session_context(self) -> dict[str, Any]:
        needs = self.session.needs or tuple(
            dict.fromkeys(
                need
                for bout in self.bouts
                for need in (*bout.exercise.needs, *bout.exercise.equipment)
            )
        )
        return {
            "title": self.session.title,
            "name": self.name,
            "equipment": self.builder.positions.listed(needs),
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
            **self.client,
        }

    def _open(self) -> None:
        first = self.bouts[0].exercise
        self.chapters.append((self.session.title, 0))
        context = {"next": first.name, "next_position": self.builder.positions.name(first.position)}
        after = to_ms(self.builder.pacing.settle)
        self.builder.add(
            "welcome",
            Line("welcome"),
            context=context,
            after_ms=after,
            stretch_ms=QUIET_STRETCH_MS,
            shrink_ms=int(after * SETTLE_SHRINK),
            signal="start",
        )

    def _close(self) -> None:
        # The phrases give this chapter its title, in `closing`.
        self.chapters.append(("", len(self.builder.moments)))
        self.builder.base = {
            **self.builder.base,
            "position": self.builder.positions.name(self.at or "standing"),
        }
        after = to_ms(self.builder.pacing.air * 2)
        stretch = QUIET_STRETCH_MS + self.spare_ms
        self.builder.add("farewell", Line("farewell"), after_ms=after, stretch_ms=stretch)
        self.builder.add("end", Line("end"), signal="end")

    def _begins_section(self, index: int) -> bool:
        return index == 0 or self.bouts[index - 1].section != self.bouts[index].section

    def _ends_section(self, index: int) -> bool:
        return (
            index + 1 == len(self.bouts)
            or self.bouts[index + 1].section != self.bouts[index].section
        )

    def _bout(self, index: int, bout: Bout) -> None:
        exercise, pacing = bout.exercise, bout.pacing
        section = self.session.sections[bout.section]
        self.chapters.append((bout.title, len(self.builder.moments)))
        first = exercise.first if exercise.sides != "none" else None
        self.builder.base = {
            **self.builder.base,
            **self._bout_context(bout, section),
            **self.builder.sides(first),
        }
        lead: dict[str, Any] = {"exercise": index, "section": bout.section}
        if self._begins_section(index):
            lines = [Line("section")] if section.title else []
            if bout.section and pacing.remaining and pacing.detail != "tones":
                lines.append(Line("remaining"))
            self.builder.add("section", *lines, after_ms=to_ms(pacing.air), **lead)
        self._transition(exercise, pacing, lead)
        self._introduce(index, bout, lead)
        self.at = exercise.position
        # In a time box all exercises are introduced first, and the work follows the last of them.
        if section.box_s is not None:
            return
        for number in range(1, bout.sets + 1):
            lay_set(self.builder, index, bout, number)
        # An interval ends with "Rest"; a flow says its own last words.
        if not exercise.flow or exercise.finish is not None:
            self.builder.add(
                "finish",
                Line("relax" if exercise.work_s else "finish", exercise.finish),
                after_ms=to_ms(pacing.air),
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
            "position": self.builder.positions.name(exercise.position),
            "sides": exercise.sides,
            "reps": bout.reps,
            "sets": bout.sets,
            "rep": 1,
            "set": 1,
            "left": bout.reps - 1,
            "seconds": round(exercise.work_s or 0),
        }

    def _transition(self, exercise: Exercise, pacing: Pacing, lead: dict[str, Any]) -> None:
        if exercise.position == self.at:
            return
        path = self.builder.positions.path(self.at, exercise.position)
        seconds = sum(step.seconds for step in path) * pacing.transition
        lines = [Line("", step.say) for step in path]
        self.builder.add(
            "transition", *lines, least_ms=to_ms(seconds), after_ms=to_ms(pacing.air), **lead
        )

    def _introduce(self, index: int, bout: Bout, lead: dict[str, Any]) -> None:
        exercise, pacing, quick = bout.exercise, bout.pacing, bout.quick
        gap, settle = to_ms(pacing.air), to_ms(pacing.settle)
        purpose = exercise.purpose if bout.in_full(exercise.purpose) else None
        if purpose or not (quick and self._just_named(index)):
            self.builder.add("name", Line("exercise", purpose), after_ms=gap, **lead)
        if exercise.sides != "none":
            self.builder.add("sides", Line("sides"), after_ms=gap, **lead)
        if pacing.detail == "tones":
            # There is no set-up: what was said last gets its pause.
            self.builder.moments[-1] = replace(self.builder.moments[-1], after_ms=settle)
            return
        # A round repeats what the first one taught.
        if exercise.setup is not None and not bout.turn:
            self.builder.add(
                "set-up",
                Line("", exercise.setup),
                after_ms=settle,
                stretch_ms=QUIET_STRETCH_MS,
                shrink_ms=int(settle * SETTLE_SHRINK),
                richness="full" if bout.in_full(exercise.setup) else "brief",
                **lead,
            )
        # Not `quick`: brief coaching, too, warns whoever does not know the exercise.
        if bout.is_new(exercise.caution):
            self.builder.add("caution", Line("caution", exercise.caution), after_ms=gap, **lead)

    def _just_named(self, index: int) -> bool:
        """Whether the rest before this interval has just named it as the next."""
        before = self.builder.moments[-1] if self.builder.moments else None
        if before is None or not before.until_work or self._begins_section(index):
            return False
        return self.bouts[index].exercise.work_s is not None

    def _time_box(self, index: int, seconds: float) -> None:
        """The work of a time box: the person repeats the exercises until the time is over."""
        bout = self.bouts[index]
        lead: dict[str, Any] = {"exercise": index, "section": bout.section}
        lay_count_in(self.builder, bout, None, lead)
        lay_work(self.builder, bout, seconds, None, lead)
        self.builder.add(
            "finish",
            Line("relax", bout.exercise.finish),
            after_ms=to_ms(bout.pacing.air),
            signal="change",
            **lead,
        )

    def _between(self, index: int) -> None:
        bout = self.bouts[index]
        boxed = self.session.sections[bout.section].box_s is not None
        if index + 1 == len(self.bouts) or (boxed and not self._ends_section(index)):
            return
        following = self.bouts[index + 1]
        after = following.exercise
        context: dict[str, Any] = {
            "next": after.name,
            "next_position": self.builder.positions.name(after.position),
        }
        works = bool(bout.exercise.work_s and after.work_s)
        # A first introduction comes on top of a rest of the pace, but never of a written one.
        ends = bout.rest_written or (works and following.quick)
        lines = [Line("next")] if bout.exercise.work_s else [Line("rest"), Line("next")]
        flowing = bout.exercise.flow and after.flow and following.section == bout.section
        if flowing and not bout.rest_written:
            lines = []
        elif bout.pacing.detail == "tones":
            lines = lines[-1:]
        elif following.turn > bout.turn and bout.pacing.say_sets:
            rounds = 1 + max(b.turn for b in self.bouts if b.section == following.section)
            context.update(set=following.turn + 1, sets=rounds)
            lines.insert(-1, Line("round"))
        lead = {"exercise": index, "section": bout.section}
        lay_rest(self.builder, bout, lines, lead, until_work=ends, **context)
