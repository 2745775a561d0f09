"""Renders that were decided, each recorded in a small JSON file.

A decision comes in (`render_of`); a `Render` is recorded, and `stream` makes its MP3 from the
record alone, even after a restart. A render's id is a hash of the request and of every byte of its
MP3, so one id always means the same bytes. If voice, tones or program have changed so that the
bytes would differ, the render is gone (`GoneError`) rather than given out changed.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from voiceflow.core.cache import Cache
from voiceflow.core.errors import UnknownNameError, VoiceflowError
from voiceflow.core.files import write_atomic
from voiceflow.formats.id3 import tag_of
from voiceflow.score.decide import Decision
from voiceflow.score.instruments import Instruments
from voiceflow.score.options import Context
from voiceflow.score.score import Chapter, Event, Score
from voiceflow.script.lookup import Library
from voiceflow.stitch.stitcher import Stitcher

MOST: Final = 2_000
_VERSION: Final = 1
_ID: Final = re.compile(r"[0-9a-f]{40}")
_DIGEST: Final = 32
_HELD: Final = 64  # in memory: a player asks for many ranges of one render
_HELD_S: Final = 60.0
_TICK_NS: Final = 2_000_000_000  # of the coarsest file system


@dataclass(frozen=True, slots=True)
class ExerciseSpan:
    """One exercise in a render: when it starts, and the position of the body.

    `place` is its line and column in the session's script.
    """

    slug: str
    name: str
    title: str
    position: str
    section: str
    effort: str
    start_ms: int
    reps: int
    sets: int
    place: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Render:
    """One decided render.

    Attributes
    ----------
    slug : str
        The session's name in the library; `source` is the fingerprint of its script.
    given : dict
        The options of the request, as plain values.
    parts : tuple of ExerciseSpan
        The exercises in order; `close_ms` is when the close starts.
    bytes : int
        Size of the MP3 file; the first `head_bytes` are its tag.
    """

    id: str
    slug: str
    source: str
    created: int
    given: dict[str, Any]
    score: Score
    rate: int
    parts: tuple[ExerciseSpan, ...]
    close_ms: int
    bytes: int
    head_bytes: int
    bed: str | None = None
    tempo: float = 1.0
    detail: str = "full"
    mono: bool = False

    @property
    def title(self) -> str:
        return self.score.title

    def position_spans(self) -> list[dict[str, Any]]:
        """The position of the body over time, for the player and the score's JSON."""
        ends = [span.start_ms for span in self.parts[1:]] + [self.close_ms]
        return [
            {
                "start_ms": span.start_ms,
                "end_ms": end,
                "position": span.position,
                "exercise": span.name,
                "slug": span.slug,
                "section": span.section,
                "effort": span.effort,
            }
            for span, end in zip(self.parts, ends, strict=True)
        ]

    def following(self, ms: int) -> tuple[int, ExerciseSpan | None]:
        """The span after the one at `ms`: its number, and itself (None at the end)."""
        at = bisect_right([span.start_ms for span in self.parts], ms)
        return at, self.parts[at] if at < len(self.parts) else None

    def start_of(self, number: int, span: ExerciseSpan | None) -> int:
        """When the `number`-th `span` of another render of this session starts here (ms)."""
        if span is None:
            return self.close_ms
        # By number first: an exercise may come twice in a session.
        if number < len(self.parts) and self.parts[number].slug == span.slug:
            return self.parts[number].start_ms
        # Fitted to a length, the other render may leave exercises out, and the numbers differ.
        same = [one for one in self.parts if one.slug == span.slug]
        near = same or self.parts[min(number, len(self.parts) - 1) :]
        return near[0].start_ms if near else self.close_ms


def render_of(
    decision: Decision, stitcher: Stitcher, slug: str, source: str, given: dict[str, Any]
) -> Render:
    """The render to record for a decision that is about to be stitched."""
    tag = tag_of(decision.score, stitcher.cache)
    moments, starts = decision.plan.moments, decision.arranged.starts
    first: dict[int, int] = {}
    for moment, start in zip(moments, starts, strict=True):
        if moment.exercise >= 0:
            first.setdefault(moment.exercise, start)
    close = decision.plan.chapters[-1][1] if decision.plan.chapters else len(starts) - 1
    return Render(
        id=_id(stitcher, tag, slug, source, given),
        slug=slug,
        source=source,
        # Whole seconds, as the dates of HTTP have no others.
        created=int(time.time()),
        given=given,
        score=decision.score,
        rate=decision.rate,
        parts=tuple(_spans(decision, first)),
        close_ms=starts[min(close, len(starts) - 1)],
        bytes=len(tag) + stitcher.length,
        head_bytes=len(tag),
        bed=decision.bed,
        tempo=decision.plan.pacing.tempo,
        detail=str(decision.plan.pacing.detail),
    )


