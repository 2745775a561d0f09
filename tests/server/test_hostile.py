"""What a server on a home network must withstand without breaking or revealing a secret."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from serving import (
    ESCAPES,
    TINY,
    Home,
    Outside,
    free_port,
    hide_secrets,
    home_in,
    make,
    wait_for,
)  # fmt: skip

from voiceflow.server.auth.attempt_limiter import AttemptLimiter
from voiceflow.server.http import body, connection
from voiceflow.server.http import streaming as media
from voiceflow.server.http.limits import Limits
from voiceflow.server.jobs.job_queue import Dropped

pytestmark = pytest.mark.slow

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with home_in(tmp_path_factory.mktemp("home")) as home:
        hide_secrets(home)
        yield home


@pytest.fixture(scope="module")
def phone(home: Home) -> httpx.Client:
    return home.phone()


@pytest.fixture(autouse=True)
def _forgiven(home: Home) -> None:
    """Each test begins with a clean record of failures."""
    home.studio.failures = AttemptLimiter()


def ask(home: Home, phone: httpx.Client, target: str, *more: str, method: str = "GET") -> bytes:
    """A request whose target no client would let through as it is."""
    lines = [
        f"{method} {target} HTTP/1.1",
        f"Host: 127.0.0.1:{home.port}",
        f"Cookie: vf={phone.cookies['vf']}",
        "Connection: close",
        *more,
    ]
    return home.raw("\r\n".join([*lines, "", ""]).encode("latin-1"))


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


# Nothing outside of the library


@pytest.mark.parametrize("target", ESCAPES)
def test_no_path_leads_out(home: Home, phone: httpx.Client, target: str) -> None:
    answer = ask(home, phone, target)
    assert status(answer) in (400, 401, 404, 414), answer[:200]
    body = answer.partition(b"\r\n\r\n")[2]
    for word in (b"Secret", b"root:", b"import ", b'"token"', str(home.folder).encode()):
        assert word not in body


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("voice", "piper:/etc/passwd"), ("voice", "faulty:hum"), ("voice", "/bin/sh"),
        ("tones", "../../secret"), ("tones", "/etc/passwd"), ("bed", "/etc/passwd"),
        ("bed", "../music.mp3"), ("phrases", "../coach"), ("pace", "/x"), ("pace", "calm.yaml"),
        ("name", "{{ 9 * 9 }}\0"), ("name", "x" * 61), ("name", "a\nb"), ("name", "\u202e"),
        ("tempo", 0), ("tempo", -1), ("tempo", 1e300), ("tempo", "NaN"), ("tempo", "1e9"),
        ("tempo", [1]), ("tempo", {"a": 1}), ("tempo", "9" * 5_000), ("tempo", 10**400),
        ("minutes", 0), ("minutes", 0.01), ("minutes", 600), ("minutes", "1:99"),
        ("minutes", "ten"), ("minutes", True), ("level", 0), ("level", 4), ("level", 1.5),
        ("level", "high"), ("detail", "loud"), ("equipment", ["gun"]), ("equipment", ["ball"] * 99),
        ("equipment", {"a": 1}), ("equipment", [["ball"]]), ("breath_in", 0), ("rest", 1e12),
        ("only", ["bridge"]), ("mono", True), ("__class__", 1), ("", 1), ("x" * 9_000, 1),
    ],
    ids=lambda value: repr(value)[:24],
)  # fmt: skip
def test_every_wrong_option_is_told_with_a_hint(
    phone: httpx.Client, key: str, value: object
) -> None:
    wish = {"session": "two-breaths", "options": {key: value}}
    answer = phone.post("/api/v1/renders", json=wish)
    assert answer.status_code == 422
    told = answer.json()
    assert told["errors"][0]["message"]
    assert len(answer.content) < 2_000
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"3", b'"x"', b"[" * 16_000, b'{"a":' * 3_000, b"\xff\xfe", b"{}{}",
     b'{"session": NaN}', b'{"session": Infinity}', b'{"session": 1' + b"0" * 5_000 + b"}",
     b'{"session": "two-breaths", "options": []}', b'{"session": "two-breaths", "sesion": 1}',
     b'{"session": "two-breaths", "options": "x"}', b'{"session": "\\ud800"}'],
    ids=lambda body: repr(body[:24]),
)  # fmt: skip
def test_a_body_that_is_none_is_told(phone: httpx.Client, body: bytes) -> None:
    answer = phone.post("/api/v1/renders", content=body, headers=JSON)
    assert answer.status_code in (400, 404, 422)
    assert answer.json()["message"]


def test_a_word_that_is_not_known_has_a_hint(phone: httpx.Client) -> None:
    wish = {"session": "two-breaths", "option": {}}
    told = phone.post("/api/v1/renders", json=wish).json()
    assert told["errors"][0]["hint"] == "did you mean `options`?"
    told = phone.get("/api/v1/sessions?page=2").json()
    assert told["errors"][0]["field"] == "query.page"
    render = make(phone)
    url = f"/api/v1/renders/{render['id']}/from"
    for told in ({}, {"event_ms": -1}, {"event_ms": "1"}, {"event_ms": True}, {"event_ms": 1e99},
                 {"event_ms": 0, "tempoo": 1}, {"event_ms": 0, "tempo": 99}):  # fmt: skip
        assert phone.post(url, json=told).status_code == 422


@pytest.mark.parametrize("length", [body.MOST_BODY + 1, 10**9])
def test_a_long_body_is_not_read(home: Home, phone: httpx.Client, length: int) -> None:
    more = ("Content-Type: application/json", f"Origin: {home.base}", f"Content-Length: {length}")
    assert status(ask(home, phone, "/api/v1/renders", *more, method="POST")) == 413
    chunked = (*more[:2], "Transfer-Encoding: chunked")
    data = "\r\n".join(
        [
            "POST /api/v1/renders HTTP/1.1", f"Host: 127.0.0.1:{home.port}", "Connection: close",
            f"Cookie: vf={phone.cookies['vf']}", *chunked, "", "",
        ]
    ).encode()  # fmt: skip
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    assert status(home.raw(data + chunk * 2)) == 413


def test_a_long_address_is_refused(home: Home, phone: httpx.Client) -> None:
    assert phone.get("/" + "a" * 3_000).status_code == 414
    assert phone.get("/?" + "a" * 3_000).status_code == 414
    assert status(ask(home, phone, "/" + "a" * 100_000)) in (0, 400, 414, 431)
    assert phone.get("/").status_code == 200


@pytest.mark.parametrize(
    "data",
    [b"", b"\0" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00" * 20,
     b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
     b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
     b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
     b"GET /\r\nX: y HTTP/1.1\r\n\r\n", b"TRACE / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
     b"CONNECT x:1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"],
    ids=lambda data: repr(data[:20]),
)  # fmt: skip
def test_what_is_no_request_breaks_nothing(home: Home, phone: httpx.Client, data: bytes) -> None:
    assert status(home.raw(data, end=True)) in (0, 400, 401, 405, 421)
    assert phone.get("/").status_code == 200


# Headers


def test_no_header_can_be_smuggled_in(home: Home, phone: httpx.Client) -> None:
    path = home.library.user / "sessions" / "inject.yaml"
    path.write_text(TINY.replace("Two Breaths", '"X\\r\\nSet-Cookie: a=b \\" ; \\u00e9"'))
    if phone.get("/api/v1/sessions/inject").json()["errors"]:
        path.write_text(TINY.replace("Two Breaths", "'X\"; filename=evil.exe; é'"))
    render = make(phone, "inject")
    answer = phone.get(render["mp3"])
    assert "set-cookie" not in answer.headers
    assert re.fullmatch(
        r'inline; filename="[a-z0-9-]+\.mp3"', answer.headers["content-disposition"]
    )
    path.unlink()


# Scripts that mean harm


HOSTILE = {
    "loop": "{% for a in range(9999999) %}x{% endfor %}",
    "power": "{{ 'x' * 10**9 }}",
    "reach": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "read": "{% include '/etc/passwd' %}",
    "call": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "zero": "{{ 1 / 0 }}",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "quote": "\" onclick=alert(1) x='",
}


class Look(HTMLParser):
    """Finds what a page of ours never has: scripts in it, handlers, addresses elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[object] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and not (given.get("src") or "").startswith("/"):
            self.wrong.append(("script", given))
        self.wrong += [one for one in attrs if one[0].startswith("on") or one[0] == "style"]
        if tag == "img" and not (given.get("src") or "").startswith("/"):
            self.wrong.append(("img", given))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_script_harms_nothing(home: Home, phone: httpx.Client, name: str) -> None:
    text = json.dumps(HOSTILE[name])
    path = home.library.user / "sessions" / f"bad-{name}.yaml"
    path.write_text(TINY.replace("title: Two Breaths", f"title: {text}").replace(
        "about: Sit & breathe.", f"about: {text}"))  # fmt: skip
    try:
        for url in ("/", f"/session/bad-{name}", "/api/v1/sessions"):
            answer = phone.get(url)
            assert answer.status_code == 200
            if answer.headers["content-type"].startswith("text/html"):
                look = Look()
                look.feed(answer.text)
                assert look.wrong == []
            assert "root:" not in answer.text
            assert "uid=" not in answer.text
        answer = phone.post("/api/v1/renders", json={"session": f"bad-{name}"})
        assert answer.status_code in (201, 422)
        if answer.status_code == 201:
            player = phone.get(answer.json()["player"]).text
            assert "<script>alert" not in player
            picture = phone.get(answer.json()["picture"])
            assert "<script" not in picture.text
            assert "script-src" not in picture.headers["content-security-policy"]
            assert "default-src 'none'" in picture.headers["content-security-policy"]
    finally:
        path.unlink()


