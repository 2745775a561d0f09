"""The kinds of value in a script: text, number, time, choice, list and more.

Each kind turns a node into a value, and describes itself as JSON Schema for editors. A bad value
does not raise: the reader adds a problem and returns None, so that all errors of a script are
reported at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from voiceflow.core.errors import Mark, Problem, ScriptError, did_you_mean
from voiceflow.core.units import parse_seconds
from voiceflow.script.pacing import ALIASES
from voiceflow.script.yaml import Node, read_text

Problems = list[Problem]
Schema = dict[str, Any]

MAX_TEXT = 20_000
# A text that phrases carry (`{{ tip }}`) is output by a macro, which may say it in two versions:
# this leaves room below `templates.MAX_CHARACTERS`, so that a macro does not fail for its text.
MAX_CARRIED = 4_000
SHORTEN = "say it in fewer words, or split it"
MAX_WORDS = 1_000
# Later problems get no hint: finding similar names and places for thousands takes too long.
_MANY = 100
# Bounded: of more than 4,300 digits Python makes a ValueError, not a number.
_NUMBER = re.compile(r"[-+]?(\d{1,40}(\.\d{0,9})?|\.\d{1,9})")
# Letters of any alphabet, as in the names of files.
_LONGEST_SLUG = 100
_SLUG = re.compile(r"[^\W_]+(?:[-_][^\W_]+)*", re.UNICODE)
_BRACE = re.compile(r"(\{\{|\}\}|\{%|%\}|\{#|#\}|\|)")
_CLOSING = {"{{": "}}", "{%": "%}", "{#": "#}"}


class Kind(Protocol):
    """A kind of value: how to read it, and its JSON Schema."""

    def read(self, node: Node, problems: Problems) -> Any: ...

    def schema(self) -> Schema: ...


@dataclass(frozen=True, slots=True)
class Field:
    """A key of a mapping: its name, its kind, and what editors and hints say about it."""

    name: str
    kind: Kind
    about: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """The versions of a spoken text, richest first, each a Jinja template."""

    versions: tuple[str, ...]
    mark: Mark


def complain(problems: Problems, node: Node, message: str, hint: str = "") -> Any:
    """Add a problem at `node`. Returns None, the value of what could not be read."""
    problems.append(Problem(node.mark, message, hint))


def too_long(text: str, most: int = MAX_CARRIED) -> str:
    """What to say of a spoken text of more than `most` characters; "" for any other."""
    if len(text) <= most:
        return ""
    return f"the text has {len(text):,} characters, at most {most:,} can be said here"


_SETS: Final = re.compile(r"(\d+) ?[x×] ?(\d+)", re.IGNORECASE)
_RANGE: Final = re.compile(r"(\d+) ?[-–] ?(\d+)")
# A line that ends without a mark, before one that begins like a sentence or a point of a list: only
# a block after `|` keeps its lines, and each is meant to be heard by itself.
_LINE_END: Final = re.compile(
    r"(?<=[^\s.,;:!?…}|(/–—-])[ \t]*\n\s*(?:[-•*–] +|(?=[A-ZÀ-ÖØ-Þ]|\d+[.)] ))"
)
_POINT: Final = re.compile(r"(?:^|\n)\s*[-•*–] +")
_PRESCRIBED: Final = re.compile(r"(\d+) ?!")


def _counted(text: str) -> str:
    """A hint for counts as people write them: 3x10 or 8-12; "" for any other text."""
    if found := _SETS.fullmatch(text.strip()):
        return f"write `sets: {found[1]}` and `reps: {found[2]}`"
    if found := _RANGE.fullmatch(text.strip()):
        return f"write one number, such as {found[1]} or {found[2]}"
    if found := _PRESCRIBED.fullmatch(text.strip()):
        return f"write {found[1]}, and `dose: fixed` for a number that no length may change"
    return ""


def pointed(text: str) -> str:
    """A hint for a number written with a decimal comma; "" for any other text."""
    whole, comma, part = text.strip().partition(",")
    return f"write {whole}.{part}" if comma and whole.isdigit() and part.isdigit() else ""


def split_versions(text: str) -> tuple[str, ...]:
    """The versions of a text: split at `|` outside braces, white space folded, none empty."""
    if "|" not in text:
        parts = [text]
    elif "{" not in text:
        parts = text.split("|")
    else:
        parts = _split_outside(text)
    lines = (_POINT.sub(" ", _LINE_END.sub(". ", part.strip())) for part in parts)
    folded = (" ".join(part.split()) for part in lines)
    return tuple(part for part in folded if part)


def _split_outside(text: str) -> list[str]:
    """`text` split at each `|` that is not inside braces: in Jinja it begins a filter."""
    parts, inside = [""], ""
    for piece in _BRACE.split(text):
        if piece == "|" and not inside:
            parts.append("")
            continue
        parts[-1] += piece
        # Only the sign that closes a brace ends it: a bar or another brace inside is part of it.
        inside = ("" if piece == inside else inside) if inside else _CLOSING.get(piece, "")
    return parts


@dataclass(frozen=True, slots=True)
class Words:
    """Plain text, no template. With `slug`: letters, digits, hyphens, as in a file name."""

    slug: bool = False
    choices: Callable[[], Sequence[str]] | None = None

    def read(self, node: Node, problems: Problems) -> Any:
        if node.kind != "scalar":
            return complain(problems, node, f"expected text, found {node.described}")
        text = " ".join(node.text.split())
        if not text:
            return complain(problems, node, "the text is empty")
        if len(text) > MAX_WORDS:
            return complain(problems, node, f"the text is longer than {MAX_WORDS} characters")
        if self.slug and len(text) > _LONGEST_SLUG:
            # It names a file, with more before and after it.
            return complain(problems, node, f"a name has at most {_LONGEST_SLUG} characters")
        if self.slug and not _SLUG.fullmatch(text):
            hint = "use letters, digits and hyphens"
            return complain(problems, node, f"{text!r} is not a valid name", hint)
        return text

    def schema(self) -> Schema:
        # To an editor `12` is a number; here it is the text that was written.
        return {"type": ["string", "number"], "minLength": 1}


@dataclass(frozen=True, slots=True)
class Spoken:
    """Spoken text: a Jinja template, with versions from rich to short separated by `|`.

    `most` is how many characters a version may have.
    """

    most: int = MAX_TEXT

    def read(self, node: Node, problems: Problems) -> Any:
        if node.kind != "scalar":
            hint = "put the text in quotes" if node.kind == "map" else ""
            return complain(problems, node, f"expected text, found {node.described}", hint)
        # First of all, so that nothing longer is split and parsed.
        if len(node.text) > MAX_TEXT:
            told = f"the text is longer than {MAX_TEXT:,} characters"
            return complain(problems, node, told, SHORTEN)
        versions = split_versions(node.text)
        if not versions:
            return complain(
                problems, node, "the text is empty", "write some text, or remove the line"
            )
        if told := too_long(max(versions, key=len), self.most):
            return complain(problems, node, told, SHORTEN)
        for version in versions:
            problems.extend(template_problems(node, version, len(problems) < _MANY))
        return Text(versions, node.mark)

    def schema(self) -> Schema:
        about = "Spoken text (Jinja); separate versions, from rich to short, with |."
        return {"type": ["string", "number"], "minLength": 1, "description": about}


@dataclass(frozen=True, slots=True)
class Number:
    """A number from `least` to `most`; with `whole`, an integer."""

    least: float
    most: float
    whole: bool = False

    def read(self, node: Node, problems: Problems) -> Any:
        sort = "a whole number" if self.whole else "a number"
        if node.kind != "scalar" or not _NUMBER.fullmatch(node.text.strip()):
            message = f"expected {sort}, found {_found(node)}"
            hint = pointed(node.text) or (_counted(node.text) if self.whole else "")
            return complain(problems, node, message, hint)
        text = node.text.strip()
        # A long seed is exact as an int, and would not be as a float.
        value = int(text) if self.whole and "." not in text else float(text)
        # `6.0` is a whole number, too.
        if self.whole and value != int(value):
            return complain(problems, node, f"expected a whole number, found {node.text}")
        if not self.least <= value <= self.most:
            hint = f"use a value from {self.least:g} to {self.most:g}"
            return complain(problems, node, f"{node.text} is out of range", hint)
        return int(value) if self.whole else value

    def schema(self) -> Schema:
        sort = "integer" if self.whole else "number"
        return {"type": sort, "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class Span:
    """A whole number, or a span of them: 3, or 2-6. Its value is a pair, for 3 it is (3, 3)."""

    least: int
    most: int

    def read(self, node: Node, problems: Problems) -> Any:
        text = node.text.strip() if node.kind == "scalar" else ""
        if not (found := _RANGE.fullmatch(text)):
            value = Number(self.least, self.most, whole=True).read(node, problems)
            return None if value is None else (value, value)
        low, high = int(found[1]), int(found[2])
        if not self.least <= low <= high <= self.most:
            hint = f"write the smaller number first, from {self.least} to {self.most}, such as 2-6"
            return complain(problems, node, f"{node.text} is no span", hint)
        return low, high

    def schema(self) -> Schema:
        number = Number(self.least, self.most, whole=True).schema()
        return {"anyOf": [number, {"type": "string", "pattern": r"^\s*\d+ ?[-–] ?\d+\s*$"}]}


@dataclass(frozen=True, slots=True)
class Seconds:
    """A time: 40s, 1.5 min, 12:30, or a number without a unit, which counts `bare` seconds.

    Its value is in seconds.
    """

    least: float
    most: float
    bare: float = 1.0

    def read(self, node: Node, problems: Problems) -> Any:
        if node.kind != "scalar":
            return complain(problems, node, f"expected a time, found {node.described}")
        try:
            value = parse_seconds(node.text, bare=self.bare)
        except ValueError:
            number = "seconds (40)" if self.bare == 1 else "minutes (20)"
            hint = pointed(node.text) or f"write {number}, 40s, 1.5 min or 12:30"
            return complain(problems, node, f"{node.text[:40]!r} is not a time", hint)
        if not self.least <= value <= self.most:
            hint = f"use a time from {_span(self.least)} to {_span(self.most)}"
            return complain(problems, node, f"{node.text} is out of range", hint)
        return value

    def schema(self) -> Schema:
        # Only the shape of a time: which units there are is told when it is read.
        pattern = r"^\s*(\d+(\.\d+)?\s*[a-zA-Z]*|(\d+:)?\d+:\d{1,2}(\.\d+)?)\s*$"
        scale = 1 if self.bare == 1 else self.bare
        # A number without a unit counts `bare` seconds, so its bounds are in that unit, too.
        number = {
            "type": "number",
            "minimum": self.least if scale == 1 else round(self.least / scale, 3),
            "maximum": self.most if scale == 1 else round(self.most / scale, 3),
        }
        return {"anyOf": [number, {"type": "string", "pattern": pattern}]}


def _span(seconds: float) -> str:
    """Seconds as a person says them: 5 s, 90 s, 10 minutes, 6 hours."""
    for unit, name in ((3600, "hours"), (60, "minutes")):
        if seconds > unit and seconds % unit == 0:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the given words."""

    words: tuple[str, ...]

    def read(self, node: Node, problems: Problems) -> Any:
        if node.kind == "scalar" and node.text in self.words:
            return node.text
        hint = did_you_mean(node.text, self.words)
        if node.kind != "scalar":
            return complain(problems, node, f"expected one word, found {node.described}", hint)
        return complain(problems, node, f"{node.text[:40]!r} is not a valid choice", hint)

    def schema(self) -> Schema:
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false (yes, no, on and off are understood)."""

    def read(self, node: Node, problems: Problems) -> Any:
        word = node.text.lower() if node.kind == "scalar" else ""
        # The words of YAML 1.1, which people know; our reader has left them as text.
        if word in ("true", "yes", "on"):
            return True
        if word in ("false", "no", "off"):
            return False
        return complain(problems, node, f"expected true or false, found {_found(node)}")

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Several:
    """A list of one kind. A single value is a list of one; with `commas`, `a, b` is a list too."""

    kind: Kind
    commas: bool = False
    most: int = 1000

    def read(self, node: Node, problems: Problems) -> tuple[Any, ...]:
        items = node.items if node.kind == "list" else (node,)
        if self.commas and node.kind == "scalar":
            parts = [part.strip() for part in node.text.split(",")]
            items = tuple(Node(node.mark, "scalar", part) for part in parts if part)
        if len(items) > self.most:
            told = f"the list has more than {self.most} entries"
            complain(problems, node, told, f"at most {self.most}")
            return ()
        values = (self.kind.read(item, problems) for item in items)
        return tuple(value for value in values if value is not None)

    def schema(self) -> Schema:
        one = self.kind.schema()
        return {"anyOf": [one, {"type": "array", "items": one, "maxItems": self.most}]}


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping from words to one kind."""

    kind: Kind

    def read(self, node: Node, problems: Problems) -> Any:
        if node.kind != "map":
            message = f"expected `word: value` lines, found {node.described}"
            return complain(problems, node, message)
        # Pairs, no dict: what is read ends in frozen objects.
        pairs = ((key.text.strip(), self.kind.read(value, problems)) for key, value in node.pairs)
        return tuple((key, value) for key, value in pairs if value is not None)

    def schema(self) -> Schema:
        return {"type": "object", "additionalProperties": self.kind.schema()}


