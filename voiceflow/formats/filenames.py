"""File names that every phone, card and desktop takes: FAT and exFAT, Android, Windows."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LIMIT: Final = 120
"""Bytes in UTF-8, the ending included."""

_RESERVED: Final = re.compile(r'[<>:"/\\|?*]+')
# Windows takes these for devices, with any ending.
_DEVICES: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)", re.I)


def safe(title: str, *, prefix: str = "", ending: str = "") -> str:
    """A file name that says `title`.

    Parameters
    ----------
    prefix, ending : str
        Put before and after, as they are: ``"01 "``, ``".mp3"``.

    Returns
    -------
    str
        NFC, at most 120 bytes in UTF-8, without reserved characters, controls or what cannot be
        seen, no device's name, no dot or space at either end; ``session`` where nothing is left.
    """
    text = unicodedata.normalize("NFC", _RESERVED.sub(" - ", title))
    text = "".join(" " if char.isspace() else char for char in text if _stays(char))
    text = re.sub(r" {2,}", " ", text)
    text = _trimmed(text) or "session"
    if _DEVICES.fullmatch(text.split(".")[0].rstrip()):
        text = "_" + text
    while len((prefix + text + ending).encode()) > LIMIT:
        text = text[:-1]
    return prefix + text.rstrip(" .-") + ending


def _stays(char: str) -> bool:
    return char.isspace() or char.isprintable()


def _trimmed(text: str) -> str:
    # A player would read a line that begins with # in a playlist as a remark.
    return text.lstrip(" .#-~").rstrip(" .-")


class FileNames:
    """Names given in one folder, no two of which differ in case alone."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def give(self, title: str) -> str:
        """A safe name without an ending, not given before."""
        number = 1
        while True:
            # Room is left for the longest ending that follows.
            more = f" ({number})" if number > 1 else ""
            name = safe(title, ending=more + ".chapters.json").removesuffix(".chapters.json")
            if name.casefold() not in self._taken:
                self._taken.add(name.casefold())
                return name
            number += 1
