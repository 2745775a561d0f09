"""Tables: a file of rows as spreadsheets and programs write it, each value with its place.

In: a path. Out: a `Table`, every value a text. Comma, semicolon and tab are told apart by the first
line; UTF-8 with or without its mark, UTF-16 and Windows-1252 are read. Nothing is guessed of the
values: an id of 007 stays 007.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from voiceflow.core.errors import InputError, Mark, Problem, ScriptError
from voiceflow.core.opening import open_file, why

_MOST_BYTES: Final = 64 << 20
_MOST_TEXT: Final = 4_000
_MOST_COLUMNS: Final = 200
# Excel writes the list separator of its country, which is a semicolon where numbers have commas.
_DELIMITERS: Final = ",;\t|"
_JSON_LINES: Final = (".jsonl", ".ndjson", ".json")


@dataclass(frozen=True, slots=True)
class Cell:
    """One value: its text, trimmed, and where it stands."""

    text: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Row:
    """The values of one row by the name of their column; a cell that is empty is not there.

    Attributes
    ----------
    columns : dict of str to Mark
        Where each value stands, or would stand if it were not empty.
    """

    mark: Mark
    cells: dict[str, Cell]
    columns: dict[str, Mark]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file, and where each column was first named.

    Attributes
    ----------
    header : frozenset of Mark
        The places of the header's cells; empty where each row names its own.
    """

    columns: dict[str, Mark]
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...] = ()
    header: frozenset[Mark] = frozenset()


def read_table(path: Path) -> Table:
    """The table in the file `path`: JSON Lines by its ending or its first sign, else CSV.

    Raises
    ------
    InputError
        It cannot be read.
    ScriptError
        It is no table: no header, no rows, a quote that is never closed.
    """
    text = _decoded(path)
    if path.suffix.lower() in _JSON_LINES or text.lstrip()[:1] in ("{", "["):
        table = _json_lines(path, text)
    else:
        table = _csv(path, text)
    if not table.rows and not table.problems:
        raise ScriptError([Problem(Mark(str(path)), "there is no row in this table")])
    return table


def _decoded(path: Path) -> str:
    try:
        with open_file(path) as file:
            raw = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {why(error)}") from None
    if len(raw) > _MOST_BYTES:
        raise InputError(f"{path} has more than {_MOST_BYTES >> 20} MB", hint="split the table")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif b"\0" in raw:
        raise InputError(f"{path} is no table of text", hint="save the table as CSV, UTF-8")
    else:
        # What is not UTF-8 was saved by a spreadsheet on Windows.
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(f"{path} cannot be read as text", hint="save the table as CSV, UTF-8")


def _csv(path: Path, text: str) -> Table:
    # Not `splitlines`, which parts a text at signs that no spreadsheet ends a line with.
    lines = [*io.StringIO(text, newline="")]
    skipped, delimiter = _delimiter(lines)
    records = _records(path, lines, skipped, delimiter)
    header = next(records, None)
    if header is None:
        raise ScriptError([Problem(Mark(str(path)), "this file is empty")])
    problems: list[Problem] = []
    names = _header(header, problems)
    rows = []
    for cells in records:
        if not any(cell.text for cell in cells):
            continue  # a spreadsheet's empty line
        for extra in cells[len(names) :]:
            if extra.text:
                message = f"the row has more cells than the header, which has {len(names)}"
                hint = f"put a text with {delimiter!r} in it in quotes"
                problems.append(Problem(extra.mark, message, hint))
                break
        named = {name: cell for name, cell in zip(names, cells, strict=False) if name}
        problems += _unfit(named)
        here = {name: cell for name, cell in named.items() if cell.text}
        places = {name: cell.mark for name, cell in named.items()}
        rows.append(Row(cells[0].mark, here, places))
    columns = {name: cell.mark for name, cell in zip(names, header, strict=True) if name}
    return Table(columns, tuple(rows), tuple(problems), frozenset(one.mark for one in header))


def _delimiter(lines: list[str]) -> tuple[int, str]:
    """How many lines stand before the header, and what parts the cells."""
    first = lines[0] if lines else ""
    # Excel's own line that says what the separator is.
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        return 1, first[4]
    # What stands in a quoted name parts nothing.
    bare = "".join(first.split('"')[::2])
    return 0, max(_DELIMITERS, key=bare.count)


