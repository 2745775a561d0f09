"""A name that is not there is told where a script gives it, by `render` as by `check`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from voiceflow.core.cache import Cache
from voiceflow.core.errors import ScriptError, TimingError, UnknownNameError
from voiceflow.lint import check_path
from voiceflow.score.inputs import read_inputs
from voiceflow.score.options import Context, Options
from voiceflow.score.prepare import prepare
from voiceflow.script.lookup import Library

SESSION = "title: One\n{more}\nexercises: [bridge]\n"
KINDS = {"phrases": "phrases", "tones": "tone set", "voice": "voice", "pace": "pace"}
Put = Callable[..., Path]


def refused(library: Library, path: Path, **options: str) -> str:
    """What is told instead of reading all that a session needs."""
    wanted = Options(**({} if "voice" in options else {"voice": "silent"}) | options)
    with pytest.raises((ScriptError, UnknownNameError)) as error:
        read_inputs(path, wanted, Context(library=library, cache=Cache(None)))
    return str(error.value)


@pytest.mark.parametrize("key", KINDS)
def test_in_a_session(key: str, library: Library, put: Put) -> None:
    path = put("sessions/s.yaml", SESSION.format(more=f"{key}: nosuch"))
    voice = {"voice": ""} if key == "voice" else {}
    told = refused(library, path, **voice)
    assert told.startswith(f"{path}:2:{len(key) + 3}: error: there ")
    assert KINDS[key] in told
    # And `check` says it at the same place.
    assert [(one.mark.line, one.mark.column) for one in check_path(path, library)] == [
        (2, len(key) + 3)
    ]


@pytest.mark.parametrize("key", KINDS)
def test_in_the_settings(key: str, library: Library, put: Put) -> None:
    path = put("sessions/s.yaml", SESSION.format(more=""))
    settings = put("settings.yaml", f"level: 1\n{key}: nosuch\n")
    voice = {"voice": ""} if key == "voice" else {}
    told = refused(library, path, **voice)
    assert told.startswith(f"{settings}:2:{len(key) + 3}: error: there ")


def test_in_a_pace_beneath_other_values(library: Library, put: Put) -> None:
    path = put("sessions/s.yaml", SESSION.format(more="pace: mine"))
    pace = put("paces/mine.yaml", "tempo: 0.9\ntones: nosuch\n")
    assert refused(library, path).startswith(f"{pace}:2:8: error: there is no tone set")
    # The settings win over a pace that nobody asked for by name: then the place is theirs.
    settings = put("settings.yaml", "tones: nor-this\n")
    assert refused(library, path).startswith(f"{settings}:1:8: error: there is no tone set")


@pytest.mark.parametrize("key", KINDS)
def test_what_is_asked_for_outside_of_all_scripts_has_no_place(
    key: str, library: Library, put: Put
) -> None:
    path = put("sessions/s.yaml", SESSION.format(more=f"{key}: {'calm' if key == 'pace' else ''}"))
    told = refused(library, path, **{key: "nosuch"})
    assert told.startswith("there ")
    assert "'nosuch'" in told


LONG = "title: Long\nexercises:\n" + "  - bridge: {reps: 200, sets: 10}\n" * 5


def length_told(library: Library, path: Path, **options: int) -> str:
    context = Context(library=library, cache=Cache(None))
    with pytest.raises((ScriptError, TimingError)) as error:
        prepare(path, Options(voice="silent", **options), context, ahead=False)
    return str(error.value)


def test_a_length_that_cannot_be_has_the_place_of_the_session(library: Library, put: Put) -> None:
    path = put("sessions/s.yaml", LONG)
    assert length_told(library, path).startswith(f"{path}:1:1: error: the session ")
    path = put("sessions/s.yaml", SESSION.format(more="minutes: 300"))
    assert length_told(library, path).startswith(f"{path}:2:10: error: this session cannot last")


def test_a_length_that_was_asked_for_is_no_error_of_the_script(library: Library, put: Put) -> None:
    path = put("sessions/s.yaml", SESSION.format(more="minutes: 4"))
    told = length_told(library, path, minutes_ms=300 * 60_000)
    assert told.startswith("this session cannot last 5:00:00")
