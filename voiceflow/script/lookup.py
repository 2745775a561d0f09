"""Finds scripts by name: beside the file that names them, in the user's library, among the bundled.

In: a kind (``exercises``, ``paces`` …) and a name. Out: a path, or an error with similar names.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from voiceflow.core.errors import InputError, UnknownNameError
from voiceflow.core.opening import NO_FILE, why_not
from voiceflow.core.places import named_or

ENDINGS = {"phrases": (".j2",)}
_YAML = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Library:
    """The folders of scripts: a file in `user` wins over one of the same name in `bundled`.

    Each holds ``exercises/ sessions/ paces/ phrases/`` and ``sounds/``; `user` may hold a
    ``settings.yaml``.
    """

    user: Path
    bundled: Path
    sounds: Path

    def folders(self, kind: str, beside: Path | None = None) -> tuple[Path, ...]:
        """The folders in which to look for scripts of `kind`; the first that has one wins.

        `beside` is the folder of the script that uses the name.
        """
        # Bundled scripts name other bundled ones: these must still give way to the user's.
        if beside and beside.is_relative_to(self.bundled):
            beside = None
        near = (beside, beside / kind, beside.parent / kind) if beside else ()
        last = self.sounds if kind == "sounds" else self.bundled / kind
        # Beside a script of the user's library lies that library: a folder is looked in once.
        return tuple(dict.fromkeys((*near, self.user / kind, last)))

    def find(self, kind: str, name: str, beside: Path | None = None) -> Path:
        """The file of the script called `name`.

        Raises
        ------
        UnknownNameError
            There is no such script.
        """
        # Else `../x` would lead out of the folders.
        if is_name(name):
            for folder in self.folders(kind, beside):
                for ending in ENDINGS.get(kind, _YAML):
                    path = spelled(folder / (name + ending))
                    if is_file(path):
                        return path
        raise UnknownNameError(
            kind.removesuffix("s") if kind != "phrases" else kind, name, self.names(kind, beside)
        )

    def names(self, kind: str, beside: Path | None = None) -> tuple[str, ...]:
        """The names of all scripts of `kind`, sorted."""
        return tuple(sorted({composed(path.stem) for path in self.files(kind, beside)}))

    def files(self, kind: str, beside: Path | None = None) -> Iterator[Path]:
        """The files of `kind`, for each name the one that wins."""
        seen: set[str] = set()
        # Beside the script itself lie scripts of every kind: there, `find` takes what is named, but
        # nothing tells which kind a file is of.
        for folder in self.folders(kind, beside)[0 if beside is None else 1 :]:
            for path in _entries(folder):
                ours = path.suffix in ENDINGS.get(kind, _YAML) and path.stem != "positions"
                name = composed(path.stem)
                # `coach.es` is `coach` in another language, and no name of its own.
                if ours and "." not in name and name not in seen and is_file(path):
                    seen.add(name)
                    yield path


def composed(name: str) -> str:
    """`name` in one spelling: files from a Mac write `ö` as `o` and a mark, keyboards as one."""
    return unicodedata.normalize("NFC", name)


def spelled(path: Path) -> Path:
    """`path`, or the file beside it whose name is the same but for how its letters are composed."""
    # ASCII has one spelling only; for anything else, a folder may have to be listed.
    if path.name.isascii() or is_file(path):
        return path
    alike = (one for one in _entries(path.parent) if composed(one.name) == composed(path.name))
    return next(alike, path)


def is_file(path: Path) -> bool:
    """Whether `path` is a file; False too for a path that the system refuses."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (OSError, ValueError):
        return []


def is_name(text: str) -> bool:
    """Whether `text` can be a script's name: no folder, not hidden, under 200 characters."""
    # On Windows a colon ends a drive or begins a stream; no system takes a NUL in a name.
    return (
        bool(text)
        and not text.startswith(".")
        and not any(c in text for c in "/\\:\0")
        and len(text) < 200
    )


@lru_cache(maxsize=1)
def content() -> Path:
    """The folder that holds the bundled ``scripts/`` and ``sounds/``: in a wheel or a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "_content"
    return inside if inside.is_dir() else package.parent


def default_library() -> Library:
    """The user's library (``$VOICEFLOW_HOME``, else the system's user data) and the bundled one."""
    user = named_or("VOICEFLOW_HOME", _system_folder)
    return Library(user, content() / "scripts", content() / "sounds")


def _system_folder() -> Path:
    from platformdirs import user_data_path

    # Without that False, Windows would get a folder `voiceflow` within a folder `voiceflow`.
    return user_data_path("voiceflow", appauthor=False)


def session_path(reference: str, library: Library) -> Path:
    """The file of a session given as a path or a name.

    Raises
    ------
    UnknownNameError, InputError
        There is no such session or file.
    """
    if not reference.strip():
        hint = "give a name or a path; `voiceflow list` shows the names"
        raise InputError("the name of the session is empty", hint=hint)
    try:
        path = Path(reference).expanduser()
    except RuntimeError:  # `~name` where there is no such user
        path = Path(reference)
    path = spelled(path)
    # A file without an ending is meant only where no session has its name.
    looks_like_path = path.suffix in _YAML or not is_name(reference)
    if looks_like_path or (is_file(path) and not _is_known(library, reference)):
        if is_folder(path):
            raise InputError(f"{reference} is a folder", hint="give the path of one session in it")
        if not is_file(path):
            raise _no_session(reference, path, library)
        return path
    return library.find("sessions", reference)


def _no_session(reference: str, path: Path, library: Library) -> InputError:
    if exists(path):  # a pipe, a device
        return InputError(f"{reference} cannot be read: {why_not(path)}")
    names = ", ".join(library.names("sessions"))
    message = f"there is no file {reference}"
    if os.path.islink(path):  # noqa: PTH114  Path's own may raise
        astray = "leads nowhere" if why_not(path) == NO_FILE else "leads back to itself"
        message = f"{reference} is a link that {astray}"
    return InputError(message, hint=f"give the path of a YAML file, or one of: {names}")


def exists(path: Path) -> bool:
    """Whether there is anything at `path`; False too for a path that the system refuses."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether `path` is a folder; False too for a path that the system refuses."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _is_known(library: Library, name: str) -> bool:
    return is_name(name) and composed(name) in library.names("sessions")
