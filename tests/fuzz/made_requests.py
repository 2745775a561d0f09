"""Cases of requests to the server: each route with odd values, and bytes that no client sends."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from fuzz_cases import Act, Case, Raw, Request, Restart, Spoil
from hypothesis import strategies as st
from odd_bytes import BYTE_EDITS, HARD_BYTES, ODD_NUMBERS, TEXT_EDITS, TEXTS, as_bytes
from serving import ESCAPES

from voiceflow.server.library.requested_options import KEYS

Made = st.SearchStrategy[Case]
_METHODS = st.sampled_from(
    "GET GET GET POST POST DELETE HEAD PUT OPTIONS PATCH TRACE \u00e9 get".split()
)
_ORIGIN = ("origin", "http://127.0.0.1:8765")
_HOST, _COOKIE, _JSON = (
    ("host", "127.0.0.1:8765"),
    ("cookie", "vf=<token>"),
    ("content-type", "application/json"),
)
_RANGES = (
    "bytes=0-",
    "bytes=0-0",
    "bytes=-1",
    "bytes=5-2",
    "bytes=0-99999999999999999999",
    "bytes=-0",
    "bytes=",
    "bytes=0-1,3-4,5-6",
    "bytes=a-b",
    "lines=0-1",
    "bytes=²-³",
    "bytes=0-1," * 300,
    "bytes= 0 - 1",
    "bytes=--1",
)
_HEADERS = st.one_of(
    st.tuples(st.just("range"), st.sampled_from(_RANGES)),
    st.tuples(
        st.sampled_from(
            "host cookie origin authorization content-type content-length if-none-match if-range "
            "accept if-modified-since sec-fetch-site accept-language accept-encoding referer x "
            "transfer-encoding user-agent x-forwarded-for x-forwarded-host forwarded expect "
            "upgrade range".split()
        ),
        st.one_of(
            TEXTS,
            st.sampled_from(
                [
                    '"x"',
                    'W/"x"',
                    "*",
                    "Thu, 01 Jan 1970 00:00:00 GMT",
                    "x" * 9_000,
                    "Bearer <token>",
                    "Bearer",
                    "vf=<token>; vf=x",
                    'vf="',
                    "text/html",
                    "application/json; charset=utf-16",
                    "es;q=x",
                    "[::1]:80",
                    "a:b:c",
                ]
            ),
        ),
    ),
)
_LIKELY = st.sampled_from(
    ["<render>", "<token>", "<feed>", "two-breaths", "not-yet", "hip-back-short", "0" * 40]
)
_NAMES = st.one_of(
    _LIKELY,
    _LIKELY,
    TEXTS,
    st.sampled_from(["%00", "%2e%2e", "%ff", "%", "%zz", "²", "%0a", "a" * 2_000]),
)
_QUERIES = st.one_of(
    st.just(""),
    st.just(""),
    st.just(""),
    TEXTS.map(lambda one: f"?{one}"),
    TEXTS.map(lambda one: f"?code={one}"),
    TEXTS.map(lambda one: f"?session=two-breaths&tempo={one}"),
    st.sampled_from(
        ["?", "??", "?a=1&a=2", "?%ff", "?code=<code>", "?&&=", "?x[]=1", "?" + "a" * 9_000]
    ),
)


@lru_cache
def routes() -> tuple[str, ...]:
    """The paths of all routes, of the server's own list."""
    from voiceflow.server.http.routes import Api
    from voiceflow.server.pages.page_routes import Pages

    made = (*Pages(None, None).routes(), *Api(None, None).routes())  # type: ignore[arg-type]
    return tuple(sorted({one.path for one in made if hasattr(one, "path")}))


@st.composite
def _targets(draw: st.DrawFn) -> str:
    if draw(st.integers(0, 5)) == 0:
        return draw(st.one_of(TEXTS.map(lambda one: f"/{one}"), st.sampled_from(ESCAPES))) + draw(
            _QUERIES
        )
    path = draw(st.sampled_from(routes()))
    for name in ("{slug}", "{id}", "{token}", "{path}", "{path:path}", "{name}"):
        if name in path:
            path = path.replace(name, draw(_NAMES))
    return path + draw(_QUERIES)


