"""The routes of the JSON API, of a render's files and of the podcast feed.

Requests that the guard let through come in; JSON, files and RSS go out. `openapi.json` describes
them, and a test holds the two together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from email.utils import formatdate
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from voiceflow import __version__
from voiceflow.core.errors import did_you_mean
from voiceflow.formats.sidecars import chapters, transcript
from voiceflow.server.auth.phones import Phone, fingerprint
from voiceflow.server.http.ranges import unchanged
from voiceflow.server.http.refusals import Refusal, fault, unknown
from voiceflow.server.http.streaming import GrowingFileResponse, while_there
from voiceflow.server.jobs.render_records import Render
from voiceflow.server.jobs.score_json import score_json
from voiceflow.server.library.feed import CONTENT_TYPE, addressed
from voiceflow.server.library.feed_pages import FeedPages
from voiceflow.server.library.fragments import Fragments
from voiceflow.server.library.kept import Keeper, Kept, slug_for
from voiceflow.server.library.listed import json_bytes
from voiceflow.server.library.lists import MOST as PART
from voiceflow.server.library.lists import WORDS, Part, part_of
from voiceflow.server.library.requested_options import printable
from voiceflow.server.pages.page_routes import checked, phone_json, render_json, svg_response
from voiceflow.server.studio import Studio, read_json
from voiceflow.server.terminal import code_svg

OPENAPI: Final = Path(__file__).with_name("openapi.json")
CHANGES: Final = ("tempo", "detail", "pace", "teach", "rest", "speech", "breath_in", "breath_out")
_LONGEST_MS: Final = 24 * 3_600_000
# An id is a hash of what is under it, so that can never be anything else.
_FOREVER: Final = "private, max-age=31536000, immutable"

Json = dict[str, Any]


class Api:
    """The endpoints, bound to a studio and its kept sessions."""

    def __init__(self, studio: Studio, keeper: Keeper) -> None:
        self.studio, self.keeper = studio, keeper
        self._told = Fragments(self._tell, 2 * PART)
        self.feed_pages = FeedPages(studio, keeper)

    def routes(self) -> list[Route]:
        """The routes of the API, of renders and of the feed."""
        v1, render = "/api/v1", "/renders/{id}"
        return [
            Route(f"{v1}/openapi.json", self.openapi),
            Route(f"{v1}/sessions", self.sessions),
            Route(f"{v1}/sessions/{{slug}}", self.session),
            Route(f"{v1}/choices", self.choices),
            Route(f"{v1}/renders", self.make, methods=["POST"]),
            Route(f"{v1}/renders/{{id}}", self.render),
            Route(f"{v1}/renders/{{id}}/from", self.changed, methods=["POST"]),
            Route(f"{v1}/kept", self.kept),
            Route(f"{v1}/kept", self.keep, methods=["POST"]),
            Route(f"{v1}/kept/{{slug}}", self.unkeep, methods=["DELETE"]),
            Route(f"{v1}/phones", self.phones),
            Route(f"{v1}/phones/{{id}}", self.forget, methods=["DELETE"]),
            Route(f"{v1}/pairings", self.pairing, methods=["POST"]),
            Route(f"{v1}/feed", self.feed_address),
            Route(f"{v1}/feed", self.new_feed, methods=["POST"]),
            Route(f"{v1}/feed", self.no_feed, methods=["DELETE"]),
            Route(f"{render}.mp3", Media(self), methods=["GET", "HEAD"]),
            Route(f"{render}/score.json", self.score),
            Route(f"{render}/chapters.json", self.chapters),
            Route(f"{render}/words.vtt", self.words),
            Route(f"{render}/cover.jpg", self.cover),
            Route(f"{render}/picture.svg", self.picture),
            Route("/feed/{token}.xml", self.feed),
            Route("/feed/{token}/{id}.mp3", Media(self), methods=["GET", "HEAD"]),
            Route("/feed/{token}/{id}.json", self.chapters),
            Route("/feed/{token}/{id}.vtt", self.words),
            Route("/feed/{token}/{id}.jpg", self.cover),
        ]

    async def openapi(self, request: Request) -> Response:
        return FileResponse(OPENAPI)

    # Sessions and renders

    async def sessions(self, request: Request) -> Response:
        whole = await asyncio.to_thread(self.studio.listing.all)
        kept = await asyncio.to_thread(self.keeper.slugs)
        part = _part(request, [one.slug for one in whole])
        told = [one.json(kept=one.slug in kept) for one in whole[part.start : part.end]]
        return _listed(request, "sessions", told, part)

    async def session(self, request: Request) -> Response:
        no_query(request)
        session = await asyncio.to_thread(self.keeper.session, request.path_params["slug"])
        choices = await asyncio.to_thread(self.studio.sessions.choices, session)
        return JSONResponse({**session, "choices": choices})

    async def choices(self, request: Request) -> Response:
        no_query(request)
        return JSONResponse(await asyncio.to_thread(self.studio.sessions.choices))

    async def make(self, request: Request) -> Response:
        body = await read_body(request, ("session", "options"))
        client = _phone(request).id
        work = self.studio.render(client, body.get("session"), body.get("options"))
        render = await while_there(request.receive, work)
        kept = await asyncio.to_thread(self.keeper.slug_of, render.id)
        answer = render_json(render, kept)
        return JSONResponse(answer, 201, {"Location": f"/api/v1/renders/{render.id}"})

    async def render(self, request: Request) -> Response:
        no_query(request)
        render = await self._render(request)
        kept = await asyncio.to_thread(self.keeper.slug_of, render.id)
        state = await asyncio.to_thread(self.studio.mp3_files.status, render)
        return JSONResponse({**render_json(render, kept), **state})

    async def changed(self, request: Request) -> Response:
        body = await read_body(request, ("event_ms", *CHANGES))
        at = body.pop("event_ms", None)
        # True is an int to Python, and JSON may hold it.
        if not isinstance(at, int) or isinstance(at, bool) or not 0 <= at <= _LONGEST_MS:
            wrong = fault("`event_ms` must be a whole number of milliseconds", field="event_ms")
            raise Refusal(422, "input", "the position of the listener is missing", faults=[wrong])
        render = await self._render(request)
        changes = {key: value for key, value in body.items() if value is not None}
        work = self.studio.changed(_phone(request).id, render, at, changes)
        new, resume = await while_there(request.receive, work)
        kept = await asyncio.to_thread(self.keeper.slug_of, new.id)
        return JSONResponse({**render_json(new, kept), "resume_ms": resume}, 201)

    # What is kept

    async def kept(self, request: Request) -> Response:
        whole = await asyncio.to_thread(self.keeper.all)
        part = _part(request, [one.slug for one in whole])
        found = whole[part.start : part.end]
        await asyncio.to_thread(self.keeper.refresh, found)
        told = await asyncio.to_thread(lambda: [*map(self._told.get, found)])
        return _listed(request, "kept", [one for one in told if one is not None], part)

    def _tell(self, kept: Kept) -> bytes | None:
        """A kept session as JSON; None if its render is lost."""
        render = self.studio.renders.get(kept.render)
        if render is None:
            return None
        return json_bytes({"slug": kept.slug, **render_json(render, kept.slug)})

    async def keep(self, request: Request) -> Response:
        body = await read_body(request, ("render", "id", "title"))
        render_id = body.get("render", body.get("id"))
        if not isinstance(render_id, str):
            wrong = fault("`render` must be the id of a render", field="render")
            raise Refusal(422, "input", "no render was named", faults=[wrong])
        render = await asyncio.to_thread(self.studio.find_render, render_id)
        kept, made = await self.keeper.keep(_phone(request).id, render, body.get("title"))
        return JSONResponse({"slug": kept.slug, **render_json(made, kept.slug)}, 201)

    async def unkeep(self, request: Request) -> Response:
        slug = request.path_params["slug"]
        gone = await asyncio.to_thread(self.keeper.remove, slug)
        note = "" if gone else "its script was edited and stays in the library"
        return JSONResponse({"slug": slug, "script_removed": gone, "note": note})

    # Phones and the feed's address

    async def phones(self, request: Request) -> Response:
        no_query(request)
        this = _phone(request)
        found = await asyncio.to_thread(self.studio.phones.all)
        return JSONResponse({"phones": [phone_json(one, this) for one in found]})

    async def forget(self, request: Request) -> Response:
        phone_id = request.path_params["id"]
        if not await asyncio.to_thread(self.studio.phones.revoke, phone_id):
            raise unknown("phone", phone_id)
        return Response(status_code=204)

    async def pairing(self, request: Request) -> Response:
        await read_body(request, ())
        code = self.studio.pairing.new()
        address = f"{request.base_url}pair?code={code}"
        answer = {"address": address, "lasts_s": self.studio.pairing.lasts_s}
        return JSONResponse({**answer, "svg": code_svg(address)}, 201)

    async def feed_address(self, request: Request) -> Response:
        phone = _phone(request)
        token = self.studio.phones.feed_token(request.scope["vf.token"], phone)
        return JSONResponse({"feed": _address(request, token) if token else None})

    async def new_feed(self, request: Request) -> Response:
        await read_body(request, ())
        phones, phone = self.studio.phones, _phone(request)
        token = await asyncio.to_thread(phones.renew_feed, request.scope["vf.token"], phone)
        return JSONResponse({"feed": _address(request, token)}, 201)

    async def no_feed(self, request: Request) -> Response:
        await asyncio.to_thread(self.studio.phones.revoke_feed, _phone(request))
        return Response(status_code=204)

    # The files of a render

    async def _render(self, request: Request) -> Render:
        return await asyncio.to_thread(self.studio.find_render, request.path_params["id"])

    async def score(self, request: Request) -> Response:
        render = await self._render(request)
        return _lasting(request, render, "s", lambda: JSONResponse(score_json(render)))

    async def chapters(self, request: Request) -> Response:
        render = await self._render(request)
        # In the feed, the type that its <podcast:chapters> announces.
        form = "application/json+chapters" if _is_feed(request) else "application/json"
        made = JSONResponse(chapters(render.score), media_type=form)
        return _lasting(request, render, "c", lambda: made)

    async def words(self, request: Request) -> Response:
        render = await self._render(request)
        made = Response(transcript(render.score), media_type="text/vtt; charset=utf-8")
        return _lasting(request, render, "w", lambda: made)

    async def cover(self, request: Request) -> Response:
        render = await self._render(request)
        drawn = await asyncio.to_thread(self.studio.cover, render)
        return _lasting(request, render, "j", lambda: Response(drawn, media_type="image/jpeg"))

    async def picture(self, request: Request) -> Response:
        render = await self._render(request)
        return svg_response(request, await asyncio.to_thread(self.studio.picture, render))

    # The feed

    async def feed(self, request: Request) -> Response:
        phone = _phone(request).id
        page = await self.feed_pages.page(phone, request.query_params.get("page", "1"))
        base = _address(request, request.path_params["token"]).removesuffix(".xml")
        etag = f'"{fingerprint(f"{page.digest} {base} {phone}".encode())}"'
        headers = {
            "ETag": etag,
            "Last-Modified": formatdate(page.changed, usegmt=True),
            "Cache-Control": "private, no-cache",
        }
        if unchanged(request.headers, etag, page.changed):
            return Response(None, 304, headers)
        body = await asyncio.to_thread(addressed, page.body, base, phone)
        return Response(body, headers=headers, media_type=CONTENT_TYPE)


class Media:
    """The MP3 of a render, as a route's endpoint."""

    def __init__(self, api: Api) -> None:
        self.api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        studio = self.api.studio
        render_id = scope["path_params"]["id"]
        # A player asks for many ranges: as a rule this needs no thread and no disk.
        render = studio.renders.held(render_id)
        if render is None:
            render = await asyncio.to_thread(studio.find_render, render_id)
        # By phone: behind a proxy they all have one address.
        client = scope["vf.phone"].id
        # A header holds no more than Latin-1, and a title may be in any alphabet.
        name = slug_for(render.title)
        answer: ASGIApp = GrowingFileResponse(
            render, studio.mp3_files, studio.streams, client, name
        )
        # From here on, `receive` is only used to notice that the client goes away.
        await answer(scope, receive, send)


