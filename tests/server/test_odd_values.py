"""What nobody would send: every route, with odd letters and figures in all that it takes.

Whatever comes, the answer is one of ours: never 500, and with a reason where it is a refusal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

pytest.importorskip("starlette", reason="the extra `serve` is not installed")

from hypothesis import given, settings
from hypothesis import strategies as st
from serving import TINY, InProcess, in_process, make
from starlette.routing import Mount

from voiceflow.server.auth.attempt_limiter import AttemptLimiter
from voiceflow.server.http.routes import CHANGES
from voiceflow.server.library.requested_options import KEYS

# Letters of other scripts, figures that Python takes for digits and `int` does not (and others that
# it does), marks that show nothing, halves of a pair, and words that mean something elsewhere.
ODD = (
    "😀", "👩🏽\u200d⚕️", "李", "é", "e\u0301", "ß", "İ", "²", "①", "½", "１２", "٣", "𝟙", "०",
    "\u202e", "\ufeff", "\ud800", "\x00", "\x7f", "\x85", "\u2028", "\r\nX: y", "%", "%ff",
    "%00", "../..", "-1", "+1", "1_0", "0x1", "1e999", "NaN", "-Infinity", "None",
    "{{ 7 * 7 }}", "<b>", "a" * 300, " ", "", ";", '"', "=", ",",
)  # fmt: skip
NUMBERS: tuple[Any, ...] = (
    -1, 0, 1e308, 10**400, 0.1, 2**63, True, None, [], {}, [[]], ["李", "²"], {"²": "李"}, [None],
)  # fmt: skip
HEADERS = (
    "host origin cookie authorization content-type content-length range if-range if-match"
    " if-none-match if-modified-since if-unmodified-since accept user-agent referer"
    " sec-fetch-site x-forwarded-for x-forwarded-host forwarded"
).split()
TAKES_BODY = {
    "/api/v1/renders": ("session", "options"),
    "/api/v1/renders/{id}/from": ("event_ms", *CHANGES),
    "/api/v1/kept": ("render", "id", "title"),
    "/api/v1/pairings": (),
    "/api/v1/feed": (),
}


def _routes() -> list[tuple[str, str]]:
    """Method and path of every route that the application has."""
    from voiceflow.server.http.routes import Api
    from voiceflow.server.pages.page_routes import Pages

    # Only what they are called is asked here: nothing is served by these.
    routes: list[Any] = [*Pages(None, None).routes(), *Api(None, None).routes()]  # type: ignore[arg-type]
    found = []
    for route in routes:
        if isinstance(route, Mount):
            found.append(("GET", f"{route.path}/{{file}}"))
        else:
            # HEAD is the same to all of ours but those of a recording.
            methods = route.methods or {"GET"}
            media = route.path.endswith(".mp3")
            found += [(one, route.path) for one in sorted(methods) if one != "HEAD" or media]
    return found


ROUTES = _routes()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    with in_process(tmp_path_factory.mktemp("home")) as home:
        yield home


@pytest.fixture(scope="module")
def asked(home: InProcess) -> Asked:
    return Asked(home)


class Asked:
    """A paired phone that sends what no client would, and judges what it is told."""

    def __init__(self, home: InProcess) -> None:
        self.home, self.phone = home, home.phone()
        self.token = self.phone.cookies["vf"]
        self.render = make(self.phone)["id"]

    def path(self, path: str, value: str = "") -> str:
        """A route's path with its places filled: with `value`, or with what is right."""
        token = self.home.studio.phones.feed_token(self.token, self.home.studio.phones.all()[0])
        right = {"slug": "two-breaths", "id": self.render, "token": token, "file": "style.css"}
        odd = quote(value, safe="", errors="surrogatepass")
        return re.sub(r"\{(\w+)\}", lambda name: odd or right[name[1]], path)

    def wrong(
        self, method: str, target: str, body: bytes = b"", headers: dict[str, bytes] | None = None
    ) -> str:
        """What is wrong with the answer; "" if nothing is."""
        self.home.studio.failures = AttemptLimiter()
        usual = {
            "host": b"127.0.0.1", "cookie": f"vf={self.token}".encode(),
            "origin": b"http://127.0.0.1", "content-type": b"application/json",
            "content-length": str(len(body)).encode(), "accept": b"application/json",
        }  # fmt: skip
        given = [(name.encode(), value) for name, value in {**usual, **(headers or {})}.items()]
        status, told = self.home.ask(target, given, method=method, body=body)
        if status >= 500:
            return f"{method} {target} {body[:80]!r} {headers}: {status} {told[:200]!r}"
        if status in (304, 412, 416) or method == "HEAD" or status < 400:
            return ""
        return "" if told.strip() else f"{method} {target} {headers}: {status} without a reason"


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=lambda value: value)
def test_no_name_in_a_path_or_query_breaks_a_route(asked: Asked, method: str, path: str) -> None:
    targets = [asked.path(path, value) for value in ODD if value] if "{" in path else []
    # What is right may be deleted: of it, only odd names are.
    if method != "DELETE":
        right = asked.path(path)
        for value in ODD:
            odd = quote(value, safe="", errors="surrogatepass")
            targets.append(f"{right}?{odd}={odd}&code={odd}&x")
        targets += [f"{right}?\xb2\xff=%ff%fe", f"{right}?code=%F0%9F"]
    told = [asked.wrong(method, target) for target in targets]
    assert [one for one in told if one] == []