def read_fields(
    node: Node, fields: Sequence[Field], problems: Problems, what: str
) -> dict[str, Any]:
    """The values of a mapping by field name; unknown and missing keys become problems.

    `what` names the mapping in messages: "a session", "the settings".
    """
    if node.kind != "map":
        message = f"expected {what} as `key: value` lines, found {node.described}"
        complain(problems, node, message)
        return {}
    table = {field.name: field for field in fields}
    values: dict[str, Any] = {}
    for key, value in node.pairs:
        if key.text not in table:
            hint = did_you_mean(key.text, table) if len(problems) < _MANY else ""
            # A name that is right on the command line only.
            if ALIASES.get(key.text) in table:
                hint = f"in a script, use `{ALIASES[key.text]}`"
            complain(problems, key, f"unknown key `{key.text[:60]}` in {what}", hint)
        elif not value.empty:
            values[key.text] = table[key.text].kind.read(value, problems)
    # Not `values`: a needed key whose value is wrong has had its problem already.
    present = {key.text for key, value in node.pairs if not value.empty}
    for field in fields:
        if field.required and field.name not in present:
            complain(problems, node, f"{what} needs `{field.name}:`", field.about)
    # None has had its problem: nothing further on needs to look at it.
    return {key: value for key, value in values.items() if value is not None}