def no_query(request: Request) -> None:
    """Refuse query parameters, as no route here has any. Raises Refusal (422)."""
    if request.query_params:
        refuse_words("query", request.query_params.keys(), ())


async def read_body(request: Request, words: Iterable[str]) -> Json:
    """The JSON object of the body, with no keys but `words`. Raises Refusal."""
    no_query(request)
    data = await request.body()
    body = read_json(data) if data else {}
    if not isinstance(body, Mapping):
        raise Refusal(422, "input", "send a JSON object")
    allowed = tuple(words)
    refuse_words("body", [key for key in body if key not in allowed], allowed)
    return dict(body)


def refuse_words(where: str, given: Iterable[str], known: tuple[str, ...]) -> None:
    """Refuse unknown keys (422), each with the known key that may have been meant."""
    faults = [
        fault(
            f"unknown key `{printable(word)}`",
            did_you_mean(word[:60], known),
            field=f"{where}.{printable(word)}",
        )
        for word in list(given)[:20]
    ]
    if faults:
        raise Refusal(422, "input", "the request has unknown keys", faults=faults)


def _part(request: Request, names: Sequence[str]) -> Part:
    """The part of a list that is asked for. Raises Refusal."""
    refuse_words("query", [key for key in request.query_params if key not in WORDS], WORDS)
    return part_of(names, request.query_params)


def _listed(request: Request, name: str, told: Iterable[bytes], part: Part) -> Response:
    """A part of a list, each of its members as JSON; not sent again if it is unchanged."""
    following = f"{request.url.path}?{part.following}"
    more = b',"next":' + json_bytes(following) if part.following else b""
    body = b'{"%s":[%s]%s}' % (name.encode(), b",".join(told), more)
    return checked(request, Response(body, media_type="application/json"))


def _lasting(request: Request, render: Render, kind: str, make: Any) -> Response:
    """A response that never changes under its URL."""
    etag = f'"{render.id}-{kind}-{__version__}"'
    headers = {"ETag": etag, "Cache-Control": _FOREVER}
    if unchanged(request.headers, etag, render.created):
        return Response(None, 304, headers)
    answer: Response = make()
    answer.headers.update(headers)
    return answer


def _phone(request: Request) -> Phone:
    phone: Phone = request.scope["vf.phone"]
    return phone


def _is_feed(request: Request) -> bool:
    return bool(request.scope["path"].startswith("/feed/"))


def _address(request: Request, token: str) -> str:
    return f"{request.base_url}feed/{token}.xml"
