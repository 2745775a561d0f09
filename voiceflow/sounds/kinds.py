"""The kinds of value in a tone set, as musicians write them: `A3 -> E4`, `15 %`, `200-900 Hz`.

Text in, numbers in Hz, seconds, dB or shares out; a bad value becomes a problem.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from voiceflow.script.fields import Problems, Schema, complain
from voiceflow.script.yaml import Node
from voiceflow.sounds.recipe import Course, Extent

# Bounded digits: no text makes a number that is endless or infinite.
_AMOUNT = re.compile(r"([-+]?\d{1,6}(?:\.\d{1,6})?)\s*([a-zA-Z%]*)")
_NOTE = re.compile(r"([A-Ga-g])([#b]?)(\d)")
# Semitones from A; octaves are counted from C, so C to G lie below the A of the same number.
_STEPS = {"c": -9, "d": -7, "e": -5, "f": -4, "g": -2, "a": 0, "b": 2}
_ARROW = re.compile(r"\s*(?:->|→)\s*")


def _amount(text: str, units: dict[str, float]) -> float:
    """The number in `text` times the factor of its unit. Raises ValueError."""
    match = _AMOUNT.fullmatch(text.strip())
    if match is None or match[2].lower() not in units:
        raise ValueError(text)
    return float(match[1]) * units[match[2].lower()]


def pitch(text: str) -> float:
    """Hz of ``A3``, ``F#4``, ``196 Hz``, ``1.2 kHz``; A4 is 440 Hz. Raises ValueError."""
    if note := _NOTE.fullmatch(text.strip()):
        letter, sign, octave = note.groups()
        step = _STEPS[letter.lower()] + {"": 0, "#": 1, "b": -1}[sign] + 12 * (int(octave) - 4)
        return float(round(440 * 2 ** (step / 12), 3))
    return _amount(text, {"": 1, "hz": 1, "khz": 1000})


def seconds(text: str) -> float:
    """Seconds of ``0.2``, ``0.2 s`` or ``200 ms``. Raises ValueError."""
    return _amount(text, {"": 1, "s": 1, "ms": 0.001})


def decibels(text: str) -> float:
    """``-32``, ``-32 LUFS`` or ``-6 dB`` as a number. Raises ValueError."""
    return _amount(text, {"": 1, "db": 1, "lufs": 1})


def share(text: str) -> float:
    """``40 %`` as 0.4; the percent sign is required. Raises ValueError."""
    return _amount(text, {"%": 0.01})


def number(text: str) -> float:
    """A plain number. Raises ValueError."""
    return _amount(text, {"": 1})


@dataclass(frozen=True, slots=True)
class Measure:
    """An amount from `least` to `most`; `what` says in messages how it is written."""

    parse: Callable[[str], float]
    least: float
    most: float
    what: str

    def read(self, node: Node, problems: Problems) -> float | None:
        # No measure reads an empty text, so a list or a map becomes a problem below.
        return self.value(node.text if node.kind == "scalar" else "", node, problems)

    def value(self, text: str, node: Node, problems: Problems) -> float | None:
        """`text`, a part of `node`, as a number; None after adding a problem."""
        try:
            value = self.parse(text)
        except ValueError:
            found = repr(text[:40]) if node.kind == "scalar" else node.described
            complain(problems, node, f"expected {self.what}, found {found}")
            return None
        if not self.least <= value <= self.most:
            hint = f"use a value from {self.least:g} to {self.most:g}"
            complain(problems, node, f"{text.strip()} is out of range", hint)
            return None
        return value

    def schema(self) -> Schema:
        return {"type": ["string", "number"], "description": self.what}


@dataclass(frozen=True, slots=True)
class Moving:
    """One amount, or two with an arrow: the values at the start and at the end of the tone."""

    measure: Measure

    def read(self, node: Node, problems: Problems) -> Course | None:
        parts = _ARROW.split(node.text) if node.kind == "scalar" else [""]
        if len(parts) > 2:
            hint = "use one arrow: start -> end"
            complain(problems, node, f"{node.text[:40]!r} has too many arrows", hint)
            return None
        values = [self.measure.value(part, node, problems) for part in parts]
        # `or 0.0` is for the type checker alone: None has just been ruled out.
        return None if None in values else Course(values[0] or 0.0, values[-1] or 0.0)

    def schema(self) -> Schema:
        what = f"{self.measure.what}, or two with an arrow between them"
        return {"type": ["string", "number"], "description": what}


@dataclass(frozen=True, slots=True)
class Band:
    """A frequency band such as `200-900 Hz`, or two with an arrow. Its value is (low, high)."""

    def read(self, node: Node, problems: Problems) -> tuple[Course, Course] | None:
        parts = _ARROW.split(node.text) if node.kind == "scalar" else [""]
        edges = [_edges(part) for part in parts]
        if len(parts) > 2 or None in edges:
            found = repr(node.text[:40]) if node.kind == "scalar" else node.described
            hint = "write 200-900 Hz, or 200-900 Hz -> 400-2400 Hz, from 20 to 11000 Hz"
            complain(problems, node, f"expected a frequency band, found {found}", hint)
            return None
        (low, high), (last_low, last_high) = edges[0] or (0, 0), edges[-1] or (0, 0)
        return Course(low, last_low), Course(high, last_high)

    def schema(self) -> Schema:
        return {
            "type": "string",
            "description": "a frequency band (200-900 Hz), or two with an arrow",
        }


def _edges(text: str) -> tuple[float, float] | None:
    low, _, high = text.partition("-")
    try:
        # `200-900 Hz` has its unit once: a pitch without one is in Hz.
        edges = pitch(low), pitch(high)
    except ValueError:
        return None
    return edges if 20 <= edges[0] < edges[1] <= 11_000 else None


@dataclass(frozen=True, slots=True)
class ExtentKind:
    """A part of the tone's length: `15 %` of it, or `0.2 s`."""

    def read(self, node: Node, problems: Problems) -> Extent | None:
        if node.kind == "scalar" and node.text.strip().endswith("%"):
            part = Measure(share, 0, 1, "a share such as 15 %").read(node, problems)
            return None if part is None else Extent(part, share=True)
        length = Measure(seconds, 0, 60, "a time such as 0.2 s, or a share such as 15 %")
        value = length.read(node, problems)
        return None if value is None else Extent(value)

    def schema(self) -> Schema:
        return {"type": ["string", "number"], "description": "a time (0.2 s) or a share (15 %)"}


PITCH = Measure(pitch, 20, 11_000, "a pitch such as A3 or 220 Hz")
LEVEL = Measure(decibels, -60, -14, "a loudness such as -32 LUFS")
GAIN = Measure(decibels, -60, 12, "a gain such as -6 dB")
