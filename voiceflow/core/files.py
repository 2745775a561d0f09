"""Write files whole or not at all.

In come a target path and its bytes: at once (`write_atomic`, and `write_new`, which replaces
nothing) or piece by piece (`writing`). They go to a hidden draft next to the target, and the draft
is renamed to the target when it is complete. If anything fails on the way, the draft is deleted and
the target stays as it was. A process that is killed leaves its draft behind; the next write to the
same target deletes it.
"""

# Paths are plain strings in `PendingFile`: the cache writes small files by the thousand, and making
# a Path costs more than looking one up.
# ruff: noqa: PTH101, PTH104, PTH105, PTH108, PTH118, PTH119

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Final

from voiceflow.core.errors import OutputError
from voiceflow.core.opening import why_unwritten

_DAY_S: Final = 86_400
# So little is left of a disk on which a library found no room for its next block.
_FULL: Final = 128 << 10
# The form of `_prefix` and `PendingFile`; `is_abandoned` reads the process's number from it.
_DRAFT: Final = re.compile(r"\.voiceflow-[0-9a-f]{12}-(\d+)-[0-9a-f]{8}\.part")


# Drafts of this process that are neither kept nor dropped.
_unfinished: set[str] = set()
# The names of those that were dropped and are still there.
_undeleted: set[str] = set()


def drop_unfinished() -> None:
    """Delete the drafts of this process, which is about to end because it was told to.

    An interrupt can strike after a draft is made and before anyone knows of it.
    """
    for path in tuple(_unfinished):
        with suppress(OSError):
            os.unlink(path)


