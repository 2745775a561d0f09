"""How much a cache holds, roughly, without a look at all its files.

A text file beside the entries, a number a line: what the last scan found, then what each writer has
added since. It may be wrong, as a writer that is killed adds nothing, and what takes the place of
another entry is added all the same. So it is believed for `_MOST_LINES` lines at most.
"""

# ruff: noqa: PTH108

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import Final

from voiceflow.core.opening import open_file

_MOST_LINES: Final = 64
_MOST_BYTES: Final = 4096
_MOST_DIGITS: Final = 18
_ORDINARY: Final = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))


def added(path: str, count: int) -> int | None:
    """What the cache holds with `count` more bytes; None where only a scan can tell."""
    try:
        with open_file(path) as file:
            lines = file.read(_MOST_BYTES).split()
        if not 0 < len(lines) < _MOST_LINES or not all(map(_is_number, lines)):
            return None
        # Appended in one go, so that what others add at the same time is not lost.
        _write(path, os.O_APPEND, count)
    except (OSError, ValueError):
        return None
    return sum(map(int, lines)) + count


def found(path: str, count: int) -> None:
    """Remember what a scan has found."""
    # Not beside its place and then moved: a writer that is killed would leave a draft. What is cut
    # off here is nothing, which leads to a scan, or too small, and is not believed for long.
    with suppress(OSError):
        if not stat.S_ISREG(os.lstat(path).st_mode):
            os.unlink(path)
    with suppress(OSError):
        _write(path, os.O_CREAT | os.O_TRUNC, count)


def _write(path: str, how: int, count: int) -> None:
    """One line. A link is not followed, and a pipe not waited for. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | how | _ORDINARY, 0o666)
    try:
        os.write(handle, b"%d\n" % count)
    finally:
        os.close(handle)


def _is_number(line: bytes) -> bool:
    return line.isdigit() and len(line) <= _MOST_DIGITS
