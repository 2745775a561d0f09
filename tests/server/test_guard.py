"""What the guard lets in: asked in-process, so that every `pytest` runs it.

Tokens, codes, host names, origins, limits on guessing, paths and ranges. What needs a real socket
(malformed requests, slow clients, many connections) is in `test_hostile.py`.
"""

from __future__ import annotations

import json
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

pytest.importorskip("starlette", reason="the extra `serve` is not installed")

from serving import ESCAPES, InProcess, hide_secrets, in_process, make, wait_for

from voiceflow.server.auth.attempt_limiter import AttemptLimiter
from voiceflow.server.http import body, guard

JSON = {"Content-Type": "application/json"}
PRIVATE = ("/", "/session/two-breaths", "/settings", "/static/style.css", "/sw.js", "/offline",
           "/manifest.webmanifest", "/api/v1/sessions", "/api/v1/phones", "/api/v1/openapi.json",
           "/renders/" + "0" * 40 + ".mp3", "/player/" + "0" * 40, "/nowhere")  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    with in_process(tmp_path_factory.mktemp("home")) as home:
        hide_secrets(home)
        yield home


@pytest.fixture(scope="module")
def phone(home: InProcess) -> httpx.Client:
    return home.phone()


@pytest.fixture(autouse=True)
def _forgiven(home: InProcess) -> None:
    """Each test begins with a clean record of failures."""
    home.studio.failures = AttemptLimiter()


# Tokens


def test_guessing_is_slowed_and_who_is_paired_is_not(home: InProcess, phone: httpx.Client) -> None:
    with home.client() as thief:
        seen = [
            thief.get("/", headers={"Cookie": f"vf={'x' * 42}{n:02}"}).status_code
            for n in range(30)
        ]
        assert seen[:10] == [401] * 10
        assert seen[-1] == 429
        limited = thief.get("/api/v1/sessions", headers={"Authorization": "Bearer nonsense"})
        assert limited.status_code == 429
        assert int(limited.headers["retry-after"]) >= 1
        assert thief.get("/feed/nonsense.xml").status_code == 429
        assert thief.get("/").status_code == 401  # without a token nothing is tried
    assert phone.get("/").status_code == 200


def test_guessing_codes_is_slowed(home: InProcess) -> None:
    with home.client() as thief:
        seen = [thief.post("/pair", data={"code": f"{n}"}).status_code for n in range(30)]
    assert set(seen[:10]) == {401}
    assert seen[-1] == 429
    assert home.phone().get("/").status_code == 200  # the right code is no guess


@pytest.mark.parametrize(
    "cookie",
    ["vf=", "vf", "vf=" + "a" * 9_000, "vf=a; vf=b", "\x7f", "vf=%00", 'vf="\\000"', "a=b;;;;vf=1"],
    ids=lambda cookie: cookie[:12],
)
def test_no_cookie_breaks_it(home: InProcess, cookie: str) -> None:
    assert home.program().get("/", headers={"Cookie": cookie}).status_code == 401


def test_a_token_in_the_query_is_none(home: InProcess, phone: httpx.Client) -> None:
    with home.client() as thief:
        assert thief.get(f"/?vf={phone.cookies['vf']}").status_code == 401


