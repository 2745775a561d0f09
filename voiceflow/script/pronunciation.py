"""Pronunciation: how a language reads numbers and shorthand, as tables that a person can extend.

In: ``pronunciation/LANGUAGE.yaml``, the bundled file with the user's own over it. Out: a frozen
`Pronunciation`, plain data. Nothing is read aloud here: the voices do that (`voices.reading`), and
the plan splits sentences by it (`plan.sentences`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from voiceflow.core.errors import ScriptError
from voiceflow.script.fields import (
    Field,
    Kind,
    Number,
    Problems,
    Schema,
    Several,
    Table,
    Words,
    complain,
    read_fields,
    split_versions,
)
from voiceflow.script.lookup import Library, is_file
from voiceflow.script.yaml import Node, read

KIND = "pronunciation"
NUMBER = "number"  # in `after` and `before`: any number written in digits


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning of a sign, and where it has it. Empty conditions hold everywhere.

    Attributes
    ----------
    say : tuple of str
        The words; of a unit, for one and for more.
    after, before : tuple of str
        One of these words, or a number, stands directly there.
    unless : tuple of str
        None of these words stands directly before.
    not_in : tuple of str
        None of these words stands earlier in the sentence.
    least : float >= 0
        The smallest number for which a unit means this.
    """

    say: tuple[str, ...]
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()
    least: float = 0.0


Senses = tuple[tuple[str, tuple[Sense, ...]], ...]
Pairs = tuple[tuple[str, str], ...]


# Compared by identity: a pronunciation is loaded once, and what is made of it is remembered by it.
@dataclass(frozen=True, slots=True, eq=False)
class Pronunciation:
    """The tables of one language. All are empty in a language that has none.

    Attributes
    ----------
    units : pairs of sign and senses
        What stands after a number: ``min`` is `minute` or `minutes`.
    abbreviations, shorthand : pairs of sign and senses
        What stands for words; after an abbreviation no sentence ends, after shorthand one may.
    numbers : pairs of digits and word
        Numbers that are said as words where a fraction follows: `one and a half`.
    fractions : pairs of sign and (alone, of a unit, after a whole number)
        ``½``: `half`, `half a`, `and a half`.
    powers : pairs of digit and words; "" for all others.
    ordinals : pairs of number and word, said where a word of `ordinal_after` precedes ``3.``,
        with the ending that it asks for.
    labels : tuple of str
        After these, ``2/3`` is 2 `of` 3.
    things, counted : tuple of str
        ``10/side`` is 10 `per` side, and so it is after `reps`.
    one_after : tuple of str
        After these a unit is said in the singular: `a 30 second hold`.
    rates : pairs of sign and word, each after `per`, whatever stands before the stroke: ``kg/wk``.
    scored : tuple of str
        Near after these, ``7/10`` is 7 `out_of` 10.
    lasting : tuple of str
        Directly beside these, ``1:30`` is minutes and seconds.
    ratio : str
        The word in ``1:2``; `to` if there is none.
    one_set : str
        The words for ``1 x`` before a number: 1 `set of` 10.
    pronounce : pairs of words and respelling
        As in a script's `pronounce:`.
    """

    language: str = ""
    units: Senses = ()
    abbreviations: Senses = ()
    shorthand: Senses = ()
    numbers: Pairs = ()
    fractions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    powers: Pairs = ()
    ordinals: Pairs = ()
    ordinal_after: Pairs = ()
    labels: tuple[str, ...] = ()
    things: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    one_after: tuple[str, ...] = ()
    rates: Pairs = ()
    scored: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()
    to: str = ""
    ratio: str = ""
    out_of: str = ""
    times: tuple[str, ...] = ()
    one_set: str = ""
    per: str = ""
    of: str = ""
    pronounce: Pairs = ()


PLAIN = Pronunciation()
"""A language without tables."""


@dataclass(frozen=True, slots=True)
class _Spelled:
    """Words parted by `|`, at most `most` of them."""

    most: int = 1

    def read(self, node: Node, problems: Problems) -> Any:
        text = Words().read(node, problems)
        if text is None:
            return None
        parts = split_versions(text)
        if not 1 <= len(parts) <= self.most:
            hint = "words, parted by |" if self.most > 1 else ""
            return complain(problems, node, f"1 to {self.most} wordings are needed here", hint)
        return parts

    def schema(self) -> Schema:
        return {"type": "string", "minLength": 1}


_SENSE = (
    Field("say", _Spelled(2), "the words; of a unit: one | more", required=True),
    Field("after", Several(Words()), "words, or `number`, one of which stands before it"),
    Field("before", Several(Words()), "words, or `number`, one of which stands after it"),
    Field("unless", Several(Words()), "words that do not stand directly before it"),
    Field("not_in", Several(Words()), "words that do not stand earlier in the sentence"),
    Field("from", Number(0, 1_000_000), "the smallest number that has this unit"),
)


@dataclass(frozen=True, slots=True)
class _Meaning:
    """Words; or `say:` with where they hold; or a list of these, of which the first holds."""

    def read(self, node: Node, problems: Problems) -> Any:
        items = node.items if node.kind == "list" else (node,)
        if not items:
            # Nothing takes a sign out; a list says that it has meanings.
            return complain(problems, node, "the list is empty", "write words, or nothing at all")
        senses = [self._sense(item, problems) for item in items]
        return tuple(sense for sense in senses if sense is not None)

    def _sense(self, node: Node, problems: Problems) -> Sense | None:
        if node.kind == "scalar":
            said = _Spelled(2).read(node, problems)
            return None if said is None else Sense(said)
        values = read_fields(node, _SENSE, problems, "a reading")
        if "say" not in values:
            return None
        # `from` is a word of Python's own, and cannot name an attribute.
        values["least"] = values.pop("from", 0.0)
        return Sense(**values)

    def schema(self) -> Schema:
        # Every kind has to have one, but no schema is shipped for these files.
        return {}


