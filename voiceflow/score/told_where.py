"""A name that is not there is told at its place in the script that gives it.

A session, its pace and the user's settings name voices, phrases, tone sets and paces. Who renders
the session has not written the name just now: without a place, the error says nothing of where.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from voiceflow.core.errors import Mark, Problem, ScriptError, UnknownNameError
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


def _place(script: Path, key: str, name: str) -> Mark | None:
    """Where `name` stands under `key` in a script; None if it does not."""
    # The script has been read before: if it has gone since, there is no place to tell.
    with suppress(ScriptError):
        value = read(script).get(key)
        if value is not None and " ".join(value.text.split()) == name:
            return value.mark
    return None
