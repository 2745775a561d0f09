"""Warns of texts that YAML cuts at ` #`, where it begins a comment.

In: a script's file. Out: a warning at each `#` that was meant as text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path

from voiceflow.core.errors import Mark, Problem
from voiceflow.lint.script_texts import Written
from voiceflow.script import models
from voiceflow.script.fields import Field, Several, Spoken, Words
from voiceflow.script.yaml import Node, plain_ends, read, read_text

# They hold names of files and voices, not texts.
_NAMES = ("extends", "voice")
_STEPS = ("rep", "flow", "pronounce")
# A comment begins with a blank (`# why`), or is a line that somebody drew (`#---`, `####`); with a
# number after the blank it was part of what was pasted (`exercise # 3`).
_CUT = re.compile(r"(?P<lead>[ \t]+|[ \t]*(?:\r?\n[ \t]*)+)(?P<lost>#(?:[^\s#=~*_+-]\S*| ?\d+\b))")

_BEFORE = re.compile(r"[ \t]*(?:- +)*(?=\S)")


def _holds_text(field: Field) -> bool:
    kind = field.kind.kind if isinstance(field.kind, Several) else field.kind
    return isinstance(kind, Spoken) or (isinstance(kind, Words) and not kind.slug)


_TABLES = (*models.EXERCISE, *models.SESSION_HEAD, *models.PACE, *models.SETTINGS)
_KEYS = {"say", *(f.name for f in _TABLES if _holds_text(f))}.difference(_NAMES)


def all_texts(node: Node) -> Iterator[Written]:
    """Every text in a script of any kind, spoken or not, also where none is written."""
    for key, value in node.pairs:
        if key.text in _KEYS:
            items = value.items if value.kind == "list" else (value,)
            yield from (Written(key.text, one) for one in items if one.kind == "scalar")
        elif key.text in _STEPS:
            steps = (value, *value.items)
            # `- inhale 4 #1: Lift.` is the step `inhale 4`: it is cut before its text.
            said = [one for step in steps for one in (step, *(text for _, text in step.pairs))]
            yield from (Written(key.text, one) for one in said if one.kind == "scalar")
        else:
            yield from all_texts(value)
    for item in node.items:
        yield from all_texts(item)


def cut_texts(path: Path) -> Iterator[Problem]:
    """A warning for each text in the YAML file `path` that goes on after ` #`.

    `#2` is text; `# why` is a comment, and so is a line that does not stand further in than the
    text's key. Raises ScriptError if the file cannot be read.
    """
    source, root = read_text(path), read(path)
    # Most files have none, and need not be parsed once more.
    if "#" not in source:
        return
    ends, breaks = plain_ends(source), [-1, *(m.start() for m in re.finditer("\n", source))]
    for one in all_texts(root):
        end = ends.get((one.node.mark.line, one.node.mark.column))
        # Only plain scalars are among `ends`: in quotes or in a block, `#` is text.
        match = _CUT.match(source, end) if end is not None else None
        if match is None:
            continue
        line = bisect_left(breaks, match.start("lost"))
        column = match.start("lost") - breaks[line - 1]
        if "\n" in match["lead"] and column <= _indent(source, breaks, one.node.mark):
            continue
        message = f"the text is cut at ` {match['lost'][:20]}`: YAML takes it for a comment"
        hint = "put the whole text in quotes; in a comment, put a blank after #"
        yield Problem(Mark(str(path), line, column), message, hint, "warning")


def _indent(source: str, breaks: Sequence[int], mark: Mark) -> int:
    """The column of the key, or of the hyphen, on the line of a text."""
    begin = breaks[mark.line - 1] + 1
    before = _BEFORE.match(source, begin, begin + mark.column - 1)
    return before.end() - begin + 1 if before else mark.column - 1
