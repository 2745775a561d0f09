"""Phrases: how a coach says it, as files of Jinja macros.

In: a name and a language. Out: `Phrases`, which give the versions of each macro. Files are read
here; the cues in `plan.cues` are written from what was read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from voiceflow.core.errors import Mark, Problem, ScriptError, did_you_mean
from voiceflow.script.fields import split_versions
from voiceflow.script.lookup import Library, spelled
from voiceflow.script.sandbox import TemplateFault
from voiceflow.script.template_checks import PHRASE_VARIABLES, faults
from voiceflow.script.templates import Macros, macro_names
from voiceflow.script.yaml import read_text

MACROS = (
    "welcome", "section", "exercise", "sides", "ready", "count", "inhale", "exhale", "hold",
    "pause", "last", "more", "halfway", "set", "switch", "alternate", "rest", "next",
    "remaining", "round", "tip", "caution", "finish", "work", "relax", "farewell", "closing", "end",
)  # fmt: skip


class Phrases:
    """The macros of one coach: the user's, and the bundled ones for what these leave out."""

    def __init__(self, name: str, books: tuple[tuple[Path, Macros], ...]) -> None:
        self.name = name
        self._books = books

    def say(self, macro: str, context: Mapping[str, Any]) -> tuple[str, ...]:
        """The versions of `macro` with the values in `context`, richest first; () for no words.

        Raises
        ------
        ScriptError
            The macro fails with these values.
        """
        for path, book in self._books:
            if macro in book:
                try:
                    return split_versions(book.render(macro, context))
                except TemplateFault as fault:
                    raise ScriptError([macro_problem(path, book.source, macro, fault)]) from None
        return ()

    def reads(self) -> frozenset[str]:
        """The values that these macros may say."""
        return frozenset().union(*(book.reads for _, book in self._books))


def load_phrases(name: str, language: str, library: Library, beside: Path | None = None) -> Phrases:
    """The phrases called `name` in `language`.

    Macros that the file does not define come from `coach`, in `language` if it has that.

    Raises
    ------
    UnknownNameError, ScriptError
        There are no such phrases, or a file has errors.
    """
    # Only for its error: further down, an unknown name would become `coach` without a word.
    library.find("phrases", name, beside)
    tongue = language.split("-")[0]
    names = [f"{name}.{tongue}", name, f"coach.{tongue}", "coach"]
    # English has no ending: `coach.j2` is English.
    if tongue == "en":
        names = [name, "coach"]
    # A dict for its order: phrases called `coach` come up twice.
    found: dict[Path, None] = {}
    for stem in names:
        for folder in library.folders("phrases", beside if stem.startswith(name) else None):
            path = spelled(folder / f"{stem}.j2")
            if path.is_file():
                found[path] = None
    return Phrases(name, tuple((path, read_phrases(path)) for path in found))


def read_phrases(path: Path) -> Macros:
    """The macros in the file `path`. Raises ScriptError with all of its errors."""
    source = read_text(path)
    problems = [
        Problem(_place(path, source, fault), fault.message, fault.hint)
        for fault in faults(source, PHRASE_VARIABLES)
    ]
    if problems:
        raise ScriptError(problems)
    try:
        return _macros(source)
    except TemplateFault as fault:
        raise ScriptError([Problem(Mark(str(path)), fault.message, fault.hint)]) from None


@lru_cache(maxsize=16)
def _macros(source: str) -> Macros:
    return Macros(source)


def phrase_warnings(path: Path) -> list[Problem]:
    """A warning for each macro that is never used, in a phrases file without errors."""
    source = read_text(path)
    unused = [n for n in macro_names(source) if n not in MACROS and not n.startswith("_")]
    return [
        Problem(
            _place(path, source, TemplateFault("", needle=name)),
            f"the macro `{name}` is never used",
            (did_you_mean(name, MACROS) + "; begin the name of a helper with _").lstrip("; "),
            "warning",
        )
        for name in unused
    ]


def macro_problem(path: Path, source: str, macro: str, fault: TemplateFault) -> Problem:
    """What is wrong with `macro` of the file `path`, at the line on which it failed."""
    return Problem(
        _place_in(path, source, macro, fault), f"macro `{macro}`: {fault.message}", fault.hint
    )


def _place_in(path: Path, source: str, macro: str, fault: TemplateFault) -> Mark:
    """Where a macro failed: the word at fault in a tag, else the tag, else the macro's name.

    The line may be in another macro, which this one calls.
    """
    named = re.search(rf"\bmacro\s+({re.escape(macro)})\b", source)
    head = named.start(1) if named else 0
    if not fault.line:
        return _mark(path, source, head)
    starts = [0, *(match.end() for match in re.finditer("\n", source))]
    start = starts[min(fault.line, len(starts)) - 1]
    # A macro of one line: what stands before it on its line belongs to another macro.
    if source.count("\n", start, head) == 0 and start < head:
        start = head
    tags = [tag for tag in _TAG.finditer(source, start) if not _FRAME.match(tag[1])]
    for tag in tags:
        if fault.needle and fault.needle in tag[1]:
            return _mark(path, source, tag.start(1) + tag[1].index(fault.needle))
    if tags and source.count("\n", start, tags[0].start()) == 0:
        return _mark(path, source, tags[0].start())
    return _mark(path, source, start)


# A tag `{{ … }}` or `{% … %}` with what is inside, and the tags that only enclose a macro.
_TAG = re.compile(r"\{[{%][-+]?(.*?)[-+]?[%}]\}", re.DOTALL)
_FRAME = re.compile(r"\s*(end)?macro\b")


def _mark(path: Path, source: str, at: int) -> Mark:
    return Mark(str(path), source.count("\n", 0, at) + 1, at - source.rfind("\n", 0, at))


def _place(path: Path, source: str, fault: TemplateFault) -> Mark:
    lines = source.splitlines()
    line = max(1, min(fault.line or 1, len(lines) or 1))
    for number, text in enumerate(lines[line - 1 :], line):
        if fault.needle and fault.needle in text:
            return Mark(str(path), number, text.index(fault.needle) + 1)
    return Mark(str(path), line, 1)
