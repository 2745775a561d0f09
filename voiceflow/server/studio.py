"""What the server holds, and its few operations; no HTTP request is seen here.

A session's name and options come in; a decided `Render` goes out, with its MP3 being made. The
studio joins the library, the job queue, the render records, the MP3 files and the paired phones.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from voiceflow import __version__
from voiceflow.core.cache import Cache
from voiceflow.core.errors import VoiceflowError
from voiceflow.draw.cover import cover_of
from voiceflow.plan.moments import Plan
from voiceflow.score.options import Context, Options
from voiceflow.score.prepare import prepare
from voiceflow.script.lookup import Library
from voiceflow.server.auth.attempt_limiter import AttemptLimiter
from voiceflow.server.auth.pairing import Pairing
from voiceflow.server.auth.phones import Phones, fingerprint
from voiceflow.server.http.limits import here
from voiceflow.server.http.refusals import Refusal, refused, unknown
from voiceflow.server.http.request_log import log
from voiceflow.server.http.streaming import Streams
from voiceflow.server.jobs.job_queue import Dropped, JobQueue, Report
from voiceflow.server.jobs.mp3_files import Mp3Files, storage
from voiceflow.server.jobs.render_records import (
    Render,
    RenderRecords,
    can_be_made,
    render_of,
    stream,
)
from voiceflow.server.jobs.store import MP3_FOLDER, store_of
from voiceflow.server.library.listing import Listing
from voiceflow.server.library.requested_options import Given, canonical, read_options
from voiceflow.server.library.sessions import SessionLibrary
from voiceflow.stitch.stitcher import Stitcher

_MEMO: Final = 512
_PLANS: Final = 32
_TRIES: Final = 20
_LATER_S: Final = 15.0
_WARM: Final = b"1"
STATE: Final = "serve"  # in the user's library


@dataclass(frozen=True, slots=True)
class ServerFolders:
    """The server's two folders: `state` must be kept, `store` is a cache that can be remade."""

    state: Path
    store: Path

    @staticmethod
    def of(library: Library, cache: Cache) -> ServerFolders:
        return ServerFolders(library.user / STATE, store_of(cache))


