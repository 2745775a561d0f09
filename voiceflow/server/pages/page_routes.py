"""The routes of the HTML pages, of pairing, and of the files the pages need.

Requests come in; HTML from Jinja templates goes out. Pairing turns a one-time code into a cookie.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from voiceflow import __version__
from voiceflow.server.auth.phones import Phone, fingerprint
from voiceflow.server.http.guard import COOKIE, COOKIE_S, locked_out
from voiceflow.server.http.ranges import unchanged
from voiceflow.server.http.refusals import Refusal
from voiceflow.server.http.static_assets import PICTURE_POLICY, StaticAssets
from voiceflow.server.jobs.render_records import Render
from voiceflow.server.library.fragments import Fragments
from voiceflow.server.library.kept import Keeper
from voiceflow.server.studio import Studio

HERE: Final = Path(__file__).resolve().parent
_PAIR: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>voiceflow</title>
<main>
<h1>Pair this phone</h1>
<form method="post" action="/pair">
<input type="hidden" name="code" value="{code}">
<p><button>Pair this phone with voiceflow</button></p>
</form>
</main>
<script src="/pair.js"></script>
</html>
"""
# Served as a file of its own, because our policy allows no script within a page.
_PAIR_SCRIPT: Final = "document.forms[0].submit();\n"
_GLANCE_S: Final = 0.5
SESSIONS: Final = 100  # on one page
_LONGEST_SEARCH: Final = 100
_MOST_FIELDS: Final = 4
_CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Pages:
    """The endpoints, bound to a studio and its kept sessions."""

    def __init__(self, studio: Studio, keeper: Keeper) -> None:
        self.studio, self.keeper = studio, keeper
        self.folder, self.static = HERE / "templates", StaticAssets(HERE / "static")
        self.templates = Environment(
            loader=FileSystemLoader(self.folder), autoescape=True, auto_reload=True
        )
        self._cards = Fragments(self._draw, 10 * SESSIONS)

    def routes(self) -> list[BaseRoute]:
        """The routes of all pages."""
        return [
            Route("/", self.home),
            Route("/session/{slug}", self.session),
            Route("/session/{slug}/picture.svg", self.session_picture),
            Route("/player/{id}", self.player),
            Route("/settings", self.settings),
            Route("/offline", self.offline),
            Route("/pair", self.pair, methods=["GET"]),
            Route("/pair", self.paired, methods=["POST"]),
            Route("/pair.js", self.pair_script),
            # At the root, as a worker only serves what lies below its own path.
            Route("/sw.js", self.worker),
            Route("/manifest.webmanifest", self.manifest),
            Mount("/static", self.static),
            Route("/healthz", self.health),
        ]

    def locked(self) -> str:
        """The page shown without a token."""
        return (self.folder / "locked.html").read_text(encoding="utf-8")

    async def home(self, request: Request) -> Response:
        whole = await asyncio.to_thread(self.studio.listing.all, _GLANCE_S)
        asked = " ".join(request.query_params.get("q", "")[:_LONGEST_SEARCH].split())
        found = [one for one in whole if one.answers(asked)] if asked else whole
        count = max(1, -(-len(found) // SESSIONS))
        page = min(_whole_number(request.query_params.get("page", "")), count)
        shown = found[(page - 1) * SESSIONS : page * SESSIONS]
        answer = self._page(
            "studio.html",
            yours=[self._card(one.told) for one in shown if one.own],
            others=[self._card(one.told) for one in shown if not one.own],
            # The user's own come first: if there are any, the first is one of them.
            any_own=bool(found) and found[0].own,
            many=len(whole) > SESSIONS,
            asked=asked,
            found=len(found),
            page_number=page,
            page_count=count,
        )
        return checked(request, answer)

    def _card(self, told: bytes) -> Markup:
        return self._cards.get(told) or Markup()

    def _draw(self, told: bytes) -> Markup:
        """The card of a session, of which an entry as JSON comes in."""
        module: Any = self.templates.get_template("card.html").module
        return Markup(module.card(json.loads(told)))

    async def session(self, request: Request) -> Response:
        slug = request.path_params["slug"]
        session = await asyncio.to_thread(self.keeper.session, slug)
        choices = await asyncio.to_thread(self.studio.sessions.choices, session)
        if not session["errors"]:
            await asyncio.to_thread(self.studio.expect, slug)
        return self._page(
            "session.html",
            session=session,
            defaults=session["defaults"],
            choices=choices,
            picture=f"/session/{slug}/picture.svg",
        )

    async def session_picture(self, request: Request) -> Response:
        drawn = await asyncio.to_thread(self.studio.session_picture, request.path_params["slug"])
        return svg_response(request, drawn)

    async def player(self, request: Request) -> Response:
        render = await asyncio.to_thread(self.studio.find_render, request.path_params["id"])
        kept = await asyncio.to_thread(self.keeper.slug_of, render.id)
        return self._page("player.html", render=render_json(render, kept))

    async def settings(self, request: Request) -> Response:
        phone: Phone = request.scope["vf.phone"]
        feed = self.studio.phones.feed_token(request.scope["vf.token"], phone)
        address = f"{request.base_url}feed/{feed}.xml" if feed else None
        phones = [phone_json(one, phone) for one in self.studio.phones.all()]
        return self._page("settings.html", phones=phones, feed=address)

    async def offline(self, request: Request) -> Response:
        return self._page("offline.html")

    # Pairing: GET shows a page that posts the code, so that a link preview does not use it up.

    async def pair(self, request: Request) -> Response:
        code = request.query_params.get("code", "")
        # The code is put into the page unescaped: it may hold nothing that means anything in HTML.
        if not _CODE.fullmatch(code):
            raise locked_out()
        return HTMLResponse(_PAIR.format(code=code))

    async def pair_script(self, request: Request) -> Response:
        return Response(_PAIR_SCRIPT, media_type="text/javascript; charset=utf-8")

    async def paired(self, request: Request) -> Response:
        studio, client = self.studio, request.scope["vf.client"]
        code = _code(await request.body())
        # The code first: guesses from the same address do not keep out who has a right one.
        if not studio.pairing.use(code[:64]):
            if wait := studio.failures.wait_s(client):
                raise Refusal(429, "attempts", "too many failed attempts", retry_after=wait)
            studio.failures.failed(client)
            hint = "scan the code that the terminal shows now, or press Enter there for a new one"
            raise Refusal(401, "unpaired", "this code has been used or has expired", hint=hint)
        name = phone_name(request.headers.get("user-agent", ""))
        _, token = await asyncio.to_thread(studio.phones.pair, name)
        studio.on_paired(name)
        answer = RedirectResponse("/", 303)
        # Over plain http a browser would not send a `Secure` cookie back.
        secure = request.url.scheme == "https"
        answer.set_cookie(
            COOKIE, token, max_age=COOKIE_S, httponly=True, samesite="strict", secure=secure
        )
        return answer

    # What pages are made of

    async def worker(self, request: Request) -> Response:
        answer = await self.static.get_response("sw.js", request.scope)
        answer.headers["Service-Worker-Allowed"] = "/"
        return answer

    async def manifest(self, request: Request) -> Response:
        return await self.static.get_response("manifest.webmanifest", request.scope)

    async def health(self, request: Request) -> Response:
        return Response("ok\n", media_type="text/plain")

    def _page(self, name: str, **context: Any) -> Response:
        text = self.templates.get_template(name).render(version=__version__, **context)
        return HTMLResponse(text, headers={"Cache-Control": "no-cache"})


def checked(request: Request, answer: Response) -> Response:
    """A response that a client keeps and asks for anew: if it is unchanged, 304 without a body."""
    etag = f'"{fingerprint(bytes(answer.body))}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if unchanged(request.headers, etag):
        return Response(None, 304, headers)
    answer.headers.update(headers)
    return answer


def _whole_number(text: str) -> int:
    """The number of a page, from 1 on; 1 for what is none."""
    return max(1, int(text[:9])) if text.isascii() and text.isdecimal() else 1


def render_json(render: Render, kept: str | None = None) -> dict[str, Any]:
    """A render as the pages and the API show it."""
    base = f"/renders/{render.id}"
    return {
        "id": render.id,
        "session": render.slug,
        "title": render.title,
        "about": " ".join(render.score.about.split()),
        "language": render.score.language,
        "length_ms": render.score.length_ms,
        "bytes": render.bytes,
        "tempo": render.tempo,
        "detail": render.detail,
        "options": render.given,
        "kept": kept,
        "mp3": f"{base}.mp3",
        "score": f"{base}/score.json",
        "chapters": f"{base}/chapters.json",
        "transcript": f"{base}/words.vtt",
        "cover": f"{base}/cover.jpg",
        "picture": f"{base}/picture.svg",
        "player": f"/player/{render.id}",
    }


def phone_json(phone: Phone, this: Phone) -> dict[str, Any]:
    """A phone as the settings page shows it."""
    # Only the day, as `Phones.touch` notes no more than that.
    seen = time.strftime("%Y-%m-%d", time.localtime(phone.seen))
    paired = time.strftime("%Y-%m-%d", time.localtime(phone.created))
    return {
        "id": phone.id,
        "name": phone.name,
        "seen": f"paired {paired}, last seen {seen}",
        "this": phone.id == this.id,
        "feed": bool(phone.feed),
    }


def _code(form: bytes) -> str:
    """The code in a form; "" if it has none. Raises Refusal (400)."""
    try:
        fields = parse_qs(form.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Refusal(400, "form", "the form has too many fields", hint="send `code`") from None
    return fields.get("code", [""])[0]


# The first word found counts, so order matters: Android also says Linux, Edge and Opera also
# say Chrome, and nearly all of them say Safari.
_SYSTEMS: Final = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android phone"), ("CrOS", "Chromebook"),
    ("Windows", "Windows computer"), ("Macintosh", "Mac"), ("Linux", "Linux computer"),
)  # fmt: skip
_BROWSERS: Final = (
    ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("Edg", "Edge"), ("SamsungBrowser", "Samsung"),
    ("OPR", "Opera"), ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip


def phone_name(agent: str) -> str:
    """A name for a phone from its User-Agent, made only of words from these tables."""
    system = next((name for word, name in _SYSTEMS if word in agent), "Phone")
    browser = next((name for word, name in _BROWSERS if word in agent), "")
    return f"{system}, {browser}" if browser else system


def svg_response(request: Request, drawn: bytes) -> Response:
    """A drawn SVG as a response, sandboxed for when it is opened by itself."""
    etag = f'"{fingerprint(drawn)}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, no-cache",
        "Content-Security-Policy": PICTURE_POLICY,
    }
    if unchanged(request.headers, etag):
        return Response(None, 304, headers)
    return Response(drawn, headers=headers, media_type="image/svg+xml")
