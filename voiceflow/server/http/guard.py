"""Checks every request before any route sees it, and turns every exception into a response.

In this order: host name (against DNS rebinding), length, token, and for changes the origin (against
cross-site requests). Requests come in; only those of paired phones go on. `request_log.py` says
what the log may tell of them.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voiceflow.core.errors import VoiceflowError
from voiceflow.server.auth.phones import Phone
from voiceflow.server.http import request_log
from voiceflow.server.http.body import Body
from voiceflow.server.http.refusals import Refusal, refused, refused_by_system
from voiceflow.server.http.streaming import BrokenOff
from voiceflow.server.studio import Studio

COOKIE: Final = "vf"
# Chrome keeps no cookie for longer, whatever it is told.
COOKIE_S: Final = 400 * 86_400
MOST_TARGET: Final = 2_048
MOST_TOKEN: Final = 200
PUBLIC: Final = ("/pair", "/pair.js", "/healthz")
FEED: Final = "/feed/"

_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "media-src 'self' blob:",
        "manifest-src 'self'",
        "worker-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
# Addresses may hold a code or a token: by the referrer policy no other site is told of them.
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}
_CHANGES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_METHODS: Final = _CHANGES | {"GET", "HEAD", "OPTIONS"}


class Guard:
    """An ASGI application in front of another one.

    Parameters
    ----------
    names : mapping of str to str
        Host names to answer to, in lower case and without port, each with the scheme that a
        reverse proxy uses for it (or ""). IP addresses are always allowed: DNS cannot make them
        point elsewhere.
    locked : callable
        Gives the page shown without a token.
    """

    def __init__(
        self,
        app: ASGIApp,
        studio: Studio,
        names: Mapping[str, str],
        locked: Callable[[], str],
    ) -> None:
        self.app, self.studio, self.names = app, studio, names
        self.locked = locked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        scope["vf.client"] = scope["client"][0] if scope.get("client") else "?"
        sending, began = _Sending(send), time.monotonic()
        try:
            await self._answered(scope, receive, sending)
        finally:
            request_log.tell(scope, sending.status, time.monotonic() - began)

    async def _answered(self, scope: Scope, receive: Receive, sending: _Sending) -> None:
        try:
            await self._guarded(scope, receive, sending)
        except (BrokenOff, ClientDisconnect):
            return  # uvicorn cuts the connection: a response that has begun has no other end
        except Refusal as refusal:
            await self._refuse(refusal, scope, receive, sending)
        except VoiceflowError as error:
            await self._refuse(refused(error, self.studio.library), scope, receive, sending)
        except OSError as error:
            what = f"{type(error).__name__}{request_log.place(error)}"
            request_log.log.warning("a file could not be used: %s", what)
            await self._refuse(refused_by_system(error), scope, receive, sending)
        except Exception as error:
            # Not the URL and not the message: either may contain a token.
            what = f"{type(error).__name__}{request_log.place(error)}"
            request_log.log.error("internal error: %s; please report this", what)
            hint = "the terminal says where; please report this"
            fault = Refusal(500, "fault", "internal error", hint=hint)
            await self._refuse(fault, scope, receive, sending)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, path, method = Headers(scope=scope), scope["path"], scope["method"]
        self._check_host(headers, scope)
        if len(scope.get("raw_path", b"")) + len(scope["query_string"]) > MOST_TARGET:
            raise Refusal(414, "long", "the address is too long")
        if method not in _METHODS:
            raise Refusal(405, "method", "this method is not supported")
        odd = "\0" in path or any(ord(char) < 32 for char in path)
        # A query in other bytes has no meaning; Starlette fails where it is asked for the address.
        if odd or not scope["query_string"].isascii():
            raise Refusal(400, "address", "the address contains a character that is not allowed")
        body = Body(headers, receive)
        if path in PUBLIC:
            await _turn(scope)
        else:
            await self._let_in(scope, headers, path)
        if method in _CHANGES:
            check_origin(headers, _bearer(headers) is not None, form=path == "/pair")
        await self.app(scope, body, send)

    def _check_host(self, headers: Headers, scope: Scope) -> None:
        hosts = headers.getlist("host")
        name = host_name(hosts[0]) if len(hosts) == 1 else ""
        # From the names we were given, not from a proxy's header, which any client could send.
        scope["scheme"] = self.names.get(name) or scope.get("scheme", "http")
        if not (name in self.names or _is_address(name)):
            hint = "use its IP address, or start the server with --name"
            raise Refusal(421, "host", "this server does not answer to that host name", hint=hint)

    async def _let_in(self, scope: Scope, headers: Headers, path: str) -> None:
        """Find the phone by its token, and note it in the scope. Raises Refusal (401 or 429)."""
        phones, client = self.studio.phones, scope["vf.client"]
        given = _feed_token(path) if path.startswith(FEED) else _token(headers)
        phone: Phone | None = None
        if given and len(given) <= MOST_TOKEN:
            find = phones.find_feed if path.startswith(FEED) else phones.find
            phone = find(given)
        # Before the limit is looked at: while someone guesses, paired phones still get in.
        if phone is not None:
            scope["vf.phone"], scope["vf.token"] = phone, given
            # From now on no stranger takes its place; without our own door there is none.
            if (place := scope.get("state", {}).get("place")) is not None:
                place.let_in(phone.id)
            if phones.is_new_day(phone):
                await asyncio.to_thread(phones.touch, phone)
            return
        await _turn(scope)
        # Without a token nothing was tried, so nothing is counted or slowed.
        if given:
            if wait := self.studio.failures.wait_s(client):
                hint = f"try again in {wait} s"
                raise Refusal(
                    429, "attempts", "too many failed attempts", hint=hint, retry_after=wait
                )
            self.studio.failures.failed(client)
        raise locked_out()

    async def _refuse(
        self, refusal: Refusal, scope: Scope, receive: Receive, send: _Sending
    ) -> None:
        if send.status:
            return  # half a response is out: the connection is cut
        answer = self._answer(refusal, scope)
        await answer(scope, receive, send)

    def _answer(self, refusal: Refusal, scope: Scope) -> Response:
        path, accepts = scope["path"], Headers(scope=scope).get("accept", "")
        headers = dict(refusal.headers)
        if refusal.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if path.startswith(("/api/", "/renders/", FEED)) or "application/json" in accepts:
            return JSONResponse(refusal.to_dict(), refusal.status, headers)
        if refusal.status == 401:
            # Without a descriptor left there is no page, but an answer all the same.
            with suppress(OSError):
                return HTMLResponse(self.locked(), 401, headers)
        hint = f"\n{refusal.hint}" if refusal.hint else ""
        return PlainTextResponse(f"{refusal.message}{hint}\n", refusal.status, headers)


class _Sending:
    """`send`, adding the headers of every response; its status is 0 until one has begun."""

    def __init__(self, send: Send) -> None:
        self._send, self.status = send, 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            there = {name.lower() for name, _ in headers}
            # A route's own header stays: pictures have a stricter policy, MP3s may be cached.
            for name, value in HEADERS.items():
                if name.lower().encode() not in there:
                    headers.append((name.lower().encode(), value.encode()))
            message = {**message, "headers": headers}
        await self._send(message)


def check_origin(headers: Headers, bearer: bool, *, form: bool = False) -> None:
    """Refuse a change requested by another site.

    Browsers send Origin or Sec-Fetch-Site with every change. A client that sends neither is not
    a browser, and has to show its token as a bearer, which no other site can make a browser do.

    Raises
    ------
    Refusal
        403; or 415 if the body is not JSON.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    # `none` is a person's own doing, such as a bookmark or a typed address.
    if site is not None and site not in ("same-origin", "none"):
        raise Refusal(403, "origin", "requests from another site are not allowed")
    if origin is not None:
        host = headers.get("host", "").lower()
        # Either scheme: behind a reverse proxy a page is https where we are spoken to in http.
        if origin.lower() not in (f"http://{host}", f"https://{host}"):
            raise Refusal(403, "origin", "requests from another site are not allowed")
    elif site is None and not bearer and not form:
        hint = "send Origin, or Authorization: Bearer instead of the cookie"
        raise Refusal(403, "origin", "the request does not say which site it comes from", hint=hint)
    # A form on another site can send any text to us, but not as JSON.
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    length = headers.get("content-length", "0")
    if not form and kind != "application/json" and (length != "0" or kind):
        raise Refusal(
            415, "type", "the request body must be JSON", hint="Content-Type: application/json"
        )


