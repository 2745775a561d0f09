"""Where a client's file goes: a pattern such as ``{id}/{date}-{session}.mp3``, filled in.

What a value may not be is refused and never changed: two clients whose ids differ only in a slash
must not end in one folder.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from voiceflow.core.errors import InputError, Problem, did_you_mean
from voiceflow.formats import RENDERED
from voiceflow.formats.filenames import LIMIT, safe
from voiceflow.roster.table import Cell

USUAL: Final = "{id}/{session}.mp3"
_LONGEST: Final = 200  # bytes of a whole path below the folder
MANIFEST: Final = "manifest.jsonl"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that has been read.

    Attributes
    ----------
    parts : tuple of (str, str)
        Each literal text, and the field that follows it, or "".
    fields : frozenset of str
        The columns that it names.
    form : str
        The sound format, by its ending.
    """

    parts: tuple[tuple[str, str], ...]
    fields: frozenset[str]
    form: str

    def fill(self, values: Mapping[str, Cell]) -> tuple[str, list[Problem]]:
        """The path below the folder, with `/`, and what is wrong with the values in it."""
        problems = []
        told = set()
        for _, field in self.parts:
            cell = values.get(field)
            if cell is not None and field not in told and (wrong := _unfit(cell.text)):
                told.add(field)
                message = f"`{field}` stands in the file's name, where {wrong}"
                problems.append(Problem(cell.mark, message, "use letters, digits, - and _"))
        path = "".join(
            text + (_plain(values[field].text) if field in values else "")
            for text, field in self.parts
        )
        if not problems and any(len(part.encode()) > LIMIT for part in path.split("/")):
            mark = values[next(field for _, field in self.parts if field in values)].mark
            problems.append(Problem(mark, f"the file's name has more than {LIMIT} bytes"))
        elif not problems and len(path.encode()) > _LONGEST:
            mark = values[next(field for _, field in self.parts if field in values)].mark
            problems.append(Problem(mark, f"the file's path has more than {_LONGEST} bytes"))
        return path, problems


def read_pattern(text: str, known: Iterable[str]) -> Pattern:
    """The pattern in `text`, with the columns `known`.

    Raises
    ------
    InputError
        It names a column that is not there, leads out of the folder, or has no known ending.
    """
    try:
        parsed = [*string.Formatter().parse(text)]
    except ValueError:
        raise _wrong(text, "a brace is opened and not closed") from None
    names = set(known)
    for _, field, spec, conversion in parsed:
        if spec or conversion:
            raise _wrong(text, f"write {{{field}}}, with nothing else between the braces")
        if field is not None and field not in names:
            hint = did_you_mean(field, names)
            raise _wrong(text, f"there is no column `{field}`", hint)
    parts = tuple((literal, field or "") for literal, field, *_ in parsed)
    fields = frozenset(field for _, field in parts if field)
    # With each field a letter, the rest must be a path below the folder that any system can have.
    shape = "".join(literal + ("x" if field else "") for literal, field in parts)
    for part in shape.split("/"):
        if "\\" in part or safe(part) != part:
            raise _wrong(text, f"{part!r} cannot be a part of a path on every system")
    if shape.casefold() == MANIFEST:
        raise _wrong(text, "this is the name of the manifest")
    form = shape.rpartition(".")[2].lower() if "." in shape.rpartition("/")[2] else ""
    if form not in RENDERED:
        known_forms = ", ".join(f".{one}" for one in RENDERED)
        raise _wrong(text, "the pattern has no ending of a sound file", f"one of {known_forms}")
    if "id" not in fields:
        raise _wrong(text, "without {id}, the files of two clients could have one name")
    return Pattern(parts, fields, form)


def same_file(path: str) -> str:
    """What two paths have in common if some system takes them for one."""
    return unicodedata.normalize("NFC", path).casefold()


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _unfit(text: str) -> str:
    """Why a value cannot stand in a file's name; "" where it can."""
    for sign in "/\\":
        if sign in text:
            return f"{sign!r} cannot be"
    if text.strip(".") == "" or ".." in text:
        return "dots cannot be alone, or two in a row"
    # Between two letters, as the pattern may have more before and after it.
    if safe(f"x{text}x") != _plain(f"x{text}x") or safe(text) != _plain(text):
        return "not every system can have it"
    return ""


def _wrong(text: str, message: str, hint: str = "") -> InputError:
    return InputError(f"--pattern {text[:80]}: {message}", hint=hint or f"the usual one is {USUAL}")