def _spans(decision: Decision, first: dict[int, int]) -> Iterator[ExerciseSpan]:
    sections = decision.session.sections
    for number, bout in enumerate(decision.plan.bouts):
        if number in first:
            exercise = bout.exercise
            yield ExerciseSpan(
                slug=exercise.slug,
                name=exercise.name,
                title=bout.title,
                position=exercise.position,
                section=sections[bout.section].title,
                effort=exercise.effort,
                start_ms=first[number],
                reps=bout.reps,
                sets=bout.sets,
                place=(exercise.mark.line, exercise.mark.column),
            )


def stitcher_of(render: Render, library: Library, cache: Cache, jobs: int) -> Stitcher:
    """The stitcher of a render, from its record alone.

    Raises
    ------
    VoiceflowError
        Its voice, tones or bed no longer exist.
    """
    # The script may be gone by now: the record is enough, unless its sounds lay beside it.
    try:
        beside: Path | None = library.find("sessions", render.slug).resolve().parent
    except UnknownNameError:
        beside = None
    context = Context(library, cache, jobs)
    instruments = Instruments.for_score(render.score, render.rate, render.bed, context, beside)
    return Stitcher(render.score, instruments, cache, mono=render.mono, jobs=jobs)


def stream(
    render: Render, library: Library, cache: Cache, jobs: int, fresh: Stitcher | None = None
) -> Iterator[bytes]:
    """The MP3 of a render, chunk by chunk, or nothing at all if its bytes would differ.

    Parameters
    ----------
    fresh : Stitcher or None
        The stitcher that the render was made by, if it is still in memory.

    Raises
    ------
    GoneError
        Voice, tones or program have changed: these bytes cannot be made again.
    VoiceflowError
        It cannot be sounded.
    """
    stitcher = fresh or _restored(render, library, cache, jobs)
    try:
        yield tag_of(render.score, cache)
        yield from stitcher.stream()
    finally:
        stitcher.instruments.speaker.close()


def _restored(render: Render, library: Library, cache: Cache, jobs: int) -> Stitcher:
    """What stitches a render as it was. Raises GoneError."""
    try:
        stitcher = stitcher_of(render, library, cache, jobs)
        tag = tag_of(render.score, cache)
        made = _id(stitcher, tag, render.slug, render.source, render.given)
    except VoiceflowError as error:
        raise GoneError(error.message) from None
    if made != render.id or len(tag) != render.head_bytes:
        raise GoneError("its voice or its sounds have changed since")
    return stitcher


def can_be_made(render: Render, library: Library, cache: Cache) -> bool:
    """Whether the bytes of a render can be made once more: voice, tones and program are as then."""
    try:
        _restored(render, library, cache, 1).instruments.speaker.close()
    except GoneError:
        return False
    return True


class GoneError(Exception):
    """A render whose bytes can no longer be made."""


def _id(stitcher: Stitcher, tag: bytes, slug: str, source: str, given: dict[str, Any]) -> str:
    """A hash of every byte, and of what was asked for: all of a render follows from its id."""
    bed = stitcher.instruments.bed
    return Cache.key(
        _VERSION,
        slug,
        source,
        json.dumps(given, sort_keys=True),
        blake2b(tag, digest_size=20).hexdigest(),
        repr(stitcher.score),
        bed.key() if bed is not None else None,
        stitcher.channels,
        stitcher.length,
        *stitcher.keys(),
    )


