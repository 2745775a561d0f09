"""The texts of a script where they stand, and what in them cannot be followed by ear."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from voiceflow.core.errors import Problem
from voiceflow.lint import word_tables as words
from voiceflow.script import models
from voiceflow.script.fields import Field, Several, Spoken, locate, split_versions
from voiceflow.script.models import Changes
from voiceflow.script.steps import Phases, Steps
from voiceflow.script.yaml import Node

# A version of so few words is its own brief.
SHORT = 3

SEEN_HINT = "say which part of the body goes where"
SIDE_HINT = "write {{ side }} or {{ other_side }}"

_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_STATEMENT = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_ABOUT_SIDES = re.compile(r"\{%[^%]*\bside\b")


@dataclass(frozen=True, slots=True)
class Written:
    """A spoken text where it stands; `key` is what it is written under: setup, rep, tips …"""

    key: str
    node: Node


def written(node: Node, fields: Sequence[Field] = models.EXERCISE) -> Iterator[Written]:
    """The spoken texts of a mapping by `fields`, those of its levels and equipment too."""
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
    """The nodes under a field that are said."""
    if isinstance(field.kind, Spoken):
        yield value
    elif isinstance(field.kind, Several) and isinstance(field.kind.kind, Spoken):
        yield from value.items or (value,)
    elif isinstance(field.kind, Phases | Steps):
        yield from (said for item in value.items for _, said in item.pairs if not said.empty)


def plain(text: str) -> str:
    """`text` without its Jinja; every other character keeps its place."""
    return _STATEMENT.sub(_blank, _EXPRESSION.sub(_blank, text))


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def script_warnings(
    texts: Iterable[Written], *, sided: bool, languages: tuple[str, ...] = words.LANGUAGES
) -> Iterator[Problem]:
    """Warnings about the texts of a script.

    Parameters
    ----------
    sided : bool
        The exercise has two sides, so that none may be named in a fixed word.
    """
    for one in texts:
        if one.node.kind != "scalar":
            continue
        yield from _seen(one.node, languages)
        yield from _lengths(one)
        if sided and not _ABOUT_SIDES.search(one.node.text):
            yield from _fixed_sides(one.node, languages)


def _seen(node: Node, languages: tuple[str, ...]) -> Iterator[Problem]:
    for found in words.seen(plain(node.text), languages):
        message = f"`{found.word}` points at something that must be seen"
        yield Problem(locate(node.mark, found.word), message, SEEN_HINT, "warning")


def _fixed_sides(node: Node, languages: tuple[str, ...]) -> Iterator[Problem]:
    for language in languages:
        for word in words.sides(plain(node.text), language).values():
            message = f"`{word}` names one side, but the exercise has two"
            yield Problem(locate(node.mark, word), message, SIDE_HINT, "warning")


def _lengths(one: Written) -> Iterator[Problem]:
    """A brief that is longer than its full; a phase that has no brief."""
    versions = [_measured(version) for version in split_versions(one.node.text)]
    for full, brief in pairwise(versions):
        if len(brief) > len(full):
            message = "the brief text is longer than the full one"
            yield Problem(one.node.mark, message, "write it as `full | brief`", "warning")
    if one.key == "rep" and len(versions) == 1 and len(versions[0].split()) > SHORT:
        hint = "write it as `full | brief`; without, only the breath word is left to say"
        yield Problem(one.node.mark, "the phase has no brief text", hint, "warning")


def _measured(version: str) -> str:
    """A version about as long as it is said: an expression counts as a short word."""
    return " ".join(_STATEMENT.sub("", _EXPRESSION.sub("right", version)).split())


def empty_tips(node: Node) -> Iterator[Problem]:
    """`tips:` that says nothing, in a mapping or under its levels and equipment."""
    for key, value in node.pairs:
        if key.text == "tips" and (value.empty or (value.kind == "list" and not value.items)):
            hint = "write a tip, or leave the line out"
            yield Problem(key.mark, "`tips` says nothing", hint, "warning")
        elif key.text in ("levels", "equipment"):
            for _, changes in value.pairs:
                yield from empty_tips(changes)
