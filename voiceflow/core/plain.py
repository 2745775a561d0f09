"""Text of others in messages: printable, and no longer than a person reads.

A name or a key can hold anything: a code that clears the terminal, a mark that turns the direction
of what follows, a megabyte. In a message it is shown and does nothing.
"""

from __future__ import annotations

import re
from typing import Final

MOST: Final = 1_000
"""Characters of one line of a message."""

_WORD: Final = 160
_LONG_WORD: Final = re.compile(rf"\S{{{_WORD + 1},}}")
# Not printable to Python, but without them names in Persian, and emoji, come apart.
_JOINERS: Final = "\u200c\u200d"


def printable(text: str) -> str:
    r"""`text` with what cannot be seen written out: ``\x1b``, ``\u202e``. Lines stay lines."""
    if text.isprintable():
        return text
    return "".join(one if _is_seen(one) else _written_out(one) for one in text)


def plain(text: str) -> str:
    """`text` printable, its lines and its words of bounded length."""
    lines = printable(text).split("\n")
    return "\n".join(shortened(_LONG_WORD.sub(_cut, line), MOST) for line in lines)


def shortened(text: str, most: int) -> str:
    """`text`, or its beginning and its end where it is longer than `most` characters."""
    if len(text) <= most:
        return text
    # What a text ends with tells files apart: it keeps a third.
    end = most // 3
    return f"{text[: most - end - 1]}…{text[-end:]}"


def _cut(word: re.Match[str]) -> str:
    return shortened(word[0], _WORD)


def _is_seen(character: str) -> bool:
    # Spaces of any width are harmless; other separators begin a line.
    return character.isprintable() or character == "\n" or character in _JOINERS + "\xa0\u202f"


def _written_out(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
