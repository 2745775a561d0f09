"""The table of options: the one place that knows how each is read and which values it takes.

The command line hands over text, a phone JSON, a program Python values. All three are read by this
table, with the same kinds of values as the scripts, and all that is wrong is told at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from voiceflow.core.errors import InputError, Mark
from voiceflow.score.options import Options
from voiceflow.script.fields import Choice, Field, Flag, Number, Problems, Seconds, Several, Words
from voiceflow.script.models import EQUIPMENT, PACING
from voiceflow.script.overrides import pacing_values
from voiceflow.script.yaml import Node

MINUTES: Final = Seconds(5, 6 * 3600, bare=60)
_MOST: Final = 10**30  # longer numbers are not meant

OPTIONS: Final[tuple[Field, ...]] = (
    Field("minutes", MINUTES, "Length of the session: 20, or 12:30."),
    Field("level", Number(1, 3, whole=True), "How hard: 1, 2 or 3."),
    Field(
        "equipment",
        Several(Choice(EQUIPMENT), commas=True, most=len(EQUIPMENT)),
        "Equipment at hand.",
    ),
    Field("name", Words(), "Whom to greet."),
    Field("pace", Words(), "How fast, and how much is said."),
    Field("voice", Words(), "Who speaks."),
    Field("phrases", Words(), "How the coach puts things."),
    Field("tones", Words(), "The tone set."),
    Field("bed", Words(), "What sounds under everything."),
    Field("only", Several(Words(), commas=True), "Only these exercises."),
    Field("skip", Several(Words(), commas=True), "Not these exercises."),
    Field("focus", Several(Words(), commas=True), "Only exercises with one of these tags."),
    Field("shuffle", Number(-_MOST, _MOST, whole=True), "A seed for another order."),
    Field("mono", Flag(), "One channel."),
)
_TABLE: Final = {option.name: option for option in OPTIONS}
# In a session `tones` is a pacing value, but a name to look up when it is asked for.
PACING_OPTIONS: Final[tuple[Field, ...]] = tuple(one for one in PACING if one.name != "tones")
_PACING: Final = {option.name: option for option in PACING_OPTIONS}

# A name after `client.` in a template, and how long its value may be: something that is said.
_CLIENT_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LONGEST_VALUE: Final = 400


@dataclass(frozen=True, slots=True)
class OptionProblem:
    """What is wrong with the value of one option. `value` is what was given, if it was text."""

    name: str
    message: str
    hint: str = ""
    value: str = ""

    def line(self, label: str) -> str:
        """The problem in one line; `label` is what the option is called where it was given."""
        # In one line: a value may hold line breaks, or nothing else.
        value = " ".join(self.value.split())
        given = f" {value}" if value and label.startswith("-") else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{label}{given}: {self.message}{hint}"


def read_values(given: Mapping[str, object]) -> tuple[dict[str, Any], list[OptionProblem]]:
    """The values of options, and what is wrong with them.

    Parameters
    ----------
    given : mapping of str to object
        Text, numbers, true or false, or lists of text, by the names in `OPTIONS` and in
        `PACING_OPTIONS`. None and empty text are not said.

    Returns
    -------
    dict, list of OptionProblem
        Values as their kinds read them: `minutes` in seconds, lists as tuples.
    """
    values: dict[str, Any] = {}
    wrong: list[OptionProblem] = []
    for name, value in given.items():
        option = _TABLE.get(name) or _PACING[name]
        if value is None or value == "":
            continue
        node = as_node(value)
        if node is None:
            wrong.append(OptionProblem(name, f"expected text or a number, found {_kind(value)}"))
            continue
        problems: Problems = []
        read = option.kind.read(node, problems)
        text = node.text[:40] if node.kind == "scalar" else ""
        wrong += [OptionProblem(name, one.message, one.hint, text) for one in problems]
        if not problems:
            values[name] = read
    return values, wrong


def options_of(
    values: Mapping[str, Any],
    pacing: Iterable[tuple[str, Any]] = (),
    client: tuple[tuple[str, str], ...] = (),
) -> Options:
    """`Options` of values that `read_values` gave, of pacing values and of a client's."""
    own = {name: values[name] for name in values if name in _TABLE and name != "minutes"}
    if "minutes" in values:
        own["minutes_ms"] = round(values["minutes"] * 1000)
    said = tuple((name, values[name]) for name in _PACING if name in values)
    return Options(pacing=(*pacing, *said), client=client, **own)


