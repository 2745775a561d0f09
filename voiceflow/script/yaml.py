"""Reads a restricted YAML: a file in, a tree of nodes out, each with its line and column.

A scalar stays the text that was written; the field that reads it decides what it means. So `no`
is never False, `1:30` is never 90 and `010` is never 8. Anchors, aliases and tags are refused:
scripts do not need them, and a small file could use them to become a huge one.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import yaml

from voiceflow.core.errors import Mark, Problem, ScriptError
from voiceflow.core.opening import open_file, why

MAX_BYTES = 1 << 20
_HEAD = 256
MAX_DEPTH = 24
MAX_NODES = 100_000

# All that YAML does not allow: the same set as in PyYAML's reader.
_NOT_TEXT = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
# What both of PyYAML's parsers say, and what is meant.
_SYNTAX = (
    ("mapping values are not allowed", "there is a colon where none can stand"),
    ("cannot start any token", "nothing can begin with this character"),
    ("unknown escape", "after a backslash in double quotes stands a letter without a meaning"),
    ("unexpected end of stream", "a quote is opened and not closed"),
    ("',' or ", "a bracket or a brace is opened and not closed, or a comma is missing"),
    ("expected ':'", "this line is no `key: value`, though those around it are"),
    ("expected key", "this line does not fit those above it"),
    ("expected <block end>", "this line does not fit those above it"),
    ("expected '-' indicator", "this line does not fit the list above it"),
    ("block sequence entries", "a list cannot begin here"),
    ("indentation", "the indentation is wrong here"),
)
_SYNTAX_OTHER = "what stands here cannot be read"
_HASH = re.compile(r"(?:^|\s)(#[^\s#]\S*)")
# The C parser, where PyYAML was built with it, is many times as fast.
_Loader: type = getattr(yaml, "CLoader", yaml.Loader)


@dataclass(frozen=True, slots=True)
class Node:
    """One value in a script.

    Attributes
    ----------
    kind : {"scalar", "list", "map"}
    text : str
        Of a scalar, what was written, without quotes.
    quoted : bool
        Whether a scalar was quoted or a block: then it is text, even where it looks empty.
    items : tuple of Node
        Of a list.
    pairs : tuple of (Node, Node)
        Of a mapping, in order; keys are scalars and differ.
    """

    mark: Mark
    kind: Literal["scalar", "list", "map"]
    text: str = ""
    quoted: bool = False
    items: tuple[Node, ...] = ()
    pairs: tuple[tuple[Node, Node], ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is no value (nothing written, `~` or `null`)."""
        return self.kind == "scalar" and not self.quoted and self.text in ("", "~", "null")

    @property
    def described(self) -> str:
        """What this is, for a message: "text", "a list", "a mapping" or "nothing"."""
        if self.empty:
            return "nothing"
        return {"scalar": "text", "list": "a list", "map": "a mapping"}[self.kind]

    def get(self, key: str) -> Node | None:
        """The value under `key` of a mapping; None if there is none."""
        return next((value for name, value in self.pairs if name.text == key), None)

    def without(self, *keys: str) -> Node:
        """This mapping without `keys`."""
        return replace(self, pairs=tuple(p for p in self.pairs if p[0].text not in keys))


def merge(base: Node, over: Node, *, deep: tuple[str, ...] = ()) -> Node:
    """The mapping `base`, its values replaced by those of `over`; `deep` keys are merged."""
    mine = {key.text: value for key, value in base.pairs}
    theirs = {
        key.text: (
            key,
            # One step down only: what stands under level 2 is replaced whole.
            merge(mine[key.text], value) if key.text in deep and key.text in mine else value,
        )
        for key, value in over.pairs
    }
    kept = tuple((key, value) for key, value in base.pairs if key.text not in theirs)
    return replace(base, pairs=kept + tuple(theirs.values()))


