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


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Do exercise # 3 first, then rest", True),
        ("Come to your mat. # 3 of them are here", True),
        ("Come to your mat.   # why this is here", False),
        ("Come to your mat.   # three", False),
    ],
)
def test_a_number_after_the_hash_was_pasted(
    line: str, told: bool, put: Put, library: Library
) -> None:
    text = SESSION.replace("#", "").replace("Come to station 2 and kneel.", line)
    assert bool(places(check_path(put("sessions/one.yaml", text), library), CUT)) == told


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


def test_a_step_that_is_cut_before_its_text_is_told(put: Put, library: Library) -> None:
    text = SESSION.replace("#", "").replace("exhale 5: Ex", "exhale 5 #2: Ex")
    problems = check_path(put("sessions/one.yaml", text), library)
    assert [(one.mark.line, one.mark.column) for one in problems] == hashes(text)
    assert CUT in problems[0].message


@pytest.mark.parametrize(
    "text",
    [
        "title: One\nsections:\n  - Part #2:\n    - bridge\n",
        "title: One\nabout: Come to\n  #2 and\n  kneel.\nexercises: [bridge]\n",
    ],
)
def test_where_a_hash_breaks_the_yaml_it_is_named(text: str, put: Put, library: Library) -> None:
    (found,) = check_path(put("sessions/one.yaml", text), library)
    assert found.severity == "error"
    assert "` #2" in found.hint


def test_broken_yaml_without_a_hash_has_its_usual_hint(put: Put, library: Library) -> None:
    text = "title: One # why\nabout: Come\n  to\n kneel: [\n"
    (found,) = check_path(put("sessions/one.yaml", text), library)
    assert "#" not in found.hint


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


# Markup

LIFT = """\
name: Lift
position: supine
setup: 'Bend both knees. TEXT'
reps: 2
rep:
  - inhale 4: Inhale.
  - exhale 5: Exhale.
"""


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("{side}", "write {{ side }}"),
        ("{side}}", "write {{ side }}"),
        ("{ reps }", "write {{ reps }}"),
        ("{Name}", "write {{ name }}"),
        ("${side}", "write {{ side }}"),
        ("{sied}", "did you mean `side`"),
        ("<side>", "write {{ side }}"),
        ("<b>", "remove the tag"),
        ("</p>", "remove the tag"),
        ("<br/>", "remove the tag"),
        ('<a href="b">', "remove the tag"),
        ('<prosody rate="slow">', "remove the tag"),
        ('<break time="1s"/>', "`- silence 2s`"),
        ("<!--", "remove the comment"),
        ("&amp;", "write &"),
        ("&nbsp;", "write a blank"),
        ("&#8230;", "write …"),
    ],
)
@pytest.mark.parametrize("before", [" ", "é"])
def test_markup_is_told_where_it_stands(
    before: str, source: str, hint: str, put: Put, library: Library
) -> None:
    text = LIFT.replace("TEXT", f"Now{before}{source} rest.")
    (found,) = check_path(put("exercises/lift.yaml", text), library)
    assert (found.mark.line, found.mark.column) == (3, text.splitlines()[2].index(source) + 1)
    assert found.severity == "warning"
    assert source in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    "plain",
    [
        "{{ reps }} times, {{reps}} times.",
        "{% if reps > 2 %}Many{% endif %} {# {side} #} of them.",
        "{{ '{side}' | length }} letters.",
        "Breathe 4 < 5, and 6 > 3, <3.",
        "If x<y and y>z, rest.",
        "Strength & ease; Q&A; this &that.",
        "{1, 2}, {} and {a b}.",
    ],
)
def test_what_is_no_markup_is_let_be(plain: str, put: Put, library: Library) -> None:
    text = LIFT.replace("TEXT", plain.replace("'", "''"))
    found = check_path(put("exercises/lift.yaml", text), library)
    # `x<y` is no markup, but nobody reads it either: see test_unread_signs.py.
    assert [one for one in found if "is not read" not in one.message] == []


@pytest.mark.parametrize("braces", ["{{ side }}", "{side}", "{% if side %}"])
def test_a_name_is_not_a_template(braces: str, put: Put, library: Library) -> None:
    text = LIFT.replace("TEXT", "").replace("Lift", f"'Lift {braces}'")
    (found,) = check_path(put("exercises/lift.yaml", text), library)
    assert (found.mark.line, found.mark.column) == (1, 13)
    assert "`name:` is not a template" in found.message


def test_markup_is_found_in_sessions_and_phrases(put: Put, library: Library) -> None:
    session = (
        SESSION.replace("#", "") + "    sides: each\n    switch: Go {side}.\n    tags: '<b>'\n"
    )
    (found,) = check_path(put("sessions/one.yaml", session), library)
    assert found.mark.line == len(session.splitlines()) - 1
    phrases = "{% macro last() %}\nLast {rep}{% endmacro %}\n{% macro end() %}A&nbsp;{% endmacro %}"
    problems = check_path(put("phrases/mine.j2", phrases), library)
    assert places(problems, "said as it is") == [(2, 6), (3, 19)]


# Names


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("Well done, {{ name }}.", "Well done, ."),
        ("Well done, {{ name | upper }}. | Well done.", "Well done, ."),
        ("{{ name }}, come down.", ", come down."),
    ],
)
def test_a_gap_for_a_name_is_told(text: str, gap: str, put: Put, library: Library) -> None:
    script = LIFT.replace("TEXT", text)
    (found,) = check_path(put("exercises/lift.yaml", script), library)
    assert (found.mark.line, found.mark.column) == (3, script.splitlines()[2].index("{{") + 1)
    assert gap in found.message
    assert "{% if name %}" in found.hint
    put("settings.yaml", "name: Ana\n")
    assert check_path(put("exercises/lift.yaml", script), library) == []


@pytest.mark.parametrize(
    "text",
    [
        "Well done{% if name %}, {{ name }}{% endif %}.",
        "Well done {% if name %}{{ name }}{% endif %}.",
        "Well done{{ ', ' ~ name if name else '' }}.",
        'Well done, {{ name or "friend" }}.',
        'Well done, {{ name | default("friend", true) }}.',
        "{{ name }}",
        "Say your name, {{ exercise }}.",
    ],
)
def test_a_name_with_a_guard_is_let_be(text: str, put: Put, library: Library) -> None:
    script = LIFT.replace("'Bend both knees. TEXT'", "'TEXT'").replace(
        "TEXT", text.replace("'", "''")
    )
    assert check_path(put("exercises/lift.yaml", script), library) == []


def test_a_session_with_a_name_has_no_gap(put: Put, library: Library) -> None:
    session = SESSION.replace("#", "").replace("For hips.", "For you, {{ name }}.")
    (found,) = check_path(put("sessions/one.yaml", session), library)
    assert (found.mark.line, "leaves a gap" in found.message) == (2, True)
    assert check_path(put("sessions/one.yaml", f"name: Ana\n{session}"), library) == []
