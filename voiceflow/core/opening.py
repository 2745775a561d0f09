"""Opens files to read without trusting their names, and says in plain words why one cannot be.

A path that a user gives may lead to a pipe, which nobody writes to, or to a device without an end:
to open one can wait for ever, and to read one can fill the memory. So only ordinary files are
opened here, and everything else is an OSError with a reason that a person understands.
"""

from __future__ import annotations

import errno
import os
import stat
from io import FileIO
from pathlib import Path
from typing import Final

# Windows has no such flag, and no pipes that lie in folders.
_AT_ONCE: Final = getattr(os, "O_NONBLOCK", 0)
_CLEAN: Final = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)

NO_FILE: Final = "there is no such file"
_REASONS: Final[dict[int, str]] = {
    errno.ENOENT: NO_FILE,
    errno.ENOTDIR: "what should be its folder is a file",
    errno.EACCES: "you do not have permission to read it",
    errno.EPERM: "you do not have permission to read it",
    errno.EISDIR: "it is a folder",
    errno.ELOOP: "it is a link that leads back to itself",
    errno.ENAMETOOLONG: "its name is too long",
    errno.EMFILE: "too many files are open at once",
    errno.ENFILE: "too many files are open at once",
    errno.ENOMEM: "there is not enough memory",
    errno.EIO: "the disk reports an error",
    errno.ENXIO: "it is not an ordinary file",
    errno.ENODEV: "its disk is gone",
    errno.ENOTCONN: "its disk is gone",
}
# Not every system has it.
_REASONS[getattr(errno, "ESTALE", errno.ENODEV)] = "its disk is gone"
# To write is refused for reasons of its own.
_UNWRITTEN: Final[dict[int, str]] = {
    errno.EACCES: "you do not have permission to write it",
    errno.EPERM: "you do not have permission to write it",
    errno.EROFS: "its disk is read-only",
    errno.ENOSPC: "there is no space left on its disk",
    errno.EFBIG: "it is larger than a file may be there",
    errno.ENOTEMPTY: "there is a folder in its place",
}
# Windows has no quotas of this kind.
_UNWRITTEN[getattr(errno, "EDQUOT", errno.ENOSPC)] = "there is no space left on its disk"

_KINDS: Final = (
    (stat.S_ISDIR, "it is a folder"),
    (stat.S_ISFIFO, "it is a pipe and not an ordinary file"),
    (stat.S_ISSOCK, "it is a socket and not an ordinary file"),
    (stat.S_ISCHR, "it is a device and not an ordinary file"),
    (stat.S_ISBLK, "it is a device and not an ordinary file"),
)


class NotOrdinaryError(OSError):
    """A folder, a pipe, a device. What catches OSError catches it; its text is for people."""


def open_file(path: str | Path) -> FileIO:
    """The ordinary file at `path`, open to read, without a buffer. It never waits.

    Raises
    ------
    OSError
        It is no ordinary file, or cannot be opened; `why` has words for it.
    ValueError
        No file can have such a name.
    """
    # Before it is opened, because to open a device can do something to it.
    _must_be_ordinary(os.stat(path).st_mode)  # noqa: PTH116  a cache's entries are plain strings
    handle = os.open(path, os.O_RDONLY | _AT_ONCE | _CLEAN)
    try:
        # And after it, because another may have taken its place meanwhile.
        _must_be_ordinary(os.fstat(handle).st_mode)
        return FileIO(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def why_not(path: str | Path) -> str:
    """Why there is no ordinary file at `path`, as half a sentence; empty if there is one."""
    try:
        _must_be_ordinary(os.stat(path).st_mode)  # noqa: PTH116
    except (OSError, ValueError) as error:
        return why(error)
    return ""


def why(error: OSError | ValueError) -> str:
    """Why a file cannot be read, as half a sentence: "it is a folder"."""
    if not isinstance(error, OSError):
        return "no file can have such a name"
    if isinstance(error, NotOrdinaryError):
        return str(error)
    reason = _REASONS.get(error.errno or 0) or error.strerror or "the system does not say why"
    return reason[:1].lower() + reason[1:]


def why_unwritten(error: OSError | ValueError) -> str:
    """Why a file cannot be written, as half a sentence: "there is no space left on its disk"."""
    number = error.errno if isinstance(error, OSError) else None
    return _UNWRITTEN.get(number or 0) or why(error)


def _must_be_ordinary(mode: int) -> None:
    if not stat.S_ISREG(mode):
        kinds = (words for kind, words in _KINDS if kind(mode))
        raise NotOrdinaryError(next(kinds, "it is not an ordinary file"))
