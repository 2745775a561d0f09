"""Adds the moments of one bout: sets, sides, repetitions, intervals, free steps and rests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from voiceflow.plan.builder import PlanBuilder
from voiceflow.plan.moments import Bout, Line, Moment
from voiceflow.plan.timing import (
    announced,
    beat_ms,
    flow_phase,
    hold_count,
    other_side,
    phase_ms,
    richness_of,
    switch_ms,
    taught,
    to_ms,
)
from voiceflow.script.steps import Step

REST_STRETCH, REST_SHRINK = 2.0, 0.5
# Half of the time to get into place is enough for whoever asks for a shorter session.
SETTLE_SHRINK = 0.5
# How much longer the pause of a set-up, a change of sides or a finish may become. Together they
# can fill half a repetition even in a session with a single exercise, so --minutes can be met.
QUIET_STRETCH_MS, FINISH_STRETCH_MS = 4_992, 9_984
# An interval's last three seconds are counted; at a slow pace the words need a little longer.
SECOND_MS = 1_008


def lay_set(builder: PlanBuilder, index: int, bout: Bout, number: int) -> None:
    """Add set `number` (from 1) of a bout: each side, and the rest or switch before it."""
    exercise, pacing = bout.exercise, bout.pacing
    lead: dict[str, Any] = {"exercise": index, "section": bout.section}
    sides = (exercise.first, other_side(exercise.first)) if exercise.sides == "each" else (None,)
    for turn, side in enumerate(sides):
        builder.base = {**builder.base, "set": number, **(builder.sides(side) if side else {})}
        if turn:
            # Between two intervals a written rest is kept, on whichever side they are.
            if exercise.work_s is not None and bout.rest_written:
                lay_rest(builder, bout, (), lead, until_work=True)
            _switch(builder, bout, side, lead)
        elif number > 1:
            _set_rest(builder, bout, number, lead)
            # The set before ended on the other side.
            if side:
                _switch(builder, bout, side, lead)
        elif bout.sets > 1 and pacing.say_sets and pacing.detail != "tones":
            builder.add("set", Line("set"), after_ms=to_ms(pacing.air), **lead)
        if exercise.work_s is not None:
            lay_count_in(builder, bout, side, lead)
            lay_work(builder, bout, exercise.work_s, side, lead)
        elif exercise.flow:
            _flow(builder, index, bout, side)
        else:
            lay_count_in(builder, bout, side, lead)
            _reps(builder, index, bout, side, fresh=not turn and number == 1)


def _switch(builder: PlanBuilder, bout: Bout, side: str | None, lead: dict[str, Any]) -> None:
    lines = [Line("switch")]
    if bout.exercise.switch is not None and bout.pacing.detail != "tones":
        lines.append(Line("", bout.exercise.switch))
    least, gap = switch_ms(bout.pacing, builder.pacing), to_ms(bout.pacing.air)
    builder.add(
        "switch",
        *lines,
        least_ms=least,
        after_ms=gap,
        stretch_ms=QUIET_STRETCH_MS,
        signal="switch",
        side=side,
        **lead,
    )


def _set_rest(builder: PlanBuilder, bout: Bout, number: int, lead: dict[str, Any]) -> None:
    lines = [Line("relax" if bout.exercise.work_s else "rest")]
    if bout.pacing.say_sets and bout.pacing.detail != "tones":
        lines.append(Line("set"))
    # With two sides a change of sides follows: on top of a rest of the pace, which is no promise.
    works = bout.exercise.work_s is not None and bout.exercise.sides != "each"
    ends = works or bout.rest_written
    lay_rest(builder, bout, lines, lead, until_work=ends)


def lay_rest(
    builder: PlanBuilder,
    bout: Bout,
    lines: Sequence[Line],
    lead: dict[str, Any],
    *,
    until_work: bool = False,
    **context: Any,
) -> None:
    """Add a rest that says `lines`; `until_work`: it lasts to the next work."""
    rest = bout.pacing.rest
    # A written rest, and that of an interval, is part of the exercise: its length must not change.
    fixed = bout.exercise.work_s is not None or bout.rest_written
    stretch, shrink = (0.0, 0.0) if fixed else (REST_STRETCH, REST_SHRINK)
    builder.add(
        "rest",
        *lines,
        context=context,
        least_ms=to_ms(rest),
        after_ms=to_ms(bout.pacing.air),
        # Even a rest of no seconds gives way to --minutes.
        stretch_ms=to_ms(max(rest, 4) * stretch),
        shrink_ms=to_ms(rest * shrink),
        until_work=until_work,
        **lead,
    )


def lay_count_in(builder: PlanBuilder, bout: Bout, side: str | None, lead: dict[str, Any]) -> None:
    """Add "ready" and the counted beats before the first repetition or interval."""
    if bout.pacing.count_in:
        ready = () if bout.pacing.detail == "tones" else (Line("ready"),)
        beat = beat_ms(bout.pacing)
        builder.add("count-in", *ready, count=bout.pacing.count_in, beat_ms=beat, side=side, **lead)


def _reps(builder: PlanBuilder, index: int, bout: Bout, side: str | None, *, fresh: bool) -> None:
    exercise, pacing = bout.exercise, bout.pacing
    phases = [(phase, phase_ms(phase, exercise, pacing)) for phase in exercise.rep]
    teach = taught(bout, fresh)
    shared = tuple({**builder.base, "reps": bout.reps}.items())
    for rep in range(1, bout.reps + 1):
        working = side
        if exercise.sides == "alternate":
            working = exercise.first if rep % 2 else other_side(exercise.first)
        # Phases do not go through `add`, which would ask this.
        builder.bound()
        builder.group += 1
        context = dict(shared)
        context.update(rep=rep, left=bout.reps - rep, **(builder.sides(working) if working else {}))
        announces = announced(rep, bout, alternate=exercise.sides == "alternate")
        richness = richness_of(pacing, rep <= teach)
        for number, (phase, length) in enumerate(phases):
            context.update(breath=phase.breath, seconds=round(phase.seconds))
            builder.moments.append(
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
                    group=builder.group,
                    announces=() if number else announces,
                    richness=richness,
                    section=bout.section,
                    beat_ms=beat_ms(pacing),
                    count=hold_count(phase, length, pacing),
                    count_up=pacing.count == "up",
                )
            )


def lay_work(
    builder: PlanBuilder, bout: Bout, seconds: float, side: str | None, lead: dict[str, Any]
) -> None:
    pacing = bout.pacing
    builder.group += 1
    beats = {"none": 0, "last3": 3, "down": 3, "up": 3}[pacing.count]
    builder.add(
        "work",
        Line("work"),
        least_ms=to_ms(seconds),
        box=True,
        side=side,
        count=beats,
        beat_ms=max(SECOND_MS, beat_ms(pacing)),
        halfway=pacing.halfway and seconds >= 30 and pacing.detail != "tones",
        group=builder.group,
        **lead,
    )


def _flow(builder: PlanBuilder, index: int, bout: Bout, side: str | None) -> None:
    lead: dict[str, Any] = {"exercise": index, "section": bout.section, "side": side}
    gap = to_ms(bout.pacing.air)
    following = (*bout.exercise.flow[1:], None)
    for step, after in zip(bout.exercise.flow, following, strict=True):
        if step.kind == "say":
            # A pause right before a written silence would make it longer to the ear.
            stretch = 0 if after and after.kind == "silence" else QUIET_STRETCH_MS
            builder.add("say", Line("", step.text), after_ms=gap, stretch_ms=stretch, **lead)
        elif step.kind == "bell":
            builder.add("bell", *_own(step), after_ms=gap, signal="bell", **lead)
        elif step.kind == "silence":
            # Written to the second: neither tempo nor --minutes changes it.
            builder.add("silence", *_own(step), least_ms=to_ms(step.seconds), after_ms=gap, **lead)
        else:
            # Each step is a group of its own: the score lays out a group as one repetition.
            phase = flow_phase(step)
            builder.group += 1
            builder.add(
                "phase",
                Line(step.kind, step.text),
                least_ms=phase_ms(phase, bout.exercise, bout.pacing),
                box=True,
                breath=step.kind,
                group=builder.group,
                richness=richness_of(bout.pacing, True),
                beat_ms=beat_ms(bout.pacing),
                context={"breath": step.kind, "seconds": round(step.seconds)},
                **lead,
            )


def _own(step: Step) -> tuple[Line, ...]:
    return (Line("", step.text),) if step.text else ()