@pytest.mark.parametrize(
    "text",
    ["", "- a", "\0", "a: &x [*x]", "title: x\nexercises: [" + "a, " * 5_000 + "a]", "{" * 500,
     "title: T\nexercises: [../../secret]", "title: T\nexercises: [/etc/passwd]",
     "title: T\nvoice: piper:/etc/passwd\nexercises: [bridge]",
     "title: T\ntones: ../../../etc/passwd\nexercises: [bridge]"],
    ids=lambda text: repr(text[:20]),
)  # fmt: skip
def test_a_script_that_is_none_shows_its_errors(home: Home, phone: httpx.Client, text: str) -> None:
    path = home.library.user / "sessions" / "nonsense.yaml"
    path.write_text(text)
    try:
        session = phone.get("/api/v1/sessions/nonsense").json()
        assert session["errors"] or session["minutes"]
        assert phone.get("/session/nonsense").status_code == 200
        assert phone.post("/api/v1/renders", json={"session": "nonsense"}).status_code in (422, 500)
        assert str(home.folder) not in json.dumps(session)
    finally:
        path.unlink()


def test_a_library_edited_all_the_while_serves_what_is_there(
    home: Home, phone: httpx.Client
) -> None:
    path = home.library.user / "sessions" / "restless.yaml"
    over = threading.Event()

    def edit() -> None:
        number = 0
        while not over.is_set():
            number += 1
            if number % 5 == 0:
                path.unlink(missing_ok=True)
            elif number % 3 == 0:
                path.write_text("title: [")
            else:
                path.write_text(TINY.replace("reps: 3", f"reps: {2 + number % 3}"))

    editor = threading.Thread(target=edit)
    editor.start()
    try:
        for _ in range(15):
            answer = phone.post("/api/v1/renders", json={"session": "restless"})
            assert answer.status_code in (201, 404, 422), answer.text
            if answer.status_code == 201:
                got = phone.get(answer.json()["mp3"])
                assert (got.status_code, len(got.content)) == (200, answer.json()["bytes"])
            assert phone.get("/api/v1/sessions").status_code == 200
    finally:
        over.set()
        editor.join()
        path.unlink(missing_ok=True)