async def _turn(scope: Scope) -> None:
    """Let a stranger wait for his turn; without our own door there is no crowd."""
    if (turns := scope.get("state", {}).get("turns")) is not None:
        await turns.come()


def locked_out() -> Refusal:
    """The 401 for a phone that is not paired."""
    hint = "scan the code in the terminal where voiceflow serve runs"
    return Refusal(401, "unpaired", "this phone is not paired", hint=hint)


def host_name(host: str) -> str:
    """The name in a Host header, in lower case, without port and brackets; "" if not valid."""
    host = host.strip().lower()
    if host.startswith("["):
        name, _, rest = host[1:].partition("]")
        return name if not rest or rest[1:].isdigit() else ""
    name, colon, port = host.partition(":")
    return name.rstrip(".") if not colon or port.isdigit() else ""


def _is_address(name: str) -> bool:
    try:
        # Without the zone that an IPv6 address may have: `fe80::1%eth0`.
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def _bearer(headers: Headers) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _token(headers: Headers) -> str:
    """The token of a request: a bearer, or else the cookie."""
    bearer = _bearer(headers)
    # A right cookie does not mend a wrong bearer: `check_origin` trusts who shows a bearer.
    if bearer is not None:
        return bearer
    try:
        cookie = SimpleCookie(headers.get("cookie", "")[:8_192]).get(COOKIE)
    except CookieError:
        return ""
    return cookie.value if cookie is not None else ""


def _feed_token(path: str) -> str:
    first = path.removeprefix(FEED).split("/")[0]
    return first.removesuffix(".xml")


__all__ = ["COOKIE", "COOKIE_S", "HEADERS", "Guard", "check_origin", "host_name"]
