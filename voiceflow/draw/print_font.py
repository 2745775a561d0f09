"""The face that a PNG is set in: Pillow's own, or one of the system's for other letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import ImageFont

# Pillow's own face holds ASCII alone. What its signs stand for is set plainly; for other letters
# these are looked up where systems keep their fonts, the first that has them all.
_PLAIN = str.maketrans(
    {"…": "...", "–": "-", "—": "-", "×": "x", "·": "-", "’": "'", "‘": "'", "“": '"', "”": '"'}
)
_FILES = (
    "DejaVuSans.ttf", "NotoSans-Regular.ttf", "segoeui.ttf", "Arial.ttf",
    "LiberationSans-Regular.ttf", "Arial Unicode.ttf", "NotoSansCJK-Regular.ttc",
    "msyh.ttc", "msgothic.ttc", "malgun.ttf", "PingFang.ttc", "Hiragino Sans GB.ttc",
    "unifont.ttf",
)  # fmt: skip
_NOT_THERE = "\U0010ffff"
_LEFT_OUT = "\0"
_LEFT_OUT_RUN = re.compile("[\0 ]*\0")


class Faces:
    """One face for all texts of a picture, at any size.

    Parameters
    ----------
    texts : iterable of str
        All that will be set; the face is the one that holds the most of its letters.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        letters = frozenset("".join(texts))
        rare = sorted(letter for letter in letters if not letter.isascii())
        wanted = [letter for letter in rare if not letter.translate(_PLAIN).isascii()]
        self.file = _best(wanted)
        held = _held(self.file, rare)
        # A letter that the face has not is set without its marks, or its word left out: é, e, …
        self._table = str.maketrans({one: _ascii(one) for one in rare if one not in held})

    def at(self, size: float) -> ImageFont.FreeTypeFont:
        """The face at `size` pixels."""
        return _face(self.file, round(max(size, 4.0) * 4) / 4)

    def plain(self, text: str) -> str:
        """`text` in letters that the face has."""
        if "·".translate(self._table) != "·":
            text = text.replace(" · ", ", ")
        return _LEFT_OUT_RUN.sub("...", text.translate(self._table))


@lru_cache(maxsize=64)
def _face(file: str, size: float) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    if file:
        return ImageFont.truetype(file, size)
    face = ImageFont.load_default(size)
    assert isinstance(face, ImageFont.FreeTypeFont)
    return face


def _best(letters: Sequence[str]) -> str:
    """The file of the face that holds the most of `letters`; "" where none adds any."""
    best, most = "", 0
    for file in _FILES:
        if most == len(letters):
            break
        held = len(_held(file, letters))
        if held > most:
            best, most = file, held
    return best


def _held(file: str, letters: Iterable[str]) -> frozenset[str]:
    """Those of `letters` that a face has: they do not look like a letter that no face has."""
    try:
        face = _face(file, 16.0)
        missing = bytes(face.getmask(_NOT_THERE))
        return frozenset(one for one in letters if bytes(face.getmask(one)) != missing)
    except OSError:
        return frozenset()


def _ascii(letter: str) -> str:
    plain = letter.translate(_PLAIN)
    if plain.isascii():
        return plain
    bare = "".join(part for part in unicodedata.normalize("NFKD", letter) if part.isascii())
    return bare or _LEFT_OUT
