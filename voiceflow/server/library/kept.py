"""Sessions kept from a phone: written into the user's library as scripts, and listed in the feed.

A render and a title come in; a script file and an entry in `kept.json` go out. The script can be
edited like any other: its render is then decided again, and its place in the feed stays.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import threading
import time
import unicodedata
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from voiceflow.core.errors import InputError, OutputError, ScriptError, VoiceflowError
from voiceflow.core.files import locked, write_atomic, write_new
from voiceflow.core.opening import open_file, why, why_unwritten
from voiceflow.script.dependencies import Stat, stat_of
from voiceflow.script.lookup import is_file
from voiceflow.server.auth.phones import fingerprint
from voiceflow.server.http.refusals import Refusal, fault, unknown
from voiceflow.server.jobs.render_records import Render
from voiceflow.server.library.kept_script import script_of
from voiceflow.server.library.listing import Scripts
from voiceflow.server.library.session_entry import Entry
from voiceflow.server.studio import Studio, source_of

MOST: Final = 5_000
LONGEST_TITLE: Final = 120
_VERSION: Final = 1
_AGAIN_S: Final = 15.0
# Windows keeps most of these names for devices; the last two are files of the library.
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d|positions|settings)")


@dataclass(frozen=True, slots=True)
class Kept:
    """One kept session.

    Attributes
    ----------
    guid : str
        Identifies its episode; never changes.
    digest : str
        Fingerprint of the script as last rendered; `written` as first written.
    render : str
        The id of its present render.
    """

    slug: str
    guid: str
    created: int
    changed: int
    digest: str
    written: str
    render: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What was kept at a look: the list and the scripts as they were, and what follows from them.

    Attributes
    ----------
    all, edited : tuple of Kept
        Those whose script is there, the newest first; those whose script was edited.
    slugs : frozenset of str
        The names of all.
    """

    kept: tuple[Kept, ...]
    scripts: Scripts
    all: tuple[Kept, ...]
    edited: tuple[Kept, ...]
    slugs: frozenset[str]


