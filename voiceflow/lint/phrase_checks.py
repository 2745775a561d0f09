"""Checks phrases and positions: every macro and move is rendered in different moments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from voiceflow.core.errors import Mark, Problem, ScriptError
from voiceflow.lint.markup import markup
from voiceflow.lint.number_words import hint_for, miscounts, told
from voiceflow.lint.script_texts import SEEN_HINT, plain, script_warnings
from voiceflow.lint.script_texts import Written as WrittenText
from voiceflow.lint.seen_words import seen
from voiceflow.plan.phrases import macro_problem, phrase_warnings, read_phrases
from voiceflow.script.fields import split_versions
from voiceflow.script.positions import Positions, read_positions
from voiceflow.script.sandbox import TemplateFault
from voiceflow.script.templates import ANY_CLIENT, Macros, macro_names, render
from voiceflow.script.yaml import Node, read, read_text

OF_A_CLIENT = "what is known of you"
# Three very different moments: a macro must work in all of them.
_USUAL: Mapping[str, str | int] = {
    "title": "Title", "about": "About it.", "minutes": 20, "name": "Ana", "equipment": "a mat",
    ANY_CLIENT: OF_A_CLIENT,
    "section": "Strength", "exercise": "Bridge", "purpose": "A purpose.", "caution": "A caution.",
    "tip": "A tip.", "next": "Squat", "position": "standing", "next_position": "sitting",
    "side": "right", "other_side": "left", "sides": "each", "rep": 2, "reps": 6, "left": 4,
    "set": 1, "sets": 2, "level": 1, "breath": "exhale", "seconds": 4, "n": 3, "remaining": 10,
    "exercises": 8,
}  # fmt: skip
MOMENTS: tuple[Mapping[str, str | int], ...] = (
    _USUAL,
    {**_USUAL, "sides": "alternate", "rep": 6, "left": 0, "next_position": "standing"},
    {
        **_USUAL, "name": "", "about": "", "equipment": "", "section": "", "purpose": "",
        "next": "", "next_position": "", "side": "", "other_side": "", "sides": "none", "rep": 1,
        "reps": 1, "left": 0, "sets": 1, "breath": "", "seconds": 0, "remaining": 0, "minutes": 1,
        "exercise": "", "tip": "", "caution": "", "position": "", "n": 1,
    },
)  # fmt: skip

# Where every number is one.
ONCE: Mapping[str, str | int] = {
    key: 1 if isinstance(value, int) else value for key, value in _USUAL.items()
}


def language_of(path: Path) -> tuple[str, ...]:
    """The language in a file name such as ``coach.es.j2``; English if there is none."""
    ending = path.stem.rpartition(".")
    return (ending[2],) if ending[1] else ("en",)


def phrases_problems(path: Path) -> Iterator[Problem]:
    """Every problem of the phrases in the file `path`."""
    try:
        macros = read_phrases(path)
        source = read_text(path)
    except ScriptError as error:
        yield from error.problems
        return
    yield from phrase_warnings(path)
    for name in macro_names(source):
        yield from _run(path, source, macros, name)
    for found in seen(plain(source), language_of(path)):
        message = f"`{found.word}` points at something that must be seen"
        yield Problem(_place(path, source, found.start), message, SEEN_HINT, "warning")
    for each in markup(source):
        yield Problem(_place(path, source, each.start), each.message, each.hint, "warning")


def _run(path: Path, source: str, macros: Macros, name: str) -> Iterator[Problem]:
    match = re.search(rf"\bmacro\s+({re.escape(name)})\b", source)
    mark = _place(path, source, match.start(1) if match else 0)
    # A fault that shows in all of them is told once: `check_path` keeps a set.
    for moment in MOMENTS:
        try:
            versions = split_versions(macros.render(name, moment))
        except TemplateFault as fault:
            yield macro_problem(path, source, name, fault)
            continue
        if any(len(b) > len(a) for a, b in pairwise(versions)):
            message = f"macro `{name}`: the brief text is longer than the full one"
            yield Problem(mark, message, "write the longer text first: `full | brief`", "warning")
    yield from _miscounted(path, source, macros, name)


def _miscounted(path: Path, source: str, macros: Macros, name: str) -> Iterator[Problem]:
    """A warning for "1 minutes", which a macro says where there is only one."""
    begin = re.search(rf"\bmacro\s+{re.escape(name)}\b", source)
    body = source[begin.start() if begin else 0 :].partition("endmacro")[0]
    with suppress(TemplateFault):  # told in `_run`, or true of this moment alone
        said = macros.render(name, ONCE)
        for one in miscounts(" ".join(said.split()), language_of(path)[0]):
            at = source.find(one.noun, begin.start() if begin else 0)
            message = f"macro `{name}`: {told(one)}"
            yield Problem(
                _place(path, source, max(at, 0)), message, hint_for(one, (body,)), "warning"
            )


def _place(path: Path, source: str, start: int) -> Mark:
    # On the first line `rfind` gives -1: so the column counts from 1 there, too.
    line = source.count("\n", 0, start) + 1
    return Mark(str(path), line, start - source.rfind("\n", 0, start))


def positions_problems(path: Path) -> Iterator[Problem]:
    """Every problem of the positions in the file `path`."""
    try:
        positions = read_positions(path)
    except ScriptError as error:
        yield from error.problems
        return
    yield from _moves(positions)
    # A move is said for exercises with two sides as well, so it may not name a fixed one.
    said = (WrittenText("say", node) for node in _said(read(path)))
    yield from script_warnings(said, sided=True, languages=language_of(path))


def _moves(positions: Positions) -> Iterator[Problem]:
    ways = [*positions.start.values(), *(move for all in positions.paths.values() for move in all)]
    for move in ways:
        for version in move.say.versions:
            for moment in MOMENTS:
                try:
                    render(version, moment)
                except TemplateFault as fault:
                    yield Problem(move.say.mark, fault.message, fault.hint)


def _said(node: Node) -> Iterator[Node]:
    for key, value in node.pairs:
        if key.text == "say":
            yield value
        yield from _said(value)
    for item in node.items:
        yield from _said(item)
