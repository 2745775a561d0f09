"""Puts files into a folder and leaves alone those that are already right.

So an export can run into a synced folder: a file that stays the same keeps its time, and not even
a draft appears beside it.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final

from voiceflow.core.errors import OutputError
from voiceflow.core.files import Draft, alive, explained, writing
from voiceflow.core.opening import why

_CHUNK: Final = 1 << 20
_ELSEWHERE: Final = "choose another folder with --to"
_MADE: Final = re.compile(r"voiceflow-made-(\d+)-\w+")
# The temporary folders of this process: a program may export in several threads.
_in_use: set[str] = set()


@dataclass(frozen=True, slots=True)
class Result:
    """What happened to one file. `state`: written, unchanged, or left over from before."""

    path: Path
    state: str
    size: int

    def line(self) -> str:
        return f"{self.state:<9}  {self.path}  {self.size / 1e6:.1f} MB"


def folder(path: Path) -> None:
    """Make a folder and its parents. Raises OutputError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        message = f"{str(path)!r} cannot be made a folder: there is a file of that name"
        raise OutputError(message, hint=_ELSEWHERE) from None
    except (OSError, ValueError) as error:
        raise OutputError(explained(error, path).message, hint=_ELSEWHERE) from error
    if not os.access(path, os.W_OK | os.X_OK):
        # Checked before the work starts; other problems show only when writing.
        raise OutputError(f"{str(path)!r} may not be written to", hint=_ELSEWHERE)


def put(target: Path, data: Iterable[bytes]) -> Result:
    """Make `target` hold `data`: written as a whole, or left alone if it holds it already.

    Raises
    ------
    OutputError
        It cannot be written; `target` is then unchanged. What `data` raises passes through.
    """
    size, chunks = 0, iter(data)
    rest: bytes | None = None
    with _old(target) as old:
        for chunk in chunks:
            # Compared while it is made: what is equal so far need not be held, the old file has it.
            if old is None or _read(old, len(chunk), target) != chunk:
                rest = chunk
                break
            size += len(chunk)
        # The old file may go on where the new one ends.
        if old is not None and rest is None and not _read(old, 1, target):
            return Result(target, "unchanged", size)
        with _writing(target) as draft:
            if old is not None:
                _copy(old, size, draft, target)
                old.close()  # Windows replaces no open file
            for chunk in () if rest is None else chain((rest,), chunks):
                draft.write(chunk)
                size += len(chunk)
    return Result(target, "written", size)


def put_file(target: Path, make: Callable[[Draft], None]) -> Result:
    """The same for what can only be made as a file: it is made in a temporary folder first."""
    _sweep()
    try:
        prefix = f"voiceflow-made-{os.getpid()}-"
        away = tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
    except OSError as error:
        raise explained(error, Path(tempfile.gettempdir())) from error
    with away as room:
        path = Path(room) / f"made{target.suffix}"
        _in_use.add(Path(room).name)
        try:
            _make(path, target, make)
            return put(target, _chunks(path, target))
        finally:
            _in_use.discard(Path(room).name)


def _make(path: Path, target: Path, make: Callable[[Draft], None]) -> None:
    try:
        with writing(path) as draft:
            make(draft)
    except OutputError as error:
        # It names a file that nobody asked for; and that may be on another disk.
        hint = "free some space, or set TMPDIR to another folder for what is temporary"
        raise OutputError(f"{str(target)!r} cannot be made: {error.message}", hint=hint) from error


def _sweep() -> None:
    """Remove the temporary folders of exports that were killed, or could not remove them."""
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            found = _MADE.fullmatch(entry.name)
            if found is None or entry.name in _in_use:
                continue
            # One of our own number that is not in use is left from before, too.
            if int(found[1]) == os.getpid() or not alive(int(found[1])):
                # Another user's stays, as the system has it; and a link is not followed.
                shutil.rmtree(entry.path, ignore_errors=True)


@contextmanager
def _old(target: Path) -> Iterator[BinaryIO | None]:
    """The file as it is; None if there is none to compare with."""
    try:
        file = target.open("rb") if target.is_file() else None
    except (OSError, ValueError):
        file = None
    try:
        yield file
    finally:
        if file is not None:
            file.close()


@contextmanager
def _writing(target: Path) -> Iterator[Draft]:
    try:
        with writing(target) as draft:
            yield draft
    except OutputError as error:
        raise OutputError(error.message, hint=_ELSEWHERE) from error


def _copy(old: BinaryIO, size: int, draft: Draft, target: Path) -> None:
    old.seek(0)
    while size and (chunk := _read(old, min(size, _CHUNK), target)):
        draft.write(chunk)
        size -= len(chunk)


def _read(old: BinaryIO, size: int, target: Path) -> bytes:
    """The next bytes of the file as it is."""
    try:
        return old.read(size)
    except OSError as error:
        message = f"{str(target)!r}, as it is now, cannot be read: {why(error)}"
        raise OutputError(message, hint="delete it, then export again") from error


def _chunks(path: Path, target: Path) -> Iterator[bytes]:
    """What was made for `target` at `path`."""
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError as error:
        message = f"{str(target)!r} cannot be made: {path} cannot be read: {why(error)}"
        raise OutputError(message, hint=_ELSEWHERE) from error