class Keeper:
    """The kept sessions.

    Parameters
    ----------
    studio : Studio
    """

    def __init__(self, studio: Studio, clock: Callable[[], float] = time.time) -> None:
        self.studio, self.library, self._clock = studio, studio.library, clock
        self.path = studio.folders.state / "kept.json"
        self._lock = threading.RLock()
        self._list: tuple[Stat, tuple[Kept, ...]] | None = None
        self._seen: Seen | None = None
        self._sources: dict[str, tuple[Stat | None, str]] = {}
        self._asked: dict[str, tuple[str, float]] = {}
        studio.pins = self.renders
        studio.renew_kept = self.renew
        studio.mp3_files.on_gone = self._gone

    # What is kept

    def all(self) -> tuple[Kept, ...]:
        """Every kept session whose script is there, the newest first; not to be changed."""
        return self._look().all

    def _look(self) -> Seen:
        """What is kept, held until the list or a script changes."""
        kept, scripts = self._read(), self.studio.listing.scripts()
        seen = self._seen
        if seen is None or seen.kept is not kept or seen.scripts is not scripts:
            own = f"{self.library.user / 'sessions'}{os.sep}"
            # A bundled session of the same name is not the one that was kept.
            there = [one for one in kept if scripts.get(one.slug, ("",))[0].startswith(own)]
            there.sort(key=lambda one: (-one.created, one.slug))
            self._sources = {one.slug: self._source(*scripts[one.slug], one) for one in there}
            self._asked = {slug: self._asked[slug] for slug in self._asked.keys() & self._sources}
            edited = [one for one in there if self._sources[one.slug][1] != one.digest]
            seen = Seen(
                kept, scripts, tuple(there), tuple(edited), frozenset(one.slug for one in there)
            )
            # What could not be read is tried again at the next request.
            unread = any(stat is None for stat, _ in self._sources.values())
            self._seen = None if unread else seen
        return seen

    def _source(self, path: str, stat: Stat | None, kept: Kept) -> tuple[Stat | None, str]:
        """The stat of a script, and the fingerprint of what stands in it."""
        known = self._sources.get(kept.slug)
        if known is not None and known[0] == stat:
            return known
        try:
            return stat, _digest(Path(path))
        except VoiceflowError:  # it cannot be read just now, and counts as it was
            return None, kept.digest

    def changed(self) -> int:
        """When the list last changed, in seconds since the epoch."""
        try:
            return int(self.path.stat().st_mtime)
        except OSError:
            return 0

    def find(self, slug: str) -> Kept | None:
        """The kept session of that name, or None."""
        found = next((one for one in self._read() if one.slug == slug), None)
        return found if found is not None and self._script(slug) is not None else None

    def slug_of(self, render_id: str) -> str | None:
        """The name under which a render is kept, or None."""
        found = (one.slug for one in self._read() if one.render == render_id)
        return next((slug for slug in found if self._script(slug) is not None), None)

    def renders(self) -> frozenset[str]:
        """The ids of the renders of kept sessions."""
        return frozenset(one.render for one in self._read())

    def slugs(self) -> frozenset[str]:
        """The names of all kept sessions."""
        return self._look().slugs

    def session(self, slug: str) -> Entry:
        """One session, marked if kept. Raises Refusal."""
        entry = self.studio.sessions.session(slug)
        return {**entry, "kept": True} if entry["own"] and self.find(slug) else entry

    # Keeping

    async def keep(self, client: str, render: Render, title: object) -> tuple[Kept, Render]:
        """Write a render into the library as a session called `title`, and decide that.

        Raises
        ------
        Refusal
            The title is not valid, the library cannot be written, or the server is too busy.
        """
        name = read_title(title, render.title)
        slug = await asyncio.to_thread(self._write, render, name)
        try:
            made = await self.studio.render(client, slug, {})
            kept = await asyncio.to_thread(self._note, slug, made)
        except BaseException:
            self._unwrite(slug)  # at once: the client may be gone
            raise
        return kept, made

    def _write(self, render: Render, title: str) -> str:
        """Write the script under a free name; no file is ever overwritten. Returns the name."""
        source = self.studio.sessions.path(render.slug)
        if source_of(source) != render.source:
            hint = "press Listen again, then keep it"
            raise Refusal(409, "edited", "the session has been edited since", hint=hint)
        try:
            text = script_of(render, source, title, self.library)
        except ScriptError as error:
            raise Refusal(
                409, "script", "the session has errors now", faults=[fault(str(error))]
            ) from None
        if len(self._read()) >= MOST:
            raise Refusal(409, "many", f"{MOST} sessions are kept already", hint="remove one")
        folder = self.library.user / "sessions"
        base = slug_for(title)
        # A session file would hide an exercise of the same name from the sessions beside it.
        names = (*self.library.names("sessions"), *self.library.names("exercises"))
        # Some file systems do not tell capitals from small letters.
        taken = {name.casefold() for name in names}
        for number in range(1, 1000):
            slug = base if number == 1 else f"{base}-{number}"
            path = folder / f"{slug}.yaml"
            if slug.casefold() in taken:
                continue
            try:
                write_new(path, text.encode())
            except FileExistsError:
                continue
            except OSError as error:
                told = f"the session cannot be saved as {path}: {why_unwritten(error)}"
                raise OutputError(told) from None
            self.studio.listing.expect()
            return slug
        raise InputError("there are too many sessions with that name", hint="choose another title")

    def _unwrite(self, slug: str) -> None:
        path = self._script(slug)
        if path is not None:
            with suppress(OSError):
                path.unlink()
            self.studio.listing.expect()

    def _note(self, slug: str, render: Render) -> Kept:
        path, now = self._script(slug), int(self._clock())
        digest = _digest(path) if path is not None else ""
        guid = f"urn:uuid:{uuid.uuid4()}"
        kept = Kept(slug, guid, now, now, digest, digest, render.id)
        self._change(lambda all_: [one for one in all_ if one.slug != slug] + [kept])
        return kept

    def remove(self, slug: str) -> bool:
        """Take a session out of the feed, and delete its script unless it was edited.

        Returns
        -------
        bool
            Whether the script was deleted.

        Raises
        ------
        Refusal
            404 if it is not kept.
        """
        kept = self.find(slug)
        if kept is None:
            raise unknown("kept session", slug)
        path = self._script(slug)
        # Before anything is changed, as it may be that it cannot be read.
        edited = path is not None and _digest(path) != kept.written
        # The list first: if the script stays, it is a session like any other and no episode.
        self._change(lambda all_: [one for one in all_ if one.slug != slug])
        self.studio.listing.expect()
        if path is not None and not edited:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                told = f"the script {path} cannot be removed: {why_unwritten(error)}"
                raise OutputError(told) from None
        return not edited

    # What is edited meanwhile

    def lost(self, among: Sequence[Kept]) -> list[Kept]:
        """Those kept sessions whose render no longer exists."""
        there = self.studio.renders.ids()
        return [one for one in among if one.render not in there]

    def refresh(self, among: Sequence[Kept]) -> None:
        """Decide again, in the background, what was edited, and those of `among` that are lost.

        Until then there is the old render, or none if it is lost.
        """
        now = self._clock()
        for one in (*self._look().edited, *self.lost(among)):
            # What has errors stays edited: it is not tried anew at each request.
            state = f"{one.render} {self._sources.get(one.slug)}"
            asked = self._asked.get(one.slug, ("", 0.0))
            if asked[0] != state or now - asked[1] > _AGAIN_S:
                self._asked[one.slug] = state, now
                self._again(one)

    def renew(self) -> list[str]:
        """Decide again, in the background, what a new version or an edit has left without sound.

        A new version may make tones that are a little different, or place words otherwise: then
        the bytes of a kept render cannot be made again, and the episode would stay mute. Its
        name, its link and its place in the feed stay.

        Returns
        -------
        list of str
            The titles.
        """
        titles = []
        for kept in self.all():
            render = self.studio.renders.get(kept.render)
            if render is None or not self.studio.playable(render):
                titles.append(kept.slug if render is None else render.title)
                self._again(kept)
        return titles

    def _gone(self, render: Render) -> None:
        for kept in self._read():
            if kept.render == render.id:
                self._again(kept)

    def _again(self, kept: Kept) -> None:
        self.studio.again(kept.slug, lambda render: self.renewed(kept.slug, render))

    def renewed(self, slug: str, render: Render) -> None:
        """Note the new render of a kept session."""
        path = self._script(slug)
        if path is None:
            return
        digest, now = _digest(path), int(self._clock())

        def put(all_: Sequence[Kept]) -> list[Kept]:
            # If nothing is new its date stays, and so does the feed, to the byte.
            return [
                replace(one, render=render.id, digest=digest, changed=now)
                if one.slug == slug and (one.render, one.digest) != (render.id, digest)
                else one
                for one in all_
            ]

        self._change(put)

    # The file

    def _script(self, slug: str) -> Path | None:
        for ending in (".yaml", ".yml"):
            path = self.library.user / "sessions" / (slug + ending)
            if is_file(path):
                return path
        return None

    def _change(self, act: Callable[[Sequence[Kept]], list[Kept]]) -> None:
        try:
            with self._lock, locked(self.path):
                told = {"version": _VERSION, "kept": [asdict(one) for one in act(self._read())]}
                data = json.dumps(told, indent=1, ensure_ascii=False).encode()
                write_atomic(self.path, data, mode=0o600)
                self._list = None
        except OSError as error:
            message = f"the list of kept sessions, {self.path}, cannot be saved: "
            raise OutputError(message + why_unwritten(error)) from None

    def _read(self) -> tuple[Kept, ...]:
        """What the list says; read again when its file has changed.

        Raises VoiceflowError where it is there and cannot be read: an empty list instead would
        empty the feed, and be written over what is there.
        """
        stat, known = stat_of(str(self.path)), self._list
        if known is None or known[0] != stat:
            self._list = known = stat, self._parsed()
        return known[1]

    def _parsed(self) -> tuple[Kept, ...]:
        try:
            with open_file(self.path) as file:
                told = json.loads(file.read())
            return tuple(Kept(**one) for one in told["kept"] if _is_kept(one))
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            message = f"the list of kept sessions, {self.path}, cannot be read: {why(error)}"
            raise VoiceflowError(message, hint="try again in a moment") from None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return ()


_SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def _digest(script: Path) -> str:
    """A fingerprint of a script; "" where it has just gone. Raises VoiceflowError."""
    try:
        with open_file(script) as file:
            return fingerprint(file.read())
    except FileNotFoundError:
        return ""
    except OSError as error:
        message = f"the script {script} cannot be read: {why(error)}"
        raise VoiceflowError(message, hint="try again in a moment") from None


def _is_kept(one: dict[str, Any]) -> bool:
    """Whether an entry of the file holds what it should: it may have been edited."""
    whole = all(
        type(value) is (int if key in ("created", "changed") else str) for key, value in one.items()
    )
    # Its name becomes a path: nothing but a slug is taken.
    return whole and _SLUG.fullmatch(one["slug"]) is not None


def read_title(title: object, usual: str) -> str:
    """A title from a request, with spaces normalised. Raises Refusal."""
    if title is None:
        return usual
    text = " ".join(title.split()) if isinstance(title, str) else ""
    if not text or len(text) > LONGEST_TITLE:
        hint = f"1 to {LONGEST_TITLE} characters"
        told = fault("`title` must be text", hint, field="title")
        raise Refusal(422, "input", "the title is not valid", faults=[told])
    if not text.isprintable():
        told = fault("the title contains a character that is not allowed", field="title")
        raise Refusal(422, "input", "the title is not valid", faults=[told])
    return text


def slug_for(title: str) -> str:
    """A file name for a title: lower-case letters, digits and hyphens, valid on every system."""
    # Taken apart, `é` is an `e` and an accent, of which ASCII keeps the `e`.
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", plain))[:60].strip("-") or "session"
    return f"my-{slug}" if _RESERVED.fullmatch(slug) else slug


__all__ = ["Keeper", "Kept", "read_title", "slug_for"]