def read(path: Path) -> Node:
    """The script at `path`.

    Raises
    ------
    ScriptError
        The file cannot be read, is not UTF-8, is over 1 MiB, or is not the restricted YAML.
    """
    return parse(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The text of a script file. Raises ScriptError if it cannot be read."""
    where = Mark(str(path))
    try:
        with open_file(path) as file:
            # The one byte more tells that there is more, however large the file is.
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ScriptError([Problem(where, f"cannot be read: {why(error)}")]) from None
    if len(data) > MAX_BYTES:
        raise ScriptError([Problem(where, "the file is larger than 1 MiB", "split it up")])
    if wide := _wide(data):
        hint = "save the file as UTF-8: in the editor, where it asks for the encoding"
        message = f"the file is not UTF-8 text, but {wide}"
        raise ScriptError([Problem(Mark(str(path), 1, 1), message, hint)])
    try:
        # Editors on Windows may put a byte order mark first.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        hint = "save the file as UTF-8"
        raise ScriptError(
            [Problem(Mark(str(path), line, column), "the file is not UTF-8 text", hint)]
        ) from None


def _wide(data: bytes) -> str:
    """The encoding of a text in units of two or four bytes, with or without a mark; "" of others.

    Some programs on Windows write scripts so. Latin letters then have a zero at every other byte.
    """
    head = data[:_HEAD]
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "UTF-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    zeros = [head[place::4].count(0) * 4 > len(head) // 2 for place in range(4)]
    if sum(zeros) == 3:
        return "UTF-32"
    return "UTF-16" if zeros in ([False, True] * 2, [True, False] * 2) else ""


def parse(text: str, file: str) -> Node:
    """`text` as a node; `file` is its name in errors. Raises ScriptError."""
    # Before the parser: its ReaderError for these is no MarkedYAMLError.
    if wrong := _NOT_TEXT.search(text):
        raise ScriptError([_character_problem(wrong.start(), text, file)])
    # Events, one by one: the limits hold before a tree is in memory.
    builder = _Builder(file)
    try:
        root = builder.document(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        _limits_before(error, text, file)
        raise ScriptError([*builder.problems, _syntax_problem(error, file, text)]) from None
    if builder.problems:
        raise ScriptError(builder.problems)
    return root


def plain_ends(text: str) -> dict[tuple[int, int], int]:
    """Where in `text` each scalar without quotes ends, by the line and column of its node.

    Raises ScriptError.
    """
    ends: dict[tuple[int, int], int] = {}
    try:
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, yaml.ScalarEvent) and not event.style:
                start, end = event.start_mark, event.end_mark
                if start and end:
                    ends[start.line + 1, start.column + 1] = end.index
    except yaml.MarkedYAMLError as error:
        raise ScriptError([_syntax_problem(error, "", text)]) from None
    return ends


def _limits_before(error: yaml.MarkedYAMLError, text: str, file: str) -> None:
    """Raise ScriptError where a limit of our own was passed before the place of `error`.

    A parser reads ahead, by how much is its own affair, and what it finds there comes first: a
    limit of its own, too, where it has one. Without that place it has nothing to say of what
    stands before it.
    """
    if error.problem_mark:
        with suppress(yaml.MarkedYAMLError):
            before = text[: error.problem_mark.index]
            _Builder(file).document(yaml.parse(before, Loader=_Loader))


def _character_problem(at: int, text: str, file: str) -> Problem:
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return Problem(Mark(file, line, column), _not_allowed(text[at]), "delete it")


def _not_allowed(character: str) -> str:
    return f"the character U+{ord(character):04X} is not allowed"


def _syntax_problem(error: yaml.MarkedYAMLError, file: str, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Mark(file, mark.line + 1, mark.column + 1) if mark else Mark(file)
    message = error.problem or error.context or "it cannot be parsed"
    if "nesting depth" in message:  # the parser's own limit, in what cannot be YAML anyway
        return Problem(place, "the file is nested too deeply")
    hint = ""
    if "mapping values are not allowed" in message:
        hint = "put a text that contains a colon in quotes; or check the indentation"
    elif "cannot start any token" in message:
        hint = "put the text in quotes, and indent with spaces"
    elif "find expected" in message or "expected <block end>" in message:
        hint = "check the indentation; put a text that begins with a quote or a brace in quotes"
        if mark and (cut := _cut_before(mark.line, text)):
            hint = f"if ` {cut[:20]}` before it is text and no comment, put that text in quotes"
    return Problem(place, f"invalid YAML: {_said(message)}", hint)


def _said(message: str) -> str:
    """What the parser found, in words for who writes scripts and not parsers."""
    return next((words for needle, words in _SYNTAX if needle in message), _SYNTAX_OTHER)


def _cut_before(line: int, text: str) -> str:
    """What looks like a text after ` #`, on the last written line before `line` (from 0)."""
    before = "\n".join(text.split("\n")[:line]).rstrip().rpartition("\n")[2]
    found = _HASH.search(before)
    return found[1] if found else ""


class _Builder:
    """Builds nodes from the parser's events, up to a depth and a number, and collects problems."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.nodes = 0

    def document(self, events: Iterator[yaml.Event]) -> Node:
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.NodeEvent):
                if root is not None:
                    hint = "write one script per file: remove the `---`"
                    self.problems.append(
                        Problem(self._mark(event), "a second document in one file", hint)
                    )
                    return root
                root = self._node(event, events, 0)
        # An empty file has no event for a node: it is a script in which nothing is written.
        return root or Node(Mark(self.file, 1, 1), "scalar")

    def _mark(self, event: yaml.Event) -> Mark:
        mark = event.start_mark
        return Mark(self.file, mark.line + 1, mark.column + 1) if mark else Mark(self.file)

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        mark = self._mark(event)
        # Raised, not collected as the rest is: to read on is the work that a limit spares.
        if depth > MAX_DEPTH:
            raise ScriptError([*self.problems, Problem(mark, "the file is nested too deeply")])
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise ScriptError(
                [*self.problems, Problem(mark, f"the script has more than {MAX_NODES:,} values")]
            )
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            hint = "write the value out, or build on an exercise with `extends:`"
            self.problems.append(Problem(mark, "anchors (&) and aliases (*) are not allowed", hint))
        # Refused, but something must stand for it, so that reading goes on to the next problem.
        if isinstance(event, yaml.AliasEvent):
            return Node(mark, "scalar")
        # A lone `!` says that a scalar is text, as every one is here.
        if (tag := getattr(event, "tag", None)) not in (None, "!"):
            self.problems.append(Problem(mark, f"the tag `{tag}` is not allowed", "remove it"))
        if isinstance(event, yaml.ScalarEvent):
            # An escape in quotes ("\x07") passes the check of the source: it is a character here.
            if wrong := _CONTROL.search(event.value):
                self.problems.append(Problem(mark, _not_allowed(wrong[0]), "delete it"))
            return Node(mark, "scalar", event.value, quoted=bool(event.style))
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(inner := next(events), yaml.SequenceEndEvent):
                items.append(self._node(inner, events, depth + 1))
            return Node(mark, "list", items=tuple(items))
        return Node(mark, "map", pairs=self._pairs(events, depth))

    def _pairs(self, events: Iterator[yaml.Event], depth: int) -> tuple[tuple[Node, Node], ...]:
        pairs: dict[str, tuple[Node, Node]] = {}
        while not isinstance(inner := next(events), yaml.MappingEndEvent):
            key = self._node(inner, events, depth + 1)
            value = self._node(next(events), events, depth + 1)
            if key.kind != "scalar":
                hint = "put a text that begins with { or [ in quotes"
                self.problems.append(
                    Problem(key.mark, f"a key must be text, not {key.described}", hint)
                )
            elif key.text in pairs:
                first = pairs[key.text][0].mark.line
                hint = f"first used on line {first}"
                self.problems.append(Problem(key.mark, f"duplicate key `{key.text}`", hint))
            else:
                pairs[key.text] = (key, value)
        return tuple(pairs.values())
