"""Files that are not what their names say: what one is, by its first bytes.

Comes in: the head of a file that cannot be read as sound. Goes out: what a person would call it.
"""

from __future__ import annotations

import re
from typing import Final

HEAD: Final = 512
"""How many bytes of a file tell what it is."""

_MARKS: Final = (
    (re.compile(rb"....ftyp", re.DOTALL), "an M4A or MP4 file"),
    (re.compile(rb"\x1aE\xdf\xa3"), "a WebM or Matroska file"),
    (re.compile(rb"0&\xb2u\x8ef\xcf\x11"), "a WMA file"),
    (re.compile(rb"\xff[\xf0\xf1\xf8\xf9]"), "an AAC file"),
    (re.compile(rb"MAC "), "a file of Monkey's Audio"),
    (re.compile(rb"wvpk"), "a WavPack file"),
    (re.compile(rb"#!AMR"), "an AMR file"),
    (re.compile(rb"MThd"), "a MIDI file, which holds notes and no sound"),
    (re.compile(rb"RIFF....AVI ", re.DOTALL), "a film"),
    (re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP", re.DOTALL), "a picture"),
    (re.compile(rb"%PDF"), "a PDF file"),
    (re.compile(rb"PK\x03\x04|\x1f\x8b|7z\xbc\xaf|Rar!"), "a packed archive"),
    (re.compile(rb"\0*\Z"), "filled with zeros"),
)
_CONTROL: Final = re.compile("[\0-\x08\x0e-\x1f\x7f]")


def nature(head: bytes) -> str:
    """What a file that begins with `head` is: "an M4A or MP4 file"; empty where that is not known.

    Parameters
    ----------
    head : bytes
        The first `HEAD` bytes of it, or all where it has fewer.
    """
    if not head:
        return "empty"
    for mark, what in _MARKS:
        if mark.match(head):
            return what
    # The last character may be cut through.
    text = head.decode("utf-8", "ignore")
    whole = len(text.encode()) >= len(head) - 3
    return "a text" if whole and not _CONTROL.search(text) else ""
