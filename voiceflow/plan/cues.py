"""Cues: for each moment, the words that may be said, rendered from scripts and phrases.

Spoken moments get sentences; breath phases get versions from the richest to the shortest, of
which the score takes the first that fits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from voiceflow.core.errors import Mark, Problem, ScriptError
from voiceflow.plan.moments import RICHNESS, Line, Moment, Plan, Richness
from voiceflow.plan.sentences import sentences
from voiceflow.script.fields import Text, split_versions
from voiceflow.script.lookup import Library
from voiceflow.script.templates import (
    PHRASE_VARIABLES,
    Macros,
    TemplateFault,
    faults,
    macro_names,
    names_in,
    render,
)
from voiceflow.script.wording import PLAIN, Wording
from voiceflow.script.yaml import read_text

MACROS = (
    "welcome", "section", "exercise", "sides", "ready", "count", "inhale", "exhale", "hold",
    "pause", "last", "more", "halfway", "set", "switch", "alternate", "rest", "next",
    "remaining", "round", "tip", "caution", "finish", "work", "relax", "farewell", "closing", "end",
)  # fmt: skip

# The variable that carries a script's own text into the macro that says it.
_CARRIED = {"exercise": "purpose", "caution": "caution", "tip": "tip"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known only of a score: whole minutes in all, and those left at each section."""

    minutes: int
    remaining: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Cue:
    """What may be said in one moment.

    Attributes
    ----------
    sentences : tuple of str
        Said one after another, whatever time they need.
    versions : tuple of str
        Of a box: richest to shortest; at most one is said.
    counts : tuple of str
        Said a beat apart, the last one beat before the end.
    halfway : str
        Said in the middle of an interval; "" for nothing.
    """

    sentences: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    halfway: str = ""


@dataclass(frozen=True, slots=True)
class CueSheet:
    """The cues of a plan, one a moment; the tips of each bout; the title of the closing chapter.

    `sided` are the tips that name a side: they are true of the first one only.
    """

    cues: tuple[Cue, ...]
    tips: tuple[tuple[str, ...], ...]
    closing: str
    sided: frozenset[str] = frozenset()


