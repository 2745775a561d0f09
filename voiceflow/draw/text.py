"""Text that is safe to show, and fits.

Takes text from a script and returns it without control characters, or cut, padded or wrapped to a
width. Widths are columns of a terminal, or estimates for print.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

ELLIPSIS = "…"

# Widths in em, a little generous, for the sans-serif fonts of common systems: an SVG is shown in
# whichever of them the reader has.
_NARROW = frozenset("iljtfrI.,;:'!|()[]{} ’‘`·-")
_BROAD = frozenset("mwMW@%—…")
_LOOSE = " ,;:."  # not left standing before an ellipsis
# Invisible, but Persian words and some emoji are spelled with them.
_JOINERS = frozenset("\u200c\u200d")


def clean(text: str) -> str:
    """`text` on one line, without anything that could control a terminal or break XML.

    Control and direction characters, lone surrogates and noncharacters are removed. Each run of
    white space becomes one space.
    """
    kept = "".join(_kept(letter) for letter in text)
    # Composed, because fonts are asked for one character at a time.
    return " ".join(unicodedata.normalize("NFC", kept).split())


def _kept(letter: str) -> str:
    category = unicodedata.category(letter)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    # The last two code points of each plane are noncharacters.
    if category == "Cs" or ord(letter) & 0xFFFE == 0xFFFE:
        return ""
    return letter if category != "Cf" or letter in _JOINERS else ""


def lettered(text: str) -> bool:
    """Whether `text` has a letter in it; a spoken count has none."""
    return any(letter.isalpha() for letter in text)


def cells(text: str) -> int:
    """Columns that `text` takes in a terminal: none for a combining mark, two for a wide letter."""
    return sum(_cell(letter) for letter in text)


def _cell(letter: str) -> int:
    if letter.isascii():
        return 1
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def cut(text: str, columns: int) -> str:
    """`text`, or as much of it as fits into `columns` with an ellipsis at its end."""
    if cells(text) <= columns:
        return text
    return _start(text, columns - 1, _cell).rstrip(_LOOSE) + ELLIPSIS if columns > 0 else ""


def pad(text: str, columns: int) -> str:
    """`text` with spaces after it, up to `columns`."""
    return text + " " * (columns - cells(text))


def wrap(text: str, width: float, measure: Callable[[str], float] = cells) -> tuple[str, ...]:
    """`text` in lines; a word is broken only if it is longer than a line.

    Parameters
    ----------
    width : float
        What a line may be wide, in the unit of `measure`.
    measure : callable
        The width of a text; columns of a terminal if not given.

    Returns
    -------
    tuple of str
        One line at least; "" for an empty text.
    """
    lines, line = [], ""
    for word in text.split():
        joined = f"{line} {word}" if line else word
        if measure(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        line = ""
        # A word that fits on a line of its own passes through here unbroken.
        for letter in word:
            if line and measure(line + letter) > width:
                lines.append(line)
                line = ""
            line += letter
    return (*lines, line)


def print_width(text: str, size: float) -> float:
    """About how wide `text` is in print at `size`, in the unit of `size`."""
    return size * sum(_em(letter) for letter in text)


def _em(letter: str) -> float:
    if letter in _NARROW:
        return 0.35
    if letter in _BROAD:
        return 0.94
    if letter.isascii():
        return 0.69 if letter.isupper() else 0.6
    # By the columns that it takes in a terminal: none, one or two.
    return (0.0, 0.64, 1.0)[_cell(letter)]


def print_cut(text: str, size: float, width: float) -> str:
    """`text`, or as much of it as fits into `width` in print with an ellipsis at its end.

    It is "" if that would be one letter or none.
    """
    if print_width(text, size) <= width:
        return text
    kept = _start(text, width / size - _em(ELLIPSIS), _em)
    return kept.rstrip(_LOOSE) + ELLIPSIS if len(kept) > 1 else ""


def _start(text: str, room: float, width: Callable[[str], float]) -> str:
    """As many letters from the start of `text` as fit into `room`."""
    for kept, letter in enumerate(text):
        room -= width(letter)
        if room < 0:
            return text[:kept]
    return text


def exact(ms: int) -> str:
    """A time as ``m:ss.mmm``."""
    minutes, rest = divmod(ms, 60_000)
    return f"{minutes}:{rest // 1000:02}.{rest % 1000:03}"
