"""The library's door: what is no session, level or file is told in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import voiceflow
from voiceflow.core.errors import InputError


@pytest.mark.parametrize("level", [0, 9, 1.5, "three", True])
def test_a_level_that_does_not_exist_is_wrong_input(level: Any) -> None:
    with pytest.raises(InputError, match="level"):
        voiceflow.load("hip-back", level=level)


@pytest.mark.parametrize("reference", [None, 5, b"hip-back", ["hip-back"]])
def test_what_names_no_session_is_wrong_input(reference: Any, tmp_path: Path) -> None:
    doors: tuple[Any, ...] = (
        voiceflow.load, voiceflow.arrange, voiceflow.segment, voiceflow.stream,
        lambda one: voiceflow.render(one, tmp_path / "x.mp3"),
    )  # fmt: skip
    for door in doors:
        with pytest.raises(InputError, match="expected the name or the path of a session"):
            door(reference)


@pytest.mark.parametrize("target", [None, 5, b"x.mp3"])
def test_what_names_no_file_is_wrong_input(target: Any) -> None:
    with pytest.raises(InputError, match="expected the path of a file to write"):
        voiceflow.render("hip-back", target)
