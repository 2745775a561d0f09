"""`check`: nothing that a person wrote is cut, said wrongly or ignored without a word."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from voiceflow.core.errors import Problem
from voiceflow.lint import check_path
from voiceflow.script.lookup import Library

Put = Callable[..., Path]

SESSION = """\
title: Station #2
about: For #hips.
exercises:
  - name: Bird #1
    position: quadruped
    setup: Come to station #2 and kneel.
    reps: 2
    rep:
      - inhale 4: Inhale for rep #{{ rep }}. | Inhale.
      - exhale 5: Exhale. | Exhale.
    tips:
      - Stay long #calm
      - é, and #1 is lost too
    finish: Rest
      #2 seconds.
"""
CUT = "the text is cut at"


def places(problems: list[Problem], part: str) -> list[tuple[int, int]]:
    return [(one.mark.line, one.mark.column) for one in problems if part in one.message]


def hashes(text: str) -> list[tuple[int, int]]:
    lines = enumerate(text.splitlines(), 1)
    return [(n, match.start() + 1) for n, line in lines for match in re.finditer("#", line)]


def test_each_text_that_a_hash_cuts_is_told_at_the_hash(put: Put, library: Library) -> None:
    problems = check_path(put("sessions/one.yaml", SESSION), library)
    assert places(problems, CUT) == hashes(SESSION)
    assert {one.severity for one in problems if CUT in one.message} == {"warning"}


def test_a_text_that_is_a_comment_as_a_whole_is_told(put: Put, library: Library) -> None:
    text = SESSION.replace("about: For #hips.", "about: #hips are the theme")
    assert (2, 8) in places(check_path(put("sessions/one.yaml", text), library), CUT)


@pytest.mark.parametrize("name", ["exercises/a.yaml", "paces/a.yaml", "settings.yaml"])
def test_texts_are_cut_in_every_kind_of_script(name: str, put: Put, library: Library) -> None:
    text = {
        "exercises/a.yaml": "name: A\nposition: supine\nflow:\n  - say: Round #1.\n",
        "paces/a.yaml": "tempo: 1\nabout: Pace #1\n",
        "settings.yaml": "tempo: 1\nname: Ana #1\n",
    }[name]
    assert places(check_path(put(name, text), library), CUT) == hashes(text)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_what_is_quoted_or_a_comment_is_let_be(ending: str, put: Put, library: Library) -> None:
    text = """\
#title: Old
title: Station # the second one
#about: an old text
about: "For #hips, and #back."
minutes: 5 #five
exercises:
  - name: Bird#1
    #position: prone
    position: quadruped #on all fours
    setup: >
      Come to station #2 and kneel.
    #finish: Rest.
    reps: 2 #two
    rep:
      - inhale 4: 'Inhale #1. | Inhale.'   #---- drawn
      #- hold 4: Hold.
      - exhale 5: Exhale. | Exhale. ####
"""
    path = put("sessions/one.yaml", "")
    path.write_bytes(text.replace("\n", ending).encode())
    assert check_path(path, library) == []