def client_value(name: str, value: object) -> tuple[str, str] | OptionProblem:
    """One of a client's own values, by the name that texts use for it; or what is wrong with it."""
    if not _CLIENT_NAME.fullmatch(name):
        hint = "small letters, digits and _, such as goal or next_visit"
        return OptionProblem("client", f"{name[:40]!r} cannot be the name of a value", hint)
    if not isinstance(value, str | int | float):
        return OptionProblem("client", f"{name}: expected text or a number, found {_kind(value)}")
    text = " ".join(_written(value).split())
    if len(text) > _LONGEST_VALUE:
        message = f"{name}: the text has {len(text):,} characters"
        return OptionProblem("client", message, f"at most {_LONGEST_VALUE}")
    if not text or not text.isprintable():
        return OptionProblem("client", f"{name}: expected a text that can be said")
    return name, text


def client_values(given: Iterable[str]) -> tuple[tuple[tuple[str, str], ...], list[OptionProblem]]:
    """The client's values in texts such as ``goal=a strong knee``, and what is wrong with them."""
    values: dict[str, str] = {}
    wrong = []
    for text in given:
        name, equals, value = text.partition("=")
        name = name.strip().removeprefix("client.")
        if not equals:
            wrong.append(OptionProblem("client", f"{text[:40]}: write NAME=TEXT"))
            continue
        read = client_value(name, value)
        if isinstance(read, OptionProblem):
            wrong.append(read)
        else:
            values[read[0]] = read[1]
    return tuple(values.items()), wrong


def checked(options: Options) -> Options:
    """The options of a program, with every value as the rest takes it.

    Raises
    ------
    InputError
        With all that is wrong with them.
    """
    if not isinstance(options, Options):
        raise InputError(f"expected voiceflow.Options, found {_kind(options)}")
    given = {one.name: getattr(options, one.name) for one in fields(options)}
    minutes_ms, pacing = given.pop("minutes_ms"), given.pop("pacing")
    client = given.pop("client")
    if given["mono"] in (0, 1):
        given["mono"] = bool(given["mono"])
    values, problems = read_values(given)
    least, most = round(MINUTES.least * 1000), round(MINUTES.most * 1000)
    if minutes_ms is not None and not _is_whole(minutes_ms):
        message = f"expected milliseconds, found {_kind(minutes_ms)}"
        problems.insert(0, OptionProblem("minutes_ms", message))
    elif minutes_ms is not None and not least <= minutes_ms <= most:
        hint = f"use milliseconds from {least} to {most}"
        message = f"{_written(minutes_ms)} is out of range"
        problems.insert(0, OptionProblem("minutes_ms", message, hint))
    elif minutes_ms is not None:
        values["minutes"] = minutes_ms / 1000
    try:
        read = [client_value(name, value) for name, value in client]
    except (TypeError, ValueError):
        read = [OptionProblem("client", "expected pairs of a name and a text")]
    problems += [one for one in read if isinstance(one, OptionProblem)]
    wrong = [one.line(one.name) for one in problems]
    said: dict[str, Any] = {}
    try:
        # Read as `--set` is, so that both mean the same.
        said = pacing_values((f"{key}={_written(value)}" for key, value in pacing), "pacing")
    except InputError as error:
        wrong += error.message.splitlines()
    except (TypeError, ValueError):
        wrong.append("pacing: expected pairs of a name and a value")
    if wrong:
        raise InputError("\n".join(wrong))
    if given["name"] == "":
        values["name"] = ""
    known = tuple(one for one in read if not isinstance(one, OptionProblem))
    return options_of(values, said.items(), known)


def as_node(value: object) -> Node | None:
    """A value as it would stand in a script; None for what no script can hold."""
    if isinstance(value, list | tuple | frozenset | set):
        items = [as_node(item) for item in value]
        if any(item is None or item.kind != "scalar" for item in items):
            return None
        return Node(_HERE, "list", items=tuple(item for item in items if item is not None))
    text = _written(value) if isinstance(value, str | int | float) else None
    return None if text is None else Node(_HERE, "scalar", text)


_HERE: Final = Mark("options")


def _written(value: object) -> str:
    """A value in the words of a script."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        # Python refuses to write out a number of thousands of digits.
        return str(value) if abs(value) < 10 * _MOST else "9" * 31
    if isinstance(value, float) and abs(value) < _MOST:
        # Not in scientific notation, which no script reads.
        return f"{value:.9f}".rstrip("0").rstrip(".")
    return str(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _kind(value: object) -> str:
    return f"{type(value).__name__} ({repr(value)[:60]})"
