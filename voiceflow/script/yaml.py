"""A restricted YAML: text, lists and mappings with their places, and no guessing of types.

Every scalar stays the text that was written; the field that takes it decides what it means. So
`no` is never False, `1:30` is never 90 and `010` is never 8. Anchors, aliases and tags are
refused: a script needs none, and they are how a small file becomes a large one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import yaml

from voiceflow.errors import Mark, Problem, ScriptError

MAX_BYTES = 1 << 20
MAX_DEPTH = 24
MAX_NODES = 100_000

_NOT_TEXT = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
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
        Whether a scalar stood in quotes or a block: then it is text, never a number or nothing.
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
        """Whether this says nothing (an absent value, `~` or `null`)."""
        return self.kind == "scalar" and not self.quoted and self.text in ("", "~", "null")

    def get(self, key: str) -> Node | None:
        """The value under `key` of a mapping; None where there is none."""
        return next((value for name, value in self.pairs if name.text == key), None)

    def without(self, *keys: str) -> Node:
        """This mapping less `keys`."""
        return replace(self, pairs=tuple(p for p in self.pairs if p[0].text not in keys))


def merge(base: Node, over: Node, *, deep: tuple[str, ...] = ()) -> Node:
    """The mapping `base` with `over`'s values in place of its own; `deep` keys are merged."""
    mine = {key.text: value for key, value in base.pairs}
    theirs = {
        key.text: (
            key,
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
        It cannot be read, is not UTF-8, is over 1 MiB, or is not the YAML described above.
    """
    return parse(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The text of a script file; ScriptError where it cannot be read."""
    where = Mark(str(path))
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ScriptError([Problem(where, f"cannot be read: {error.strerror}")]) from None
    if len(data) > MAX_BYTES:
        raise ScriptError([Problem(where, "is larger than 1 MiB", "split it into smaller scripts")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        hint = "save the file as UTF-8"
        raise ScriptError(
            [Problem(Mark(str(path), line, column), "is not UTF-8 text", hint)]
        ) from None


def parse(text: str, file: str) -> Node:
    """`text` as a node; `file` names it in errors. Raises ScriptError."""
    if wrong := _NOT_TEXT.search(text):
        raise ScriptError([_character_problem(wrong.start(), text, file)])
    builder = _Builder(file)
    try:
        root = builder.document(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        _limits_before(error, text, file)
        raise ScriptError([*builder.problems, _syntax_problem(error, file)]) from None
    if builder.problems:
        raise ScriptError(builder.problems)
    return root


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
    return Problem(Mark(file, line, column), "a character that text cannot hold", "delete it")


def _syntax_problem(error: yaml.MarkedYAMLError, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Mark(file, mark.line + 1, mark.column + 1) if mark else Mark(file)
    message = error.problem or error.context or "not YAML"
    if "nesting depth" in message:  # the parser's own limit, in what cannot be YAML anyway
        return Problem(place, "is nested too deeply")
    hint = ""
    if "mapping values are not allowed" in message:
        hint = "put the text in quotes: it holds a colon"
    elif "cannot start any token" in message:
        hint = "put the text in quotes, and indent with spaces"
    elif "find expected" in message or "expected <block end>" in message:
        hint = "is a line indented too far or too little, or a text begun with a quote or brace?"
    return Problem(place, f"not YAML: {message}", hint)


class _Builder:
    """Builds nodes from parser events, bounded in depth, gathering problems."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.nodes = 0

    def document(self, events: Iterator[yaml.Event]) -> Node:
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.NodeEvent):
                if root is not None:
                    hint = "one script a file: remove the `---`"
                    self.problems.append(Problem(self._mark(event), "a second document", hint))
                    return root
                root = self._node(event, events, 0)
        return root or Node(Mark(self.file, 1, 1), "scalar")

    def _mark(self, event: yaml.Event) -> Mark:
        mark = event.start_mark
        return Mark(self.file, mark.line + 1, mark.column + 1) if mark else Mark(self.file)

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        mark = self._mark(event)
        if depth > MAX_DEPTH:
            raise ScriptError([*self.problems, Problem(mark, "is nested too deeply")])
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise ScriptError([*self.problems, Problem(mark, "the script is too long")])
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            hint = "write the value out, or build on an exercise with `extends:`"
            self.problems.append(Problem(mark, "anchors (&) and aliases (*) are not used", hint))
        if isinstance(event, yaml.AliasEvent):
            return Node(mark, "scalar")
        if (tag := getattr(event, "tag", None)) not in (None, "!"):
            self.problems.append(Problem(mark, f"tags ({tag}) are not used", "remove it"))
        if isinstance(event, yaml.ScalarEvent):
            if _CONTROL.search(event.value):
                message = "a character that text cannot hold"
                self.problems.append(Problem(mark, message, "delete it"))
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
                hint = "quote texts that begin with { or ["
                self.problems.append(Problem(key.mark, "a key must be a word", hint))
            elif key.text in pairs:
                first = pairs[key.text][0].mark.line
                hint = f"it stands in line {first} already"
                self.problems.append(Problem(key.mark, f"`{key.text}` is said twice", hint))
            else:
                pairs[key.text] = (key, value)
        return tuple(pairs.values())
