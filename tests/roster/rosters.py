"""What the tests of rosters share: a library with short sessions, and tables made of text."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import BUNDLED, SOUNDS

from voiceflow import Context, Options
from voiceflow.core.cache import Cache
from voiceflow.core.errors import Problem, ScriptError
from voiceflow.roster import USUAL, Outcome, RosterOptions, Usual, make_roster
from voiceflow.roster.clients import Roster, read_clients
from voiceflow.roster.table import Table, read_table
from voiceflow.script.lookup import Library

SHORT = """\
title: Arms
tones: none
phrases: plain
exercises:
  - name: Arm Float
    position: standing
    setup: Stand tall.
    reps: 2
    rep:
      - inhale 2.5: Lift.
      - exhale 3: Lower.
"""
GOAL = SHORT.replace("title: Arms", "title: Goal").replace(
    "Stand tall.", "For {{ client.goal }}{% if client.side %}, {{ client.side }}{% endif %}."
)
TODAY = "2026-03-09"


@pytest.fixture
def context(tmp_path: Path) -> Context:
    sessions = tmp_path / "home" / "sessions"
    sessions.mkdir(parents=True)
    (sessions / "arms.yaml").write_text(SHORT)
    (sessions / "goal.yaml").write_text(GOAL)
    (sessions / "arms.de.yaml").write_text("language: de\n" + SHORT)
    (tmp_path / "home" / "settings.yaml").write_text("name: The Owner\n")
    library = Library(tmp_path / "home", BUNDLED, SOUNDS)
    return Context(library=library, cache=Cache(tmp_path / "cache"), jobs=2)


def usual(pattern: str = USUAL, session: str | None = None, **options: object) -> Usual:
    return Usual(pattern, session, Options(voice="silent", **options), TODAY)  # type: ignore[arg-type]


def table(tmp_path: Path, text: str | bytes, name: str = "clients.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(tmp_path: Path, text: str | bytes, name: str = "clients.csv") -> Table:
    return read_table(table(tmp_path, text, name))


def clients(
    tmp_path: Path, context: Context, text: str, pattern: str = USUAL, name: str = "clients.csv"
) -> Roster:
    return read_clients(read(tmp_path, text, name), usual(pattern), context)


def problems(tmp_path: Path, context: Context, text: str, pattern: str = USUAL) -> list[str]:
    """Place and message of all that is wrong with a table."""
    try:
        found: list[Problem] = [*clients(tmp_path, context, text, pattern).problems]
    except ScriptError as error:
        found = list(error.problems)
    return [f"{one.mark.line}:{one.mark.column}: {one.message}" for one in found]


def made(tmp_path: Path, context: Context, text: str, **more: object) -> Outcome:
    how = RosterOptions(usual(), **more)  # type: ignore[arg-type]
    return make_roster(table(tmp_path, text), tmp_path / "out", how, context)
