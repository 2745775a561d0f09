"""`check` lists each sign that nobody reads, and none that is read or only shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from voiceflow.cli.main import cli
from voiceflow.core.errors import Problem
from voiceflow.lint import check_path
from voiceflow.script.lookup import Library

Put = Callable[..., Path]

SESSION = """\
title: Bridge 🔥 ✓
exercises:
  - name: Bridge (s/l)
    position: supine
    setup: >
      Lie down ¶ and
      breathe • hold 30q, see www.example.org/a or rest ✓. Set #{{ set }}, {{ reps }}x, <b>hard</b>.
    pronounce: {r/v: review}
    reps: 2
    rep:
      - inhale 4: Inhale a_b. | In.
      - exhale 4: Exhale for r/v. | Out.
    tips:
      - "Go 50% ↩️ — “so” … 👍🏽\u200f\ufe0f cafe\u0301 8-12 ea."
"""


def told(problems: list[Problem]) -> list[tuple[int, int, str]]:
    found = [one for one in problems if "is not read" in one.message]
    assert {one.severity for one in found} <= {"warning"}
    return [(one.mark.line, one.mark.column, one.message.split("`")[1]) for one in found]


def test_each_sign_is_told_at_its_place(put: Put, library: Library) -> None:
    problems = check_path(put("sessions/a.yaml", SESSION), library)
    assert told(problems) == [
        (3, 19, "s/l"),
        (6, 16, "¶"),
        (7, 22, "30q"),
        (7, 31, "www.example.org/a"),
        (11, 27, "_"),
    ]
    hints = {
        one.message.split("`")[1]: one.hint for one in problems if "is not read" in one.message
    }
    assert "pronunciation/en.yaml" in hints["s/l"]
    assert "leave it out" in hints["www.example.org/a"]


def test_what_ones_own_tables_read_is_not_told(put: Put, library: Library) -> None:
    put("settings.yaml", "pronounce: {30q: half a minute}\n")
    words = 'shorthand: {s/l: single leg, "¶": paragraph, _: and}\n'
    put("pronunciation/en.yaml", words)
    problems = check_path(put("sessions/a.yaml", SESSION), library)
    assert [sign for *_, sign in told(problems)] == ["www.example.org/a"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ja", "あおむけに、なります。「３回」・すって！"),
        ("ar", "استلقِ على ظهرك، هل أنت مستعد؟"),
        ("hi", "पीठ के बल लेटें। साँस लें॥"),
        ("he", "שכב על הגב־שלך, 5 ₪."),
        ("de", "Re. Arm u. li. Bein, z. B. 5 € – 30 %."),
    ],
)
def test_the_signs_of_other_scripts_are_read(
    language: str, text: str, put: Put, library: Library
) -> None:
    source = SESSION.replace("title:", f"language: {language}\ntitle:").split("    setup:")[0]
    source = f"{source.replace(' (s/l)', '')}    setup: '{text}'\n    work: 10\n"
    assert told(check_path(put("sessions/a.yaml", source), library)) == []


def test_a_wrong_table_is_told_with_the_session_that_needs_it(put: Put, library: Library) -> None:
    put("pronunciation/en.yaml", "units: {s: {after: [x]}}\n")
    problems = check_path(put("sessions/a.yaml", SESSION), library)
    assert "en.yaml" in {Path(one.mark.file).name for one in problems if one.severity == "error"}


def test_signs_are_told_of_a_session_by_its_name_and_of_its_exercises(put: Put) -> None:
    kneel = "name: Kneel\nposition: kneeling\nsetup: Kneel ¦ down.\nwork: 10\n"
    put("exercises/kneel.yaml", kneel)
    put("sessions/mine.yaml", "title: Mine a_b\nexercises: [kneel]\n")
    ran = CliRunner().invoke(cli, ["check", "mine", "--voice", "silent"])
    assert "mine.yaml:1:" in ran.output
    assert "`_` is not read" in ran.output
    assert "Signs that are not read" in ran.output
    assert "kneel.yaml:3:14" in ran.output
    assert ran.exit_code == 0, ran.output


def test_warnings_are_told_where_the_voice_refuses_the_text(put: Put) -> None:
    put("sessions/mine.yaml", SESSION.replace("¶", "∞"))
    ran = CliRunner().invoke(cli, ["check", "mine"])
    assert re.search(r"mine\.yaml:6:16: warning: `∞` is not read", ran.output)
    assert "cannot read '∞'" in str(ran.exception)
