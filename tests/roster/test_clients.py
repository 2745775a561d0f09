"""Rows become options, or problems with their place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from conftest import BUNDLED
from hypothesis import given, settings
from hypothesis import strategies as st
from rosters import SHORT, clients, context, problems, read, usual

from voiceflow import Context, Options
from voiceflow.core.errors import InputError
from voiceflow.roster.clients import read_clients
from voiceflow.roster.table import read_table

__all__ = ["context"]


def test_columns_are_options_and_own_values(tmp_path: Path, context: Context) -> None:
    rows = (
        "id;session;Name;pace;minutes;level;with;skip;tempo;detail;goal;client.side\n"
        "007;goal;Ana;calm;1:30;2;ball;;0.9;brief;your knee;left\n"
    )
    found = clients(tmp_path, context, rows)
    assert found.problems == ()
    (one,) = found.clients
    assert (one.id, one.reference, one.file) == ("007", "goal", "007/goal.mp3")
    assert one.options == Options(
        voice="silent", name="Ana", pace="calm", minutes_ms=90_000, level=2, equipment=("ball",),
        pacing=(("detail", "brief"), ("tempo", 0.9)) if one.options.pacing[0][0] == "detail"
        else (("tempo", 0.9), ("detail", "brief")),
        client=(("goal", "your knee"), ("side", "left")),
    )  # fmt: skip


def test_a_row_wins_over_what_holds_for_all(tmp_path: Path, context: Context) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,pace,tempo\n1,brisk,\n2,,0.8\n")
    common = usual(session="arms", pace="calm", pacing=(("tempo", 0.9),))
    one, two = read_clients(read_table(path), common, context).clients
    assert (one.options.pace, dict(one.options.pacing)) == ("brisk", {"tempo": 0.9})
    assert (two.options.pace, dict(two.options.pacing)) == ("calm", {"tempo": 0.8})


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("id,session,sesion\n1,arms,x", "1:12: unknown column `sesion`"),
        ("id,session,goal\n1,arms,x", "1:12: unknown column `goal`"),
        ("id,session,goal,client.goal\n1,goal,x,y", "1:17: the columns `goal` and `client.goal`"),
        ("id,session,goal\n1,goal,", "2:8: "),
        ("id,sesion\n1,arms", "1:1: there is no column `session`"),
        ("name,session\nAna,arms", "1:1: there is no column `id`"),
        ("1,arms\n2,arms", "1:1: this table has no header"),
        ("id,session\n1,arms\n1,arms", "3:1: the id '1' stands in line 2 already"),
        ("id,session\n,arms", "2:1: the id is empty"),
        ("id,session\n1,", "2:3: the session is empty"),
        ("id,session,name\n1,arms,", "2:8: the name is empty"),
        ("id,session\n1,arm", "2:3: there is no session called 'arm'"),
        ("id,session,pace\n1,arms,fast", "2:8: there is no pace called 'fast'"),
        ("id,session,skip\n1,arms,legs", "2:8: there is no exercise in this session called 'legs'"),
        ("id,session,level\n1,arms,9", "2:8: `level`: 9 is out of range"),
        ("id,session,minutes\n1,arms,3:00:00", "2:8: this session cannot last 3:00:00"),
        ("id,session,date\n1,arms,9.3.2026", "2:8: '9.3.2026' is no date"),
        ("id,session\na/b,arms", "2:1: `id` stands in the file's name, where '/' cannot be"),
        ("id,session\n..,arms", "2:1: `id` stands in the file's name, where dots cannot be alone"),
        ("id,session\nCON,arms", "2:1: `id` stands in the file's name, where not every system"),
        ("id,session\nAna,arms\nana,arms", "3:1: the file ana/arms.mp3 differs from that of 'Ana'"),
        ("id,session\n1,goal", "2:3: "),
        ("id,session,language\n1,arms,fr", "2:8: arms is in 'en', not in 'fr'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(
    tmp_path: Path, context: Context, rows: str, told: str
) -> None:
    (found,) = problems(tmp_path, context, rows)
    assert found.startswith(told)


def test_a_value_that_a_text_needs_and_a_client_lacks(tmp_path: Path, context: Context) -> None:
    rows = "id,session,goal,side\n1,goal,a knee,\n2,goal,,left\n3,arms,,\n"
    found = clients(tmp_path, context, rows)
    assert [one.id for one in found.clients] == ["1", "3"]
    (problem,) = found.problems
    assert problem.mark.line == 3
    assert "there is no value `client.goal` here" in problem.message


def test_all_that_is_wrong_is_told_and_the_good_rows_are_there(
    tmp_path: Path, context: Context
) -> None:
    rows = "id,session,level\n1,arms,1\n2,arm,1\n3,arms,x\n4,arms,2\n1,arms,3\n"
    found = clients(tmp_path, context, rows)
    assert [one.id for one in found.clients] == ["1", "4"]
    assert [one.mark.line for one in found.problems] == [3, 4, 6]
    # The first of two with one id is right.
    assert [identity for identity, _ in found.wrong] == ["2", "3"]
    assert "arm'" not in str(found.wrong)


def test_a_text_may_ask_what_a_value_says(tmp_path: Path, context: Context) -> None:
    """No stand-in for the value may take the way that asks for another one."""
    asks = '{% if client.goal == "x" %}{{ client.other }}{% endif %}Stand tall.'
    path = tmp_path / "home" / "sessions" / "asks.yaml"
    path.write_text(SHORT.replace("Stand tall.", f"'{asks}'"))
    assert problems(tmp_path, context, "id,session,goal\n1,asks,y\n") == []
    (found,) = problems(tmp_path, context, "id,session,goal\n1,asks,x\n")
    assert "there is no value `client.other`" in found


def test_what_holds_for_all_rows_is_no_rows_fault(tmp_path: Path, context: Context) -> None:
    found = read(tmp_path, "id,session\n1,arms\n2,arms\n")
    with pytest.raises(InputError, match="no pace called 'nope'"):
        read_clients(found, usual(pace="nope"), context)
    with pytest.raises(InputError, match="is no date"):
        read_clients(found, replace(usual(), date="yesterday"), context)


def test_half_of_a_character_makes_only_its_row_wrong(tmp_path: Path, context: Context) -> None:
    text = '{"id": "1", "session": "arms", "name": "A\\ud800"}\n{"id": "2", "session": "arms"}\n'
    found = clients(tmp_path, context, text, name="a.jsonl")
    assert [one.id for one in found.clients] == ["2"]
    assert "half of a character" in found.problems[0].message


def test_the_session_of_a_language_that_has_errors_is_told_as_such(
    tmp_path: Path, context: Context
) -> None:
    (tmp_path / "home" / "sessions" / "arms.es.yaml").write_text("title: [")
    (found,) = problems(tmp_path, context, "id,session,language\n1,arms,es\n")
    assert "not in 'es'" not in found
    assert problems(tmp_path, context, "id,session,language\n1,arms,DE\n") == []


def test_nobody_is_called_by_the_name_of_whoever_set_this_up(
    tmp_path: Path, context: Context
) -> None:
    found = clients(tmp_path, context, "id,session,name\n1,arms,Ana\n2,arms,-\n")
    assert [one.options.name for one in found.clients] == ["Ana", ""]
    (one,) = clients(tmp_path, context, "id,session\n1,arms\n").clients
    assert one.options.name == ""


def test_a_session_in_the_clients_language(tmp_path: Path, context: Context) -> None:
    found = clients(tmp_path, context, "id,session,language\n1,arms,de\n2,arms,en\n")
    assert [one.reference for one in found.clients] == ["arms.de", "arms"]


@pytest.mark.parametrize(
    ("pattern", "file"),
    [
        ("{id}/{date}-{session}.mp3", "1/2026-03-09-arms.mp3"),
        ("{group}/{id}.ogg", "tuesday/1.ogg"),
        ("x-{id}.flac", "x-1.flac"),
    ],
)
def test_files_go_where_the_pattern_says(
    tmp_path: Path, context: Context, pattern: str, file: str
) -> None:
    rows = "id,session,group\n1,arms,tuesday\n" if "group" in pattern else "id,session\n1,arms\n"
    found = clients(tmp_path, context, rows, pattern)
    assert [one.file for one in found.clients] == [file]
    assert found.problems == ()


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("{id}/{nmae}.mp3", "no column `nmae`"),
        ("../{id}.mp3", "part of a path"),
        ("/{id}.mp3", "part of a path"),
        ("{id}", "no ending"),
        ("{id}.exe", "no ending"),
        ("{session}.mp3", "without {id}"),
        ("{id.mp3", "not closed"),
        ("{id!r}.mp3", "write {id}"),
        ("a\\{id}.mp3", "part of a path"),
    ],
)
def test_a_wrong_pattern_is_told(tmp_path: Path, context: Context, pattern: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        clients(tmp_path, context, "id,session,name\n1,arms,Ana\n", pattern)


WORDS = st.text("abcdefghijklmnopqrstuvwxyzäéñ '-", min_size=1, max_size=10).filter(
    lambda text: text.strip(" -")
)
PERSON = st.fixed_dictionaries(
    {"name": WORDS},
    optional={
        "pace": st.sampled_from(["calm", "steady", "brisk"]),
        "level": st.integers(1, 3),
        "detail": st.sampled_from(["full", "brief"]),
        "tempo": st.integers(80, 120).map(lambda n: n / 100),
        "mono": st.booleans(),
        "shuffle": st.integers(0, 10**6),
    },
)


@settings(derandomize=True, max_examples=40)
@given(st.lists(PERSON, min_size=1, max_size=6))
def test_options_written_as_rows_come_back(
    tmp_path_factory: pytest.TempPathFactory, people: list[dict[str, object]]
) -> None:
    """Rows to options, and there and back: CSV and JSON Lines say the same."""
    import csv
    import io
    import json

    from conftest import SOUNDS

    from voiceflow.core.cache import Cache
    from voiceflow.script.lookup import Library

    folder = tmp_path_factory.mktemp("rows")
    here = Context(library=Library(folder / "home", BUNDLED, SOUNDS), cache=Cache(None))
    rows = [{"id": f"c{at}", "session": "breathing", **one} for at, one in enumerate(people)]
    columns = dict.fromkeys(name for row in rows for name in row)
    written = io.StringIO()
    writer = csv.DictWriter(written, [*columns])
    writer.writeheader()
    writer.writerows(rows)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    found = [
        clients(folder, here, text, name=name)
        for text, name in ((written.getvalue(), "a.csv"), (lines, "a.jsonl"))
    ]
    assert [one.problems for one in found] == [(), ()]
    as_csv, as_json = ([one.options for one in roster.clients] for roster in found)
    assert as_csv == as_json
    for options, person in zip(as_csv, people, strict=True):
        pacing = dict(options.pacing)
        back = {
            "name": options.name, "pace": options.pace, "level": options.level,
            "mono": options.mono, "shuffle": options.shuffle, **pacing,
        }  # fmt: skip
        name = " ".join(str(person["name"]).split())
        assert {**person, "name": name} == {key: back[key] for key in person}
