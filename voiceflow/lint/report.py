"""The proof as text for a coach: figures, then findings by kind, at most 80 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from itertools import groupby

from voiceflow.core.plain import printable
from voiceflow.core.units import clock, counted
from voiceflow.lint.evidence import Finding
from voiceflow.lint.proof import Proof

WIDTH = 80

# Findings are told in this order.
_HEADINGS = {
    "does-not-fit": "Words that do not fit their breath",
    "not-announced": "Announcements that do not fit",
    "counts-cut": "Counts that do not fit",
    "tip-unsaid": "Tips that are not said",
    "unsaid": "Texts that are not said",
    "rest-longer": "Rests that last longer than written",
    "uneven": "Repetitions in turn that both sides cannot share",
    "silence-longer": "Silences that last longer than written",
    "breath-scaled": "Breaths that do not last as written",
    "left-out": "Texts that a written rest has no room for",
    "overlap": "Words that overlap",
    "no-air": "Words too close together",
    "no-wake": "Words after a silence, without a wake tone",
    "long-silence": "Long silences",
    "speech-density": "Too much talk, or too little",
    "wrong-side": "Words that name the wrong side",
    "unequal-sides": "Unequal sides",
    "side-not-named": "Sides that are not named",
    "switch-short": "Too little time to change sides",
    "many-positions": "Many changes of position",
    "no-way": "Changes of position without words",
    "no-time-to-move": "Changes of position with too little time",
    "long-way-words": "Changes of position with too many words",
    "early-effort": "Hard work early on",
    "not-read": "Signs that are not read",
    "must-be-seen": "Words that point at what must be seen",
    "miscounted": "Numbers of one beside a word for several",
    "no-name": "Exercises whose name is not said",
    "no-setup": "Exercises without a set-up",
    "no-breath": "Exercises without a breath",
    "no-finish": "Exercises whose end is not said",
    "next-not-named": "Rests that do not name the next exercise",
    "not-listed": "Things that are used but not listed",
    "no-end": "An end that can be missed",
    "bed-unusable": "Music that cannot be used",
    "bed-turned": "Music that is not heard from one loudspeaker",
}


def summary(proof: Proof) -> str:
    """The figures of a session, then every finding by kind, errors first.

    Lines are at most 80 columns wide; only a long file name makes one wider.
    """
    told = [*_head(proof), *_findings(proof.findings), *_stored(proof.stored_tips)]
    return "\n".join([*told, *_verdict(proof)])


def _head(proof: Proof) -> Iterator[str]:
    yield from _wrap(proof.title, "", "")
    sides = "none with two sides"
    if proof.sides:
        equal = "equal" if proof.sides_equal else "NOT EQUAL"
        sides = f"{proof.sides} with two sides: {equal}"
    rows = {
        "length": clock(proof.length_ms),
        "pace": f"{proof.pace} (tempo {proof.tempo:g}), {proof.detail}, level {proof.level}",
        "voice": proof.voice,
        "exercises": f"{proof.exercises}, {sides}",
        "positions": f"{counted(proof.position_changes, 'change')} between exercises",
        "spoken": f"{proof.spoken:.0%} of the time",
        "tips": f"{proof.tips_said} of {proof.tips} said",
        "fits": "every word fits its breath" if proof.fits else "NOT every word fits its breath",
    }
    if proof.length_changes:
        rows["fitted"] = "; ".join(proof.length_changes)
    for name, value in rows.items():
        yield from _wrap(value, f"  {name:<11}", " " * 13)


def _findings(findings: Iterable[Finding]) -> Iterator[str]:
    order = list(_HEADINGS)

    def rank(one: Finding) -> tuple[str, int]:
        return one.severity, order.index(one.rule) if one.rule in order else len(order)

    # Sorting is stable: within one rule, findings stay in order of time.
    for (severity, _), group in groupby(sorted(findings, key=rank), key=rank):
        same = list(group)
        yield ""
        yield f"{_HEADINGS.get(same[0].rule, same[0].rule)} ({severity})"
        for one in same:
            yield from _finding(one)


def _stored(tips: Iterable[Finding]) -> Iterator[str]:
    """The tips of other files without room here, each at its place."""
    for number, one in enumerate(tips):
        if not number:
            yield from ("", "Tips of other files that this session has no room for")
        yield from _wrap(f"{one.exercise}: {one.message}", "  - ", "    ")
        if one.mark is not None:
            yield f"    {printable(str(one.mark))}"


def _finding(one: Finding) -> Iterator[str]:
    where = f"{clock(one.start_ms)} {one.exercise}: " if one.exercise else f"{clock(one.start_ms)} "
    times = f", {one.count} times" if one.count > 1 else ""
    hint = f" ({one.hint})" if one.hint else ""
    yield from _wrap(f"{where}{one.message}{times}{hint}", "  - ", "    ")
    if one.mark is not None:
        yield f"    {printable(str(one.mark))}"


def _verdict(proof: Proof) -> Iterator[str]:
    yield ""
    if not proof.findings:
        yield "It can be followed with eyes closed."
        return
    kinds = {"error": len(proof.errors), "warning": len(proof.warnings)}
    told = ", ".join(counted(number, kind) for kind, number in kinds.items() if number)
    yield told + (
        "" if proof.errors else ": it can be followed with eyes closed, but could be better."
    )


def _wrap(text: str, first: str, rest: str) -> list[str]:
    text = printable(text)
    # An option such as `--detail` must not be parted at its hyphens.
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
    )