def test_tokens_are_compared_in_constant_time(
    home: InProcess, phone: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hmac

    compared: list[int] = []
    real = hmac.compare_digest

    def watch(one: bytes, two: bytes) -> bool:
        compared.append(len(one))
        assert len(one) == len(two)
        return real(one, two)

    monkeypatch.setattr(hmac, "compare_digest", watch)
    count = len(home.studio.phones.all())
    phone.get("/offline")
    assert len(compared) == count  # all of them, whichever it is
    compared.clear()
    with home.client() as thief:
        thief.get("/offline", headers={"Cookie": "vf=x"})
    assert len(compared) == count


# Tokens that are not right


@pytest.mark.parametrize("path", PRIVATE)
def test_no_page_is_open_without_a_token(home: InProcess, path: str) -> None:
    assert home.program().get(path).status_code == 401


def test_only_the_whole_token_opens(home: InProcess) -> None:
    token = home.token()
    wrong = [token[:-1], token + "a", token[:8], token.swapcase(), token[::-1], f" {token}x", "a"]
    found = home.studio.phones.all()
    wrong += [found[-1].token, found[-1].id, found[-1].feed]  # what is on disk opens nothing
    for given in wrong:
        home.studio.failures = AttemptLimiter()
        for headers in ({"Cookie": f"vf={given}"}, {"Authorization": f"Bearer {given}"}):
            assert home.program().get("/api/v1/sessions", headers=headers).status_code == 401, given
        assert home.program().get(f"/feed/{given}.xml").status_code == 401
    for headers in ({"Cookie": f"vf={token}"}, {"Authorization": f"Bearer {token}"}):
        assert home.program().get("/api/v1/sessions", headers=headers).status_code == 200
    # A bearer that is wrong is not mended by a cookie that is right.
    both = {"Cookie": f"vf={token}", "Authorization": "Bearer nonsense"}
    assert home.program().get("/api/v1/sessions", headers=both).status_code == 401


def test_a_code_that_is_wrong_or_old_pairs_nobody(home: InProcess) -> None:
    code, count = home.studio.pairing.new(), len(home.studio.phones.all())
    for wrong in ("", code[:-1], code + "x", code[:8], code.swapcase()):
        home.studio.failures = AttemptLimiter()
        answer = home.client().post("/pair", data={"code": wrong})
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
    assert len(home.studio.phones.all()) == count
    assert home.client().post("/pair", data={"code": code}).status_code == 303


def test_each_address_is_slowed_by_itself(home: InProcess) -> None:
    headers = {"Authorization": "Bearer nonsense"}
    for _ in range(11):
        answer = home.program(address="10.0.0.1").get("/", headers=headers)
    assert answer.status_code == 429
    assert home.program(address="10.0.0.2").get("/", headers=headers).status_code == 401


# Pairing


def test_without_a_token_there_is_only_a_page_to_scan(home: InProcess) -> None:
    with home.client() as stranger:
        for path in ("/", "/session/two-breaths", "/settings", "/static/style.css", "/nowhere"):
            answer = stranger.get(path)
            assert answer.status_code == 401, path
            assert "Scan the code" in answer.text
            assert not re.search(r"href|src|<script|<style", answer.text)
        answer = stranger.get("/api/v1/sessions")
        assert answer.status_code == 401
        assert answer.json()["error"] == "unpaired"
        assert stranger.get("/healthz").status_code == 200


def test_a_code_pairs_one_phone_once(home: InProcess) -> None:
    code = home.studio.pairing.new()
    address = f"/pair?code={code}"
    with home.client() as phone, home.client() as other:
        page = phone.get(address)
        assert page.status_code == 200
        assert code in page.text
        assert "no-store" in page.headers["cache-control"]
        assert phone.post("/pair", data={"code": code}).headers["location"] == "/"
        assert phone.get("/").status_code == 200
        again = other.post("/pair", data={"code": code})
        assert again.status_code == 401
        assert "set-cookie" not in again.headers


def test_looking_where_a_code_leads_uses_up_nothing(home: InProcess) -> None:
    code = home.studio.pairing.new()
    with home.client() as preview:
        preview.get(f"/pair?code={code}")
        preview.head(f"/pair?code={code}")
        assert not preview.cookies
    assert home.studio.pairing.use(code)


def test_the_cookie_is_for_the_browser_alone(home: InProcess) -> None:
    with home.client() as phone:
        answer = phone.post("/pair", data={"code": home.studio.pairing.new()})
    told = answer.headers["set-cookie"].lower()
    for word in ("httponly", "samesite=strict", "path=/", "max-age="):
        assert word in told
    assert "domain" not in told


def test_a_token_serves_as_bearer(home: InProcess) -> None:
    token = home.token()
    with home.program() as program:
        program.headers["Authorization"] = f"Bearer {token}"
        assert program.get("/api/v1/sessions").status_code == 200
        wish = {"session": "two-breaths"}
        assert program.post("/api/v1/renders", json=wish).status_code == 201


def test_a_phone_lets_in_another(home: InProcess, phone: httpx.Client) -> None:
    told = phone.post("/api/v1/pairings", json={}).json()
    assert "<svg" in told["svg"]
    with home.client() as other:
        code = told["address"].rpartition("code=")[2]
        assert other.post("/pair", data={"code": code}).status_code == 303


def test_a_phone_is_revoked_by_another(home: InProcess) -> None:
    one = home.phone(headers={"User-Agent": "Mozilla (iPhone; like Mac) Safari/6"})
    two = home.phone()
    mine = next(found for found in one.get("/api/v1/phones").json()["phones"] if found["this"])
    assert mine["name"] == "iPhone, Safari"
    assert two.delete(f"/api/v1/phones/{mine['id']}").status_code == 204
    assert two.delete(f"/api/v1/phones/{mine['id']}").status_code == 404
    assert one.get("/").status_code == 401


# Feeds


def test_a_feed_is_revoked_without_its_phone(home: InProcess) -> None:
    phone = home.phone()
    old = home.feed(phone)
    episode = old.removesuffix(".xml") + "/" + "0" * 40 + ".mp3"
    app = home.program()
    assert app.get(old).status_code == 200
    new = phone.post("/api/v1/feed", json={}).json()["feed"]
    assert app.get(old).status_code == 401
    assert app.get(episode).status_code == 401
    assert app.get(new).status_code == 200
    assert phone.delete("/api/v1/feed").status_code == 204
    assert app.get(new).status_code == 401
    assert phone.get("/api/v1/feed").json() == {"feed": None}
    assert "feed/" not in phone.get("/settings").text
    assert phone.get("/").status_code == 200


def test_a_feed_token_opens_nothing_else(home: InProcess) -> None:
    app, address = home.program(), home.feed(home.phone())
    token = address.removeprefix("/feed/").removesuffix(".xml")
    headers = {"Authorization": f"Bearer {token}", "Cookie": f"vf={token}"}
    assert app.get("/api/v1/sessions", headers=headers).status_code == 401
    cookie = home.token()
    assert app.get(f"/feed/{cookie}.xml").status_code == 401


# Headers and names


def test_every_answer_has_strict_headers(home: InProcess, phone: httpx.Client) -> None:
    render = make(phone)
    answers = [phone.get(path) for path in ("/", "/nowhere", "/static/x", "/healthz", "/pair")]
    answers += [home.client().get("/"), phone.get(render["mp3"]), phone.get("/api/v1/sessions")]
    answers.append(phone.post("/api/v1/renders", content=b"{", headers=JSON))
    for answer in answers:
        for name, value in guard.HEADERS.items():
            if name != "Cache-Control":
                assert answer.headers[name] == value
        assert "server" not in answer.headers
        assert "cache-control" in answer.headers
    policy = guard.HEADERS["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1", True), ("127.0.0.1:1", True), ("localhost", True), ("LOCALHOST.", True),
        ("192.168.1.9:8765", True), ("[::1]:80", True), ("[fe80::1]", True),
        (socket.gethostname(), True),
        ("evil.example", False), ("127.0.0.1.evil.example", False), ("", False), ("a b", False),
        ("localhost:x", False), ("localhost@evil", False), ("[::1]x", False), ("127.1.evil", False),
    ],
)  # fmt: skip
def test_only_its_own_names_reach_it(
    home: InProcess, phone: httpx.Client, host: str, allowed: bool
) -> None:
    headers = {"Host": host, "Cookie": f"vf={phone.cookies['vf']}"}
    answer = home.program().get("/", headers=headers)
    assert (answer.status_code == 200) == allowed
    if not allowed:
        assert answer.status_code == 421