_SIMPLE = st.one_of(
    TEXTS,
    st.sampled_from(ODD_NUMBERS),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    _LIKELY,
)
_VALUES = st.recursive(
    _SIMPLE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
_GOOD = st.sampled_from(
    [
        ("tempo", 0.9),
        ("minutes", 3),
        ("minutes", "2:30"),
        ("level", 2),
        ("detail", "brief"),
        ("name", "Ana"),
        ("equipment", ["ball"]),
        ("pace", "calm"),
        ("bed", "rain"),
        ("tones", "none"),
        ("rest", 5),
        ("teach", 0),
    ]
)
_OPTIONS = st.lists(
    st.one_of(_GOOD, st.tuples(st.sampled_from(KEYS), _VALUES), st.tuples(TEXTS, _VALUES)),
    max_size=3,
).map(dict)
_BODIES = st.one_of(
    st.builds(
        lambda session, options: {"session": session, "options": options},
        st.one_of(_LIKELY, _LIKELY, _VALUES),
        st.one_of(_OPTIONS, _OPTIONS, _VALUES),
    ),
    st.builds(
        lambda render, title: {"render": render, "title": title},
        st.one_of(st.just("<render>"), _VALUES),
        _VALUES,
    ),
    st.builds(
        lambda at, more: {"event_ms": at, **more}, st.one_of(st.just(1000), _VALUES), _OPTIONS
    ),
    st.dictionaries(TEXTS, _VALUES, max_size=2),
    _VALUES,
)


def _json(value: Any) -> bytes:
    return as_bytes(json.dumps(value, ensure_ascii=False))


_SENT = st.one_of(
    _BODIES.map(_json),
    _BODIES.map(_json),
    _BODIES.map(lambda one: json.dumps(one).encode()),
    st.just(b""),
    TEXTS.map(as_bytes),
    TEXTS.map(lambda one: b"code=" + as_bytes(one)),
    st.just(b"code=<code>"),
    st.sampled_from(
        [b"[" * 20_000, b'{"a":' * 5_000, b"{}{}", b'"' + b"a" * 70_000 + b'"', *HARD_BYTES]
    ),
)


@st.composite
def _requests(draw: st.DrawFn) -> Request:
    headers = [_HOST, _COOKIE, _ORIGIN, _JSON]
    if draw(st.integers(0, 3)) == 0:
        del headers[draw(st.integers(0, 3))]
    headers += draw(st.lists(_HEADERS, max_size=2))
    method, target = draw(_METHODS), draw(_targets())
    body = b"" if method in ("GET", "HEAD") else draw(_SENT)
    if body:
        headers.append(("content-length", str(len(body))))
    return Request(method, target, tuple(headers), body)


def _posted(target: str, body: Any) -> Request:
    data = _json(body)
    length = ("content-length", str(len(data)))
    return Request("POST", target, (_HOST, _COOKIE, _ORIGIN, _JSON, length), data)


@st.composite
def requests(draw: st.DrawFn) -> Case:
    """One to three requests: any path, query, header, method and body, or any options."""
    made: list[Act] = []
    for _ in range(draw(st.integers(1, 3))):
        way = draw(st.integers(0, 3))
        if way == 0:
            made.append(
                _posted("/api/v1/renders", {"session": "two-breaths", "options": draw(_OPTIONS)})
            )
        elif way == 1:
            path, body = (
                draw(
                    st.sampled_from(
                        ["/api/v1/renders", "/api/v1/kept", "/api/v1/renders/<render>/from"]
                    )
                ),
                draw(_BODIES),
            )
            made.append(_posted(path, body))
        else:
            made.append(draw(_requests()))
    return Case("requests", (), tuple(made))


_PAGES = (
    "/",
    "/settings",
    "/session/two-breaths",
    "/api/v1/sessions",
    "/api/v1/kept",
    "/api/v1/phones",
    "/feed/<feed>",
)


@st.composite
def stored(draw: st.DrawFn) -> Case:
    """What the server keeps in files, damaged while it was away; it goes on with what is left."""
    before = [
        _posted("/api/v1/renders", {"session": "two-breaths", "options": {}}),
        _posted("/api/v1/kept", {"render": "<render>", "title": "Kept"}),
    ]
    place = draw(st.sampled_from(["user", "user", "cache"]))
    edits = draw(st.one_of(TEXT_EDITS, BYTE_EDITS))
    spoiled = Spoil(place, draw(st.integers(0, 30)), edits)
    after = [
        Request("GET", one, (_HOST, _COOKIE, _ORIGIN))
        for one in draw(st.lists(st.sampled_from(_PAGES[:6]), min_size=1, max_size=3))
    ]
    return Case("stored", (), (*before, spoiled, Restart(), *after))


_LINES = st.one_of(
    st.sampled_from(
        [
            b"GET / HTTP/1.1",
            b"GET /healthz HTTP/1.0",
            b"GET  /  HTTP/1.1",
            b"GET /",
            b"\r\n\r\nGET / HTTP/1.1",
            b"POST /pair HTTP/1.1",
            b"GET http://x/ HTTP/1.1",
            b"PRI * HTTP/2.0",
            b"OPTIONS * HTTP/1.1",
            b"GET / HTTP/9.9",
            b"CONNECT x:1 HTTP/1.1",
            b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
            b"GET /\xff HTTP/1.1",
            b"GET /" + b"a" * 70_000 + b" HTTP/1.1",
            b"POST /api/v1/renders HTTP/1.1",
            b"HEAD / HTTP/1.1",
        ]
    ),
    TEXTS.map(as_bytes),
    st.binary(max_size=40),
)
_FIELDS = st.one_of(
    st.sampled_from(
        [
            b"Host: localhost",
            b"Host: localhost",
            b"Host: a",
            b"Host:",
            b"Cookie: vf=<token>",
            b"Content-Length: 5",
            b"Content-Length: -1",
            b"Content-Length: 5, 6",
            b"Content-Length: 99999999999999999999",
            b"Content-Length: \xb2",
            b"Transfer-Encoding: chunked",
            b"Transfer-Encoding: gzip, chunked",
            b"Expect: 100-continue",
            b" folded",
            b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13",
            b"Sec-WebSocket-Key: x",
            b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings",
            b"Connection: close",
            b"X: " + b"a" * 70_000,
            b"Host : localhost",
            b"X:\0",
            b"\xff: x",
            b": x",
            b"Content-Type: application/json",
            b"Range: bytes=0-,0-",
            b"Origin: http://localhost",
        ]
    ),
    st.tuples(TEXTS, TEXTS).map(lambda two: as_bytes(": ".join(two))),
)
_ENDS = st.sampled_from(
    [
        b"",
        b"hello",
        b"5\r\nhello\r\n0\r\n\r\n",
        b"ffffffffffffffff\r\n",
        b"-1\r\n\r\n",
        b"{}",
        b"\0" * 999,
        b"x\r\n",
    ]
)


@st.composite
def raw(draw: st.DrawFn) -> Case:
    """Bytes on a socket, much like HTTP."""
    acts = []
    for _ in range(draw(st.integers(1, 3))):
        first = draw(_LINES) if draw(st.integers(0, 2)) == 0 else b"POST /pair HTTP/1.1"
        lines = [first, b"Host: localhost", *draw(st.lists(_FIELDS, max_size=3)), b""]
        joined = draw(st.sampled_from([b"\r\n"] * 7 + [b"\n"])).join(lines)
        acts.append(Raw(joined + b"\r\n" + draw(_ENDS)))
    return Case("raw", (), tuple(acts))
