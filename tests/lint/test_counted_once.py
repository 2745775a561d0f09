"""The proof's figures and hints, and what only one place in a session can get wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from voiceflow.core.cache import Cache
from voiceflow.core.errors import ScriptError
from voiceflow.lint import Proof, check_path, prove
from voiceflow.lint.report import summary
from voiceflow.score.options import Context, Options
from voiceflow.score.prepare import prepare
from voiceflow.script.load import load_session
from voiceflow.script.lookup import Library

Put = Callable[..., Path]

CIRCUIT = """\
title: Circuit
sections:
  - Work:
      rounds: 3
      exercises:
        - name: Lift
          position: side-lying
          setup: Lie on your side, legs long.
          sides: each
          switch: Roll over to your other side.
          reps: 6
          rep:
            - inhale 4: Inhale.
            - exhale 5: Lift.
          tips: [Stay long., Breathe wide., Be slow.]
"""
HELD = """\
title: Held
exercises:
  - name: Hold
    position: supine
    setup: Lie on your back.
    reps: 2
    rep:
      - inhale 4: Inhale.
      - hold 2s: Hold still here, with all of your ribs wide and soft and long as you can.
"""
VARIANTS = """\
title: Ball
exercises:
  - name: Lift
    position: supine
    setup: Lie on your back.
    equipment:
      ball:
        setup: Hold the ball for {{ 1 // (reps - reps) }} breaths.
    work: 20
"""


def proof(path: Path, library: Library) -> Proof:
    wanted = Options(pace="steady", voice="silent")
    decision, made = prepare(path, wanted, Context(library, Cache(None)))
    return prove(decision, made.tones)


def test_an_exercise_that_returns_counts_once(put: Put, library: Library) -> None:
    found = proof(put("sessions/a.yaml", CIRCUIT), library)
    assert (found.exercises, found.sides, found.tips) == (1, 1, 3)
    assert 0 < found.tips_said <= 3
    assert "exercises  1, 1 with two sides" in summary(found)
    assert f"tips       {found.tips_said} of 3 said" in summary(found)


@pytest.mark.parametrize(("hold", "told"), [("2s", "it fits a phase of"), ("2", "tempo")])
def test_no_tempo_is_told_for_a_hold_that_none_changes(
    hold: str, told: str, put: Put, library: Library
) -> None:
    text = HELD.replace("hold 2s", f"hold {hold}").replace("ribs wide and soft and long as", "as")
    found = proof(put("sessions/a.yaml", text), library)
    hints = [one.hint for one in found.findings if one.rule == "does-not-fit"]
    assert hints
    assert all(told in hint for hint in hints)


def test_a_variant_written_in_a_session_is_rendered(put: Put, library: Library) -> None:
    problems = check_path(put("sessions/a.yaml", VARIANTS), library)
    assert [(one.severity, one.mark.line) for one in problems] == [("error", 8)]
    assert "division" in problems[0].message or "zero" in problems[0].message


def test_a_pace_that_does_not_exist_is_told_at_its_place(put: Put, library: Library) -> None:
    path = put("sessions/a.yaml", CIRCUIT.replace("sections:", "pace: calmm\nsections:", 1))
    with pytest.raises(ScriptError) as caught:
        load_session(path, library)
    (told,) = caught.value.problems
    assert (told.mark.line, told.mark.column) == (2, 7)
    assert told.message == "there is no pace called `calmm`"
    assert "calm" in told.hint
    assert check_path(path, library) == [told]
