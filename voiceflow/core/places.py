"""The folders that a user or the system names: `~` is the user's own, and must be known."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from voiceflow.core.errors import InputError


def expanded(text: str, said: str = "") -> Path:
    """The path `text`, in which a leading `~` is a user's folder.

    Parameters
    ----------
    said : str
        Where it was named, for the error: ``VOICEFLOW_HOME``.

    Raises
    ------
    InputError
        There is no such user, or nobody knows the folder of this one.
    """
    path = os.path.expanduser(text)  # noqa: PTH111  Path's own raises a RuntimeError
    if not (text.startswith("~") and path == text):
        return Path(path)
    user = text.replace("\\", "/").split("/")[0][1:]
    told = f"{said} is {text}: " if said else f"{text}: "
    if user:
        raise InputError(f"{told}there is no user called {user!r}", hint="write the whole path")
    raise InputError(f"{told}your home folder is not known", hint="write the whole path")


def named_or(variable: str, usual: Callable[[], Path]) -> Path:
    """The folder that an environment variable names, or else the `usual` one of the system.

    Raises
    ------
    InputError
        Neither is known.
    """
    if named := os.environ.get(variable):
        return expanded(named, variable)
    folder = usual()
    # Where the system knows no home, a folder called `~` would be made wherever one happens to be.
    if not folder.is_absolute():
        hint = f"set HOME, or {variable} to a folder"
        raise InputError("your home folder is not known", hint=hint)
    return folder
