"""Lettering for the cover with the one font that Pillow always brings.

That font holds ASCII and a few signs, but no accented letters: these are put together here from a
letter and a mark, which serves the Latin alphabets. What cannot be drawn is left out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from PIL.Image import Image

# A combining mark: the sign that looks like it, its size beside the letter's, whether it hangs
# below, whether it stands on its head.
_MARKS: Final = {
    "\u0300": ("`", 1.0, False, False),
    "\u0301": ("´", 1.0, False, False),
    "\u0302": ("^", 0.55, False, False),
    "\u0303": ("~", 0.75, False, False),
    "\u0304": ("-", 0.9, False, False),
    "\u0306": ("^", 0.55, False, True),
    "\u0307": (".", 1.0, False, False),
    "\u0308": ("..", 0.85, False, False),
    "\u030a": ("°", 0.75, False, False),
    "\u030b": ("´´", 0.9, False, False),
    "\u030c": ("^", 0.55, False, True),
    "\u0327": (",", 0.9, True, False),
    "\u0328": (",", 0.9, True, True),
}
_INSTEAD: Final = str.maketrans(
    {
        **{"ß": "ss", "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "Ø": "O", "ø": "o", "Ł": "L"},
        **{"ł": "l", "Đ": "D", "đ": "d", "Þ": "Th", "þ": "th", "ð": "d", "ı": "i", "–": "-"},
        **{"—": "-", "¿": "", "¡": "", "\u00a0": " ", "·": "·"},
    }
)


@dataclass(frozen=True, slots=True)
class Lettering:
    """A font at one size, and what it can do.

    Parameters
    ----------
    size : int
        In pixels of the picture.
    """

    size: int
    font: Any

    @staticmethod
    def of(size: int) -> Lettering:
        from PIL import ImageFont

        return Lettering(size, ImageFont.load_default(size))

    def drawable(self, text: str) -> str:
        """`text` without what has no shape here, decomposed."""
        missing = bytes(self.font.getmask("\uffff"))
        letters = unicodedata.normalize("NFD", text.translate(_INSTEAD))
        kept = (
            char
            for char in letters
            if char in _MARKS or char == " " or bytes(self.font.getmask(char)) != missing
        )
        return " ".join("".join(kept).split())

    def width(self, text: str) -> float:
        """Pixels that `text`, made drawable, runs on a line."""
        return float(self.font.getlength("".join(letter for letter, _ in _clusters(text))))

    def write(self, veil: Image, at: tuple[float, float], text: str) -> None:
        """Put drawable `text` on a mask, its baseline beginning at `at`."""
        from PIL import ImageDraw

        pen = ImageDraw.Draw(veil)
        x, y = at
        line = ""
        for letter, marks in _clusters(text):
            # Measured from the line's beginning, so that pairs are kerned as in one stroke.
            left = x + float(self.font.getlength(line + letter) - self.font.getlength(letter))
            line += letter
            pen.text((left, y), letter, font=self.font, fill=255, anchor="ls")
            x0, top, x1, bottom = self.font.getbbox(letter, anchor="ls")
            if letter in "ij" and any(not _MARKS[mark][2] for mark in marks):
                dot, top = top, self.font.getbbox("n", anchor="ls")[1]
                pen.rectangle((left + x0, y + dot, left + x1, y + top - 2), fill=0)
            for mark in marks:
                stamp = self._stamp(mark)
                below = y + bottom if _MARKS[mark][2] else y + top - self.size / 12 - stamp.height
                middle = left + (x0 + x1 - stamp.width) / 2
                veil.paste(255, (round(middle), round(below)), stamp)

    def _stamp(self, mark: str) -> Image:
        """A mark's ink and no more, as a mask."""
        from PIL import Image, ImageDraw

        sign, share, _, turned = _MARKS[mark]
        font = self.font.font_variant(size=round(self.size * share))
        stamp = Image.new("L", (2 * self.size, 2 * self.size), 0)
        ImageDraw.Draw(stamp).text((self.size / 2, self.size), sign, font=font, fill=255)
        stamp = stamp.crop(stamp.getbbox())
        return stamp.rotate(180) if turned else stamp


def _clusters(text: str) -> Iterator[tuple[str, str]]:
    """Each letter with its marks; a mark without a letter is passed over."""
    letter, marks = "", ""
    for char in text:
        if char in _MARKS:
            marks += char
            continue
        if letter:
            yield letter, marks
        letter, marks = char, ""
    if letter:
        yield letter, marks
