"""Clients: the rows of a table become what is to be made, or problems with their place.

Columns are the options of a session, by their names on the command line (`with`, `skip`, `tempo`
…), and `id`, `session`, `language`, `date`. Any other column must be one that a text of the
sessions says, as `{{ client.goal }}`: so a misspelt `minutes` is never taken for a client's value.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Final

from voiceflow.core.errors import (
    InputError,
    Mark,
    Problem,
    ScriptError,
    TimingError,
    UnknownNameError,
    VoiceflowError,
    did_you_mean,
)
from voiceflow.core.units import snap
from voiceflow.roster.naming import Pattern, read_pattern, same_file
from voiceflow.roster.table import Cell, Row, Table
from voiceflow.score.decide import foresee
from voiceflow.score.inputs import Inputs, read_inputs
from voiceflow.score.option_table import (
    OPTIONS,
    PACING_OPTIONS,
    OptionProblem,
    client_value,
    options_of,
    read_values,
)
from voiceflow.score.options import Context, Options
from voiceflow.script.fields import Text
from voiceflow.script.pacing import ALIASES
from voiceflow.script.sandbox import CLIENT
from voiceflow.script.templates import names_in
from voiceflow.sounds import BEDS

OWN: Final = f"{CLIENT}."
_BASIC: Final = ("id", "session", "language", "date")
# What an option is called in a table, where that is not its name.
_CALLED: Final = {"with": "equipment", **ALIASES}
_OPTIONS: Final = frozenset(one.name for one in (*OPTIONS, *PACING_OPTIONS))
_KNOWN: Final = (*_BASIC, *_CALLED, *sorted(_OPTIONS))
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Client:
    """One row: whose session it is, and what it is to be.

    Attributes
    ----------
    reference : str
        The session.
    file : str
        Below the folder, with `/`.
    voice, rate
        By these, work is ordered: a voice loads for one rate.
    group : str
        The same for all who get the same session but for their own words and minutes.
    bed : str or None
        The file that sounds under it, if it is one of the user's own.
    lasting : bool
        Whether a key says all that decides the sound; a voice of one's own may change.
    """

    id: str
    reference: str
    options: Options
    file: str
    mark: Mark
    voice: str
    rate: int
    group: str
    bed: str | None
    lasting: bool


@dataclass(frozen=True, slots=True)
class Roster:
    """The clients of a table that are right, and what is wrong with the others.

    Attributes
    ----------
    ids : tuple of str
        Of all rows that have one, in their order.
    problems : tuple of Problem
        In the order of the table.
    wrong : tuple of (str, str)
        Id and message of each row that is wrong and has an id.
    """

    clients: tuple[Client, ...]
    ids: tuple[str, ...]
    problems: tuple[Problem, ...]
    wrong: tuple[tuple[str, str], ...]
    form: str
    rows: int


@dataclass(frozen=True, slots=True)
class Usual:
    """What holds for every row that does not say otherwise."""

    pattern: str
    session: str | None
    options: Options
    date: str


def read_clients(table: Table, usual: Usual, context: Context) -> Roster:
    """What is to be made for each row.

    Raises
    ------
    InputError
        The pattern is wrong.
    ScriptError
        The table has no `id`, or no header at all.
    """
    if not _is_date(usual.date):
        raise InputError(f"{usual.date!r} is no date", hint="write it as 2026-03-09")
    _check_columns(table, usual)
    pattern = read_pattern(usual.pattern, {*table.columns, *_BASIC})
    return _Reader(table, usual, pattern, context).roster()


def _check_columns(table: Table, usual: Usual) -> None:
    if not table.columns and table.problems:
        raise ScriptError(list(table.problems))
    first = min(table.columns.values(), default=Mark(table.rows[0].mark.file if table.rows else ""))
    lacking = ["id"] if "id" not in table.columns else []
    if "session" not in table.columns and usual.session is None:
        lacking.append("session")
    if not lacking:
        return
    if not table.columns.keys() & {*_KNOWN}:
        hint = "the first line names the columns: id,session,name"
        raise ScriptError([Problem(first, "this table has no header", hint)])
    raise ScriptError(
        [
            Problem(first, f"there is no column `{one}`", did_you_mean(one, table.columns))
            for one in lacking
        ]
    )


class _Reader:
    """Reads row after row; what many rows have in common is checked once."""

    def __init__(self, table: Table, usual: Usual, pattern: Pattern, context: Context) -> None:
        self.table, self.usual, self.pattern, self.context = table, usual, pattern, context
        self.problems: list[Problem] = []
        self.wrong: dict[str, str] = {}
        self.ids: dict[str, Mark] = {}
        self.files: dict[str, tuple[str, str]] = {}
        self.read: dict[tuple[str, Options], Inputs | VoiceflowError] = {}
        self.refused: dict[tuple[str, Options], VoiceflowError | None] = {}

    def roster(self) -> Roster:
        by_line: dict[int, list[Problem]] = {}
        for one in self.table.problems:
            by_line.setdefault(one.mark.line, []).append(one)
        columns = self._columns()
        clients = []
        for row in self.table.rows:
            before = len(self.problems)
            # A table's own problems lie on a line of the row, which a quoted text can make long.
            ends = max((mark.line for mark in row.columns.values()), default=row.mark.line)
            for line in range(row.mark.line, max(ends, row.mark.line) + 1):
                self.problems += by_line.pop(line, [])
            client = self._client(row, columns)
            if client is not None and len(self.problems) == before:
                clients.append(client)
            elif (cell := row.cells.get("id")) is not None:
                told = "; ".join(_anonymous(one.message, row) for one in self.problems[before:])
                self.wrong.setdefault(cell.text, told)
        for client in clients:
            self.wrong.pop(client.id, None)
        self.problems += [one for rest in by_line.values() for one in rest]
        ids = dict.fromkeys(row.cells["id"].text for row in self.table.rows if "id" in row.cells)
        return Roster(
            clients=tuple(clients),
            ids=tuple(ids),
            problems=tuple(sorted(self.problems, key=lambda one: one.mark)),
            wrong=tuple(self.wrong.items()),
            form=self.pattern.form,
            rows=len(self.table.rows),
        )

    def _columns(self) -> dict[str, str]:
        """What each column stands for: an option, ``client.goal``, or itself.

        Raises ScriptError for columns that are unknown, or two of one meaning: all rows are wrong.
        """
        said, found, meant = self._said(), dict[str, str](), dict[str, str]()
        wrong = [one for one in self.table.problems if one.mark in self.table.header]
        for name, mark in self.table.columns.items():
            called = _CALLED.get(name, name)
            if called in _OPTIONS or called in _BASIC:
                found[name] = called
            elif name.startswith(OWN):
                found[name] = name
            elif f"{OWN}{name}" in said or name in self.pattern.fields:
                found[name] = OWN + name
            else:
                close = did_you_mean(name, (*_KNOWN, *(one.removeprefix(OWN) for one in said)))
                hint = close or f"no text here says {{{{ client.{name} }}}}: call it client.{name}"
                wrong.append(Problem(mark, f"unknown column `{name}`", hint))
                continue
            if (other := meant.setdefault(found[name], name)) != name:
                wrong.append(Problem(mark, f"the columns `{other}` and `{name}` mean the same"))
        if wrong:
            raise ScriptError(sorted(wrong, key=lambda one: one.mark))
        return found

    def _said(self) -> frozenset[str]:
        """The client's values that any session of the table may say.

        Raises what is wrong with the options that hold for all rows: it is no row's fault.
        """
        named = {row.cells["session"].text for row in self.table.rows if "session" in row.cells}
        named |= {self.usual.session} if self.usual.session else set()
        said: set[str] = set()
        for reference in named:
            inputs = self._inputs(reference, self.usual.options)
            if isinstance(inputs, Inputs):
                said |= client_names(inputs)
            elif isinstance(self._inputs(reference, Options()), Inputs):
                raise inputs
        return frozenset(said)

    def _client(self, row: Row, columns: Mapping[str, str]) -> Client | None:
        identity = row.cells.get("id")
        if identity is None:
            self._tell(row.columns.get("id", row.mark), "the id is empty")
            return None
        if (first := self.ids.setdefault(identity.text, identity.mark)) != identity.mark:
            message = f"the id {identity.text!r} stands in line {first.line} already"
            self._tell(identity.mark, message, "give each client an id of their own")
        if "name" in row.columns and "name" not in row.cells:
            hint = "write the name, or - for a session that calls nobody by name"
            self._tell(row.columns["name"], "the name is empty", hint)
        reference = row.cells["session"].text if "session" in row.cells else self.usual.session
        if not reference:
            self._tell(row.columns.get("session", row.mark), "the session is empty")
            return None
        options = self._options(row, columns)
        if options is None:
            return None
        reference = self._in_language(row, reference, options)
        inputs = self._inputs(reference, options)
        if not isinstance(inputs, VoiceflowError):
            inputs = self._refusal(reference, options, inputs) or inputs
        if isinstance(inputs, VoiceflowError):
            self._tell_refused(row, inputs)
            return None
        if options.name is None and not inputs.session.name:
            options = replace(options, name="")
        return self._named(row, reference, options, inputs)

    def _options(self, row: Row, columns: Mapping[str, str]) -> Options | None:
        """The row's options over the usual ones; None where one is wrong."""
        given = {
            columns[name]: cell
            for name, cell in row.cells.items()
            if name in columns and columns[name] in _OPTIONS and cell.text != "-"
        }
        values, wrong = read_values({name: cell.text for name, cell in given.items()})
        for one in wrong:
            self._tell(given[one.name].mark, f"`{one.name}`: {one.message}", one.hint)
        client, faulty = [], False
        for name, cell in row.cells.items():
            if columns.get(name, "").startswith(OWN):
                value = client_value(columns[name].removeprefix(OWN), cell.text)
                if isinstance(value, OptionProblem):
                    self._tell(cell.mark, value.message, value.hint)
                    faulty = True
                else:
                    client.append(value)
        if wrong or faulty:
            return None
        own = options_of(values, client=tuple(client))
        options = _over(self.usual.options, own)
        # Nobody is called by a name that is meant for another, such as that of the settings.
        nameless = "name" in row.columns and "name" not in given
        return replace(options, name="") if nameless else options

    def _in_language(self, row: Row, reference: str, options: Options) -> str:
        """The session in the row's language: itself, or the one of its name with that ending."""
        cell = row.cells.get("language")
        if cell is None:
            return reference
        inputs = self._inputs(reference, options)
        if isinstance(inputs, VoiceflowError) or _same_tongue(inputs.session.language, cell.text):
            return reference
        path = Path(reference)
        for tongue in dict.fromkeys((cell.text, cell.text.lower())):
            other = str(path.with_name(f"{path.stem}.{tongue}{path.suffix}"))
            # One that is there and has errors is told as such, and not as missing.
            if not isinstance(self._inputs(other, options), UnknownNameError):
                return other
        message = f"{reference} is in {inputs.session.language!r}, not in {cell.text!r}"
        self._tell(cell.mark, message, f"write a session {other}, or name another one")
        return reference

    def _inputs(self, reference: str, options: Options) -> Inputs | VoiceflowError:
        """All that is read for a session; what is personal changes nothing of it."""
        common = replace(options, name=None, client=(), minutes_ms=None)
        key = (reference, common)
        if key not in self.read:
            try:
                self.read[key] = read_inputs(reference, common, self.context)
            except VoiceflowError as error:
                self.read[key] = error
        return self.read[key]

    def _refusal(self, reference: str, options: Options, inputs: Inputs) -> VoiceflowError | None:
        """Why it can never be decided: for want of a client's value, or of time."""
        # Mostly it matters which values there are, and not what they say; where it does not go so,
        # a text may ask for what they say.
        common = tuple((name, "x") for name, _ in options.client)
        alike = replace(options, name=None, client=common)
        if self._refused(reference, alike, inputs) is None:
            return None
        return self._refused(reference, replace(options, name=None), inputs)

    def _refused(self, reference: str, options: Options, inputs: Inputs) -> VoiceflowError | None:
        key = (reference, options)
        if key not in self.refused:
            minutes = options.minutes_ms or inputs.session.length_ms
            wishes = replace(inputs.wishes, client=options.client)
            self.refused[key] = None
            try:
                foresee(replace(inputs, wishes=wishes, target_ms=minutes and snap(minutes)))
            except VoiceflowError as error:
                self.refused[key] = error
        return self.refused[key]

    def _named(self, row: Row, reference: str, options: Options, inputs: Inputs) -> Client | None:
        date = row.cells.get("date") or Cell(self.usual.date, row.mark)
        if not _is_date(date.text):
            self._tell(date.mark, f"{date.text!r} is no date", "write it as 2026-03-09")
            return None
        where = row.cells.get("session", Cell("", row.mark)).mark
        values = {
            **row.cells,
            "date": date,
            "session": Cell(Path(reference).stem, where),
        }
        lacking = [one for one in sorted(self.pattern.fields) if one not in values]
        for one in lacking:
            mark = row.columns.get(one, row.mark)
            self._tell(mark, f"`{one}` is empty, and stands in the file's name")
        file, problems = self.pattern.fill(values)
        self.problems += problems
        if problems or lacking:
            return None
        if not self._unique(row, file):
            return None
        return Client(
            id=row.cells["id"].text,
            reference=reference,
            options=options,
            file=file,
            mark=row.mark,
            voice=inputs.voice.name,
            rate=inputs.rate,
            group=repr((reference, replace(options, name=None, client=()))),
            bed=_own_file(options.bed or inputs.session.bed),
            lasting=inputs.voice.driver != "piper",
        )

    def _unique(self, row: Row, file: str) -> bool:
        cell = row.cells["id"]
        other, path = self.files.setdefault(same_file(file), (cell.text, file))
        if other == cell.text:
            return True
        if path == file:
            message = f"the file {file} is that of {other!r} already"
        else:
            message = f"the file {file} differs from that of {other!r}, {path}, only in case"
        self._tell(cell.mark, message, "give them ids that differ in more, or another --pattern")
        return False

    def _tell(self, mark: Mark, message: str, hint: str = "") -> None:
        self.problems.append(Problem(mark, message, hint))

    def _tell_refused(self, row: Row, error: VoiceflowError) -> None:
        """What is wrong with a session or its options, at the cell that it is about."""
        first, *more = error.message.splitlines()
        hint = error.hint
        if more:
            first += f", and {len(more)} more"
            hint = (
                f"`voiceflow check {row.cells['session'].text}` tells all of them"
                if ("session" in row.cells)
                else hint
            )
        of_time = isinstance(error, TimingError)
        self._tell(_at_fault(row, first, of_time=of_time), first, hint)