def _records(path: Path, lines: list[str], skipped: int, delimiter: str) -> Iterator[list[Cell]]:
    """The cells of each record, with their places. A quoted text may hold line breaks."""
    # No text may be longer than the file; what is too long is told at its place.
    csv.field_size_limit(_MOST_BYTES)
    reader = csv.reader(lines[skipped:], delimiter=delimiter, strict=True)
    while True:
        begin = skipped + reader.line_num
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error:
            message = "a quote is opened here and not closed, or something follows its end"
            hint = 'write a quote in a quoted text twice: ""'
            raise ScriptError([Problem(Mark(str(path), begin + 1, 1), message, hint)]) from None
        raw = "".join(lines[begin : skipped + reader.line_num])
        places = _places(raw, delimiter)
        yield [
            Cell(" ".join(value.split()), Mark(str(path), begin + line, column))
            for value, (line, column) in zip(values, places, strict=False)
        ]


def _places(raw: str, delimiter: str) -> Iterator[tuple[int, int]]:
    """Line, from 1, and column of each cell of a record."""
    line, column, quoted, fresh = 1, 1, False, True
    yield line, column
    for char in raw.replace("\r\n", "\n").replace("\r", "\n"):
        column += 1
        if char == '"' and (quoted or fresh):
            quoted = not quoted
            # A quote doubled within a quoted text opens it again.
            fresh = not quoted
            continue
        fresh = char == delimiter and not quoted
        if char == "\n":
            line, column = line + 1, 1
        elif fresh:
            yield line, column


def _header(cells: list[Cell], problems: list[Problem]) -> list[str]:
    """The names of the columns; "" for one without a name."""
    names: list[str] = []
    for cell in cells[:_MOST_COLUMNS]:
        name = column_name(cell.text)
        if name and name in names:
            problems.append(Problem(cell.mark, f"the column `{name}` stands twice"))
            name = ""
        names.append(name)
    if len(cells) > _MOST_COLUMNS:
        message = f"the table has {len(cells)} columns, at most {_MOST_COLUMNS}"
        problems.append(Problem(cells[_MOST_COLUMNS].mark, message))
    names += [""] * (len(cells) - len(names))
    return names


def column_name(text: str) -> str:
    """A column's name as texts write it: `Next visit` is `next_visit`."""
    return "_".join(text.casefold().replace("-", " ").split())


def _unfit(cells: dict[str, Cell]) -> list[Problem]:
    """What is wrong with values wherever they stand; such a value is taken out."""
    problems = []
    for name, cell in [*cells.items()]:
        if len(cell.text) > _MOST_TEXT:
            told = f"the text has {len(cell.text):,} characters"
            problems.append(Problem(cell.mark, told, f"at most {_MOST_TEXT:,}"))
        # JSON can write half of a character, which no file name and no voice can take.
        elif not cell.text.isascii() and re.search("[\ud800-\udfff]", cell.text):
            problems.append(Problem(cell.mark, "the text holds half of a character"))
        else:
            continue
        cells[name] = Cell("", cell.mark)
    return problems


def _json_lines(path: Path, text: str) -> Table:
    columns: dict[str, Mark] = {}
    rows: list[Row] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            pairs = json.loads(line, object_pairs_hook=list)
        except (ValueError, RecursionError):
            hint = "one JSON object a line, as a program writes JSON Lines"
            problems.append(Problem(Mark(str(path), number, 1), "this is no JSON object", hint))
            continue
        # An object is a list of pairs here, which tells of a key that stands twice.
        if not line.lstrip().startswith("{"):
            hint = 'write {"id": …, "session": …} on a line of its own'
            problems.append(Problem(Mark(str(path), number, 1), "expected an object", hint))
            continue
        row = _object(Mark(str(path), number, 1), line, pairs, problems)
        for name, mark in row.columns.items():
            columns.setdefault(name, mark)
        problems += _unfit(row.cells)
        rows.append(replace(row, cells={n: c for n, c in row.cells.items() if c.text}))
    return Table(columns, tuple(rows), tuple(problems))


def _object(mark: Mark, line: str, pairs: list[tuple[str, Any]], problems: list[Problem]) -> Row:
    cells: dict[str, Cell] = {}
    columns: dict[str, Mark] = {}
    for key, value in pairs:
        name = column_name(key)
        at = Mark(mark.file, mark.line, max(line.find(json.dumps(key)), line.find(f'"{key}"')) + 1)
        at = at if at.column else mark
        if name in columns:
            problems.append(Problem(at, f"`{name}` stands twice"))
            continue
        columns[name] = at
        text = _text(value)
        if text is None:
            hint = "a text, a number, true or false, or a list of texts"
            problems.append(Problem(at, f"`{name}`: this cannot be a value", hint))
        elif text:
            cells[name] = Cell(text, at)
    return Row(mark, cells, columns)


def _text(value: Any) -> str | None:
    """A JSON value as it would stand in a cell; None for what cannot stand in one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return " ".join(str(value).split())
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        return ",".join(str(one) for one in value)
    return None
