"""What a script says of time, read without voiceflow, and where a plan has that work.

A *stretch* is work without a break: an interval, the repetitions of a set, the steps of a flow.
Between two of them lies a rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from voiceflow.plan.moments import Moment
from voiceflow.score.decide import Decision

WORKING = ("work", "phase", "say", "silence", "bell")
_LONG_HOLD_S = 10  # in a flow, a hold from here on is a time and no breath
_UNITS = {"": 1, "s": 1, "min": 60, "m": 60}
_TIME = re.compile(r"([\d.]+)\s*(s|min|m|)")


@dataclass(frozen=True, slots=True)
class Timed:
    """A step as written: `exact` where no tempo may change it; 0 s for `say` and `bell`."""

    kind: str
    seconds: float
    exact: bool


@dataclass(frozen=True, slots=True)
class Wrote:
    """The times of an exercise as its author wrote them, in seconds; None where none is."""

    name: str
    work: float | None
    rest: float | None
    steps: tuple[Timed, ...]
    box: float | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Work without a break: the indices of its moments in the plan, and what was written."""

    wrote: Wrote
    bout: int
    first: int
    last: int
    place: tuple[Any, ...]

    def step(self, index: int) -> Timed:
        """What was written for the moment at `index`; a repetition goes through its steps anew."""
        return self.wrote.steps[(index - self.first) % len(self.wrote.steps)]


def seconds_of(value: Any) -> float:
    """Seconds in 20, "20s", "1 min" or "0.5 min"."""
    found = _TIME.fullmatch(str(value).strip())
    assert found, f"{value!r} is no time that the tests use"
    return float(found[1]) * _UNITS[found[2]]


def _timed(step: Any, *, flow: bool, hold: Any = None) -> Timed:
    text = step if isinstance(step, str) else next(iter(step))
    kind, _, amount = text.partition(" ")
    if kind == "hold" and hold is not None:
        amount = str(hold)
    seconds = seconds_of(amount) if amount else 0.0
    unit = kind == "hold" and not re.fullmatch(r"[\d.]+", amount.strip())
    long = flow and kind == "hold" and seconds >= _LONG_HOLD_S
    return Timed(kind, seconds, kind == "silence" or unit or long)


def _wrote(exercise: dict[str, Any], rest: Any, box: Any) -> Wrote:
    steps = exercise.get("rep") or exercise.get("flow") or ()
    flow, hold = "flow" in exercise, exercise.get("hold")
    work, own = exercise.get("work"), exercise.get("rest", rest)
    return Wrote(
        exercise["name"],
        None if work is None else seconds_of(work),
        None if own is None else seconds_of(own),
        tuple(_timed(step, flow=flow, hold=hold) for step in steps),
        None if box is None else seconds_of(box),
    )


def exercises_of(root: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    """The exercises of a session, and the time box of the section that each stands in."""
    sections = [value for part in root.get("sections", ()) for value in part.values()]
    for section in sections or [root["exercises"]]:
        inner = section["exercises"] if isinstance(section, dict) else section
        box = section.get("time") if isinstance(section, dict) else None
        yield from ((one, box) for one in inner)


def root_of(path: Path) -> dict[str, Any]:
    root: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return root


def wrote(root: dict[str, Any], rest: float | None = None) -> dict[str, Wrote]:
    """What a session says of time, by the exercise's name; `rest` as with `--set rest=`."""
    told = {}
    for exercise, box in exercises_of(root):
        own = exercise if rest is None else {**exercise, "rest": rest}
        told[exercise["name"]] = _wrote(own, root.get("rest"), box)
    return told


def stretches(decision: Decision, told: dict[str, Wrote]) -> list[Stretch]:
    """All work of a decided session, in order."""
    moments, found = decision.plan.moments, []
    first = 0
    for index, moment in enumerate(moments):
        if moment.kind not in WORKING:
            continue
        if index == 0 or _parted(moments[index - 1], moment):
            first = index
        after = moments[index + 1] if index + 1 < len(moments) else None
        if after is None or _parted(moment, after):
            exercise = decision.plan.bouts[moment.exercise].exercise.name
            place = (moment.exercise, dict(moment.context).get("set"), moment.side)
            found.append(Stretch(told[exercise], moment.exercise, first, index, place))
    return found


def _parted(one: Moment, after: Moment) -> bool:
    """Whether a stretch ends between two neighbours."""
    if not {one.kind, after.kind} <= set(WORKING) or "work" in (one.kind, after.kind):
        return True
    again = one.group != after.group and one.rep is not None and (after.rep or 0) <= one.rep
    return one.exercise != after.exercise or again


def rests(found: Sequence[Stretch]) -> Iterator[tuple[Stretch, Stretch]]:
    """The neighbours between which a written rest lies: not where only the side changes."""
    for one, after in pairwise(found):
        sides = one.place[:2] == after.place[:2] and one.place[2] != after.place[2]
        if one.wrote.rest is not None and not sides:
            yield one, after
