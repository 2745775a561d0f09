"""The library as the pages show it: each session with length, positions, equipment and errors.

Script files come in; entries as plain values for JSON go out. Each entry is cached under a
fingerprint of all files it depends on, so an edit shows at the next look. Sessions are found by
name among those of the library, never by path.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Set
from pathlib import Path
from typing import Final

from voiceflow import voices
from voiceflow.core.cache import Cache
from voiceflow.core.errors import UnknownNameError, VoiceflowError
from voiceflow.core.opening import open_file
from voiceflow.score import catalogue
from voiceflow.score.decide import Decision
from voiceflow.score.inputs import usual_voice
from voiceflow.score.options import Context, Options
from voiceflow.score.prepare import prepare
from voiceflow.script.dependencies import Look, Words
from voiceflow.script.load import load_session, load_settings
from voiceflow.script.models import EQUIPMENT, LEVELS
from voiceflow.script.pacing import resolve
from voiceflow.script.yaml import parse, read
from voiceflow.server.http.refusals import fault, refused, unknown
from voiceflow.server.library.listed import Listed
from voiceflow.server.library.requested_options import Offered
from voiceflow.server.library.session_entry import Entry, packed, unpacked
from voiceflow.sounds import BEDS

_LABELS: Final = {
    "circle": "Circle",
    "ball": "Ball",
    "weight": "Weight",
    "band": "Band",
    "reformer": "Reformer",
}
_DETAILS: Final = (("full", "Full"), ("brief", "Brief"), ("tones", "Tones only"))
_VERSION: Final = 2  # counts up whenever an entry gets other keys
_TITLE: Final = re.compile(rb"^title:[ \t]+[^\s>|&*!%@`].*$", re.MULTILINE)
_HEAD: Final = 4_096  # bytes in which a title stands
_KIND: Final = "shelf"  # the folder in the cache, as 0.1.0 called it


class SessionLibrary:
    """The sessions of a library, and what can be chosen for them.

    Parameters
    ----------
    context : Context
    """

    def __init__(self, context: Context) -> None:
        self.context, self.library = context, context.library
        self._entries: dict[str, tuple[str, Listed]] = {}
        self._voices: list[Entry] | None = None
        self._offers: dict[str, tuple[str, list[Entry]]] = {}
        # Kept between looks: a script that has not changed is not read again.
        self.words: Words = {}
        self._lock = threading.Lock()

    def look(self) -> Look:
        """A look at the library's files as they are now."""
        return Look(self.library, self.words)

    def stamp(self, slug: str) -> str:
        """A text that changes with every file a session depends on. Raises Refusal."""
        return self.look().stamp(self.path(slug))

    def path(self, slug: str) -> Path:
        """The file of a session.

        Raises
        ------
        Refusal
            404 if there is none of that name, or it is a link to outside the library.
        """
        try:
            path = self.library.find("sessions", slug)
        except UnknownNameError as error:
            raise unknown("session called", slug, error.hint) from None
        real, roots = path.resolve(), (self.library.user, self.library.bundled)
        if "." in slug or not any(real.is_relative_to(root.resolve()) for root in roots):
            raise unknown("session called", slug, "it points outside the library")
        return path

    def session(self, slug: str) -> Entry:
        """One session with its exercises, default options and errors. Raises Refusal."""
        listed = self.listed(slug, self.path(slug), self.look())
        assert listed is not None
        entry: Entry = json.loads(listed.told)
        return entry

    def listed(
        self, slug: str, path: Path, look: Look, patience_s: float | None = None
    ) -> Listed | None:
        """One session as it stands in the listing.

        None where it is not read yet, and its turn would not come within `patience_s`.
        """
        stamp = look.stamp(path)
        # Without the lock, which is held for as long as another session is being read.
        if (listed := self._known(slug, stamp)) is not None:
            return listed
        # One at a time, or requests for the same new session would each decide it.
        patience_s = -1 if patience_s is None else patience_s
        if patience_s == 0 or not self._lock.acquire(timeout=patience_s):
            return None
        try:
            listed = self._known(slug, stamp) or Listed.of(self._read(slug, path, stamp))
            self._entries[slug] = (stamp, listed)
            return listed
        finally:
            self._lock.release()

    def _known(self, slug: str, stamp: str) -> Listed | None:
        """What was read before, if no file of it has changed since."""
        known = self._entries.get(slug)
        return known[1] if known is not None and known[0] == stamp else None

    def glance(self, slug: str, path: Path) -> Listed:
        """A session of which only the title is read: never slow."""
        title = _first_title(path) or _title(path) or slug
        return Listed.of({**self._blank(slug, path), "title": title})

    def forget(self, slugs: Set[str]) -> None:
        """Let go of all sessions but these."""
        # Without the lock, which is held for as long as a session is being read.
        for slug in self._entries.keys() - slugs:
            self._entries.pop(slug, None)

    def _read(self, slug: str, path: Path, stamp: str) -> Entry:
        """An entry from the cache, or made."""
        key = Cache.key(_KIND, _VERSION, slug, str(path), stamp)
        found = self.context.cache.get(_KIND, key)
        known = unpacked(found, self._blank(slug, path)) if found is not None else None
        if known is not None:
            return known
        entry = self._entry(slug, path)
        self.context.cache.put(_KIND, key, packed(entry))
        return entry

    def _blank(self, slug: str, path: Path) -> Entry:
        own = path.is_relative_to(self.library.user)
        return {
            "slug": slug, "title": slug, "about": "", "minutes": None, "length_ms": None,
            "language": "en", "positions": [], "equipment": [], "needs": [], "exercises": [],
            "own": own, "kept": False, "errors": [], "defaults": {},
        }  # fmt: skip

    def _entry(self, slug: str, path: Path) -> Entry:
        entry = self._blank(slug, path)
        try:
            return entry | self._told(path)
        except VoiceflowError as error:
            wrong = refused(error, self.library).faults
        except Exception as error:  # one bad script must not break every page
            told = f"internal error in this session: {type(error).__name__}"
            wrong = [fault(told, "please report this")]
        return entry | {"errors": wrong, "title": _title(path) or slug}

    def _told(self, path: Path) -> Entry:
        """The entry of a session without errors."""
        # Silent, so that a list of sessions waits for no voice.
        decision, _ = prepare(path, Options(voice="silent"), self.context, ahead=False)
        session, score = decision.session, decision.score
        bouts = decision.plan.bouts
        return {
            "title": session.title,
            "about": " ".join(score.about.split()),
            "minutes": max(1, round(score.length_ms / 60_000)),
            "length_ms": score.length_ms,
            "language": session.language,
            "positions": list(dict.fromkeys(bout.exercise.position for bout in bouts)),
            "needs": list(dict.fromkeys(need for b in bouts for need in b.exercise.needs)),
            "equipment": self._equipment(path),
            "exercises": _exercises(decision),
            "defaults": self._defaults(decision),
        }

    def _equipment(self, path: Path) -> list[str]:
        """The equipment for which the session has variants."""

        def used(thing: str) -> bool:
            session = load_session(path, self.library, equipment=(thing,))
            return any(thing in exercise.equipment for exercise in session.exercises)

        return [thing for thing in EQUIPMENT if used(thing)]

    def _defaults(self, decision: Decision) -> Entry:
        """The option values that apply if nothing is chosen."""
        pacing = resolve(decision.layers)
        settings = load_settings(self.library)
        session = decision.session
        return {
            "pace": decision.score.pace,
            "tempo": pacing.tempo,
            "breath_in": pacing.breath_in,
            "breath_out": pacing.breath_out,
            "detail": pacing.detail,
            "level": session.level,
            "equipment": list(settings.get("with", ())),
            "voice": usual_voice(session, settings).name,
            "tones": pacing.tones,
            "bed": session.bed or "none",
            "phrases": session.phrases or settings.get("phrases") or "coach",
            "name": session.name or settings.get("name", ""),
            "length_ms": decision.score.length_ms,
        }

    # What can be chosen

    def offered(self) -> Offered:
        """The names that options may take."""
        return Offered(
            pace=self.library.names("paces"),
            voice=[one["name"] for one in self.voices() if one["works"]],
            phrases=[one["name"] for one in self._named("phrases")],
            tones=[one["name"] for one in self._named("tones")],
            bed=("none", *(name for name, _ in BEDS)),
        )

    def choices(self, session: Entry | None = None) -> dict[str, list[Entry]]:
        """What can be chosen on a session's page; each choice with name, label and description."""
        tongue = str(session["language"]).split("-")[0] if session else ""
        usual = str(session["defaults"].get("voice", "")) if session else ""
        # The usual voice stays, whatever its language: it speaks if nothing is chosen.
        voices_on_offer = [
            one
            for one in self.voices()
            if one["works"] and (one["name"] == usual or _speaks(one["language"], tongue))
        ]
        things = session["equipment"] if session else EQUIPMENT
        return {
            "paces": self._named("paces"),
            "details": [{"name": name, "label": label} for name, label in _DETAILS],
            "levels": [{"name": level, "label": str(level)} for level in LEVELS],
            "equipment": [{"name": name, "label": _LABELS.get(name, name)} for name in things],
            "voices": voices_on_offer,
            "phrases": self._named("phrases"),
            "tones": self._named("tones"),
            "beds": [{"name": "none", "label": "None"}, *_labelled(BEDS)],
        }

    def voices(self) -> list[Entry]:
        """All voices; searched for once per run."""
        if self._voices is None:
            found = [
                {
                    "name": one.name,
                    "label": one.name,
                    "about": one.about,
                    "language": one.language,
                    "works": one.works,
                }
                for one in voices.available()
            ]
            self._voices = found
        return self._voices

    def _named(self, kind: str) -> list[Entry]:
        stamp = self.look().of("sounds" if kind == "tones" else kind)
        known = self._offers.get(kind)
        if known is not None and known[0] == stamp:
            return known[1]
        found = [
            {
                "name": one["name"],
                "label": str(one["name"]).capitalize(),
                "about": one["about"].rstrip(".:"),
            }
            for one in catalogue.everything(self.library, (kind,))[kind]
        ]
        self._offers[kind] = (stamp, found)
        return found