def client_names(inputs: Inputs) -> frozenset[str]:
    """The client's values that the texts of a session may say: ``client.goal``."""
    session = {
        name for text in _texts(inputs.session) for one in text.versions for name in names_in(one)
    }
    return frozenset(name for name in session | inputs.phrases.reads() if name.startswith(OWN))


def _texts(thing: object) -> Iterable[Text]:
    """Every text in a script, wherever it stands."""
    if isinstance(thing, Text):
        yield thing
    elif isinstance(thing, tuple | list):
        for one in thing:
            yield from _texts(one)
    elif is_dataclass(thing) and not isinstance(thing, type):
        for field in fields(thing):
            yield from _texts(getattr(thing, field.name))


def _over(usual: Options, own: Options) -> Options:
    """What a row says, over what holds for all rows."""
    said = {
        field.name: value
        for field in fields(own)
        if (value := getattr(own, field.name)) not in (None, (), False)
    }
    # Both say pacing values: those of the row come last, and win.
    said["pacing"] = (*usual.pacing, *own.pacing)
    said["client"] = tuple({**dict(usual.client), **dict(own.client)}.items())
    return replace(usual, **said)


def _at_fault(row: Row, message: str, *, of_time: bool) -> Mark:
    """The cell whose value a message quotes; else that of the session, else the row."""
    if found := re.search(r"`client\.(\w+)`", message):
        for name in (found[1], OWN + found[1]):
            if name in row.columns:
                return row.columns[name]
    quoted = set(re.findall(r"'([^']+)'", message))
    for name, cell in row.cells.items():
        if name not in ("id", "name") and quoted & {cell.text, *cell.text.split(",")}:
            return cell.mark
    if "minutes" in row.cells and of_time:
        return row.cells["minutes"].mark
    return row.cells["session"].mark if "session" in row.cells else row.mark


def _anonymous(message: str, row: Row) -> str:
    """A message without what stands in the cells: many may read the manifest."""
    for name, cell in row.cells.items():
        if name != "id":
            message = message.replace(repr(cell.text), "'…'").replace(cell.text + ":", "…:")
    return message


def _same_tongue(has: str, wanted: str) -> bool:
    return wanted.casefold() in (has.casefold(), has.casefold().split("-")[0])


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _own_file(bed: str | None) -> str | None:
    """The music that a bed is, if it is a file."""
    names = {name for name, _ in BEDS} | {"none"}
    return None if bed is None or bed in names else bed
