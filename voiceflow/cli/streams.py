"""Standard output and error that may be closed or full: what cannot be printed stops no work.

A recording must not be lost because nobody can be told of it. So what is printed goes through
here: what cannot be written is dropped, and the reason is remembered until the command has ended.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import Any

import click

from voiceflow.core.opening import why
from voiceflow.core.plain import printable


class _Forgiving(io.RawIOBase):
    """Writes to a descriptor; None is one that is closed. Remembers why something was lost."""

    def __init__(self, handle: int | None) -> None:
        self.handle, self.lost = handle, ""

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self.handle is not None and os.isatty(self.handle)

    def fileno(self) -> int:
        if self.handle is None:
            raise io.UnsupportedOperation("closed")
        return self.handle

    def write(self, data: Any, /) -> int:
        if self.handle is None:
            self.lost = "it is closed"
            return len(data)
        try:
            return os.write(self.handle, data)
        # A reader that has gone, as in `voiceflow list | head`, ends the command.
        except BrokenPipeError:
            raise
        except OSError as error:
            self.lost = why(error)
            return len(data)


_OUT = _Forgiving(None)


def forgive() -> None:
    """Put forgiving streams in the place of standard output and standard error."""
    _occupy()
    global _OUT
    _OUT = _Forgiving(_handle(sys.stdout))
    sys.stdout = _text(_OUT, sys.stdout)
    sys.stderr = _text(_Forgiving(_handle(sys.stderr)), sys.stderr)


def report(line: str) -> None:
    """Print what was done. If that cannot be printed, it is done all the same."""
    before = _OUT.lost
    click.echo(printable(line))
    _OUT.lost = before


def lost() -> str:
    """Why something that was asked for could not be printed; empty if all was."""
    sys.stdout.flush()
    return _OUT.lost


def _occupy() -> None:
    """Open nothing in the place of closed streams: else the next file would be taken for one.

    What a library prints would then go into a recording.
    """
    with suppress(OSError):  # not even one more file may be opened: there is no next one
        while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(handle)


def _handle(stream: io.TextIOBase | object) -> int | None:
    """The descriptor of a stream; None of one that was closed from the start."""
    try:
        return stream.fileno()  # type: ignore[union-attr]
    except (AttributeError, OSError, ValueError):
        return None


def _text(raw: _Forgiving, old: object) -> io.TextIOWrapper:
    # A console that cannot show a character shows `?`: that is better than a crash.
    encoding = getattr(old, "encoding", None) or "utf-8"
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding, errors="replace", line_buffering=raw.isatty()
    )
