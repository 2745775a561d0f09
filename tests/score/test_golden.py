"""Golden timelines: what every bundled session says and sounds, readable, and reviewed as text.

    VOICEFLOW_GOLDEN=write pytest tests/score/test_golden.py

writes them anew; the change is then read in the diff, as any other change of content.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest
from conftest import BUNDLED

import voiceflow
from voiceflow import Options
from voiceflow.draw import golden

HERE = Path(__file__).parent / "golden"
SESSIONS = sorted(path.stem for path in (BUNDLED / "sessions").glob("*.yaml"))


@pytest.mark.parametrize("name", SESSIONS)
def test_a_bundled_session_goes_as_it_was_reviewed(name):
    # The silent voice takes as long as a text is estimated to: no engine decides over a golden.
    found = golden(voiceflow.arrange(name, Options(voice="silent")).score).splitlines()
    path = HERE / f"{name}.txt"
    if os.environ.get("VOICEFLOW_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(found) + "\n", encoding="utf-8")
    wanted = path.read_text(encoding="utf-8").splitlines()
    changes = list(difflib.unified_diff(wanted, found, "reviewed", "now", n=1, lineterm=""))
    assert not changes, "\n".join(changes[:60])


def test_there_is_a_golden_of_each_session_and_of_nothing_else():
    assert sorted(path.stem for path in HERE.iterdir()) == SESSIONS
