"""Errors: one tree, exit codes, places and hints."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator

import pytest

import voiceflow
from voiceflow.core import errors
from voiceflow.core.errors import (
    MOST_TOLD,
    Mark,
    Problem,
    ScriptError,
    UnknownNameError,
    did_you_mean,
    fewest,
)

ALL = [
    cls
    for _, cls in inspect.getmembers(errors, inspect.isclass)
    if issubclass(cls, Exception) and cls.__module__ == errors.__name__
]


def walked(cls: type[errors.VoiceflowError], depth: int = 0) -> Iterator[tuple[int, str, int]]:
    """The tree of classes as (depth, name, exit code), each before those below it."""
    yield depth, cls.__name__, cls.exit_code
    for below in cls.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from walked(below, depth + 1)


def drawn() -> Iterator[tuple[int, str, int]]:
    """The same from the module's drawing: a class has the exit code of its parent, or its own."""
    codes: list[int] = []
    for line in (errors.__doc__ or "").splitlines():
        if match := re.fullmatch(r"    ([│├└─ ]*)([A-Z]\w+) {2,}(?:exit (\d): )?\S.*", line):
            depth = len(match[1]) // 4
            codes[depth:] = [int(match[3]) if match[3] else codes[depth - 1]]
            yield depth, match[2], codes[depth]


def test_the_tree_is_drawn_as_it_is() -> None:
    assert list(drawn()) == list(walked(errors.VoiceflowError))


def test_no_error_hangs_beside_the_tree() -> None:
    assert {cls.__name__ for cls in ALL} == {name for _, name, _ in drawn()}


def test_no_error_for_users_is_declared_elsewhere() -> None:
    for module in pkgutil.walk_packages(voiceflow.__path__, "voiceflow."):
        if not module.name.endswith("__main__"):
            with contextlib.suppress(ImportError):  # an extra that is not installed
                importlib.import_module(module.name)
    below = [errors.VoiceflowError]
    for cls in below:
        below.extend(cls.__subclasses__())
    ours = {cls.__module__ for cls in below if cls.__module__.startswith("voiceflow.")}
    assert ours == {errors.__name__}


def test_a_problem_tells_place_message_and_hint() -> None:
    mark = Mark("a.yaml", 3, 7)
    assert str(Problem(mark, "is wrong", "mend it")) == "a.yaml:3:7: error: is wrong (mend it)"
    assert str(Problem(Mark("a.yaml"), "odd", severity="warning")) == "a.yaml: warning: odd"


def test_a_script_error_tells_all_once_and_in_order() -> None:
    late = Problem(Mark("a.yaml", 10, 1), "late")
    early = Problem(Mark("a.yaml", 9, 4), "early")
    error = ScriptError([late, early, late])
    assert error.problems == (early, late)
    assert str(error).splitlines() == [str(early), str(late)]


def test_an_unknown_name_has_the_nearest_as_its_hint() -> None:
    error = UnknownNameError("session", "hip-bak", ["hip-back", "breathing"])
    assert str(error) == "there is no session called 'hip-bak' (did you mean `hip-back`?)"


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("hld", ["hold", "inhale"], "did you mean `hold`?"),
        ("HOLD", ["hold"], "did you mean `hold`?"),
        ("zzz", ["one", "two"], "known: one, two"),
        ("zzz", [], ""),
        ("zzz", [f"name-{n}" for n in range(31)], ""),
        ("x" * 100_000, ["one"], "known: one"),
    ],
)
def test_did_you_mean(name: str, known: list[str], hint: str) -> None:
    assert did_you_mean(name, known) == hint


def test_hints_are_part_of_the_message() -> None:
    assert (
        str(errors.VoiceError("it hangs", hint="try espeak", text="Hi")) == "it hangs (try espeak)"
    )
    assert errors.VoiceError("it hangs", text="Hi").text == "Hi"


@pytest.mark.parametrize(
    ("written", "known", "hint"),
    [
        ("sitting", ("seated", "standing"), "did you mean `seated`?"),
        ("All  fours", ("quadruped", "prone"), "did you mean `quadruped`?"),
        ("both", ("each", "none", "alternate"), "did you mean `each` or `alternate`?"),
        ("duration", ("work", "rest"), "did you mean `work`?"),
        ("sitting", ("one", "two"), "known: one, two"),
    ],
)
def test_what_people_write_is_understood(written: str, known: tuple[str, ...], hint: str) -> None:
    assert did_you_mean(written, known) == hint


def test_of_very_many_problems_the_first_are_told_and_how_many_more_there_are() -> None:
    """One line that was there 20,000 times over had an error of two megabytes."""
    same = [Problem(Mark("a.yaml", line, 1), "duplicate key `reps`") for line in range(2, 20_000)]
    told = str(ScriptError(same)).splitlines()
    assert len(told) == MOST_TOLD + 1
    assert told[0] == "a.yaml:2:1: error: duplicate key `reps`"
    last = "a.yaml:19999:1: error: there are 19898 more errors (mend those above first)"
    assert told[-1] == last
    assert len(ScriptError(same).problems) == len(same)  # a program has all of them


def test_a_file_with_many_warnings_hides_neither_its_errors_nor_another_file() -> None:
    many = [Problem(Mark("a.yaml", n, 1), "odd", severity="warning") for n in range(1, 200)]
    error, other = Problem(Mark("a.yaml", 150, 2), "wrong"), Problem(Mark("b.yaml", 1, 1), "wrong")
    found = fewest([*many[:150], error, *many[150:], other])
    assert error in found
    assert found[-1] == other
    assert str(found[-2]) == (
        "a.yaml:199:1: warning: there are 100 more warnings (mend those above first)"
    )
    exactly = many[:MOST_TOLD]
    assert fewest(exactly) == tuple(exactly)
    assert fewest([*exactly, many[-1]])[-1].message == "there is 1 more warning"
