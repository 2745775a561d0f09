"""Finds the spoken texts of a script, and warns of words that cannot be followed by ear.

In: the nodes of a script and its table of fields. Out: texts with their place, and warnings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from voiceflow.core.errors import Problem
from voiceflow.lint.seen_words import seen
from voiceflow.lint.word_tables import LANGUAGES
from voiceflow.script import models
from voiceflow.script.fields import Field, Several, Spoken, locate, split_versions
from voiceflow.script.models import Changes
from voiceflow.script.side_words import sides
from voiceflow.script.steps import Phases, Steps
from voiceflow.script.yaml import Node

# A text of so few words needs no brief version.
SHORT = 3

SEEN_HINT = "say which part of the body moves where"
SIDE_HINT = "write {{ side }} or {{ other_side }}"

_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_STATEMENT = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
# A condition that names each side where it is true.
ABOUT_SIDES = re.compile(r"\{%[^%]*\bside\b|\{\{[^{}]*\bif\b[^{}]*\bside\b")


@dataclass(frozen=True, slots=True)
class Written:
    """A spoken text and its place; `key` is the field: setup, rep, tips …"""

    key: str
    node: Node


def written(node: Node, fields: Sequence[Field] = models.EXERCISE) -> Iterator[Written]:
    """The spoken texts in a mapping with `fields`, also under its levels and equipment."""
    if node.kind != "map":
        return
    for field in fields:
        value = node.get(field.name)
        if value is None or value.empty:
            continue
        if isinstance(field.kind, Changes):
            for _, changes in value.pairs:
                yield from written(changes, models.CHANGES)
        else:
            yield from (Written(field.name, one) for one in _spoken(field, value))


def _spoken(field: Field, value: Node) -> Iterator[Node]:
    """The nodes under a field that are spoken."""
    if isinstance(field.kind, Spoken):
        yield value
    elif isinstance(field.kind, Several) and isinstance(field.kind.kind, Spoken):
        # A single tip may stand there without a list.
        yield from value.items or (value,)
    elif isinstance(field.kind, Phases | Steps):
        yield from (said for item in value.items for _, said in item.pairs if not said.empty)


def plain(text: str) -> str:
    """`text` with its Jinja replaced by blanks: every other character keeps its place."""
    return _STATEMENT.sub(_blank, _EXPRESSION.sub(_blank, text))


def _blank(match: re.Match[str]) -> str:
    # Line ends stay, or a finding further down would be told at the wrong line.
    return re.sub(r"[^\n]", " ", match[0])


def script_warnings(
    texts: Iterable[Written], *, sided: bool, languages: tuple[str, ...] = LANGUAGES
) -> Iterator[Problem]:
    """Warnings about the spoken texts of a script.

    Parameters
    ----------
    sided : bool
        Whether the exercise has two sides: then no text may name a fixed one.
    """
    for one in texts:
        # Told as an error where the script is read.
        if one.node.kind != "scalar":
            continue
        yield from _seen(one.node, languages)
        yield from _lengths(one)
        # A text with a condition on `side` may name each side where it is true.
        if sided and not ABOUT_SIDES.search(one.node.text):
            yield from _fixed_sides(one.node, languages)


def _seen(node: Node, languages: tuple[str, ...]) -> Iterator[Problem]:
    for found in seen(plain(node.text), languages):
        message = f"`{found.word}` points at something that must be seen"
        yield Problem(locate(node.mark, found.word), message, SEEN_HINT, "warning")


def _fixed_sides(node: Node, languages: tuple[str, ...]) -> Iterator[Problem]:
    for language in languages:
        for word in sides(plain(node.text), language).values():
            message = f"`{word}` names one side, but the exercise has two"
            yield Problem(locate(node.mark, word), message, SIDE_HINT, "warning")


def _lengths(one: Written) -> Iterator[Problem]:
    """A brief text that is longer than the full one; a phase without a brief text."""
    versions = [_measured(version) for version in split_versions(one.node.text)]
    for full, brief in pairwise(versions):
        if len(brief) > len(full):
            message = "the brief text is longer than the full one"
            yield Problem(
                one.node.mark, message, "write the longer text first: `full | brief`", "warning"
            )
    # Only in repetitions: every other text is heard once or a few times.
    if one.key == "rep" and len(versions) == 1 and len(versions[0].split()) > SHORT:
        hint = "write `full | brief`; otherwise all of it is said in every repetition"
        yield Problem(one.node.mark, "the phase has no brief text", hint, "warning")


def _measured(version: str) -> str:
    """A version about as long as when it is spoken: an expression counts as a short word."""
    return " ".join(_STATEMENT.sub("", _EXPRESSION.sub("right", version)).split())


def empty_tips(node: Node) -> Iterator[Problem]:
    """Empty `tips:`, in a mapping or under its levels and equipment."""
    for key, value in node.pairs:
        if key.text == "tips" and (value.empty or (value.kind == "list" and not value.items)):
            hint = "write a tip, or remove the line"
            yield Problem(key.mark, "`tips:` is empty", hint, "warning")
        elif key.text in ("levels", "equipment"):
            for _, changes in value.pairs:
                yield from empty_tips(changes)
