"""A name that is not there, and a length that cannot be, are told at their place in a script.

A session, its pace and the user's settings name voices, phrases, tone sets and paces. Who renders
the session has not written the name just now: without a place, the error says nothing of where.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from voiceflow.core.errors import Mark, Problem, ScriptError, TimingError, UnknownNameError
from voiceflow.script.models import Session
from voiceflow.script.yaml import read


@contextmanager
def told_where(key: str, name: str, scripts: Iterable[Path]) -> Iterator[None]:
    """Tell of an unknown `name` at its place, under `key` in the first of `scripts` that gives it.

    Parameters
    ----------
    scripts : iterable of Path
        Those that may have given the name; none if it was asked for outside of all scripts.

    Raises
    ------
    ScriptError
        Instead of the UnknownNameError, where a script gives the name.
    """
    try:
        yield
    except UnknownNameError as error:
        for script in scripts:
            if mark := _place(script, key, name):
                raise ScriptError([Problem(mark, error.message, error.hint)]) from None
        raise


@contextmanager
def length_told_where(session: Session | None) -> Iterator[None]:
    """Tell of a length that cannot be at the session's `minutes:`, or at its beginning.

    None is for a length that was asked for outside of the script.

    Raises
    ------
    ScriptError
        Instead of the TimingError, where there is a session.
    """
    try:
        yield
    except TimingError as error:
        if session is None:
            raise
        mark = session.mark
        with suppress(ScriptError):
            written = read(Path(mark.file)).get("minutes")
            mark = written.mark if written is not None else mark
        raise ScriptError([Problem(mark, error.message, error.hint)]) from None


def _place(script: Path, key: str, name: str) -> Mark | None:
    """Where `name` stands under `key` in a script; None if it does not."""
    # The script has been read before: if it has gone since, there is no place to tell.
    with suppress(ScriptError):
        value = read(script).get(key)
        if value is not None and " ".join(value.text.split()) == name:
            return value.mark
    return None
