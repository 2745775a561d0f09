"""Rosters made by real workers: every file as right as a single render, whatever goes wrong."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rosters import SHORT, context, files, goes_on, good_and_bad, lines, made, table, usual

import voiceflow
from voiceflow import Context, Options
from voiceflow.core.errors import OutputError, ScriptError
from voiceflow.roster import RosterOptions, forecast, make_roster
from voiceflow.roster.manifest import Entry, Manifest, read_manifest
from voiceflow.roster.workers import Crew, Task

__all__ = ["context"]

ROWS = "id,session,name,goal,tempo\n1,arms,Ana,,\n2,goal,Ben,two knees,\n3,arms,Cleo,,0.9\n"


def test_each_file_is_that_of_a_single_render(tmp_path: Path, context: Context) -> None:
    outcome = made(tmp_path, context, ROWS)
    assert (outcome.made, outcome.unchanged, outcome.wrong, outcome.failed) == (3, 0, 0, [])
    asked = {
        "1": ("arms", Options(voice="silent", name="Ana")),
        "2": ("goal", Options(voice="silent", name="Ben", client=(("goal", "two knees"),))),
        "3": ("arms", Options(voice="silent", name="Cleo", pacing=(("tempo", 0.9),))),
    }
    assert [one["id"] for one in lines(tmp_path)] == ["1", "2", "3"]
    for entry in lines(tmp_path):
        reference, options = asked[entry["id"]]
        single = tmp_path / "single.mp3"
        summary = voiceflow.render(reference, single, options=options, context=context)
        raw = (tmp_path / "out" / entry["file"]).read_bytes()
        assert raw == single.read_bytes()
        assert entry["sha256"] == hashlib.sha256(raw).hexdigest()
        assert (entry["bytes"], entry["length_ms"]) == (len(raw), summary.length_ms)


def test_who_a_client_is_stands_nowhere_but_in_the_file(tmp_path: Path, context: Context) -> None:
    made(tmp_path, context, ROWS)
    told = (tmp_path / "out" / "manifest.jsonl").read_text() + " ".join(files(tmp_path))
    assert not [one for one in ("Ana", "Ben", "Cleo", "knees") if one in told]


def test_a_second_run_makes_what_is_missing_or_has_changed(
    tmp_path: Path, context: Context
) -> None:
    made(tmp_path, context, ROWS)
    out = tmp_path / "out"
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.mp3")}
    again = made(tmp_path, context, ROWS)
    assert (again.made, again.unchanged) == (0, 3)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.mp3")} == before

    changed = made(tmp_path, context, ROWS.replace("Ben", "Bea"))
    assert (changed.made, changed.unchanged) == (1, 2)
    (out / "1" / "arms.mp3").unlink()
    assert made(tmp_path, context, ROWS.replace("Ben", "Bea")).made == 1
    # The script that two of them have.
    (tmp_path / "home" / "sessions" / "arms.yaml").write_text(SHORT.replace("Lower", "Sink"))
    assert made(tmp_path, context, ROWS.replace("Ben", "Bea")).made == 2


def test_a_damaged_file_is_found_by_reading_it(tmp_path: Path, context: Context) -> None:
    made(tmp_path, context, ROWS)
    path = tmp_path / "out" / "1" / "arms.mp3"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 255
    path.write_bytes(raw)
    assert made(tmp_path, context, ROWS).made == 0
    assert made(tmp_path, context, ROWS, verify=True).made == 1


def test_wrong_rows_are_told_and_the_others_made(tmp_path: Path, context: Context) -> None:
    rows = "id,session,level\n1,arms,1\n2,arm,1\n3,arms,x\n4,arms,2\n"
    outcome = made(tmp_path, context, rows)
    assert (outcome.made, outcome.wrong, len(outcome.problems)) == (2, 2, 2)
    assert [(one["id"], "error" in one) for one in lines(tmp_path)] == [
        ("1", False), ("2", True), ("3", True), ("4", False),
    ]  # fmt: skip
    assert files(tmp_path) == {"manifest.jsonl", "1/arms.mp3", "4/arms.mp3"}


def test_strict_makes_nothing_where_a_row_is_wrong(tmp_path: Path, context: Context) -> None:
    with pytest.raises(ScriptError, match="no session called"):
        made(tmp_path, context, "id,session\n1,arms\n2,arm\n", strict=True)
    assert not (tmp_path / "out").exists()


def test_who_left_is_told_and_is_not_in_the_manifest(tmp_path: Path, context: Context) -> None:
    made(tmp_path, context, ROWS)
    outcome = made(tmp_path, context, "\n".join(ROWS.split("\n")[:3]))
    assert outcome.left_over == ("3/arms.mp3",)
    assert [one["id"] for one in lines(tmp_path)] == ["1", "2"]


def test_a_client_whose_file_cannot_be_made_is_no_one_elses(
    tmp_path: Path, context: Context
) -> None:
    (tmp_path / "out" / "2" / "goal.mp3").mkdir(parents=True)
    told: list[str] = []
    outcome = make_roster(
        table(tmp_path, ROWS), tmp_path / "out", RosterOptions(usual()), context, tell=told.append
    )
    assert (outcome.made, [one.id for one in outcome.failed]) == (2, ["2"])
    assert told == [f"2: {outcome.failed[0].error}"]
    (tmp_path / "out" / "2" / "goal.mp3").rmdir()
    assert made(tmp_path, context, ROWS).made == 1


@pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")
@pytest.mark.parametrize("part", ["1", "1/arms.mp3", "manifest.jsonl"])
def test_nothing_is_written_through_a_link(tmp_path: Path, context: Context, part: str) -> None:
    """Whoever else may write into a shared folder could lead out of it."""
    away = tmp_path / "away"
    away.mkdir()
    (away / "arms.mp3").write_bytes(b"someone's")
    link = tmp_path / "out" / part
    link.parent.mkdir(parents=True)
    link.symlink_to(away if part == "1" else away / "arms.mp3")
    if part == "manifest.jsonl":
        with pytest.raises(OutputError, match="is a link"):
            made(tmp_path, context, ROWS)
    else:
        outcome = made(tmp_path, context, ROWS)
        assert (outcome.made, [one.id for one in outcome.failed]) == (2, ["1"])
        assert "is a link" in outcome.failed[0].error
    assert [path.read_bytes() for path in away.iterdir()] == [b"someone's"]


def test_who_is_wrong_or_there_twice_keeps_the_file(tmp_path: Path, context: Context) -> None:
    twice = ROWS + "1,arms,Dora,,\n"
    made(tmp_path, context, twice)
    again = made(tmp_path, context, twice)
    assert (again.made, again.unchanged, again.wrong) == (0, 3, 1)
    assert "error" not in lines(tmp_path)[0]
    wrong = made(tmp_path, context, ROWS.replace("3,arms", "3,arm"))
    assert (wrong.left_over, (tmp_path / "out" / "3" / "arms.mp3").exists()) == ((), True)


def test_a_dry_run_writes_nothing_and_knows_lengths(tmp_path: Path, context: Context) -> None:
    foreseen, problems = forecast(
        table(tmp_path, ROWS), tmp_path / "out", RosterOptions(usual()), context
    )
    assert problems == ()
    assert not (tmp_path / "out").exists()
    made(tmp_path, context, ROWS)
    assert (foreseen.to_make, foreseen.measured) == (3, 3)
    assert foreseen.length_ms == sum(one["length_ms"] for one in lines(tmp_path))
    assert foreseen.bytes == sum(one["bytes"] for one in lines(tmp_path))


def test_a_manifest_that_was_cut_off_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "manifest.jsonl"
    good = Entry("1", "1/a.mp3", "0" * 64, 10, 20, "k")
    path.write_text(good.line() + Entry("2", error="no").line() + '{"id": "3", "fi')
    with Manifest(path) as manifest:
        assert manifest.entries == {"1": good, "2": Entry("2", error="no")}
        manifest.add(Entry("4", error="late"))
    assert set(read_manifest(path)) == {"1", "2", "4"}
    with Manifest(path) as manifest:
        manifest.settle(["4", "1"])
    assert [json.loads(line)["id"] for line in path.read_text().splitlines()] == ["4", "1"]


EVIL = json.dumps({"id": "1", "file": "../../etc/passwd", "sha256": "0" * 64})


NONE = ("[]", "null", '{"id": 1, "error": "x"}', '{"id": "1"}', '{"id": "1", "sha256": "no"}', "[")


@pytest.mark.parametrize("line", [*NONE, EVIL, EVIL.replace("../../etc/passwd", "a\\u0000b")])
def test_what_no_manifest_holds_is_passed_over(tmp_path: Path, line: str) -> None:
    path = tmp_path / "manifest.jsonl"
    path.write_text(line + "\n")
    assert read_manifest(path) == {}


needs_killing = pytest.mark.skipif(not hasattr(os, "killpg"), reason="signals as POSIX has them")


def crash(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@needs_killing
def test_a_worker_that_dies_takes_only_its_client_with_it(tmp_path: Path, context: Context) -> None:
    """The third client's voice kills the process that asks for it, each time."""
    tasks = [
        Task(str(n), "arms", Options(voice="silent"), str(tmp_path), f"{n}.mp3", "mp3")
        for n in range(6)
    ]
    tasks[2] = Task("2", "arms", Deadly(voice="silent"), str(tmp_path), "2.mp3", "mp3")
    with Crew(2, context.library, context.cache.root) as crew:
        found = {one.id: one.error for one in crew.run(tasks)}
    assert found == dict.fromkeys("01345", "") | {"2": "the process that made it ended, twice"}