def test_a_name_may_be_added(tmp_path: Path) -> None:
    with in_process(tmp_path, names=["https://class.example.org", "other.lan"]) as home:
        headers = {"Cookie": f"vf={home.token()}"}
        for name in ("class.example.org", "other.lan:81"):
            assert home.program().get("/", headers={**headers, "Host": name}).status_code == 200
        told = home.program().get("/settings", headers={**headers, "Host": "class.example.org"})
        assert 'value="https://class.example.org/feed/' in told.text


def test_a_host_that_is_named_twice_or_not_at_all_is_none(home: InProcess) -> None:
    for hosts in ([], ["127.0.0.1", "127.0.0.1"], ["127.0.0.1", "evil.example"]):
        headers = [(b"host", host.encode()) for host in hosts]
        assert home.ask("/healthz", headers)[0] == 421


# Cross-site requests


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "SELF", "Sec-Fetch-Site": "cross-site"},
        {},
    ],
    ids=str,
)
def test_another_site_changes_nothing(
    home: InProcess, phone: httpx.Client, headers: dict[str, str]
) -> None:
    given = {k: home.base if v == "SELF" else v for k, v in headers.items()}
    given = {**JSON, **given, "Cookie": f"vf={phone.cookies['vf']}"}
    with home.program() as site:
        for method, path in (
            ("POST", "/api/v1/renders"), ("POST", "/api/v1/kept"), ("DELETE", "/api/v1/kept/x"),
            ("DELETE", "/api/v1/phones/x"), ("POST", "/api/v1/feed"), ("DELETE", "/api/v1/feed"),
            ("POST", "/api/v1/pairings"),
        ):  # fmt: skip
            answer = site.request(method, path, headers=given, content=b"{}")
            assert answer.status_code == 403, (method, path)
            assert answer.json()["error"] == "origin"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "x"])
