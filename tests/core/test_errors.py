"""Errors: one tree, exit codes, places and hints."""

from __future__ import annotations

import inspect

import pytest

from voiceflow.core import errors
from voiceflow.core.errors import Mark, Problem, ScriptError, UnknownNameError, did_you_mean

ALL = [
    cls
    for _, cls in inspect.getmembers(errors, inspect.isclass)
    if issubclass(cls, Exception) and cls.__module__ == errors.__name__
]


def test_every_error_hangs_in_the_tree_and_is_drawn() -> None:
    assert len(ALL) == 9
    for cls in ALL:
        assert issubclass(cls, errors.VoiceflowError)
        assert cls.__name__ in (errors.__doc__ or "")


def test_exit_codes() -> None:
    wrong_input = {
        "InputError", "ScriptError", "UnknownNameError", "TimingError", "UnreadableError",
    }  # fmt: skip
    for cls in ALL:
        assert cls.exit_code == (2 if cls.__name__ in wrong_input else 1)


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
