"""A file under its final name is a whole file: written beside it, renamed when it is done.

Whatever goes wrong on the way (an error, Ctrl-C) the draft is removed and an older recording
stays as it was. A process that is killed leaves at most a hidden draft, which the next write to
the same name removes.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from io import FileIO
from pathlib import Path
from typing import Final

from voiceflow.core.cache import alive
from voiceflow.core.errors import OutputError

_DAY_S: Final = 86_400


class Draft:
    """A recording being written: `write` bytes, or let something else write to `path`."""

    def __init__(self, path: Path, target: Path, file: FileIO) -> None:
        self.path = path
        self.target = target
        self._file = file

    def write(self, data: bytes) -> None:
        """Append `data`. Raises OutputError."""
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise explained(error, self.target) from error


@contextmanager
def writing(target: Path, size: int = 0) -> Iterator[Draft]:
    """A draft that becomes `target` when the block ends well.

    Parameters
    ----------
    target : Path
        A new file, or an ordinary file to be replaced; a link is followed.
    size : int >= 0
        Bytes that will be needed at least, where that is known: a full disk then shows before
        the work, not after it.

    Raises
    ------
    OutputError
        The target cannot be written, or is no ordinary file. What the block raises passes through.
    """
    try:
        final = Path(os.path.realpath(target))
        mode = _check(final, target)
        _room(final.parent, size, target)
        _sweep(final)
        path = final.with_name(f"{_prefix(final)}{os.getpid()}-{os.urandom(4).hex()}.part")
        file = path.open("xb", buffering=0)  # nothing is left to fail when it is closed
    except (OSError, ValueError) as error:
        raise explained(error, target) from error
    try:
        with file:
            yield Draft(path, target, file)
            _settle(path, final, file, mode, target)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def explained(error: OSError | ValueError, target: Path) -> OutputError:
    """The system's complaint about `target` as a sentence."""
    number = error.errno if isinstance(error, OSError) else None
    folder = target.parent
    match number:
        case errno.ENOENT | errno.ENOTDIR if not folder.is_dir():
            return OutputError(f"there is no folder {str(folder)!r}", hint="make it, or use -o")
        case errno.EISDIR:
            hint = f"name a file in it: {target / 'session.mp3'}"
            return OutputError(f"{str(target)!r} is a folder", hint=hint)
        case errno.EACCES | errno.EPERM:
            return OutputError(f"{str(target)!r} may not be written", hint="use -o elsewhere")
        case errno.EROFS:
            return OutputError(f"{str(folder)!r} is read-only", hint="use -o elsewhere")
        case errno.ENOSPC | errno.EDQUOT:
            message = f"there is no space left for {str(target)!r}"
            return OutputError(message, hint="free some, or use -o elsewhere")
        case errno.ENAMETOOLONG:
            return OutputError(f"the name {target.name[:40] + '…'!r} is too long")
        case errno.EFBIG:
            return OutputError(f"{str(target)!r} grows larger than a file may be here")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return OutputError(f"{str(target)!r} cannot be written: {reason}")


def _check(final: Path, target: Path) -> int | None:
    """Permissions of the file that will be replaced, if there is one."""
    try:
        found = final.stat()
    except FileNotFoundError:
        # Asked of the folder itself, so that a missing one shows now, not after the work.
        if not stat.S_ISDIR(final.parent.stat().st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(found.st_mode):
        # A device or a pipe would be replaced by the rename, not written to.
        raise OutputError(f"{str(target)!r} is no ordinary file", hint="name a file with -o")
    if not os.access(final, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return stat.S_IMODE(found.st_mode)


def _room(folder: Path, size: int, target: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < size:
        message = f"{str(target)!r} needs {_megabytes(size)}, {_megabytes(free)} are free"
        raise OutputError(message, hint="free some space, or use -o elsewhere")


def _sweep(final: Path) -> None:
    """Remove drafts for the same name whose writer is gone."""
    now = time.time()
    with os.scandir(final.parent) as entries:
        stale = [entry for entry in entries if entry.name.startswith(_prefix(final))]
    for entry in stale:
        with suppress(OSError, ValueError):
            writer = int(entry.name.removeprefix(_prefix(final)).split("-")[0])
            if not alive(writer) or abs(now - entry.stat().st_mtime) > _DAY_S:
                Path(entry.path).unlink()


def _settle(path: Path, final: Path, file: FileIO, mode: int | None, target: Path) -> None:
    """Have the bytes on disk, then give them their name."""
    try:
        os.fsync(file.fileno())
        file.close()  # Windows renames no open file
        if mode is not None:
            path.chmod(mode)
        path.replace(final)
    except OSError as error:
        raise explained(error, target) from error


def _prefix(final: Path) -> str:
    """Short whatever the target's name: one that just fits leaves no room for a suffix."""
    return f".voiceflow-{blake2b(os.fsencode(final.name), digest_size=6).hexdigest()}-"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
