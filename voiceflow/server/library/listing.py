"""All sessions in their order, kept in memory until a file that they depend on changes.

The library's sessions come in; `Listed` ones go out, each with the text that the API sends. What
has changed on the disk is looked for at every request; in a library of more than `FEW` files, where
that takes longer, at most once a second. Only the sessions it may concern are looked at again.
"""

# Paths are plain strings here, as in `dependencies`.
# ruff: noqa: PTH120

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from voiceflow.script.dependencies import Look, Stat
from voiceflow.script.file_changes import Changes
from voiceflow.server.http.refusals import Refusal
from voiceflow.server.library.listed import Listed
from voiceflow.server.library.sessions import SessionLibrary

Scripts = Mapping[str, tuple[str, Stat | None]]

FEW: Final = 1_000
PAUSE_S: Final = 1.0
_BATCH: Final = 50


class Listing:
    """The sessions of a library in order.

    Parameters
    ----------
    sessions : SessionLibrary
        Reads what is not known.
    """

    def __init__(
        self, sessions: SessionLibrary, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sessions, self._clock = sessions, clock
        self._changes = Changes(sessions.library, sessions.words)
        self._paths: dict[str, str] = {}
        self._known: dict[str, Listed] = {}
        self._glances: dict[str, Listed] = {}
        self._whole: tuple[Listed, ...] | None = None
        self._look: Look | None = None  # while not all are known
        self._due = 0.0
        self._lock = threading.Lock()
        self._scripts: Scripts = {}
        self.looking = False

    def expect(self) -> None:
        """Look for changes at the next request: this program has made one."""
        self._due = 0.0

    def all(self, limit_s: float | None = None) -> tuple[Listed, ...]:
        """All sessions: the user's own first, then in order of their titles.

        Parameters
        ----------
        limit_s : float, optional
            After this time, sessions not yet read get only a title; they are read in the
            background and complete the next time.
        """
        until = None if limit_s is None else self._clock() + limit_s
        with self._lock:
            self._refresh()
            if self._whole is not None:
                return self._whole
            known, look = dict(self._known), self._look
            missing = {slug: path for slug, path in self._paths.items() if slug not in known}
        assert look is not None
        found, hurried = self._read(missing, look, until)
        late = missing.keys() - found.keys() if hurried else ()
        glances = [self._glance(slug, missing[slug]) for slug in late]
        whole = tuple(sorted((*known.values(), *found.values(), *glances), key=Listed.order))
        if hurried:
            self._go_on()
        else:
            self._settle(look, whole)
        return whole

    def scripts(self) -> Scripts:
        """By name of a session the path of its script and its stat; the same until one changes."""
        with self._lock:
            self._refresh()
            return self._scripts

    def _refresh(self) -> None:
        """Look for changes, and let go of what they may concern."""
        if self._clock() < self._due:
            return
        change = self._changes.since()
        if change is not None:
            self._look = look = self._sessions.look()
            paths = self._served(look)
            self._changes.note(look)
            self._known = {
                slug: one
                for slug, one in self._known.items()
                if slug in paths and paths[slug] == self._paths[slug]
                if not change.concerns(paths[slug])
            }
            self._paths, self._whole, self._glances = paths, None, {}
            self._scripts = {slug: (path, look.files.get(path)) for slug, path in paths.items()}
            self._sessions.forget(paths.keys())
        self._due = self._clock() + (PAUSE_S if len(self._changes) > FEW else 0)

    def _served(self, look: Look) -> dict[str, str]:
        """The paths of all sessions that may be served: none that leads out of the library."""
        library = self._sessions.library
        roots = [Path(os.path.realpath(root)) for root in (library.user, library.bundled)]
        plain = {
            str(folder)
            for folder in library.folders("sessions")
            if any(Path(os.path.realpath(folder)).is_relative_to(root) for root in roots)
        }
        paths = {}
        for slug, one in look.sessions().items():
            # In a plain file there is nothing to follow but its folder.
            if one.link or not slug.isascii() or os.path.dirname(one.path) not in plain:
                with suppress(Refusal):
                    paths[slug] = str(self._sessions.path(slug))
            else:
                paths[slug] = one.path
        return paths

    def _read(
        self, missing: dict[str, str], look: Look, until: float | None
    ) -> tuple[dict[str, Listed], bool]:
        """What is not known, and whether the time was too short for all of it."""
        found: dict[str, Listed] = {}
        new: dict[str, Listed] = {}
        hurried = False
        for slug, path in missing.items():
            patience = None if until is None else max(0.0, until - self._clock())
            if patience == 0 and len(missing) > FEW:  # even to ask whether it is known takes long
                hurried = True
                break
            one = self._sessions.listed(slug, Path(path), look, patience)
            if one is None:
                hurried = True
                continue
            found[slug] = new[slug] = one
            if len(new) == _BATCH:
                self._keep(look, new)
                new = {}
        self._keep(look, new)
        return found, hurried

    def _glance(self, slug: str, path: str) -> Listed:
        glances = self._glances
        if slug not in glances:
            glances[slug] = self._sessions.glance(slug, Path(path))
        return glances[slug]

    def _keep(self, look: Look, new: dict[str, Listed]) -> None:
        with self._lock:
            # Otherwise something has changed meanwhile, and who knows what they were made of.
            if self._look is look:
                self._changes.note(look)
                self._known |= new

    def _settle(self, look: Look, whole: tuple[Listed, ...]) -> None:
        with self._lock:
            if self._look is look:
                self._whole, self._look, self._glances = whole, None, {}

    def _go_on(self) -> None:
        """Read on in the background."""
        # One thread only: each page shown in a hurry would start another.
        if not self.looking:
            self.looking = True
            threading.Thread(target=self._look_on, name="look", daemon=True).start()

    def _look_on(self) -> None:
        try:
            with suppress(OSError):  # such as no descriptor left: the next look goes on
                self.all()
        finally:
            self.looking = False