def _title(path: Path) -> str:
    """The title of a session that has errors; "" if not even that can be read."""
    try:
        node = read(path).get("title")
    except VoiceflowError:
        return ""
    return " ".join(node.text.split())[:200] if node is not None else ""


def _first_title(path: Path) -> str:
    """The title by its line alone, as a script takes long to read as a whole; "" if in doubt."""
    try:
        with open_file(path) as file:
            found = _TITLE.search(file.read(_HEAD))
        node = parse(found[0].decode(), path.name).get("title") if found else None
    except (OSError, ValueError, VoiceflowError):
        return ""
    return " ".join(node.text.split())[:200] if node is not None else ""


def _exercises(decision: Decision) -> list[Entry]:
    sections = decision.session.sections
    return [
        {
            "slug": bout.exercise.slug,
            "name": bout.exercise.name,
            "title": bout.title,
            "position": bout.exercise.position,
            "section": sections[bout.section].title,
        }
        for bout in decision.plan.bouts
    ]


def _speaks(language: str, tongue: str) -> bool:
    return not tongue or language == "any" or language.split("-")[0] == tongue


def _labelled(pairs: tuple[tuple[str, str], ...]) -> list[Entry]:
    return [{"name": name, "label": name.capitalize(), "about": about} for name, about in pairs]
