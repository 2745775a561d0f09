"""Fits a session to `--minutes`: whole repetitions first, stretched pauses do the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

from voiceflow.plan.moments import Bout, Plan
from voiceflow.score.arrange import Arranged
from voiceflow.script.models import Section, Session

LEAST_REPS = 2
MOST_TIMES = 4
_FEW, _TURNS = 8, 4


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
    knobs = _knobs(plan, arranged)
    natural = arranged.natural_ms
    least = sum((knob.least - knob.now) * knob.unit_ms for knob in knobs)
    most = sum((knob.most - knob.now) * knob.unit_ms for knob in knobs)
    return Reach(natural + least - arranged.shrink_ms, natural + most + arranged.stretch_ms)


def rounds(session: Session) -> list[dict[int, int]]:
    """Every number of rounds that the circuits of `session` can have, by section, all scaled alike.

    From one round to as many as are written; with a span such as 2-6, all of that span. `[{}]`
    where there is no circuit, and none but with prescribed doses.
    """
    written = {
        number: section
        for number, section in enumerate(session.sections)
        if max(section.rounds, section.most_rounds) > 1
        and section.box_s is None
        and not any(exercise.fixed for exercise in section.exercises)
    }
    if not written:
        return [{}]
    unit = max(section.rounds for section in written.values())
    found: list[dict[int, int]] = []
    # No span goes further than a hundred times what is written.
    for count in range(1, unit * max(_turns(section)[1] for section in written.values()) + 1):
        scaled = {number: _rounded(section, count, unit) for number, section in written.items()}
        # Counts only rise: the same ones stand side by side.
        if scaled not in found[-1:]:
            found.append(scaled)
    return found


def _turns(section: Section) -> tuple[int, int]:
    """The fewest and the most rounds of a circuit."""
    if section.most_rounds > section.rounds:
        return section.rounds, section.most_rounds
    return 1, section.rounds


def _rounded(section: Section, count: int, unit: int) -> int:
    least, most = _turns(section)
    return min(max(least, (2 * section.rounds * count + unit) // (2 * unit)), most)


def length_changes(session: Session, plan: Plan) -> tuple[str, ...]:
    """What `plan` has not as `session` has it: a line each for exercises, rounds and counts."""
    before, after = (Counter(e.name for e in one.exercises) for one in (session, plan.session))
    gone = before - after
    lines = [f"left out: {', '.join(gone)}"] if gone else []
    titles = [section.title or session.title for section in plan.session.sections]
    for number, section in enumerate(plan.session.sections):
        turns = 1 + max(bout.turn for bout in plan.bouts if bout.section == number)
        if turns < section.rounds:
            lines.append(f"{titles[number]}: {turns} of {section.rounds} rounds")
    fewer: dict[str, None] = {}
    for bout in plan.bouts:
        exercise = bout.exercise
        if exercise.rep and bout.reps < exercise.reps:
            fewer[f"{exercise.name} {bout.reps} of {exercise.reps}"] = None
        elif bout.sets < exercise.sets:
            fewer[f"{exercise.name} {bout.sets} of {exercise.sets} sets"] = None
    if fewer:
        lines.append(f"fewer repetitions: {', '.join(fewer)}")
    more = dict.fromkeys(
        f"{bout.exercise.name} {bout.reps} in place of {bout.exercise.reps}"
        for bout in plan.bouts
        # Alternating sides come in pairs, whatever is asked for.
        if bout.exercise.rep and bout.reps > bout.exercise.reps + bout.exercise.reps % 2
    )
    if more:
        lines.append(f"more repetitions: {', '.join(more)}")
    return tuple(lines)


def left_over(plan: Plan, arranged: Arranged, reps: Mapping[int, int], target_ms: int) -> int:
    """Milliseconds by which all glue misses `target_ms` with `reps`; 0 where it does not.

    Below 0 where the session stays too long.
    """
    more = sum((reps[knob.bout] - knob.now) * knob.unit_ms for knob in _knobs(plan, arranged))
    left = target_ms - arranged.natural_ms - more
    return left - min(max(left, -arranged.shrink_ms), arranged.stretch_ms)


def repetitions(
    plan: Plan, arranged: Arranged, target_ms: int, *, added: bool = True
) -> dict[int, int]:
    """Repetitions by bout with which the natural length comes nearest to `target_ms`.

    All are scaled alike and rounded; what rounding leaves over goes where it is missed most.
    Without `added`, none is done more often than it is written.
    """
    knobs = _knobs(plan, arranged)
    if not added:
        knobs = [replace(knob, most=max(knob.least, knob.written)) for knob in knobs]
    rest = arranged.natural_ms - sum(knob.now * knob.unit_ms for knob in knobs)

    def total(reps: Mapping[int, int]) -> int:
        return rest + sum(reps[knob.bout] * knob.unit_ms for knob in knobs)

    left = target_ms - arranged.natural_ms
    near = max((knob.step * knob.unit_ms for knob in knobs), default=0)
    # So the length that a session has as written changes nothing.
    within = all(knob.now <= knob.most for knob in knobs)
    if within and abs(left) <= near and -arranged.shrink_ms <= left <= arranged.stretch_ms:
        return {knob.bout: knob.now for knob in knobs}
    low, high = 0.0, float(MOST_TIMES)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if total(_scaled(knobs, middle)) <= target_ms else (low, middle)
    # The length goes up in steps and may never meet the time: `low` is still below it.
    reps = _scaled(knobs, low)
    # Those that were rounded down furthest come first.
    for knob in sorted(knobs, key=lambda k: (reps[k.bout] - k.written * high, k.bout)):
        more = reps[knob.bout] + knob.step
        now, then = total(reps), total(reps) + knob.step * knob.unit_ms
        # Glue gives way more easily than it gives in.
        bearable = then - target_ms <= arranged.shrink_ms
        if more <= knob.most and bearable and abs(then - target_ms) < abs(now - target_ms):
            reps[knob.bout] = more
    return _within_glue(knobs, reps, target_ms - total(reps), arranged)


def _within_glue(
    knobs: list[_Knob], reps: dict[int, int], left: int, arranged: Arranged
) -> dict[int, int]:
    """`reps` changed as little as it takes for the glue to make up what is `left`.

    Where it cannot: so that as little as may be is left over.
    """

    def fits(rest: int) -> bool:
        return -arranged.shrink_ms <= rest <= arranged.stretch_ms

    if fits(left):
        return reps
    ways = [(reps, 0, left), *_changes(knobs, reps, left)]
    good = [way for way in ways if fits(way[2])]
    if good:
        return min(good, key=lambda way: way[1])[0]
    # Too short can be mended with quiet, too long cannot.
    short = [way for way in ways if way[2] > 0]
    return min(short, key=lambda way: way[2], default=(reps, 0, left))[0]


def _changes(
    knobs: list[_Knob], reps: dict[int, int], left: int
) -> Iterator[tuple[dict[int, int], int, int]]:
    """One knob turned a little and another to match: (repetitions, milliseconds moved, left)."""
    # The shortest repetitions come nearest; a few knobs are as good as all.
    few = sorted(knobs, key=lambda knob: (knob.step * knob.unit_ms, knob.bout))[:_FEW]
    for one, steps, other in product(few, range(-_TURNS, _TURNS + 1), few):
        first = steps * one.step
        rest = left - first * one.unit_ms
        second = rest // (other.step * other.unit_ms) * other.step
        for more in (second, second + other.step):
            changed = dict(reps)
            changed[one.bout] += first
            changed[other.bout] += more
            if all(knob.least <= changed[knob.bout] <= knob.most for knob in (one, other)):
                moved = abs(first) * one.unit_ms + abs(more) * other.unit_ms
                yield changed, moved, rest - more * other.unit_ms


def _scaled(knobs: list[_Knob], factor: float) -> dict[int, int]:
    def one(knob: _Knob) -> int:
        steps = int(knob.written * factor / knob.step + 0.5) * knob.step
        return min(max(steps, knob.least), knob.most)

    return {knob.bout: one(knob) for knob in knobs}


def _knobs(plan: Plan, arranged: Arranged) -> list[_Knob]:
    found = []
    for index, bout in enumerate(plan.bouts):
        section = plan.session.sections[bout.section]
        # A time box keeps its length, and intervals of a circuit change with its rounds.
        if section.box_s is not None or (section.rounds > 1 and not bout.exercise.rep):
            continue
        if bout.exercise.fixed:
            continue
        unit = _unit_ms(plan, arranged, index, bout)
        if unit:
            found.append(_knob(index, bout, unit))
    return found


def _knob(index: int, bout: Bout, unit: int) -> _Knob:
    exercise = bout.exercise
    written = exercise.reps if exercise.rep else exercise.sets
    now = bout.reps if exercise.rep else bout.sets
    step = 2 if exercise.rep and exercise.sides == "alternate" else 1
    # Alternating sides come in pairs, as in the plan.
    written += written % step
    least = min(written, LEAST_REPS) if exercise.rep else 1
    # Nobody wants an interval more often than its author.
    most = written * MOST_TIMES if exercise.rep else written
    return _Knob(index, now, written, max(least, step), most, step, unit)


def _unit_ms(plan: Plan, arranged: Arranged, index: int, bout: Bout) -> int:
    """What one repetition more (on each side, in each set) adds; for intervals, one set more."""
    own = [(n, moment) for n, moment in enumerate(plan.moments) if moment.exercise == index]
    if bout.exercise.rep:
        return sum(m.least_ms for _, m in own if m.kind == "phase") // max(1, bout.reps)
    if bout.exercise.work_s is None:
        return 0
    # A set begins with its rest, or with its count-in; the last one ends with the finish.
    starts = arranged.starts
    last = next(n for n, moment in own if moment.kind == "finish")
    if bout.sets > 1:
        rests = [n for n, moment in own if moment.kind == "rest" and n < last]
        return starts[last] - starts[rests[-1]]
    first = next(n for n, moment in own if moment.kind in ("count-in", "work"))
    again = next((starts[n + 1] - starts[n] for n, m in own if m.kind == "switch"), 0)
    return starts[last] - starts[first] + again + int(bout.pacing.rest * 1000)