class RenderRecords:
    """The folder of records. A file whose checksum is wrong is ignored and removed.

    Parameters
    ----------
    folder : Path
    most : int
        Records to keep besides pinned ones; the least recently used are removed first.
    """

    def __init__(self, folder: Path, most: int = MOST) -> None:
        self.folder, self._most = folder, most
        self._since = 0
        self._held: OrderedDict[str, tuple[Render, float]] = OrderedDict()
        self._ids: tuple[int, frozenset[str]] = -1, frozenset()
        self._lock = threading.Lock()

    def put(self, render: Render) -> None:
        """Record a render. Raises OSError."""
        body = json.dumps(_to_dict(render), ensure_ascii=False).encode()
        data = blake2b(body, digest_size=_DIGEST).hexdigest().encode() + b"\n" + body
        # Not durable: a render that lost its content in a power cut fails its checksum.
        write_atomic(self._path(render.id), data, durable=False)
        self._since += 1

    def held(self, render_id: str) -> Render | None:
        """The render with this id if it was read a moment ago, without disk access."""
        with self._lock:
            held = self._held.get(render_id)
            if held is None or time.monotonic() - held[1] >= _HELD_S:
                return None
            self._held.move_to_end(render_id)
            return held[0]

    def get(self, render_id: str) -> Render | None:
        """The render with this id, or None."""
        # The id comes from an address and becomes a path: nothing but an id gets to the disk.
        if not _ID.fullmatch(render_id):
            return None
        if (held := self.held(render_id)) is not None:
            return held
        path, now = self._path(render_id), time.monotonic()
        render = self._read(path)
        if render is not None:
            self._hold(render, now)
            # For `trim`, which removes the least recently used.
            with suppress(OSError):
                os.utime(path)
        return render

    def ids(self) -> frozenset[str]:
        """The ids of all records, readable or not; listed again when one has come or gone."""
        try:
            changed = os.stat(self.folder).st_mtime_ns  # noqa: PTH116
            if changed != self._ids[0]:
                began = time.time_ns()
                found = frozenset(name.partition(".")[0] for name in os.listdir(self.folder))  # noqa: PTH208
                # In the same tick of the clock there may be another change, of the same time.
                self._ids = (changed if began - changed > _TICK_NS else -1), found
        except OSError:
            return frozenset()
        return self._ids[1]

    def _hold(self, render: Render, now: float) -> None:
        with self._lock:
            self._held[render.id] = (render, now)
            self._held.move_to_end(render.id)
            while len(self._held) > _HELD:
                self._held.popitem(last=False)

    def _read(self, path: Path) -> Render | None:
        try:
            data = path.read_bytes()
        except OSError:
            return None
        check, _, body = data.partition(b"\n")
        try:
            if blake2b(body, digest_size=_DIGEST).hexdigest().encode() != check:
                raise ValueError("checksum")
            render = _from_dict(json.loads(body))
            # One id always means the same bytes, so a renamed record is none.
            if render.id != path.stem:
                raise ValueError("id")
        except (ValueError, TypeError, KeyError, AttributeError):
            with suppress(OSError):
                path.unlink()
            return None
        return render

    def trim(self, pinned: frozenset[str]) -> bool:
        """Bring the folder under its limit, once per 50 new records; whether it was done now."""
        # To list the folder costs more than a few records too many.
        if self._since < 50:
            return False
        self._since = 0
        found = []
        with suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    found.append((entry.stat().st_mtime, entry.name))
        spare = [one for one in sorted(found) if one[1].split(".")[0] not in pinned]
        for _, name in spare[: max(0, len(spare) - self._most)]:
            with suppress(OSError):
                (self.folder / name).unlink()
        return True

    def _path(self, render_id: str) -> Path:
        return self.folder / f"{render_id}.json"


def _to_dict(render: Render) -> dict[str, Any]:
    told = {"version": _VERSION, **asdict(render)}
    # 0.1.0 knows no such key, and reads what has nothing to say there.
    if not render.score.length_changes:
        del told["score"]["length_changes"]
    return told


def _from_dict(told: dict[str, Any]) -> Render:
    if told.pop("version") != _VERSION:
        raise ValueError("version")
    score = told["score"]
    # Tuples again: the id is made of the `repr` of a score, which tells them from lists.
    score["events"] = tuple(Event(**one) for one in score["events"])
    score["chapters"] = tuple(Chapter(**one) for one in score["chapters"])
    score["length_changes"] = tuple(score.get("length_changes", ()))
    told["score"] = Score(**score)
    told["parts"] = tuple(
        ExerciseSpan(**{**one, "place": tuple(one["place"])}) for one in told["parts"]
    )
    return Render(**told)


__all__ = [
    "ExerciseSpan",
    "GoneError",
    "Render",
    "RenderRecords",
    "can_be_made",
    "render_of",
    "stream",
]
