"""Rules about the body: sides are equal and named, and there is time for each change of position.

Each rule takes the evidence of a session and yields findings.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from voiceflow.core.units import GRID_MS, counted, snap
from voiceflow.lint.evidence import Evidence, Finding, Said, once
from voiceflow.lint.script_texts import ABOUT_SIDES
from voiceflow.plan.moments import Bout
from voiceflow.script.fields import Text
from voiceflow.script.models import Exercise
from voiceflow.script.sandbox import TemplateFault
from voiceflow.script.side_words import sides
from voiceflow.script.templates import names_in

# Moments that may name the other side: the body lies on it, or turns away from it.
_BOTH_NAMED = ("switch", "set-up", "sides", "transition", "name")
_MOVED = ("phase", "work", "silence")

# As teachers plan a class: changes of position in less than 40 % of the steps, and nothing hard
# in the first fifth.
MOST_CHANGES = 0.40
# How far the body is from the floor, in steps; a careful person needs STEP_S for each.
_HEIGHT = {
    "supine": 0, "prone": 0, "side-lying": 0, "quadruped": 1, "seated": 1,
    "kneeling": 2, "half-kneeling": 2, "standing": 3,
}  # fmt: skip
LEAST_MOVE_S, STEP_S = 2.0, 2.0
EFFORT_FREE = 0.20


def wrong_sides(evidence: Evidence) -> Iterator[Finding]:
    """Words that name only the side that is resting."""
    found: list[tuple[Any, Finding]] = []
    for said in evidence.said:
        moment = said.moment
        if moment.side is None or moment.kind in _BOTH_NAMED or _ahead(evidence, said):
            continue
        named = sides(said.event.name, evidence.language, evidence.side_words(moment))
        if not named or moment.side in named or _meant(evidence, said):
            continue
        word = next(iter(named.values()))
        message = f"“{said.event.name}” says “{word}” while the {moment.side} side works"
        mark = evidence.mark_of(said, word)
        finding = evidence.finding(
            "error", "wrong-side", message, "write {{ side }} or {{ other_side }}",
            at=said.index, mark=mark, start_ms=said.event.start_ms,
        )  # fmt: skip
        found.append(((moment.exercise, said.event.name), finding))
    yield from once(found)


def _ahead(evidence: Evidence, said: Said) -> bool:
    """Whether it is said of the exercise that comes next."""
    return any(
        one.rest.first - 1 == said.index and any(text == said.event.name for _, text in one.ahead)
        for one in evidence.rests
    )


def _meant(evidence: Evidence, said: Said) -> bool:
    """Whether the script names the other side on purpose: `{{ other_side }}`, `{% if side … %}`."""
    tip = evidence.tip(said.moment.exercise, said.event.name)
    texts = [tip] if tip else [line.text for line in said.moment.lines if line.text is not None]
    return any("other_side" in _names(text) or _asks_side(text) for text in texts)


def _asks_side(text: Text) -> bool:
    return any(ABOUT_SIDES.search(version) for version in text.versions)


def _names(text: Text) -> set[str]:
    try:
        return {name for version in text.versions for name in names_in(version)}
    except TemplateFault:
        return set()


def unequal_sides(evidence: Evidence) -> Iterator[Finding]:
    """Sides that differ in time or repetitions."""
    for number, bout in enumerate(evidence.bouts):
        times = dict.fromkeys(("right", "left"), 0)
        groups: dict[str, set[int]] = {"right": set(), "left": set()}
        glue = False
        for index, moment in evidence.numbered(number, *_MOVED):
            if moment.side is not None:
                times[moment.side] += evidence.length(index)
                # Intervals and silences count one by one; below 0 they cannot be taken for a group.
                groups[moment.side].add(moment.group if moment.kind == "phase" else -index)
                glue = glue or moment.kind == "silence"
        reps = {side: len(group) for side, group in groups.items()}
        # Glue is shared out in whole steps of the grid, so two silences may differ by two steps.
        if bout.exercise.sides == "none" or not evidence.worked(bout):
            continue
        allowed = GRID_MS * (2 if glue else 1)
        if abs(times["right"] - times["left"]) > allowed or reps["right"] != reps["left"]:
            told = (
                f"{side} {times[side] / 1000:.1f} s ({counted(reps[side], 'repetition')})"
                for side in ("right", "left")
            )
            message = f"the sides are unequal: {', '.join(told)}"
            yield evidence.finding("error", "unequal-sides", message, bout=number)


def unnamed_sides(evidence: Evidence) -> Iterator[Finding]:
    """A side that starts without its name, and a change of sides with too little time."""
    for number, bout in enumerate(evidence.bouts):
        if bout.exercise.sides == "none":
            continue
        if bout.pacing.detail != "tones" and not _first_named(evidence, number, bout):
            message = f"the first side ({bout.exercise.first}) is not named"
            hint = "name it in the macro `sides` of the phrases, or in the set-up"
            yield evidence.finding("error", "side-not-named", message, hint, bout=number)
        yield from _switches(evidence, number, bout)


def _first_named(evidence: Evidence, number: int, bout: Bout) -> bool:
    for said in evidence.of_bout(number):
        # By then the first side has worked: its name would come too late.
        if said.moment.kind in ("switch", "finish", "rest"):
            return False
        own = evidence.side_words(said.moment)
        if bout.exercise.first in sides(said.event.name, evidence.language, own):
            return True
        if said.moment.kind in _MOVED and said.moment.side != bout.exercise.first:
            return False
    return False


def uneven(evidence: Evidence) -> Iterator[Finding]:
    """Odd numbers of repetitions in turn: one is added, so that both sides get as many."""
    found: list[tuple[Any, Finding]] = []
    for number, bout in enumerate(evidence.bouts):
        if bout.exercise.uneven:
            told, mark = told_uneven(bout.exercise), bout.exercise.reps_mark
            finding = evidence.finding("warning", "uneven", *told, bout=number, mark=mark)
            found.append((bout.exercise.slug, finding))
    yield from once(found)


def told_uneven(exercise: Exercise) -> tuple[str, str]:
    """What to say of an odd number of repetitions in turn, and a hint."""
    message = f"`reps: {exercise.reps}` is odd for sides in turn: {exercise.reps + 1} are done"
    return message, "write an even number: so both sides get as many"


def _switches(evidence: Evidence, number: int, bout: Bout) -> Iterator[Finding]:
    least = snap(bout.pacing.switch_time * 1000)
    for index, moment in evidence.numbered(number, "switch"):
        own = evidence.side_words(moment)
        named = (sides(s.event.name, evidence.language, own) for s in evidence.of_moment(index))
        if not any(moment.side in one for one in named):
            message = f"the change to the {moment.side} side does not name the side"
            hint = "write {{ side }} in the macro `switch` of the phrases"
            yield evidence.finding("error", "side-not-named", message, hint, at=index)
        if evidence.length(index) < least:
            length = evidence.length(index)
            message = f"{length / 1000:.1f} s to change sides; it takes {least / 1000:.1f} s"
            yield evidence.finding("error", "switch-short", message, at=index)


def position_changes(evidence: Evidence) -> int:
    """How often the position changes between two exercises."""
    pairs = pairwise(bout.exercise.position for bout in evidence.bouts)
    return sum(before != after for before, after in pairs)


def restless(evidence: Evidence) -> Iterator[Finding]:
    """Too many changes of position."""
    changes, steps = position_changes(evidence), len(evidence.bouts)
    # A session in two positions needs one change, however short it is.
    if changes > 1 and changes > MOST_CHANGES * steps:
        message = (
            f"{changes} changes of position in {steps} exercises: more than {MOST_CHANGES:.0%}"
        )
        hint = "group exercises in the same position"
        yield Finding("warning", "many-positions", message, hint, mark=evidence.session.mark)


def unmoved(evidence: Evidence) -> Iterator[Finding]:
    """Changes of position without words, or with too little time."""
    before = None
    for number, bout in enumerate(evidence.bouts):
        position = bout.exercise.position
        if position != before:
            moves = list(evidence.numbered(number, "transition"))
            if not any(evidence.of_moment(index) for index, _ in moves):
                way = f"from {before} to {position}" if before else f"to {position}"
                message = f"nothing says how to move {way}"
                hint = "say it in positions.yaml, under `paths:`"
                if before is None:
                    hint = "say it in positions.yaml, under `start:`"
                yield evidence.finding("error", "no-way", message, hint, bout=number)
            for index, _ in moves:
                yield from _hurry(evidence, index, before or "", position)
        before = position


def _hurry(evidence: Evidence, index: int, before: str, after: str) -> Iterator[Finding]:
    moment = evidence.moments[index]
    # Nobody knows where the body is before the first exercise.
    steps = abs(_HEIGHT.get(before, 0) - _HEIGHT[after]) if before else 0
    least = max(moment.least_ms, round((LEAST_MOVE_S + STEP_S * steps) * 1000))
    length = evidence.length(index)
    mark = next((line.text.mark for line in moment.lines if line.text), None)
    if length < least:
        message = f"{length / 1000:.1f} s to get into place; it takes {least / 1000:.1f} s"
        hint = "raise the seconds of the move in positions.yaml"
        if moment.least_ms:
            hint += ", or `transition`"
        yield evidence.finding("error", "no-time-to-move", message, hint, at=index, mark=mark)
    said = evidence.of_moment(index)
    over = said[-1].event.end_ms - evidence.starts[index] - moment.least_ms if said else 0
    if over > 0:
        message = f"the words last {over / 1000:.1f} s longer than the move itself"
        hint = "use fewer words, a higher `transition`, or faster speech"
        yield evidence.finding("warning", "long-way-words", message, hint, at=index, mark=mark)


def early_effort(evidence: Evidence) -> Iterator[Finding]:
    """Hard work that starts in the first fifth of a session of three or more exercises."""
    if len(evidence.bouts) < 3:
        return
    for number, bout in enumerate(evidence.bouts):
        begins = [evidence.starts[n] for n, _ in evidence.numbered(number, "phase", "work")]
        if bout.exercise.effort != "hard" or not begins:
            continue
        share = begins[0] / evidence.score.length_ms
        if share < EFFORT_FREE:
            message = f"hard work starts after {share:.0%} of the session"
            hint = (
                f"keep the first {EFFORT_FREE:.0%} easy: move it later, or begin with more that is"
            )
            yield evidence.finding("warning", "early-effort", message, hint, bout=number)


RULES = (
    wrong_sides,
    unequal_sides,
    unnamed_sides,
    uneven,
    restless,
    unmoved,
    early_effort,
)