def test_a_form_of_another_site_is_no_json(phone: httpx.Client, kind: str) -> None:
    answer = phone.post("/api/v1/renders", content=b"{}", headers={"Content-Type": kind})
    assert answer.status_code == 415


def test_another_site_cannot_pair_the_browser(home: InProcess) -> None:
    code = home.studio.pairing.new()
    with home.program() as site:
        headers = {"Origin": "https://evil.example"}
        assert site.post("/pair", data={"code": code}, headers=headers).status_code == 403
    assert home.studio.pairing.use(code)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST", "OPTIONS"])
def test_no_route_takes_another_method(phone: httpx.Client, method: str) -> None:
    assert phone.request(method, "/api/v1/sessions", headers=JSON).status_code == 405
    assert phone.request(method, "/", headers=JSON).status_code == 405


def test_a_long_body_or_address_is_refused(phone: httpx.Client) -> None:
    long = b" " * (body.MOST_BODY + 1)
    assert phone.post("/api/v1/renders", content=long, headers=JSON).status_code == 413
    less = {**JSON, "Content-Length": "10"}  # it says that it is shorter than it is
    assert phone.post("/api/v1/renders", content=long, headers=less).status_code == 413
    assert phone.get("/?" + "a" * guard.MOST_TARGET).status_code == 414


# Paths and ranges


@pytest.mark.parametrize("target", ESCAPES)
def test_no_path_leads_out(home: InProcess, phone: httpx.Client, target: str) -> None:
    cookie = f"vf={phone.cookies['vf']}"
    headers = [(b"host", b"127.0.0.1"), (b"cookie", cookie.encode())]
    status, body = home.ask(target, headers)
    assert status in (400, 401, 404, 414), body[:200]
    for word in (b"Secret", b"root:", b"import ", b'"token"', str(home.folder).encode()):
        assert word not in body


@pytest.mark.parametrize(
    "slug",
    ["../../secret", "../sessions/two-breaths", "/etc/passwd", "two-breaths.yaml", "secret.yaml",
     "", ".", "..", "\0", "a" * 5_000, "~", "two-breaths\n", " two-breaths", "TWO-BREATHS\u0000",
     "file:///etc/passwd", "\udcff", None, 3, [], {}, True],
    ids=repr,
)  # fmt: skip
def test_no_name_leads_out(home: InProcess, phone: httpx.Client, slug: object) -> None:
    body = json.dumps({"session": slug}).encode()
    answer = phone.post("/api/v1/renders", content=body, headers=JSON)
    assert answer.status_code in (404, 422)
    assert "Secret" not in answer.text
    assert str(home.folder) not in answer.text


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_a_link_out_of_the_library_is_not_followed(home: InProcess, phone: httpx.Client) -> None:
    link = home.library.user / "sessions" / "linked.yaml"
    link.symlink_to(home.library.user.parent / "secret.yaml")
    try:
        assert phone.get("/session/linked").status_code == 404
        assert phone.post("/api/v1/renders", json={"session": "linked"}).status_code == 404
        assert "Secret" not in phone.get("/").text
    finally:
        link.unlink()


def test_a_range_is_what_a_slice_is(home: InProcess, phone: httpx.Client) -> None:
    render = make(phone)
    size, url = render["bytes"], render["mp3"]
    whole = phone.get(url).content
    assert len(whole) == size
    for asked, want in (
        ("0-0", whole[:1]), ("10-19", whole[10:20]), (f"{size - 5}-", whole[-5:]),
        ("-7", whole[-7:]), (f"100-{size * 2}", whole[100:]),
    ):  # fmt: skip
        answer = phone.get(url, headers={"Range": f"bytes={asked}"})
        assert (answer.status_code, answer.content) == (206, want), asked
        assert int(answer.headers["content-length"]) == len(want)
    beyond = phone.get(url, headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.content) == (416, b"")
    assert beyond.headers["content-range"] == f"bytes */{size}"
    wait_for(lambda: home.studio.streams.count == 0)
