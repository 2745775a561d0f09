"""Makes file names that every phone, memory card and desktop accepts (FAT, exFAT, Windows)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LIMIT: Final = 120
"""Bytes in UTF-8, the ending included."""

_RESERVED: Final = re.compile(r'[<>:"/\\|?*]+')
# Windows reads these as devices, with any ending.
_DEVICES: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)", re.I)


def safe(title: str, *, prefix: str = "", ending: str = "") -> str:
    """A file name that says `title`.

    Parameters
    ----------
    prefix, ending : str
        Put before and after unchanged: ``"01 "``, ``".mp3"``.

    Returns
    -------
    str
        NFC, at most 120 bytes in UTF-8, without reserved, control or invisible characters, not the
        name of a device, no dot or space at either end; ``session`` if nothing is left.
    """
    text = unicodedata.normalize("NFC", _RESERVED.sub(" - ", title))
    text = "".join(" " if char.isspace() else char for char in text if _stays(char))
    text = re.sub(r" {2,}", " ", text)
    text = _trimmed(text) or "session"
    if _DEVICES.fullmatch(text.split(".")[0].rstrip()):
        text = "_" + text
    while len((prefix + text + ending).encode()) > LIMIT:
        # By letters, though the limit is in bytes: a cut through a letter would not be UTF-8.
        text = text[:-1]
    # The cut may have left a dot or a space at the end again.
    return prefix + text.rstrip(" .-") + ending


def _stays(char: str) -> bool:
    return char.isspace() or char.isprintable()


def _trimmed(text: str) -> str:
    # In a playlist, a line that begins with # is a comment.
    return text.lstrip(" .#-~").rstrip(" .-")


class FileNames:
    """The names used in one folder; no two of them differ only in case."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def give(self, title: str) -> str:
        """A safe name without an ending that was not given before."""
        number = 1
        while True:
            # Leave room for the longest ending that may follow.
            more = f" ({number})" if number > 1 else ""
            name = safe(title, ending=more + ".chapters.json").removesuffix(".chapters.json")
            if name.casefold() not in self._taken:
                self._taken.add(name.casefold())
                return name
            number += 1