class Studio:
    """A library, its renders and its phones.

    Parameters
    ----------
    library : Library
    cache : Cache
    jobs : int >= 0
        Worker processes and threads for one render; 0 for one per core.
    """

    def __init__(self, library: Library, cache: Cache, *, jobs: int = 0) -> None:
        self.library, self.cache, self.jobs = library, cache, jobs
        folders = ServerFolders.of(library, cache)
        self.folders = folders
        self.context = Context(library, cache, jobs)
        self.phones = Phones(folders.state / "phones.json")
        self.pairing = Pairing()
        self.failures = AttemptLimiter()
        self.sessions = SessionLibrary(self.context)
        self.listing = Listing(self.sessions)
        self.renders = RenderRecords(folders.store / "renders")
        self.mp3_files = Mp3Files(folders.store / MP3_FOLDER, self._stream)
        self.streams = Streams(here().streams)
        self.job_queue = JobQueue()
        self.mp3_files.others_wait = lambda: self.job_queue.waiting > 0
        # Set by `Keeper`, which knows the studio; the studio does not know of it.
        self.pins: Callable[[], frozenset[str]] = frozenset
        self.renew_kept: Callable[[], list[str]] = list
        self.on_paired: Callable[[str], None] = lambda name: None
        self.on_renewed: Callable[[list[str]], None] = lambda titles: None
        self._memo: OrderedDict[str, str] = OrderedDict()
        self._fresh: OrderedDict[str, Stitcher] = OrderedDict()
        self._plans: OrderedDict[str, Plan] = OrderedDict()
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def close(self) -> None:
        """Stop all work and remove unfinished files."""
        self._ended.set()
        self.job_queue.close()
        self.mp3_files.close()

    def _stream(self, render: Render) -> Any:
        with self._lock:
            # Taken out, as it serves once: `stream` closes its speaker at the end.
            fresh = self._fresh.pop(render.id, None)
        return stream(render, self.library, self.cache, self.jobs, fresh)

    # Renders

    async def render(self, client: str, slug: object, given: object) -> Render:
        """Decide a session with the options `given`, and start making its MP3.

        Raises
        ------
        Refusal
            The session or an option is not valid, or the server is too busy.
        """
        render = await self.decided(client, slug, given)
        await asyncio.to_thread(self.mp3_files.of, render)
        return render

    async def decided(self, client: str, slug: object, given: object) -> Render:
        """Decide a session with the options `given`. Raises Refusal."""
        # In threads: both look at files, and the loop must go on for those who listen.
        name, options, said = await asyncio.to_thread(self._read, slug, given)
        key = await asyncio.to_thread(self._key, name, said)
        render = await asyncio.to_thread(self._known, key)
        if render is not None:
            return render

        def work(report: Report) -> Render:
            return self._decide(key, name, options, said, report)

        return await self.job_queue.do(client, key, work)

    def expect(self, slug: str) -> None:
        """Decide a session in the background: someone is looking at it and may soon want it."""
        try:
            slug, options, said = self._read(slug, {})
        except Refusal:
            return
        key = self._key(slug, said)
        if self._known(key) is None:
            self.job_queue.begin(key, lambda report: self._decide(key, slug, options, said, report))

    def look(self, *, warm: bool) -> None:
        """What is done in the background from the start on: kept sessions, then all of them."""
        for step in (self._renew, self.warm if warm else self.listing.all):
            self._insist(step)

    def _insist(self, step: Callable[[], object]) -> None:
        """Do `step`, and again a little later if it fails: memory or descriptors may run out."""
        for _ in range(_TRIES):
            try:
                step()
                return
            except Exception as error:
                log.warning("work in advance was interrupted: %s", type(error).__name__)
            if self._ended.wait(_LATER_S):
                return

    def _renew(self) -> None:
        if titles := self.renew_kept():
            self.on_renewed(titles)

    def playable(self, render: Render) -> bool:
        """Whether a render's MP3 is there or can still be made, byte for byte."""
        return self.mp3_files.holds(render) or can_be_made(render, self.library, self.cache)

    def warm(self) -> None:
        """Speak the words of every session while the server is idle.

        Otherwise the first listener to a session waits for them. Sessions done are noted in the
        cache, so the next start skips them.
        """
        for one in self.listing.all():
            if not one.broken:
                self._warm(one.slug)

    def _warm(self, slug: str) -> None:
        try:
            slug, options, said = self._read(slug, {})
            key = self._key(slug, said)
        except Refusal:
            return
        note = Cache.key("warm", key)
        for _ in range(_TRIES):
            if self.cache.get("warm", note) == _WARM:
                return
            begun = self.job_queue.begin(
                key, lambda report: self._decide(key, slug, options, said, report, gently=True)
            )
            try:
                if begun is not None:
                    begun.result()
                    self.cache.put("warm", note, _WARM)
                    return
            except CancelledError:  # the server ends
                return
            except (Dropped, Refusal, OSError):
                pass
            # Not a plain sleep, so that the end of the server is noticed at once.
            if self._ended.wait(_LATER_S):
                return

    def _read(self, slug: object, given: object) -> tuple[str, Options, Given]:
        if not isinstance(slug, str) or not slug:
            raise Refusal(
                422, "input", "`session` must be the name of a session", hint="GET /api/v1/sessions"
            )
        if len(slug) > 200:
            raise unknown("session called", slug)
        self.sessions.path(slug)
        options, said = read_options(given, self.sessions.offered())
        return slug, options, said

    def _key(self, slug: str, said: Given) -> str:
        """A key that is equal for equal requests until a file they depend on changes."""
        return f"{slug} {canonical(said)} {self.sessions.stamp(slug)}"

    def _known(self, key: str) -> Render | None:
        with self._lock:
            render_id = self._memo.get(key)
            if render_id is not None:
                self._memo.move_to_end(key)
        return self.renders.get(render_id) if render_id else None

    def _decide(
        self, key: str, slug: str, options: Options, given: Given, report: Report,
        *, gently: bool = False,
    ) -> Render:  # fmt: skip
        """Decide, and record what is needed to sound it. Runs in a thread of the job queue."""
        # Raises where nobody waits for it any more.
        report("deciding", 0, 1)
        try:
            path = self.sessions.path(slug)
            source = source_of(path)
            # What is done in idle time leaves the other cores free.
            context = replace(self.context, jobs=1) if gently else self.context
            decision, made = prepare(path, options, context, report, ahead=False)
            stitcher = Stitcher(decision.score, made, self.cache, jobs=self.jobs)
            render = render_of(decision, stitcher, slug, source, given)
        except VoiceflowError as error:
            raise refused(error, self.library) from None
        # An id keeps its date, which is sent as Last-Modified: equal bytes have one date.
        known = self.renders.get(render.id)
        render = replace(render, created=known.created) if known is not None else render
        try:
            self.renders.put(render)
        except OSError as error:
            raise storage(error) from None
        with self._lock:
            # The picture is drawn only when it is asked for; it needs the plan.
            self._plans[render.id] = decision.plan
            self._fresh[render.id] = stitcher
            for held in (self._plans, self._fresh):
                while len(held) > _PLANS:
                    held.popitem(last=False)
            self._memo[key] = render.id
            while len(self._memo) > _MEMO:
                self._memo.popitem(last=False)
        # Pieces are kept for each render, too: no other command may ever come to trim the cache.
        if self.renders.trim(self.pins()):
            self.cache.trim()
        return render

    def again(self, slug: str, then: Callable[[Render], None]) -> None:
        """Decide a session again when the server is idle, and pass the render to `then`."""
        try:
            slug, options, said = self._read(slug, {})
        except Refusal:
            return
        key = self._key(slug, said)

        def work(report: Report) -> None:
            then(self._known(key) or self._decide(key, slug, options, said, report))

        # A key of its own: were it someone's request for the same, `then` would not be called.
        self.job_queue.begin(f"again {key}", work)

    def find_render(self, render_id: str) -> Render:
        """The render with this id. Raises Refusal (404)."""
        render = self.renders.get(render_id)
        if render is None:
            raise unknown("render", render_id, "press Listen again")
        return render

    async def changed(
        self, client: str, render: Render, event_ms: int, changes: Mapping[str, Any]
    ) -> tuple[Render, int]:
        """The same session with changed pacing, and where its next exercise starts (ms)."""
        given = {**render.given, **changes}
        try:
            new = await self.render(client, render.slug, given)
        except Refusal as refusal:
            # A session fitted to a length may not reach that length at another tempo.
            if refusal.status != 422 or "minutes" not in given:
                raise
            given.pop("minutes")
            new = await self.render(client, render.slug, given)
        number, span = render.following(event_ms)
        return new, new.start_of(number, span)

    # Pictures

    def picture(self, render: Render) -> bytes:
        """The timeline as SVG."""
        key = Cache.key("picture", __version__, render.id)
        drawn = self._drawn(key)
        if drawn is None:
            from voiceflow.draw import svg

            plan = self._plans.get(render.id)
            drawn = svg(render.score, plan).encode()
            # Not kept when drawn without the plan, or it would stay so once the plan is there.
            if plan is not None:
                self.cache.put("picture", key, drawn)
        return drawn

    def session_picture(self, slug: str) -> bytes:
        """The timeline of a session without any options, as SVG. Raises Refusal."""
        path, stamp = self.sessions.path(slug), self.sessions.stamp(slug)
        key = Cache.key("picture", __version__, slug, stamp)
        drawn = self._drawn(key)
        if drawn is None:
            from voiceflow.draw import svg

            try:
                # The silent voice guesses its lengths: no page waits for speech.
                decision, _ = prepare(path, Options(voice="silent"), self.context, ahead=False)
            except VoiceflowError as error:
                raise refused(error, self.library) from None
            drawn = svg(decision.score, decision.plan).encode()
            self.cache.put("picture", key, drawn)
        return drawn

    def _drawn(self, key: str) -> bytes | None:
        """A picture that was kept; None where that is no drawing of ours."""
        from voiceflow.draw import is_svg

        drawn = self.cache.get("picture", key)
        return drawn if drawn is not None and is_svg(drawn) else None

    def cover(self, render: Render) -> bytes:
        """The cover as JPEG."""
        return cover_of(render.score, self.cache)


def source_of(path: Path) -> str:
    """A fingerprint of a script's present content; "" if it cannot be read."""
    try:
        return fingerprint(path.read_bytes())
    except OSError:
        return ""


def read_json(data: bytes) -> Any:
    """Parse a JSON body; NaN and Infinity are not JSON. Raises Refusal (400)."""
    try:
        return json.loads(data, parse_constant=_no_constant)
    # RecursionError: brackets nested too deep.
    except (ValueError, RecursionError):
        raise Refusal(
            400, "json", "the request body is not valid JSON", hint="send a JSON object"
        ) from None


def _no_constant(name: str) -> None:
    raise ValueError(name)


__all__ = ["ServerFolders", "Studio", "read_json"]
