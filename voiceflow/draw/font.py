"""The font of covers and PNG pictures.

Takes the text of a title or a label, and returns the characters that can be set and the font for
them. Our own font, which ships beside this module, has the Latin, Greek and Cyrillic alphabets. For
other scripts a font of the system is used, if there is one.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

OWN: Final = str(Path(__file__).with_name("NotoSans.ttf"))

# Pillow finds these by name where Windows, macOS and Linux keep their fonts.
SYSTEM: Final = (
    "DejaVuSans.ttf", "NotoSans-Regular.ttf", "segoeui.ttf", "Arial.ttf",
    "LiberationSans-Regular.ttf", "Arial Unicode.ttf", "NotoSansCJK-Regular.ttc",
    "msyh.ttc", "msgothic.ttc", "malgun.ttf", "PingFang.ttc", "Hiragino Sans GB.ttc",
    "unifont.ttf",
)  # fmt: skip

_RIGHT_TO_LEFT: Final = ("R", "AL", "AN")
_NOT_THERE: Final = "\U0010ffff"  # a noncharacter: every font draws its empty box for it


def settable(text: str) -> tuple[str, str]:
    """The characters of `text` that can be set, and the name of the font for `face`.

    Where our own font lacks a letter, it is the first system font that has all letters of the
    text. If there is none, the letters are left out, as are emoji that the font lacks and letters
    written from right to left.
    """
    kept = [one for one in text if unicodedata.bidirectional(one) not in _RIGHT_TO_LEFT]
    # Signs do not count here: an emoji alone should not change the look of a whole title.
    letters = {one for one in kept if one.isalpha()}
    # Lazily: fonts of the system are opened only where our own lacks a letter.
    fonts = (name for name in (OWN, *SYSTEM) if all(_holds(name, one) for one in letters))
    name = next(fonts, OWN)
    found = "".join(one for one in kept if one.isspace() or _holds(name, one))
    return " ".join(found.split()), name


def face(size: float, name: str = OWN) -> FreeTypeFont:
    """A font at `size` pixels, to a quarter of a pixel and 4 at least.

    Raises
    ------
    OSError
        The system has no font called `name`.
    """
    return _face(name, round(max(size, 4.0) * 4) / 4)


@lru_cache(maxsize=64)
def _face(name: str, size: float) -> FreeTypeFont:
    from PIL import ImageFont

    # Our own letters need no shaping. Pillow's other engine is not there on every machine, and
    # pictures should be the same on all.
    engine = ImageFont.Layout.BASIC if name == OWN else None
    return ImageFont.truetype(name, size, layout_engine=engine)


@lru_cache(maxsize=4096)
def _holds(name: str, letter: str) -> bool:
    """Whether a font has `letter`: it looks unlike the box for a letter that no font has."""
    box = _box(name)
    return box is not None and bytes(_face(name, 16.0).getmask(letter)) != box


@cache
def _box(name: str) -> bytes | None:
    """What a font draws for a letter it lacks; None if the system does not have the font."""
    try:
        return bytes(_face(name, 16.0).getmask(_NOT_THERE))
    except OSError:
        return None
