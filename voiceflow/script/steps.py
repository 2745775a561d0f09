"""The steps inside an exercise: breath phases under `rep:`, free steps under `flow:`.

In: a list of nodes such as `inhale 4: Lift. | Up.`. Out: `Phase` or `Step` values in seconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from voiceflow.core.errors import Mark, did_you_mean
from voiceflow.core.units import parse_seconds
from voiceflow.script.fields import Problems, Schema, Seconds, Spoken, Text, complain, pointed
from voiceflow.script.yaml import Node

BREATHS = ("inhale", "exhale", "hold", "pause")
STEPS = (*BREATHS, "say", "silence", "bell")
LONGEST_S = 3600.0
LONGEST_BREATH_S = 300.0
LEAST_S = 0.5

_BARE = re.compile(r"[\d.\s]*")
# Any letters, so that a misspelt word is told as an unknown step and not as none.
_KEY = re.compile(r"([^\W\d]+)(?:\s+(\S.*))?")


@dataclass(frozen=True, slots=True)
class Phase:
    """One breath phase; `seconds` are as written, before the tempo is applied.

    `exact`: the tempo does not apply, as for a hold that was written with a unit. `united`: where
    another breath was, which the tempo changes all the same.
    """

    breath: str
    seconds: float
    text: Text | None
    mark: Mark
    exact: bool = False
    united: Mark | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a flow; `kind` is a breath, `say`, `silence` or `bell`.

    `exact` and `united` as in `Phase`.
    """

    kind: str
    seconds: float
    text: Text | None
    mark: Mark
    exact: bool = False
    united: Mark | None = None


@dataclass(frozen=True, slots=True)
class BreathTime(Seconds):
    """A time for every breath of a kind: its seconds, and its place if it has a unit."""

    def read(self, node: Node, problems: Problems) -> tuple[float, Mark | None] | None:
        # Not `super()`: it does not work in a class that was made anew for its slots.
        seconds = Seconds.read(self, node, problems)
        if seconds is None:
            return None
        return seconds, None if _BARE.fullmatch(node.text) else node.mark


@dataclass(frozen=True, slots=True)
class Phases:
    """The list under `rep:`."""

    def read(self, node: Node, problems: Problems) -> tuple[Phase, ...] | None:
        steps = _read_steps(node, problems, BREATHS, "- inhale 4: Full text. | Brief.")
        phases = tuple(Phase(s.kind, s.seconds, s.text, s.mark, s.exact, s.united) for s in steps)
        # A list whose steps are all wrong has had its problems already.
        if not phases and node.kind == "list" and not node.items:
            complain(
                problems, node, "the repetition has no breath phases", "write `- inhale 4: Inhale.`"
            )
        return phases or None

    def schema(self) -> Schema:
        return _steps_schema(r"^(inhale|exhale|hold|pause)\s+\S+$", bare=True)


@dataclass(frozen=True, slots=True)
class Steps:
    """The list under `flow:`."""

    def read(self, node: Node, problems: Problems) -> tuple[Step, ...] | None:
        form = "- say: text`, `- silence 30s` or `- bell"
        steps = _read_steps(node, problems, STEPS, form)
        if not steps and node.kind == "list" and not node.items:
            complain(problems, node, "the flow has no steps", f"write `{form}`")
        return steps or None

    def schema(self) -> Schema:
        return _steps_schema(r"^(say|bell|(silence|inhale|exhale|hold|pause)\s+\S+)$", bare=True)


def _steps_schema(pattern: str, *, bare: bool) -> Schema:
    # `- hold 3:` with nothing after it is a phase without words.
    text = {**Spoken().schema(), "type": ["string", "number", "null"]}
    line: Schema = {
        "type": "object",
        "patternProperties": {pattern: text},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    one: Schema = {"anyOf": [line, {"type": "string", "pattern": pattern}]} if bare else line
    return {"type": "array", "items": one, "minItems": 1, "maxItems": 1000}


def _read_steps(
    node: Node, problems: Problems, words: tuple[str, ...], form: str
) -> tuple[Step, ...]:
    if node.kind != "list":
        message = f"expected a list of steps, found {node.described}"
        complain(problems, node, message, f"write one step per line: `{form}`")
        return ()
    if len(node.items) > 1000:
        complain(problems, node, "the list has more than 1000 steps")
        return ()
    read = (_read_step(item, problems, words, form) for item in node.items)
    return tuple(step for step in read if step is not None)


def _read_step(node: Node, problems: Problems, words: tuple[str, ...], form: str) -> Step | None:
    key, value = node, None
    if node.kind == "map" and len(node.pairs) == 1:
        key, value = node.pairs[0]
    match = _KEY.fullmatch(key.text.strip()) if key.kind == "scalar" else None
    if node.kind == "list" or match is None:
        hint = f"write `{form}`"
        if node.kind == "map" and len(node.pairs) > 1:
            hint = "start each step with its own hyphen"
        complain(problems, node, "this is not a step", hint)
        return None
    word, amount = match[1], match[2]
    if word not in words:
        hint = did_you_mean(word, words)
        complain(problems, key, f"unknown step `{word}`", hint)
        return None
    text = None if value is None or value.empty else Spoken().read(value, problems)
    if word == "say" and text is None:
        complain(problems, key, "`say` has no text", "write `- say: text`")
        return None
    seconds = _read_amount(key, word, amount, problems)
    # "hold 20s" is a time; "hold 4" is a breath, which the tempo scales with the others.
    unit = word in BREATHS and not _BARE.fullmatch(amount or "")
    exact = unit and word == "hold"
    united = key.mark if unit and not exact else None
    return None if seconds is None else Step(word, seconds, text, key.mark, exact, united)


def _read_amount(key: Node, word: str, amount: str | None, problems: Problems) -> float | None:
    if word in ("say", "bell"):
        if amount is not None:
            complain(problems, key, f"`{word}` takes no duration", f"write `- {word}:`")
            return None
        return 0.0
    if amount is None:
        hint = f"write `- {word} 40s`" if word == "silence" else f"write `- {word} 4:`"
        complain(problems, key, f"`{word}` has no duration", hint)
        return None
    try:
        seconds = parse_seconds(amount)
    except ValueError:
        hint = pointed(amount) or f"write seconds: `- {word} 4:`"
        complain(problems, key, f"{amount[:40]!r} is not a time", hint)
        return None
    longest = LONGEST_BREATH_S if word in BREATHS else LONGEST_S
    if not LEAST_S <= seconds <= longest:
        hint = f"use a time from {LEAST_S:g} s to {longest:g} s"
        complain(problems, key, f"`{word} {amount}` is out of range", hint)
        return None
    return seconds
