"""`check`: keys of an exercise that have no effect are told, and only these."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from voiceflow.core.errors import Problem
from voiceflow.lint import check_path
from voiceflow.script.lookup import Library

Put = Callable[..., Path]

HEAD = "name: Scan\nposition: supine\nsetup: Lie on your back.\n"
FLOW = HEAD + "flow:\n  - say: Feel your feet.\n  - inhale 4: Inhale.\n"
WORK = HEAD + "work: 40s\n"
REP = HEAD + "rep:\n  - inhale 4: Inhale.\n  - exhale 4: Exhale.\n"
HOLD = REP + "  - hold 6: Hold.\n"


def unused(problems: list[Problem]) -> list[tuple[int, str, str]]:
    assert all(" has no effect: " in str(one) for one in problems), problems
    assert all(one.hint and one.severity == "warning" for one in problems)
    return [(one.mark.line, one.message.split("`")[1].rstrip(":"), one.hint) for one in problems]


@pytest.mark.parametrize(
    ("body", "line", "hint"),
    [
        (FLOW, "reps: 4", "`sets:`"),
        (FLOW, "hold: 8", "write it there: `- hold 4:`"),
        (FLOW, "inhale: 8", "write it there: `- inhale 4:`"),
        (FLOW, "tips: [Be still.]", "- say: text"),
        (FLOW, "count_in: 3", ""),
        (FLOW, "count: up", ""),
        (FLOW, "halfway: no", ""),
        (WORK, "reps: 4", "`sets:`"),
        (WORK, "teach: 2", ""),
        (WORK, "hold: 8", ""),
        (WORK, "breath_in: 3", ""),
        (REP, "hold: 8", "add a phase"),
        (REP, "count: up", ""),
        (REP, "switch: Turn.", "`sides: each`"),
        (REP, "first: left", "`sides: each`"),
        (REP, "sides: alternate\nswitch: Turn.", "`sides: each`"),
    ],
)
def test_keys_without_effect_are_told(
    body: str, line: str, hint: str, put: Put, library: Library
) -> None:
    text = f"{body}{line}\n"
    key = line.splitlines()[-1].partition(":")[0]
    ((at, name, told),) = unused(check_path(put("exercises/scan.yaml", text), library))
    assert (at, name) == (len(text.splitlines()), key)
    assert hint in told


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (FLOW, "sets: 2\nbreath_in: 3\ntempo: 0.9\nfinish: Rest.\nsides: each\nswitch: Turn."),
        (WORK, "sets: 2\ncount_in: 3\ncount: up\nhalfway: no\ntips: [Be still.]"),
        (HOLD, "reps: 4\nhold: 8\ninhale: 3\ncount: up\nteach: 1\nbreath_in: 3\ntips: [Be still.]"),
        (REP, "sides: alternate\nfirst: left"),
        (FLOW, "reps: 4\nlevels: {2: {rep: [inhale 4, exhale 4]}}"),
        (WORK, "reps: 4\nequipment: {ball: {rep: [inhale 4, exhale 4]}}"),
        (FLOW, "reps:"),
    ],
)
def test_what_has_an_effect_somewhere_is_let_be(
    body: str, lines: str, put: Put, library: Library
) -> None:
    assert check_path(put("exercises/scan.yaml", f"{body}{lines}\n"), library) == []


def test_changes_of_a_session_and_of_levels_are_told(put: Put, library: Library) -> None:
    put("exercises/scan.yaml", FLOW)
    put("exercises/ball.yaml", FLOW + "equipment: {ball: {rep: [inhale 4, exhale 4]}}\n")
    put("exercises/bridge.yaml", REP)
    head = "title: Mine\nexercises:\n"
    items = (
        "  - scan: {sets: 2, reps: 4}\n  - ball: {reps: 4}\n  - bridge: {reps: 4}\n"
        "  - name: Rest\n    position: supine\n    flow: [silence 5s]\n    reps: 3\n"
    )
    path = put("sessions/mine.yaml", head + items)
    assert [one[:2] for one in unused(check_path(path, library))] == [(3, "reps"), (9, "reps")]
    path = put("exercises/late.yaml", FLOW + "levels:\n  2: {sets: 2}\n  3: {reps: 4}\n")
    assert [one[:2] for one in unused(check_path(path, library))] == [(9, "reps")]
