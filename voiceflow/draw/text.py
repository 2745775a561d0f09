"""Letters: text made safe to show, and how wide it stands, in terminal cells and in print."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

ELLIPSIS = "…"

# Widths in em, a little generous, of the sans-serif fonts that systems come with.
_NARROW = frozenset("iljtfrI.,;:'!|()[]{} ’‘`·-")
_BROAD = frozenset("mwMW@%—…")
_JOINERS = frozenset("\u200c\u200d")


def clean(text: str) -> str:
    """`text` on one line, without anything that could steer a terminal or break XML.

    Control and direction characters, lone surrogates and noncharacters go; white space becomes
    one space.
    """
    kept = "".join(_kept(letter) for letter in text)
    return " ".join(unicodedata.normalize("NFC", kept).split())


def _kept(letter: str) -> str:
    category = unicodedata.category(letter)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    if category == "Cs" or ord(letter) & 0xFFFE == 0xFFFE:
        return ""
    return letter if category != "Cf" or letter in _JOINERS else ""


def lettered(text: str) -> bool:
    """Whether `text` holds a letter; a spoken count holds none."""
    return any(letter.isalpha() for letter in text)


def cells(text: str) -> int:
    """Columns that `text` takes in a terminal: none for marks, two for wide letters."""
    return sum(_cell(letter) for letter in text)


def _cell(letter: str) -> int:
    if letter.isascii():
        return 1
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def cut(text: str, columns: int) -> str:
    """`text`, or as much of it as `columns` hold with an ellipsis at its end."""
    if cells(text) <= columns:
        return text
    kept, used = [], 0
    for letter in text:
        used += _cell(letter)
        if used > columns - 1:
            break
        kept.append(letter)
    return "".join(kept).rstrip(" ,;:.") + ELLIPSIS if columns > 0 else ""


def pad(text: str, columns: int) -> str:
    """`text` with spaces up to `columns`."""
    return text + " " * (columns - cells(text))


def wrap(text: str, columns: int) -> tuple[str, ...]:
    """`text` in lines of at most `columns`; a word longer than a line is broken."""
    lines, line = [], ""
    for word in _words(text, columns):
        joined = f"{line} {word}" if line else word
        if cells(joined) > columns:
            lines.append(line)
            joined = word
        line = joined
    return (*lines, line)


def _words(text: str, columns: int) -> Iterator[str]:
    for word in text.split():
        part, used = "", 0
        for letter in word:
            wide = _cell(letter)
            if used + wide > columns and part:
                yield part
                part, used = "", 0
            part, used = part + letter, used + wide
        yield part


def print_width(text: str, size: float) -> float:
    """About how wide `text` is in print at `size`, in the same unit."""
    return size * sum(_em(letter) for letter in text)


def _em(letter: str) -> float:
    if letter in _NARROW:
        return 0.35
    if letter in _BROAD:
        return 0.94
    if letter.isascii():
        return 0.69 if letter.isupper() else 0.6
    return (0.0, 0.64, 1.0)[_cell(letter)]


def print_cut(text: str, size: float, width: float) -> str:
    """`text`, or as much of it as `width` holds in print with an ellipsis; "" for next to none."""
    if print_width(text, size) <= width:
        return text
    room, kept = width - size * _em(ELLIPSIS), 0
    for letter in text:
        room -= size * _em(letter)
        if room < 0:
            break
        kept += 1
    return text[:kept].rstrip(" ,;:.") + ELLIPSIS if kept > 1 else ""


def exact(ms: int) -> str:
    """``m:ss.mmm``."""
    minutes, rest = divmod(ms, 60_000)
    return f"{minutes}:{rest // 1000:02}.{rest % 1000:03}"
