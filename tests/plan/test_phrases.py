"""Phrases: a coach's macros, looked up, read and found wrong where they stand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import little_work

from voiceflow.core.errors import ScriptError, UnknownNameError
from voiceflow.plan.phrases import load_phrases, phrase_warnings, read_phrases
from voiceflow.script.lookup import Library

Put = Callable[..., Path]


def test_a_users_phrases_win_and_coach_says_the_rest(put: Put, library: Library) -> None:
    put(
        "phrases/mine.j2",
        "{% macro end() %}That was it.{% endmacro %}{% macro rest() %}{% endmacro %}",
    )
    mine = load_phrases("mine", "en", library)
    assert mine.say("end", {}) == ("That was it.",)
    assert mine.say("rest", {}) == ()
    assert mine.say("inhale", {}) == ("Inhale.",)
    spanish = load_phrases("mine", "es", library)
    assert spanish.say("end", {}) == ("That was it.",)
    assert spanish.say("inhale", {}) == load_phrases("coach", "es", library).say("inhale", {})
    put("phrases/coach.j2", "{% macro inhale() %}In.{% endmacro %}")
    coach = load_phrases("coach", "en", library)
    assert coach.say("inhale", {}) == ("In.",)
    assert coach.say("exhale", {}) == ("Exhale.",)


def test_unknown_phrases_are_told(library: Library) -> None:
    with pytest.raises(UnknownNameError, match="did you mean `coach`"):
        load_phrases("coahc", "en", library)


@pytest.mark.parametrize(
    ("source", "place", "message"),
    [
        ("\n{% macro end() %}{{ titel }}{% endmacro %}", "2:21", "unknown variable `titel`"),
        ("{% macro end() %}\n  {{ name.x }}{% endmacro %}", "2:", "`.` and `[]` are not allowed"),
        ("{% macro end(x) %}{% endmacro %}", "1:10", "a macro cannot have parameters"),
        ("{% macro end() %}", "1:", "template: "),
        ("{% include 'x' %}", "1:4", "`include` is not allowed in a template"),
        ("{% macro a() %}{{ b() }}{% endmacro %}", "1:", "`b` cannot be called"),
        ("{% macro a() %}{% endmacro %}{% macro a() %}{% endmacro %}", "1:", "duplicate macro `a`"),
        (
            "{% if name %}{% macro end() %}x{% endmacro %}{% endif %}",
            "1:",
            "must not be inside another block",
        ),
    ],
)
def test_wrong_phrases_are_told_where_they_stand(
    put: Put, source: str, place: str, message: str
) -> None:
    with pytest.raises(ScriptError) as caught:
        read_phrases(put("phrases/mine.j2", source))
    found = [f"{p.mark.line}:{p.mark.column} {p.message}" for p in caught.value.problems]
    assert any(one.startswith(place) and message in one for one in found), found


def test_phrases_that_are_no_text_are_told(put: Put) -> None:
    with pytest.raises(ScriptError, match="the file is not UTF-8 text"):
        read_phrases(put("phrases/mine.j2", b"\xff"))
    with pytest.raises(ScriptError, match="the file is larger than 1 MiB"):
        read_phrases(put("phrases/mine.j2", b" " * (2 << 20)))


def test_hostile_phrases_are_refused_in_time(put: Put) -> None:
    names = "".join(f"{{{{ a{n} }}}}" for n in range(20_000))
    macros = "".join(f"{{% macro m{n}() %}}x{{% endmacro %}}" for n in range(4_000))
    for source in (names, macros, "{{" * 200_000, "{% if name %}" * 20_000):
        with little_work(), pytest.raises(ScriptError) as caught:
            read_phrases(put("phrases/mine.j2", source))
        assert len(caught.value.problems) <= 20


def test_macros_that_nothing_says_are_warned_of(put: Put) -> None:
    path = put(
        "phrases/mine.j2", "\n{% macro welcom() %}{% endmacro %}{% macro _help() %}{% endmacro %}"
    )
    (warning,) = phrase_warnings(path)
    assert (warning.severity, warning.mark.line, warning.mark.column) == ("warning", 2, 10)
    assert "did you mean `welcome`" in warning.hint


@pytest.mark.parametrize(
    ("source", "place", "message"),
    [
        ("\n{% macro end() %}{{ 1 / (level - level) }}{% endmacro %}", "2:23", "division by zero"),
        ("{% macro end() %}\nSo.\n{{ 7 % left }}{% endmacro %}", "3:6", "division by zero"),
        ("{% macro end() %}\n\n  {{ title - 1 }}{% endmacro %}", "3:12", "`-` works only on numb"),
        (
            "{% macro _a() %}\n{{ 1 // left }}{% endmacro %}\n"
            "{% macro end() %}{{ _a() }}{% endmacro %}",
            "2:6",
            "division by zero",
        ),
        (
            "{% macro rest() %}{{ 4 / 2 }}{% endmacro %} "
            "{% macro end() %}{{ 4 / left }}{% endmacro %}",
            "1:67",
            "division by zero",
        ),
        ("{% macro end() %}\n{{ side }}{{ 9 ~ title|round }}{% endmacro %}", "2:", "template: "),
        ("\n\n{% macro end() %}" + "x" * 30_000 + "{% endmacro %}", "3:10", "the output is too"),
    ],
)
def test_a_macro_that_fails_is_told_at_its_line(
    put: Put, library: Library, source: str, place: str, message: str
) -> None:
    put("phrases/mine.j2", source)
    with pytest.raises(ScriptError) as caught:
        load_phrases("mine", "en", library).say("end", {"level": 1, "left": 0, "title": "T"})
    (problem,) = caught.value.problems
    assert problem.mark.file.endswith("mine.j2")
    assert f"{problem.mark.line}:{problem.mark.column}".startswith(place)
    assert problem.message.startswith(f"macro `end`: {message}")
