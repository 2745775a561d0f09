"""A session fitted to the time there is: whole repetitions first; glue does the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from voiceflow.arranging import Arranged
from voiceflow.plan import Bout, Plan

LEAST_REPS = 2
MOST_TIMES = 4


@dataclass(frozen=True, slots=True)
class Reach:
    """The lengths a plan can take, in milliseconds, by repetitions and glue."""

    shortest_ms: int
    longest_ms: int


@dataclass(frozen=True, slots=True)
class _Knob:
    """One bout's repetitions (or an interval's sets): how many, how few, how many at most."""

    bout: int
    now: int
    written: int
    least: int
    most: int
    step: int
    unit_ms: int


def reach(plan: Plan, arranged: Arranged) -> Reach:
    """What `plan` can be shortened and lengthened to, exercises all kept."""
    knobs = _knobs(plan)
    natural = arranged.natural_ms
    least = sum((knob.least - knob.now) * knob.unit_ms for knob in knobs)
    most = sum((knob.most - knob.now) * knob.unit_ms for knob in knobs)
    return Reach(natural + least - arranged.shrink_ms, natural + most + arranged.stretch_ms)


def repetitions(plan: Plan, arranged: Arranged, target_ms: int) -> dict[int, int]:
    """Repetitions by bout with which the natural length comes nearest to `target_ms`.

    All are scaled alike and rounded; what rounding leaves over goes where it is missed most.
    """
    knobs = _knobs(plan)
    rest = arranged.natural_ms - sum(knob.now * knob.unit_ms for knob in knobs)

    def total(reps: Mapping[int, int]) -> int:
        return rest + sum(reps[knob.bout] * knob.unit_ms for knob in knobs)

    low, high = 0.0, float(MOST_TIMES)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if total(_scaled(knobs, middle)) <= target_ms else (low, middle)
    reps = _scaled(knobs, low)
    # Those that were rounded down furthest come first.
    for knob in sorted(knobs, key=lambda k: (reps[k.bout] - k.written * high, k.bout)):
        more = reps[knob.bout] + knob.step
        now, then = total(reps), total(reps) + knob.step * knob.unit_ms
        # Glue gives way more easily than it gives in.
        bearable = then - target_ms <= arranged.shrink_ms
        if more <= knob.most and bearable and abs(then - target_ms) < abs(now - target_ms):
            reps[knob.bout] = more
    return reps


def _scaled(knobs: list[_Knob], factor: float) -> dict[int, int]:
    def one(knob: _Knob) -> int:
        steps = int(knob.written * factor / knob.step + 0.5) * knob.step
        return min(max(steps, knob.least), knob.most)

    return {knob.bout: one(knob) for knob in knobs}


def _knobs(plan: Plan) -> list[_Knob]:
    found = []
    for index, bout in enumerate(plan.bouts):
        section = plan.session.sections[bout.section]
        if section.box_s is not None or (section.rounds > 1 and not bout.exercise.rep):
            continue
        unit = _unit_ms(plan, index, bout)
        if unit:
            found.append(_knob(index, bout, unit))
    return found


def _knob(index: int, bout: Bout, unit: int) -> _Knob:
    exercise = bout.exercise
    written = exercise.reps if exercise.rep else exercise.sets
    now = bout.reps if exercise.rep else bout.sets
    step = 2 if exercise.rep and exercise.sides == "alternate" else 1
    written += written % step
    least = min(written, LEAST_REPS) if exercise.rep else 1
    return _Knob(index, now, written, max(least, step), written * MOST_TIMES, step, unit)


def _unit_ms(plan: Plan, index: int, bout: Bout) -> int:
    """What one repetition more (on each side, in each set) adds; for intervals, one set more."""
    moments = [moment for moment in plan.moments if moment.exercise == index]
    if bout.exercise.rep:
        return sum(m.least_ms for m in moments if m.kind == "phase") // max(1, bout.reps)
    if bout.exercise.work_s is None:
        return 0
    sides = 2 if bout.exercise.sides == "each" else 1
    work = sum(moment.least_ms for moment in moments if moment.kind == "work") // max(
        1, bout.sets * sides
    )
    counted = bout.pacing.count_in * 1_008
    rest = max(int(bout.pacing.rest * 1000), 1_000)
    # The last count-in of a set is within its rest.
    return sides * work + (sides - 1) * counted + rest