@pytest.mark.parametrize("header", HEADERS)
def test_no_header_breaks_a_route(asked: Asked, header: str) -> None:
    told = []
    # As UTF-8, and as what Latin-1 has of it: `²` is one byte there, and a digit to Python.
    odd = {value.encode("utf-8", "surrogatepass") for value in ODD}
    odd |= {value.encode("latin-1", "replace") for value in ODD}
    before = {"cookie": b"vf=", "range": b"bytes=", "host": b"127.0.0.1:"}.get(header, b"")
    for data in odd:
        sent = data.replace(b"\r\n", b" ").replace(b"\0", b" ")
        for value in (sent, before + sent) if before else (sent,):
            put = {header: value}
            told += [
                asked.wrong("GET", f"/renders/{asked.render}.mp3", headers=put),
                asked.wrong("POST", "/api/v1/pairings", b"{}", put),
            ]
    assert [one for one in told if one] == []


@pytest.mark.parametrize("path", TAKES_BODY)
def test_no_body_breaks_a_route(asked: Asked, path: str) -> None:
    bodies: list[Any] = [*ODD, *NUMBERS, *({value: value} for value in ODD)]
    for key in TAKES_BODY[path]:
        bodies += [{key: value} for value in (*ODD, *NUMBERS)]
    told = [asked.wrong("POST", asked.path(path), json.dumps(one).encode()) for one in bodies]
    raw = [value.encode("utf-8", "surrogatepass") for value in ODD] + [
        b"\xff",
        b'{"a": "\xed\xa0\x80"}',
    ]
    told += [asked.wrong("POST", asked.path(path), one) for one in raw]
    assert [one for one in told if one] == []


@pytest.mark.parametrize("key", KEYS)
def test_no_option_breaks_a_render(asked: Asked, key: str) -> None:
    told = []
    for value in (*ODD, *NUMBERS):
        wish = {"session": "two-breaths", "options": {key: value}}
        told.append(asked.wrong("POST", "/api/v1/renders", json.dumps(wish).encode()))
    assert [one for one in told if one] == []


@pytest.mark.parametrize("title", [value for value in ODD if value.strip()], ids=ascii)
def test_no_title_breaks_what_is_kept_under_it(asked: Asked, title: str) -> None:
    """Where a title is taken, all that shows it has to be able to: the file, the feed, a header."""
    wish = {"render": asked.render, "title": title}
    assert asked.wrong("POST", "/api/v1/kept", json.dumps(wish).encode()) == ""
    feed = asked.path("/feed/{token}.xml")
    pages = ("/", "/settings", "/api/v1/sessions", "/api/v1/kept", feed)
    assert [told for page in pages if (told := asked.wrong("GET", page))] == []
    for one in asked.phone.get("/api/v1/kept").json()["kept"]:
        parts = (one["mp3"], one["player"], one["score"], one["chapters"], one["transcript"])
        assert [told for part in parts if (told := asked.wrong("GET", part))] == []
        assert asked.wrong("DELETE", f"/api/v1/kept/{one['slug']}") == ""


@pytest.mark.parametrize("value", [value for value in ODD if value.isprintable()], ids=ascii)
def test_no_script_breaks_what_shows_it(asked: Asked, value: str) -> None:
    """An odd dose, number or name in a file is an error of that file, at its place."""
    path = asked.home.library.user / "sessions" / "odd.yaml"
    told = []
    for before, right in (("reps: ", "3"), ("inhale ", "3"), ("setup: ", "Sit tall."), ("", "Two")):
        path.write_text(TINY.replace(before + right, before + value), "utf-8")
        told += [asked.wrong("GET", page) for page in ("/session/odd", "/api/v1/sessions/odd", "/")]
        told.append(asked.wrong("POST", "/api/v1/renders", b'{"session": "odd"}'))
        assert "internal error" not in asked.phone.get("/api/v1/sessions/odd").text
    path.unlink()
    assert [one for one in told if one] == []


@pytest.mark.parametrize("value", ODD, ids=ascii)
def test_no_form_breaks_pairing(asked: Asked, value: str) -> None:
    odd = quote(value, errors="surrogatepass")
    for form in (f"code={odd}", f"{odd}={odd}", odd, "&".join([odd] * 9), "code=%ff%fe"):
        told = asked.wrong("POST", "/pair", form.encode(), {"content-type": b"x/y", "cookie": b""})
        assert told == ""


@settings(max_examples=150)
@given(path=st.text(max_size=40), query=st.text(max_size=40), cookie=st.binary(max_size=40))
def test_nothing_at_all_breaks_it(asked: Asked, path: str, query: str, cookie: bytes) -> None:
    target = f"/{quote(path, errors='surrogatepass')}?{quote(query, errors='surrogatepass')}"
    assert asked.wrong("GET", target) == ""
    assert asked.wrong("GET", target, headers={"cookie": b"vf=" + cookie}) == ""
