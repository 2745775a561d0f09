"""Warns of keys of an exercise that have no effect beside what else it has.

In: the mapping that was written, and the exercises that came of it at every level and with all
equipment. Out: a warning at each key that none of them uses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from voiceflow.core.errors import Mark, Problem, ScriptError
from voiceflow.script.models import Exercise, Session
from voiceflow.script.yaml import Node


def _breathes(breath: str) -> Callable[[Exercise], bool]:
    return lambda one: any(phase.breath == breath for phase in one.rep)


def _repeats(one: Exercise) -> bool:
    return bool(one.rep)


def _is_counted(one: Exercise) -> bool:
    return bool(one.work_s) or _breathes("hold")(one)


def _changes_sides(one: Exercise) -> bool:
    return one.sides == "each"


def _follows_breath(one: Exercise) -> bool:
    return not one.work_s


def _is_no_flow(one: Exercise) -> bool:
    return not one.flow


# What an exercise must have for a key to do anything: see plan/sets.py and plan/timing.py.
_USED: Mapping[str, Callable[[Exercise], bool]] = {
    "reps": _repeats,
    "teach": _repeats,
    "last": _repeats,
    "more": _repeats,
    "inhale": _breathes("inhale"),
    "exhale": _breathes("exhale"),
    "hold": _breathes("hold"),
    "count": _is_counted,
    "count_in": _is_no_flow,
    "halfway": _is_no_flow,
    "tips": _is_no_flow,
    "breath_in": _follows_breath,
    "breath_out": _follows_breath,
    "first": lambda one: one.sides != "none",
    "switch": _changes_sides,
    "switch_time": _changes_sides,
}
_REPETITIONS = ("reps", "teach", "last", "more")
_BREATHS = ("inhale", "exhale", "hold")
_SIDES = ("first", "switch", "switch_time")


def unused_keys(node: Node, exercises: Sequence[Exercise]) -> Iterator[Problem]:
    """Warnings for the keys in `node`, and under its levels and equipment, that have no effect.

    Parameters
    ----------
    exercises : sequence of Exercise
        What became of `node`; without any there are no warnings.
    """
    # What loads at no level has errors to tell, and may well use the key once they are mended.
    for key, value in node.pairs if exercises else ():
        if key.text in ("levels", "equipment"):
            for _, changes in value.pairs:
                yield from unused_keys(changes, exercises)
        used = _USED.get(key.text)
        if used is None or value.empty or any(used(one) for one in exercises):
            continue
        reason, hint = _why(key.text, exercises[-1])
        yield Problem(key.mark, f"`{key.text}:` has no effect: {reason}", hint, "warning")


def _why(key: str, one: Exercise) -> tuple[str, str]:
    """Why `key` does nothing, and what to do about it."""
    body = "flow" if one.flow else "work" if one.work_s else "rep"
    if key in _SIDES:
        sides = "each" if key != "first" else "each` or `sides: alternate"
        return f"the exercise has no `sides: {sides}`", "write `sides: each`, or remove the line"
    if key in _REPETITIONS:
        hint = "write `sets:` to repeat it, or remove the line" if key == "reps" else ""
        return f"`{body}:` has no repetitions", hint or "remove the line"
    if key in _BREATHS and body == "flow":
        return "each step of a `flow:` has its own time", f"write it there: `- {key} 4:`"
    if key in _BREATHS and body == "rep":
        return f"`rep:` has no `{key}`", f"add a phase `- {key} 4:`, or remove the line"
    if key == "count" and body == "rep":
        return "`rep:` has no `hold`", "remove the line"
    if key == "tips" and body == "flow":
        return "no tip is said in a `flow:`", "write it as a step: `- say: text`"
    if body == "flow":
        return "a `flow:` says only its own steps", "remove the line"
    return "`work:` has no breath phases", "remove the line"


def unused_changes(
    items: Iterable[tuple[Mark, Node]], sessions: Sequence[Session], other: Callable[[], Session]
) -> Iterator[Problem]:
    """The same for the changes and exercises in a session, by the marks of its `items`.

    `other` loads the session with equipment: it is asked only where something seems unused.
    """
    marked = tuple(items)
    if not sessions or not any(True for _ in _unused(marked, sessions)):
        return
    with suppress(ScriptError):
        yield from _unused(marked, (*sessions, other()))


def _unused(items: Iterable[tuple[Mark, Node]], sessions: Sequence[Session]) -> Iterator[Problem]:
    made: defaultdict[Mark, list[Exercise]] = defaultdict(list)
    for session in sessions:
        for one in session.exercises:
            made[one.mark].append(one)
    for mark, node in items:
        yield from unused_keys(node, made[mark])