class Phrases:
    """A coach's way of saying it: the user's macros over the bundled ones."""

    def __init__(self, name: str, books: tuple[tuple[Path, Macros], ...]) -> None:
        self.name = name
        self._books = books

    def say(self, macro: str, context: Mapping[str, Any]) -> tuple[str, ...]:
        """The versions that `macro` gives, richest first; () where it says nothing.

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
                    message = f"macro `{macro}`: {fault.message}"
                    raise ScriptError([Problem(Mark(str(path)), message, fault.hint)]) from None
        return ()


def load_phrases(name: str, language: str, library: Library, beside: Path | None = None) -> Phrases:
    """The phrases called `name` in `language`.

    What a user's file leaves unsaid is said by `coach`, in the language where it speaks it.

    Raises
    ------
    UnknownNameError, ScriptError
        There are no such phrases, or a file of them is wrong.
    """
    library.find("phrases", name, beside)
    tongue = language.split("-")[0]
    names = [f"{name}.{tongue}", name, f"coach.{tongue}", "coach"]
    if tongue == "en":
        names = [name, "coach"]
    found: dict[Path, None] = {}
    for stem in names:
        for folder in library.folders("phrases", beside if stem.startswith(name) else None):
            path = folder / f"{stem}.j2"
            if path.is_file():
                found[path] = None
    return Phrases(name, tuple((path, read_phrases(path)) for path in found))


def read_phrases(path: Path) -> Macros:
    """The macros at `path`. Raises ScriptError with all that is wrong."""
    source = read_text(path)
    problems = [
        Problem(_place(path, source, fault), fault.message, fault.hint)
        for fault in faults(source, PHRASE_VARIABLES)
    ]
    if problems:
        raise ScriptError(problems)
    return _macros(source)


@lru_cache(maxsize=16)
def _macros(source: str) -> Macros:
    return Macros(source)


def phrase_warnings(path: Path) -> list[Problem]:
    """Macros in a sound phrases file that nothing ever says."""
    from voiceflow.core.errors import did_you_mean

    source = read_text(path)
    unused = [n for n in macro_names(source) if n not in MACROS and not n.startswith("_")]
    return [
        Problem(
            _place(path, source, TemplateFault("", needle=name)),
            f"nothing is said by a macro `{name}`",
            (did_you_mean(name, MACROS) + "; a helper's name begins with _").lstrip("; "),
            "warning",
        )
        for name in unused
    ]


def _place(path: Path, source: str, fault: TemplateFault) -> Mark:
    lines = source.splitlines()
    line = max(1, min(fault.line or 1, len(lines) or 1))
    for number, text in enumerate(lines[line - 1 :], line):
        if fault.needle and fault.needle in text:
            return Mark(str(path), number, text.index(fault.needle) + 1)
    return Mark(str(path), line, 1)


def write(plan: Plan, phrases: Phrases, facts: Facts, wording: Wording = PLAIN) -> CueSheet:
    """The cues of every moment of `plan`, their sentences parted as `wording` knows them.

    Raises
    ------
    ScriptError
        A text or a macro fails with the values it gets.
    """
    writer = _Writer(phrases, facts, wording)
    writer.about = plan.session.about
    cues = tuple(writer.cue(moment) for moment in plan.moments)
    tips = tuple(
        tuple(writer.tips(bout.exercise.tips, plan, index))
        if bout.pacing.tips and not bout.known
        else ()
        for index, bout in enumerate(plan.bouts)
    )
    closing = " ".join(phrases.say("closing", {"title": plan.session.title})[:1])
    writer.finish()
    return CueSheet(cues, tips, closing or plan.session.title, frozenset(writer.sided))


class _Writer:
    def __init__(self, phrases: Phrases, facts: Facts, wording: Wording) -> None:
        self.phrases, self.facts, self.wording = phrases, facts, wording
        self.problems: list[Problem] = []
        self.sided: set[str] = set()
        self.about: Text | None = None

    def finish(self) -> None:
        if self.problems:
            raise ScriptError(self.problems)

    def cue(self, moment: Moment) -> Cue:
        context = dict(moment.context)
        context["minutes"] = self.facts.minutes
        left = self.facts.remaining
        context["remaining"] = left[moment.section] if moment.section < len(left) else 0
        context["about"] = self._text(self.about, 0, context) if self.about else ""
        counts = self._counts(moment, context)
        if not moment.box:
            rich = moment.richness
            said = (one for line in moment.lines for one in self._spoken(line, context, rich))
            return Cue(sentences=tuple(said), counts=counts)
        versions = tuple(self._versions(moment, context))
        halfway = self._macro("halfway", context) if moment.halfway else ""
        return Cue(versions=versions, counts=counts, halfway=halfway)

    def tips(self, tips: tuple[Text, ...], plan: Plan, index: int) -> Iterator[str]:
        context = next((dict(m.context) for m in plan.moments if m.exercise == index), {})
        for tip in tips:
            text = self._text(tip, 0, context)
            if said := self._macro("tip", {**context, "tip": text}):
                if {"side", "other_side"} & set(names_in(tip.versions[0])):
                    self.sided.add(said)
                yield said

    def _counts(self, moment: Moment, context: Mapping[str, Any]) -> tuple[str, ...]:
        numbers = range(1, moment.count + 1) if moment.count_up else range(moment.count, 0, -1)
        return tuple(self._macro("count", {**context, "n": number}) for number in numbers)

    def _macro(self, name: str, context: Mapping[str, Any], version: int = 0) -> str:
        versions = self.phrases.say(name, context)
        return versions[min(version, len(versions) - 1)] if versions else ""

    def _spoken(
        self, line: Line, context: Mapping[str, Any], richness: Richness
    ) -> tuple[str, ...]:
        """The sentences of a line in a moment that waits for them."""
        version = RICHNESS.index(richness)
        own = self._text(line.text, version, context) if line.text else ""
        if line.macro in _CARRIED:
            own = self._macro(line.macro, {**context, _CARRIED[line.macro]: own}, version)
        elif not own:
            own = self._macro(line.macro, context, version)
        return sentences(own, self.wording)

    def _versions(self, moment: Moment, context: Mapping[str, Any]) -> Iterator[str]:
        """The versions of a box, richest first, without doubles."""
        line = moment.lines[0] if moment.lines else Line("")
        word = self._macro(line.macro, context) if line.macro else ""
        if moment.richness == "none":
            return iter(())
        start = 0 if moment.richness == "full" else 1
        own = (
            [self._text(line.text, n, context) for n in range(len(line.text.versions))]
            if line.text
            else []
        )
        texts = (own[start:] or ([] if moment.richness == "brief" else own)) + [word]
        if moment.prefix:
            prefix = self._macro(moment.prefix, context)
            texts = [*(_announced(prefix, text) for text in texts), prefix, *texts]
        return iter(dict.fromkeys(text for text in texts if text))

    def _text(self, text: Text, version: int, context: Mapping[str, Any]) -> str:
        source = text.versions[min(version, len(text.versions) - 1)]
        try:
            return render(source, context)
        except TemplateFault as fault:
            self.problems.append(Problem(text.mark, fault.message, fault.hint))
            return ""


def _announced(prefix: str, text: str) -> str:
    """An announcement and a text in one breath: a full stop between them would cost a second."""
    if not text or not prefix.endswith("."):
        return f"{prefix} {text}".strip()
    lower = text[:1].lower() if text[1:2].islower() else text[:1]
    return f"{prefix[:-1]}, {lower}{text[1:]}"
