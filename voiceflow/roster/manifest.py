"""The manifest: a line of JSON for each client, written as each file is done.

A line tells `id`, `file`, `sha256`, `length_ms`, `bytes` and `key`, or `id` and `error`. The key
holds all that decided the file, so that a later run makes only what is missing or has changed. A
run that is stopped at any moment leaves whole lines and perhaps the beginning of one, which is
passed over. Nothing but the id says who a client is.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from voiceflow.core.errors import OutputError
from voiceflow.core.files import explained, write_atomic
from voiceflow.core.opening import open_file, why

_MOST_BYTES: Final = 256 << 20
_BINARY: Final = getattr(os, "O_BINARY", 0)  # Windows would write other line ends
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one client.

    Attributes
    ----------
    file : str
        Below the folder, with `/`.
    key : str
        Of all that decided the file; "" where that cannot be told, as of a voice of one's own.
    error : str
        Why there is no file, or only an older one; else "".
    """

    id: str
    file: str = ""
    sha256: str = ""
    length_ms: int = 0
    bytes: int = 0
    key: str = ""
    error: str = ""

    def line(self) -> str:
        if self.error:
            told: dict[str, Any] = {"id": self.id, "error": self.error}
        else:
            names = ("id", "file", "sha256", "length_ms", "bytes", "key")
            told = {name: getattr(self, name) for name in names}
        return json.dumps(told, ensure_ascii=False) + "\n"


def read_manifest(path: Path) -> dict[str, Entry]:
    """The entries by id, the last of each; none where there is no manifest, or it is none.

    Raises OutputError where it is there and cannot be read: taken for empty it would be written
    over, and all that it knows made again.
    """
    try:
        with open_file(path) as file:
            return entries_in(file.read(_MOST_BYTES))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise OutputError(f"{path} cannot be read: {why(error)}") from error


def entries_in(raw: bytes) -> dict[str, Entry]:
    """The entries in a manifest's bytes, by id, the last of each."""
    entries = {}
    for line in raw.split(b"\n"):
        if (entry := _entry(line)) is not None:
            entries[entry.id] = entry
    return entries


def _entry(line: bytes) -> Entry | None:
    """One line's entry; None for what no manifest holds, such as the beginning of a line."""
    try:
        told = json.loads(line)
        found = Entry(**told)
    except (ValueError, TypeError, RecursionError):
        return None
    texts = (found.id, found.file, found.sha256, found.key, found.error)
    numbers = (found.length_ms, found.bytes)
    sound = all(type(one) is str for one in texts) and all(type(one) is int for one in numbers)
    if not sound or (not found.error and not _SHA256.fullmatch(found.sha256)):
        return None
    return None if found.file and not _is_inside(found.file) else found


def _is_inside(file: str) -> bool:
    """Whether a path is one that a pattern may give: below the folder, and of printable signs."""
    parts = file.split("/")
    return file.isprintable() and "\\" not in file and not {"", ".", ".."} & {*parts}


class Manifest:
    """The manifest of a run: entries are added while it goes on, and put in order at its end.

    A context manager: it opens the file for adding and closes it.

    Raises
    ------
    OutputError
        From every method: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._handle = path, -1
        self.entries = read_manifest(path)

    def __enter__(self) -> Self:
        try:
            self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _BINARY, 0o666)
            # A run that was cut off in the middle of a line: what is added begins a new one.
            if os.fstat(self._handle).st_size:
                os.lseek(self._handle, -1, os.SEEK_END)
                if os.read(self._handle, 1) != b"\n":
                    os.write(self._handle, b"\n")
        except OSError as error:
            raise explained(error, self.path) from error
        return self

    def add(self, entry: Entry) -> None:
        """Write an entry, at once and as one line."""
        self.entries[entry.id] = entry
        data = entry.line().encode()
        try:
            if os.write(self._handle, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise explained(error, self.path) from error

    def settle(self, ids: Iterable[str]) -> None:
        """Put the entries of `ids` in that order, and leave out all others."""
        lines = [self.entries[one].line() for one in ids if one in self.entries]
        self.close()
        try:
            write_atomic(self.path, "".join(lines).encode())
        except OSError as error:
            raise explained(error, self.path) from error

    def close(self) -> None:
        handle, self._handle = self._handle, -1
        if handle >= 0:
            with suppress(OSError):
                os.close(handle)

    def __exit__(self, *_: object) -> None:
        self.close()
