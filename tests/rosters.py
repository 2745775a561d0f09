"""What the tests of rosters share: a library with short sessions, and tables made of text."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import BUNDLED, SOUNDS
from writers import SCRIPT

import voiceflow
from voiceflow import Context, Options
from voiceflow.core.cache import Cache
from voiceflow.core.errors import Problem, ScriptError
from voiceflow.roster import USUAL, Outcome, RosterOptions, Usual, make_roster
from voiceflow.roster.clients import Roster, read_clients
from voiceflow.roster.manifest import read_manifest
from voiceflow.roster.table import Table, read_table
from voiceflow.script.lookup import Library

SHORT = SCRIPT.format(title="Arms")
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


def lines(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "out" / "manifest.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def files(folder: Path) -> set[str]:
    out = folder / "out"
    return {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}


SCRIPT = """
import signal
import sys
from pathlib import Path
from voiceflow import Context, Options
from voiceflow.core.cache import Cache
from voiceflow.roster import RosterOptions, Usual, make_roster
from voiceflow.script.lookup import Library, content

if __name__ == "__main__":
    place = Path(sys.argv[1])
    library = Library(place / "home", content() / "scripts", content() / "sounds")
    context = Context(library=library, cache=Cache(place / "cache"), jobs=2)
    how = RosterOptions(Usual("{id}/{session}.mp3", "arms", Options(voice="silent"), "2026-03-09"))
    # What ends a command well; `voiceflow` itself sees to it in `cli.main`.
    signal.signal(signal.SIGHUP, signal.default_int_handler)
    try:
        make_roster(place / "clients.csv", place / "out", how, context)
    except KeyboardInterrupt:
        sys.exit(1)
"""


def stopped(tmp_path: Path, stop: int, after_s: float) -> None:
    """One run in a process of its own, which is stopped at that moment."""
    script = tmp_path / "run.py"
    script.write_text(SCRIPT)
    home = str(Path(voiceflow.__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": home, "TMPDIR": str(tmp_path)}
    with (tmp_path / "stderr").open("w") as told:
        process = subprocess.Popen(
            [sys.executable, str(script), str(tmp_path)], env=environment, stderr=told,
            start_new_session=True,
        )  # fmt: skip
        try:
            process.wait(after_s)
        except subprocess.TimeoutExpired:
            # As the terminal does, which tells all that it started. Only a kill is for one alone.
            end = os.kill if stop == signal.SIGKILL else os.killpg
            end(process.pid, stop)
            process.wait()
    if stop != signal.SIGKILL:
        assert "Process" not in (tmp_path / "stderr").read_text()


def at_work(tmp_path: Path) -> list[str]:
    """Processes of that run which are still there."""
    found = []
    for place in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"TMPDIR={tmp_path}".encode() in place.read_bytes():
                found.append(place.parent.name)
        except OSError:
            continue
    return found


def held(tmp_path: Path, count: int) -> int:
    """How many files there are; each is whole, and none is half."""
    entries = read_manifest(tmp_path / "out" / "manifest.jsonl")
    for entry in entries.values():
        raw = (tmp_path / "out" / entry.file).read_bytes()
        assert hashlib.sha256(raw).hexdigest() == entry.sha256
    assert len(entries) <= count
    return len(entries)


def goes_on(tmp_path: Path, *, rows: int, stops: int, stop: int, seed: int) -> None:
    """A run that is stopped at random moments: nothing is left, nothing lost, all made at last."""
    chance = random.Random(seed)
    table(tmp_path, "id,name\n" + "".join(f"c{n},Name{n}\n" for n in range(rows)))
    before = 0
    for _ in range(stops):
        stopped(tmp_path, stop, chance.uniform(1.2, 3.5))
        deadline = time.monotonic() + 20
        while (left := at_work(tmp_path)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert left == []
        there = held(tmp_path, rows)
        assert there >= before
        before = there
    stopped(tmp_path, stop, 3600)
    assert held(tmp_path, rows) == rows
    assert not [one for one in files(tmp_path) if one.endswith(".part")]


def good_and_bad(tmp_path: Path, context: Context, *, rows: int) -> None:
    """One row in a hundred is wrong: it is named, and all others are made."""
    bad = set(range(37, rows, 100))
    text = "".join(f"{n},{'arm' if n in bad else 'arms'},Name{n}\n" for n in range(rows))
    outcome = made(tmp_path, context, "id,session,name\n" + text)
    assert (outcome.made, outcome.wrong, outcome.failed) == (rows - len(bad), len(bad), [])
    assert {one.mark.line - 2 for one in outcome.problems} == bad
    assert {int(one["id"]) for one in lines(tmp_path) if "error" in one} == bad
    assert len(files(tmp_path)) == rows - len(bad) + 1