def fields_schema(fields: Sequence[Field]) -> Schema:
    """The JSON Schema of a mapping with `fields`."""
    properties = {
        field.name: {"description": field.about, **field.kind.schema()} for field in fields
    }
    required = [field.name for field in fields if field.required]
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }


def template_problems(node: Node, version: str, placed: bool = True) -> list[Problem]:
    """The faults in a text's Jinja, with their line and column (if `placed`)."""
    if "{" not in version:
        return []
    # Importing Jinja takes a while: only scripts that use it pay for it.
    from voiceflow.script.template_checks import faults

    found = faults(version)
    places = (locate(node.mark, one.needle) if placed else node.mark for one in found)
    return [Problem(place, one.message, one.hint) for place, one in zip(places, found, strict=True)]


def locate(mark: Mark, needle: str) -> Mark:
    """Where `needle` first occurs as whole words in the file, at or after `mark`; else `mark`."""
    try:
        # Read once more, because nodes keep no source: only what has something to tell comes here.
        text = read_text(Path(mark.file)) if needle else ""
    except ScriptError:
        return mark
    # Not `\b`: a needle may be a sign, such as `*`, which has no word's edge.
    before = r"(?<!\w)" if re.match(r"[^\W_]", needle) else ""
    after = r"(?!\w)" if re.search(r"[^\W_]\Z", needle) else ""
    whole = re.compile(before + re.escape(needle) + after)
    for number, line in enumerate(text.split("\n")[mark.line - 1 :], mark.line):
        start = mark.column - 1 if number == mark.line else 0
        if match := whole.search(line, start):
            return Mark(mark.file, number, match.start() + 1)
    return mark


def as_dict(pairs: Sequence[tuple[str, Any]] | None) -> Mapping[str, Any]:
    return dict(pairs or ())


def _found(node: Node) -> str:
    """What was written, for a message: the text itself, shortened, or "a list"."""
    return repr(node.text[:40]) if node.kind == "scalar" else node.described