@dataclass(frozen=True, slots=True)
class _Signs:
    """A table whose keys may name several signs, parted by commas. No value takes a sign out."""

    kind: Kind

    def read(self, node: Node, problems: Problems) -> Any:
        if node.kind != "map":
            return complain(problems, node, "`sign: words` lines are needed here")
        found: dict[str, Any] = {}
        for key, value in node.pairs:
            meaning = None if value.empty else self.kind.read(value, problems)
            for sign in filter(None, (one.strip() for one in key.text.split(", "))):
                found[sign] = meaning
        return found

    def schema(self) -> Schema:
        return {"type": "object"}


_MEANINGS: Kind = _Signs(_Meaning())
_WORDS: Kind = _Signs(Words())
_LIST: Kind = Several(Words(), commas=True)
FIELDS = (
    Field("language", Words(slug=True), "the language of the words"),
    Field("units", _MEANINGS, "what stands after a number: one | more"),
    Field("abbreviations", _MEANINGS, "what stands for words, and ends no sentence"),
    Field("shorthand", _MEANINGS, "what stands for words, and may end a sentence"),
    Field("numbers", _WORDS, "numbers as words, before a fraction"),
    Field("fractions", _Signs(_Spelled(3)), "alone | of a unit | after a whole number"),
    Field("powers", _WORDS, "what a raised number says; `other` for the rest, before it"),
    Field("ordinals", _WORDS, "numbers as ordinals, where they are written with a full stop"),
    Field("ordinal_after", Table(Words()), "words before an ordinal, with its ending or `-`"),
    Field("labels", _LIST, "words after which 2/3 is `2 of 3`"),
    Field("things", _LIST, "what comes after a stroke: 10/side"),
    Field("counted", _LIST, "what is counted before a stroke: reps/side"),
    Field("one_after", _LIST, "words after which a unit is said in the singular"),
    Field("rates", _WORDS, "what comes after a stroke, and its word: kg/wk"),
    Field("scored", _LIST, "words near after which 7/10 is `7 out of 10`"),
    Field("lasting", _LIST, "words beside which 1:30 is minutes and seconds"),
    Field("to", Words(), "the word in a range"),
    Field("ratio", Words(), "the word in 1:2"),
    Field("out_of", Words(), "the word in a score: 7/10"),
    Field("times", _Spelled(2), "the word for x: one | more"),
    Field("one_set", Words(), "the words for x in 1 x 10"),
    Field("per", Words(), "the word for a stroke before one of `things`"),
    Field("of", Words(), "the word for a stroke between numbers after one of `labels`"),
    Field("pronounce", _WORDS, "word: respelling, or `/IPA/ | respelling`"),
)


def load_pronunciation(library: Library, language: str) -> Pronunciation:
    """The pronunciation of `language`: the bundled file, with the user's own over it.

    ``en-gb`` takes ``en`` and then its own. A language without files has
    empty tables.

    Raises
    ------
    ScriptError
        A file is wrong: every problem with its place.
    """
    # The folder that wins comes last, because what is put later lies on top.
    paths = (
        folder / f"{name}.yaml"
        for name in dict.fromkeys((language.split("-")[0], language))
        for folder in reversed(library.folders(KIND))
    )
    return _merged(language, tuple(_stamped(path) for path in paths if is_file(path)))


def read_pronunciation(path: Path) -> Pronunciation:
    """The pronunciation at `path` alone. Raises ScriptError with all that is wrong."""
    return _merged(path.stem, (_stamped(path),))


_Stamped = tuple[Path, int, int]
"""A file with its time and size: once edited, it is another one."""


def _stamped(path: Path) -> _Stamped:
    stat = path.stat()
    return path, stat.st_mtime_ns, stat.st_size


# The same object as long as no file was edited: the patterns made of it are kept by its identity.
@lru_cache(maxsize=16)
def _merged(language: str, files: tuple[_Stamped, ...]) -> Pronunciation:
    found: dict[str, Any] = {}
    for path, *_ in files:
        _put_over(found, _read(path))
    return Pronunciation(language=language, **dict(_frozen(found)))


def _read(path: Path) -> dict[str, Any]:
    node, problems = read(path), []  # type: tuple[Node, Problems]
    values = {} if node.empty else read_fields(node, FIELDS, problems, "the words")
    if problems:
        raise ScriptError(problems)
    # The name of the file says it; the key is there for its readers.
    values.pop("language", None)
    return values


def _put_over(found: dict[str, Any], over: dict[str, Any]) -> None:
    """Tables are merged sign by sign, lists joined, words replaced."""
    for name, value in over.items():
        if isinstance(value, dict):
            found[name] = {**found.get(name, {}), **value}
        elif name in _JOINED:
            found[name] = tuple(dict.fromkeys((*found.get(name, ()), *value)))
        else:
            found[name] = value


# `ordinal_after` is a Table, so it comes as pairs and is joined like a list.
_JOINED = frozenset(
    {"labels", "things", "counted", "one_after", "ordinal_after", "scored", "lasting"}
)


def _frozen(found: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in found.items():
        if isinstance(value, dict):
            # Not before all files are merged: None takes out the sign of a file below.
            yield name, tuple((key, said) for key, said in value.items() if said is not None)
        else:
            yield name, value