class PendingFile:
    """A new file next to `target` that replaces it with `keep`, or disappears with `drop`.

    As a context manager it is kept if the block ends without an exception, else dropped. This is
    the one place where voiceflow replaces a file.

    Parameters
    ----------
    target : str
        A link is replaced, not followed; the folder must exist.
    mode : int
        Permissions of the new file, less what the process's umask withholds.
    durable : bool
        Wait until the bytes are on the disk before the file gets its name. Without it, a power cut
        can leave a file whose content is missing.

    Raises
    ------
    OSError
        From every method but `drop`.
    """

    __slots__ = ("_durable", "_file", "_target", "path")

    def __init__(self, target: str, *, mode: int = 0o666, durable: bool = True) -> None:
        folder, name = os.path.split(target)
        # The process tells a later sweep whether the writer lives; the random part keeps apart the
        # writers of one process.
        writer = f"{os.getpid()}-{os.urandom(4).hex()}"
        self.path = os.path.join(folder, f"{_prefix(name)}{writer}.part")
        self._target, self._durable = target, durable
        # Before the file is made: an interrupt can come between any two steps.
        _unfinished.add(self.path)
        # Unbuffered: every byte is written, or has failed, before the file is closed.
        # The mode is given at the making, not afterwards: a private file is never open to others.
        try:
            self._file = FileIO(self.path, "xb", opener=lambda path, how: os.open(path, how, mode))
        except OSError:
            _unfinished.discard(self.path)  # nothing was made: a server would gather them for ever
            raise

    def write(self, data: bytes) -> None:
        """Append `data`."""
        view = memoryview(data)
        # A raw file may take a part only, and say how much.
        while view:
            view = view[self._file.write(view) :]

    def keep(self, mode: int | None = None) -> None:
        """Give the file its name. With `mode`, it gets exactly these permissions."""
        if self._durable:
            os.fsync(self._file.fileno())
        self._file.close()  # Windows cannot rename an open file
        # Exact, because chmod knows no umask; and before the file has its name.
        if mode is not None:
            os.chmod(self.path, mode)
        os.replace(self.path, self._target)
        _unfinished.discard(self.path)

    def keep_new(self) -> None:
        """Give the file its name, unless that is taken: then FileExistsError, and a draft still."""
        if self._durable:
            os.fsync(self._file.fileno())
        self._file.close()
        try:
            # A second name for the draft: unlike a rename, it never takes the place of a file.
            os.link(self.path, self._target)
        except FileExistsError:
            raise
        except OSError:  # a memory stick and some shares know no second names
            if os.path.lexists(self._target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
            os.rename(self.path, self._target)
        self.drop()

    def drop(self) -> None:
        """Delete the file."""
        with suppress(OSError):
            self._file.close()
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass
        except OSError:  # a disk that does not even delete: the next write tries again
            _undeleted.add(os.path.basename(self.path))
        _unfinished.discard(self.path)

    def __enter__(self) -> PendingFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.keep()
                return
        # `keep` failed, or was interrupted: the draft must not stay then, either.
        except BaseException:
            self.drop()
            raise
        self.drop()


def write_atomic(path: Path, data: bytes, *, mode: int = 0o666, durable: bool = True) -> None:
    """Write `data` to `path`, whole or not at all. Missing folders are made; a link is followed.

    Parameters
    ----------
    mode : int
        Permissions, less what the umask withholds. If its folder is made, those who may read the
        file may enter the folder: 0o600 makes a private one.
    durable : bool
        Whether the file must survive a power cut, see `PendingFile`.

    Raises
    ------
    OSError
        `path` is then as it was.
    """
    # `PendingFile` would put the new file in the place of a link.
    final = Path(os.path.realpath(path))
    # To enter a folder is the bit two places below that for reading.
    readers = mode & 0o444
    final.parent.mkdir(parents=True, exist_ok=True, mode=mode | readers >> 2)
    _sweep(final)
    with PendingFile(str(final), mode=mode, durable=durable) as pending:
        pending.write(data)


def write_new(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all, if nothing is there. Missing folders are made.

    A process that is killed leaves a draft that nobody reads, or the whole file.

    Raises
    ------
    FileExistsError
        There is something of that name; it stays as it was.
    OSError
        Nothing is left of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    # Looked for first: the draft would be for nothing, and a folder may be full or read-only.
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    pending = PendingFile(str(path))
    try:
        pending.write(data)
        pending.keep_new()
    except BaseException:
        pending.drop()
        raise


class Draft:
    """A recording that is being written: append with `write`, or let a library write to `path`."""

    def __init__(self, target: Path, pending: PendingFile) -> None:
        self.path = Path(pending.path)
        self.target = target
        self._pending = pending

    def write(self, data: bytes) -> None:
        """Append `data`. Raises OutputError."""
        try:
            self._pending.write(data)
        except OSError as error:
            raise explained(error, self.target) from error


@contextmanager
def writing(target: Path, size: int = 0) -> Iterator[Draft]:
    """A draft that becomes `target` when the block ends without an exception.

    Parameters
    ----------
    target : Path
        A new file, or an ordinary file to replace, which keeps its permissions. A link is followed.
    size : int >= 0
        The least number of bytes that will be written, if that is known. If the disk has less
        space, the error comes before the work and not after it.

    Raises
    ------
    OutputError
        The target cannot be written, or is not an ordinary file. Exceptions of the block pass
        through unchanged.
    """
    try:
        final = Path(os.path.realpath(target))
        mode = _check(final, target)
        _check_space(final.parent, size, target)
        _sweep(final)
        pending = PendingFile(str(final))
    except (OSError, ValueError) as error:
        raise explained(error, target) from error
    # Not `with pending`: only the errors of `keep` are explained, not those of the block.
    try:
        yield Draft(target, pending)
        try:
            pending.keep(mode)
        except OSError as error:
            raise explained(error, target) from error
    except BaseException:
        pending.drop()
        raise


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time change `path`. Raises OSError.

    The lock is a file of its own, because `path` itself is replaced. Windows has no such lock:
    there, the last of two writers wins.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def is_draft(name: str) -> bool:
    """Whether a file called `name` is a draft of `PendingFile`."""
    return _DRAFT.fullmatch(name) is not None


def is_abandoned(name: str, modified: float, now: float) -> bool:
    """Whether a draft has no writer any more: its process ended, or nothing was written for a day.

    `modified` and `now` are in seconds since the epoch. The day is for systems that reuse process
    numbers soon, or do not say which processes there are.
    """
    draft = _DRAFT.fullmatch(name)
    if draft is None:
        return False
    # `abs`: a draft from the future was written before the clock was set back.
    old = abs(now - modified) > _DAY_S
    return old or name in _undeleted or not alive(int(draft[1]))


def alive(pid: int) -> bool:
    """Whether a process with the number `pid` may be running. True if the system cannot tell."""
    if os.name != "posix":  # on Windows, os.kill(pid, 0) would end the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process of another user is there, but may not be asked; and the number comes from a
    # file's name, which can hold any.
    except (OSError, OverflowError):
        return True
    return True


def explained(error: OSError | ValueError, target: Path) -> OutputError:
    """The system's error about `target` as a sentence with a hint."""
    if isinstance(error, UnicodeEncodeError):
        message = f"this system's language settings have no letters for the name {target.name!r}"
        return OutputError(message, hint="set LC_ALL to C.UTF-8, or use another name")
    number = error.errno if isinstance(error, OSError) else None
    folder = target.parent
    match number:
        case errno.ENOENT | errno.ENOTDIR if not folder.is_dir():
            return OutputError(f"there is no folder {str(folder)!r}", hint="make it first")
        case errno.EISDIR:
            hint = f"name a file in it: {target / 'session.mp3'}"
            return OutputError(f"{str(target)!r} is a folder", hint=hint)
        case errno.EACCES | errno.EPERM:
            message = f"you do not have permission to write {str(target)!r}"
            return OutputError(message, hint="choose another place")
        case errno.EROFS:
            hint = "choose another place"
            return OutputError(f"{str(folder)!r} is read-only", hint=hint)
        case errno.ENOSPC | errno.EDQUOT:
            message = f"there is no space left for {str(target)!r}"
            return OutputError(message, hint="free some space, or choose another place")
        case errno.ENAMETOOLONG:
            return OutputError(f"the file name {target.name[:40] + '…'!r} is too long")
        case errno.EFBIG:
            return OutputError(f"{str(target)!r} is larger than a file may be on this disk")
    return OutputError(f"{str(target)!r} cannot be written: {why_unwritten(error)}")


def unfinished(error: Exception, draft: Draft) -> OutputError:
    """Why a library could not write `draft`; it may have said nothing, or in words of its own.

    mutagen wraps the system's error; libsndfile has none: then the disk itself is asked.
    """
    wrapped = next((one for one in (error, *error.args) if isinstance(one, OSError)), None)
    if wrapped is not None:
        return explained(wrapped, draft.target)
    import shutil

    with suppress(OSError):
        if shutil.disk_usage(draft.path.parent).free < _FULL:
            return explained(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), draft.target)
    message = f"{str(draft.target)!r} could not be written completely"
    return OutputError(message, hint="is the disk full?")


def _check(final: Path, target: Path) -> int | None:
    """Permissions of the file that will be replaced; None if there is none."""
    try:
        found = final.stat()
    except FileNotFoundError:
        # A missing folder must show now, not after the work.
        if not stat.S_ISDIR(final.parent.stat().st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(found.st_mode):
        # The rename would replace a device or a pipe instead of writing to it.
        raise OutputError(f"{str(target)!r} is not an ordinary file", hint="name a file with -o")
    # To rename needs only the folder's permission: a write-protected file would be replaced.
    if not os.access(final, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return stat.S_IMODE(found.st_mode)


def _check_space(folder: Path, size: int, target: Path) -> None:
    if not size:
        return
    import shutil

    free = shutil.disk_usage(folder).free
    if free < size:
        message = f"{str(target)!r} needs {_megabytes(size)}, but only {_megabytes(free)} are free"
        raise OutputError(message, hint="free some space, or choose another place")


def _sweep(final: Path) -> None:
    """Delete abandoned drafts of the same target."""
    now, prefix = time.time(), _prefix(final.name)
    with os.scandir(final.parent) as entries:
        drafts = [entry for entry in entries if entry.name.startswith(prefix)]
    for entry in drafts:
        with suppress(OSError):
            if is_abandoned(entry.name, entry.stat().st_mtime, now):
                Path(entry.path).unlink()


def _prefix(name: str) -> str:
    """How the names of all drafts of `name` begin.

    They hold a digest of the name, because the longest name leaves no room for a prefix.
    """
    return f".voiceflow-{blake2b(os.fsencode(name), digest_size=6).hexdigest()}-"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