# Load


def test_a_client_with_two_hundred_streams_keeps_nobody_out(
    home: Home, phone: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "STALLED_S", 3_600.0)  # however long it takes to begin them
    render = make(phone, "hip-back-short")
    phone.get(render["mp3"])
    links = []
    cookie = f"Cookie: vf={phone.cookies['vf']}"
    request = f"GET {render['mp3']} HTTP/1.1\r\nHost: 127.0.0.1\r\n{cookie}\r\n\r\n".encode()
    try:
        for _ in range(200):
            link = socket.create_connection(("127.0.0.1", home.port), timeout=60)
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            link.sendall(request)
            links.append(link)
        heads = [link.recv(12) for link in links]
        served = sum(head == b"HTTP/1.1 200" for head in heads)
        assert served == media.MOST_OF_ONE
        assert heads.count(b"HTTP/1.1 429") == 200 - served
        assert home.studio.streams.count <= media.MOST_OF_ONE
        other = home.phone()
        assert len(other.get(render["mp3"]).content) == render["bytes"]
        assert phone.get("/").status_code == 200
    finally:
        for link in links:
            link.close()
    wait_for(lambda: home.studio.streams.count == 0)
    assert phone.get(render["mp3"]).status_code == 200


def test_who_goes_away_while_a_session_is_decided_holds_up_nobody(
    home: Home, phone: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, stopped = threading.Event(), threading.Event()

    def slow(*given: Any) -> None:
        begun.set()
        try:
            while True:
                given[-1]("speaking", 1, 2)
        except Dropped:
            stopped.set()
            raise

    with monkeypatch.context() as patch:
        patch.setattr(home.studio, "_decide", slow)
        body = b'{"session": "two-breaths", "options": {"tempo": 1.77}}'
        head = (
            f"POST /api/v1/renders HTTP/1.1\r\nHost: 127.0.0.1:{home.port}\r\n"
            f"Origin: {home.base}\r\nCookie: vf={phone.cookies['vf']}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        link = socket.create_connection(("127.0.0.1", home.port))
        link.sendall(head.encode() + body)
        assert begun.wait(60)
        link.close()
        assert stopped.wait(60)
    wait_for(lambda: home.studio.job_queue.waiting == 0)
    make(phone, "two-breaths", tempo=1.77)


def test_who_stands_still_gives_way_to_who_comes() -> None:
    now = [0.0]
    streams = media.Streams(most=3, most_of_one=2, clock=lambda: now[0])
    still = streams.enter("a")
    streams.enter("a")
    with pytest.raises(media.Refusal) as refusal:
        streams.enter("a")
    assert (refusal.value.status, refusal.value.retry_after) == (429, 5)
    now[0] += media.STALLED_S
    new = streams.enter("a")
    assert streams.count == 2
    streams.leave(still)  # it has gone already
    streams.enter("b")
    new.moved = now[0]
    assert streams.count == 3


def test_a_slow_client_is_cut_off(
    home: Home, phone: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(connection, "FIRST_REQUEST_S", 0.2)
        with socket.create_connection(("127.0.0.1", home.port), timeout=60) as link:
            assert link.recv(1) == b""  # it said nothing at all
        with socket.create_connection(("127.0.0.1", home.port), timeout=60) as link:
            link.sendall(b"GET / HTTP/1.1\r\nX-Drop: ")
            received = b"?"
            while received:  # a drop now and then is no request
                try:
                    link.sendall(b"x")
                    link.settimeout(0.05)
                    received = link.recv(1)
                except TimeoutError:
                    continue
                except OSError:
                    break
    monkeypatch.setattr(body, "BODY_S", 0.2)
    head = (
        f"POST /api/v1/renders HTTP/1.1\r\nHost: 127.0.0.1:{home.port}\r\nOrigin: {home.base}\r\n"
        f"Cookie: vf={phone.cookies['vf']}\r\nContent-Type: application/json\r\n"
        "Content-Length: 100\r\n\r\n{"
    )
    with socket.create_connection(("127.0.0.1", home.port), timeout=60) as link:
        link.sendall(head.encode())
        assert link.recv(12) == b"HTTP/1.1 408"
    assert phone.get("/").status_code == 200


def test_too_many_connections_are_cut_and_then_there_is_room(
    home: Home, phone: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home.server.places, "limits", Limits(20, 5, 5, 8))
    links = [socket.create_connection(("127.0.0.1", home.port), timeout=60) for _ in range(40)]
    for link in links[:20]:  # those that came first
        with suppress(ConnectionResetError):
            assert link.recv(1) == b""
    # A paired phone, even without a connection of its own, is answered all the while.
    with httpx.Client(base_url=home.base, cookies=phone.cookies, timeout=60) as same:
        assert same.get("/").status_code == 200
    for link in links:
        link.close()
    wait_for(lambda: len(home.server.server_state.connections) < 20)
    assert home.client().get("/healthz").status_code == 200


# Disk


def test_a_full_disk_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import voiceflow.server.jobs.mp3_files as mp3_files
    import voiceflow.server.jobs.render_records as render_records

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with home_in(tmp_path) as home:
        phone = home.phone()
        with monkeypatch.context() as patch:
            patch.setattr(mp3_files, "_write", full)
            render = make(phone)
            answer = phone.get(render["mp3"])
            assert answer.status_code == 507
            assert answer.json()["error"] == "storage"
            assert "no space" in answer.json()["message"]
            state = phone.get(f"/api/v1/renders/{render['id']}").json()
            assert state["state"] == "failed"
        assert list((tmp_path / "cache" / "serve-1" / "spool").iterdir()) == []
        assert len(phone.get(render["mp3"]).content) == render["bytes"]
        with monkeypatch.context() as patch:
            patch.setattr(render_records.RenderRecords, "put", full)
            answer = phone.post(
                "/api/v1/renders", json={"session": "two-breaths", "options": {"tempo": 1.5}}
            )
            assert answer.status_code == 507
        with monkeypatch.context() as patch:
            patch.setattr("voiceflow.server.library.kept.write_atomic", full)
            kept = phone.post("/api/v1/kept", json={"render": render["id"], "title": "K"})
            assert kept.status_code == 507
        assert not (home.library.user / "sessions" / "k.yaml").exists()


# Secrets


def test_nothing_of_a_fault_is_told_but_its_place(
    home: Home, phone: httpx.Client, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    secret = "s3cr3t-t0k3n"

    def broken(*_: object) -> None:
        raise RuntimeError(secret)

    monkeypatch.setattr(home.studio, "find_render", broken)
    answer = phone.get(f"/player/{'0' * 40}")
    assert answer.status_code == 500
    assert secret not in answer.text
    assert "Traceback" not in answer.text
    told = capsys.readouterr()
    assert "RuntimeError" in caplog.text
    for text in (told.err, told.out, caplog.text):
        assert secret not in text
        assert "/player/" not in text


@pytest.mark.skipif(sys.platform == "win32", reason="signals are other things there")
def test_killed_in_the_middle_it_goes_on_and_never_tells_a_secret(tmp_path: Path) -> None:
    (tmp_path / "user" / "sessions").mkdir(parents=True)
    (tmp_path / "user" / "settings.yaml").write_text("voice: silent\n")
    long = TINY.replace("reps: 3", "reps: 40")
    (tmp_path / "user" / "sessions" / "long.yaml").write_text(long)
    port = free_port()
    first = Outside(tmp_path, port)
    token = first.pair()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=first.base, headers=headers, timeout=60) as phone:
        wish = {"session": "long", "options": {"tempo": 0.77}}
        render = phone.post("/api/v1/renders", json=wish).json()
        with phone.stream("GET", render["mp3"]) as answer:
            head = next(answer.iter_bytes(100_000))
            first.end(signal.SIGKILL)
    second = Outside(tmp_path, port)
    with httpx.Client(base_url=second.base, headers=headers, timeout=120) as phone:
        spool = tmp_path / "cache" / "serve-1" / "spool"
        rest = phone.get(render["mp3"], headers={"Range": f"bytes={len(head)}-"})
        assert rest.status_code == 206
        assert len(head) + len(rest.content) == render["bytes"]
        whole = phone.get(render["mp3"]).content
        assert whole[: len(head)] == head
        wait_for(lambda: [path.suffix for path in spool.iterdir()] == [".mp3"])
        feed = re.search(r"/feed/([^.]+)\.xml", phone.get("/settings").text)
        assert feed
        phone.get(f"/feed/{feed[1]}.xml")
        phone.get("/feed/wrong-token.xml")
        phone.get("/", headers={"Cookie": "vf=wrong-cookie"})
    second.end(signal.SIGINT)
    assert second.process.returncode == 0
    told = "".join(first.lines + second.lines)
    for secret in (token, feed[1], "wrong-token", "wrong-cookie", render["id"]):
        assert secret not in told
    assert "Traceback" not in told
    stored = "".join(
        path.read_text("utf-8", "replace")
        for path in (tmp_path / "user" / "serve").iterdir()
    )  # fmt: skip
    assert token not in stored
    assert feed[1] not in stored
    # Forgetting reaches everyone.
    code = "from voiceflow.server import main; import sys; main(library=sys.argv[1], forget=True)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "user")],
        capture_output=True, text=True, env=environment, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("1 phone forgotten")
    assert json.loads((tmp_path / "user" / "serve" / "phones.json").read_text())["phones"] == []