COUNTED = """
import sys
from pathlib import Path
from voiceflow import Options
from voiceflow.roster.workers import Crew, Task
from voiceflow.script.lookup import Library, content
from voiceflow.voices import pool

place = Path(sys.argv[1])
spawn = pool.spawn

def counted(*ahead):
    with open(place / "counts", "a") as file:
        file.write("one\\n")
    return spawn(*ahead)

pool.spawn = counted

if __name__ == "__main__":
    library = Library(place / "home", content() / "scripts", content() / "sounds")
    tasks = [
        Task(name, "goal", Options(voice="faulty:hum", client=(("goal", name),)),
             str(place), f"{name}.mp3", "mp3")
        for name in ("knees", "hips", "feet")
    ]
    with Crew(1, library, place / "cache") as crew:
        assert [one.error for one in crew.run(tasks)] == ["", "", ""]
"""


def test_a_worker_loads_its_voice_once(tmp_path: Path, context: Context) -> None:
    """Each client has a text of their own to be spoken. Workers import the script as it stands."""
    assert context.library.user.is_dir()
    script = tmp_path / "counted.py"
    script.write_text(COUNTED)
    home = str(Path(voiceflow.__file__).parents[1])
    subprocess.run(
        [sys.executable, str(script), str(tmp_path)], check=True,
        env=os.environ | {"PYTHONPATH": home},
    )  # fmt: skip
    assert (tmp_path / "counts").read_text().count("one") == 1


class Deadly(Options):
    """Options that end whoever reads them in a process of another's."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        crash()


@needs_killing
@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc")
@pytest.mark.parametrize("stop", ["SIGKILL", "SIGINT", "SIGHUP"])
def test_however_a_run_is_stopped_the_next_one_goes_on(
    tmp_path: Path, context: Context, stop: str
) -> None:
    assert context.library.user.is_dir()
    goes_on(tmp_path, rows=60, stops=3, stop=getattr(signal, stop), seed=20261129)


@pytest.mark.slow
def test_of_300_rows_the_good_ones_are_made_and_the_bad_ones_named(
    tmp_path: Path, context: Context
) -> None:
    good_and_bad(tmp_path, context, rows=300)
