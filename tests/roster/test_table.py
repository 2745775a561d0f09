"""Tables as spreadsheets and programs write them: values, and where they stand."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rosters import read

from voiceflow.core.errors import InputError, ScriptError
from voiceflow.roster.table import Table, read_table


def values(found: Table) -> list[dict[str, str]]:
    return [{name: cell.text for name, cell in row.cells.items()} for row in found.rows]


WANTED = [
    {"id": "007", "session": "hip-back", "name": "Zoë"},
    {"id": "8", "session": "hip, back", "name": "Ana"},
]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_spreadsheets_table_is_read(
    tmp_path: Path, delimiter: str, encoding: str, end: str
) -> None:
    written = io.StringIO()
    rows = csv.writer(written, delimiter=delimiter, lineterminator=end)
    rows.writerows([["ID", "Session", "Name"], *(list(one.values()) for one in WANTED)])
    assert values(read(tmp_path, written.getvalue().encode(encoding))) == WANTED


def test_json_lines_are_read(tmp_path: Path) -> None:
    text = '{"id": 7, "name": "Ana", "mono": true, "with": ["ball", "circle"], "pace": null}\n\n'
    found = read(tmp_path, text, "clients.jsonl")
    assert values(found) == [{"id": "7", "name": "Ana", "mono": "true", "with": "ball,circle"}]
    assert (found.rows[0].columns["pace"].line, found.rows[0].columns["pace"].column) == (
        1,
        text.index('"pace"') + 1,
    )


def test_each_value_has_its_place(tmp_path: Path) -> None:
    text = 'id,note,name\n1,"two\nlines, ""quoted""",Ana\n2,6" ball,Ben\n\n3,,Cleo\n'
    rows = read(tmp_path, text).rows
    places = {
        one.cells["id"].text: (one.cells["name"].mark.line, one.cells["name"].mark.column)
        for one in rows
    }
    assert places == {"1": (3, 20), "2": (4, 11), "3": (6, 4)}
    assert rows[0].cells["note"].text == 'two lines, "quoted"'
    assert (rows[2].columns["note"].line, rows[2].columns["note"].column) == (6, 3)


def test_excels_own_first_line_is_no_header(tmp_path: Path) -> None:
    assert values(read(tmp_path, "sep=;\r\nid;name\r\n1;Ana\r\n")) == [{"id": "1", "name": "Ana"}]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1:1: this file is empty|this file is empty"),
        ("id,name\n", "there is no row"),
        ('id,name\n1,"Ana\n2,Ben\n', "clients.csv:2:1: error: a quote is opened here"),
    ],
)
def test_what_is_no_table_is_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ScriptError) as caught:
        read(tmp_path, text)
    assert any(one in str(caught.value) for one in told.split("|"))


def test_what_is_wrong_in_a_row_does_not_hide_the_others(tmp_path: Path) -> None:
    found = read(tmp_path, "id,name,Name\n1,Ana\n2,Ben,x,more\n")
    assert [str(one).split("clients.csv:")[1][:40] for one in found.problems] == [
        "1:9: error: the column `name` stands twi",
        "3:9: error: the row has more cells than ",
    ]
    lines = read(tmp_path, '{"id": 1}\n[2]\n{"id": {}, "id": 3, "a": [[1]]}\n{"id"\n', "x.jsonl")
    assert [one.mark.line for one in lines.problems] == [2, 3, 3, 4]


@pytest.mark.parametrize("raw", [b"PK\x03\x04\0\0", b"\xff\xfe\0", bytes(range(256))])
def test_a_workbook_is_told_as_such(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(InputError, match=r"save the table as CSV|is no table"):
        read(tmp_path, raw)


def test_a_table_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path / "nothing.csv")


cell = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@settings(derandomize=True, max_examples=120)
@given(st.lists(st.tuples(cell, cell), min_size=1, max_size=5))
def test_whatever_a_program_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    """Values up to white space, which no name or number has in any other form."""
    folder = tmp_path_factory.mktemp("table")
    written = io.StringIO()
    csv.writer(written).writerows([("id", "note"), *rows])
    plain = [tuple(" ".join(one.split()) for one in row) for row in rows]
    wanted = [
        {name: text for name, text in zip(("id", "note"), row, strict=True) if text}
        for row in plain
    ]
    if not any(wanted):
        return
    assert values(read(folder, written.getvalue())) == [one for one in wanted if one]
    lines = "".join(json.dumps({"id": a, "note": b}) + "\n" for a, b in rows)
    assert values(read(folder, lines, "a.jsonl")) == wanted
