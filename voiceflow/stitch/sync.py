"""Puts files into a folder and leaves alone those that are already right.

So an export can run into a synced folder: a file that stays the same keeps its time, and not even
a draft appears beside it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final

from voiceflow.core.errors import OutputError
from voiceflow.core.files import Draft, explained, writing

_CHUNK: Final = 1 << 20
_ELSEWHERE: Final = "choose another folder with --to"


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
            if old is None or old.read(len(chunk)) != chunk:
                rest = chunk
                break
            size += len(chunk)
        # The old file may go on where the new one ends.
        if old is not None and rest is None and not old.read(1):
            return Result(target, "unchanged", size)
        with _writing(target) as draft:
            if old is not None:
                _copy(old, size, draft)
                old.close()  # Windows replaces no open file
            for chunk in () if rest is None else chain((rest,), chunks):
                draft.write(chunk)
                size += len(chunk)
    return Result(target, "written", size)


def put_file(target: Path, make: Callable[[Draft], None]) -> Result:
    """The same for what can only be made as a file: it is made in a temporary folder first."""
    try:
        away = tempfile.TemporaryDirectory(prefix="voiceflow-", ignore_cleanup_errors=True)
    except OSError as error:
        raise explained(error, Path(tempfile.gettempdir())) from error
    with away as room:
        path = Path(room) / f"made{target.suffix}"
        with writing(path) as draft:
            make(draft)
        return put(target, _chunks(path))


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


def _copy(old: BinaryIO, size: int, draft: Draft) -> None:
    old.seek(0)
    while size and (chunk := old.read(min(size, _CHUNK))):
        draft.write(chunk)
        size -= len(chunk)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
