"""A server as the tests of `serve` use it, with a small library and a silent voice: in a thread
behind a real socket, or asked in-process."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from voiceflow.core.cache import Cache
from voiceflow.draw import cover
from voiceflow.script.lookup import Library, content
from voiceflow.server.http.app import application
from voiceflow.server.http.connection_places import Places
from voiceflow.server.http.limits import Limits
from voiceflow.server.http.listener import bind, server_of
from voiceflow.server.studio import Studio

TINY = """\
title: Two Breaths
about: Sit & breathe.
exercises:
  - name: First Breath
    position: seated
    setup: Sit tall.
    reps: 3
    rep: [inhale 3: Inhale., exhale 3: Exhale.]
  - name: Second Breath
    position: supine
    setup: Lie down.
    reps: 3
    rep: [inhale 3: Inhale., exhale 3: Exhale.]
"""
BROKEN = """\
title: Not Yet Right
exercises:
  - name: Lift
    position: supine
    setup: Lie down.
    rep:
      - inhail 4: Inhale.
"""
# Paths that would lead out of the library, or to what is not for phones.
ESCAPES = [
    "/static/../guard.py", "/static/..%2fguard.py", "/static/%2e%2e/guard.py",
    "/static//etc/passwd", "/static/%2fetc%2fpasswd", "/static/..\\guard.py", "/static/%00",
    "/static/....//guard.py", "/static/%252e%252e/guard.py", "/static/.", "/static/",
    "/session/..%2f..%2fsecret", "/session/../../secret", "/session/%2fetc%2fpasswd",
    "/session/..", "/session/secret.yaml", "/session/%00", "/session/two-breaths%00",
    "/session/..%5c..%5csecret", "/session/two-breaths.yaml", "/session/~root",
    "/session/" + "a" * 1500, "/api/v1/sessions/..%2f..%2fsecret", "/player/../../phones.json",
    "/api/v1/sessions/%2e%2e%2f%2e%2e%2fsecret/picture.svg", "/session/..%2fsecret/picture.svg",
    "/renders/..%2f..%2fserve%2fphones.json/score.json", "/renders/" + "0" * 40 + "/score.json",
    "/renders/../../x.mp3", "/renders/%2e%2e.mp3", "/renders/*.mp3", "/player/" + "f" * 40,
    "/user/serve/phones.json", "/serve/phones.json", "http://elsewhere.example/", "//elsewhere",
    "/session/\u00e9".encode().decode("latin-1"),
]  # fmt: skip
EXERCISES = ("bridge", "hip-hinge", "side-leg-lift")
SHORT = """\
title: Short & Sweet
about: Two exercises, for a test.
pace: calm
level: 1
sections:
  - Hips:
      - bridge: {reps: 3}
      - side-leg-lift: {reps: 2}
  - Stand:
      - hip-hinge: {reps: 3}
"""


def small_library(folder: Path) -> Library:
    """A library with three sessions, one of them with an error; all speak with the silent voice."""
    bundled, user = folder / "bundled", folder / "user"
    for kind in ("paces", "phrases"):
        shutil.copytree(content() / "scripts" / kind, bundled / kind)
    (bundled / "exercises").mkdir()
    for name in EXERCISES:
        shutil.copy(content() / "scripts" / "exercises" / f"{name}.yaml", bundled / "exercises")
    (bundled / "sessions").mkdir()
    (bundled / "sessions" / "hip-back-short.yaml").write_text(SHORT)
    (user / "sessions").mkdir(parents=True)
    (user / "sessions" / "two-breaths.yaml").write_text(TINY)
    (user / "sessions" / "not-yet.yaml").write_text(BROKEN)
    (user / "settings.yaml").write_text("voice: silent\n")
    return Library(user, bundled, content() / "sounds")


class _Here(httpx.BaseTransport):
    """Hands requests to an application in this process, as if they came from `address`."""

    def __init__(self, app: Any, address: str) -> None:
        self._transport = httpx.ASGITransport(app, client=(address, 50_000))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def ask() -> httpx.Response:
            answer = await self._transport.handle_async_request(request)
            body = await answer.aread()
            return httpx.Response(answer.status_code, headers=answer.headers.raw, content=body)

        return asyncio.run(ask())


class InProcess:
    """A studio and its application, asked without a socket: quick, and all that a guard needs.

    Covers are not drawn: that takes long.
    """

    base = "http://127.0.0.1:8765"

    def __init__(self, folder: Path, library: Library | None = None, **more: Any) -> None:
        self.folder = folder
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(cover, "cover", lambda score: b"\xff\xd8" + score.title.encode())
        if library is None:
            library = small_library(folder) if not (folder / "user").exists() else Library(
                folder / "user", folder / "bundled", content() / "sounds"
            )  # fmt: skip
        self.library = library
        self.studio = Studio(self.library, Cache(folder / "cache"), jobs=1)
        self.app = application(self.studio, **more)
        self._clients: list[httpx.Client] = []

    def client(self, **more: Any) -> httpx.Client:
        """A browser that nobody has paired: it says where its requests come from."""
        headers = {"Origin": self.base, **more.pop("headers", {})}
        made = self._client(headers=headers, **more)
        self._clients.append(made)
        return made

    def program(self, **more: Any) -> httpx.Client:
        """A program, or another site: it says nothing of where its requests come from."""
        made = self._client(**more)
        self._clients.append(made)
        return made

    def ask(
        self, target: str, headers: list[tuple[bytes, bytes]], *, method: str = "GET",
        body: bytes = b"",
    ) -> tuple[int, bytes]:  # fmt: skip
        """Status and body of a request whose target and headers no client would let through."""
        raw, _, query = target.encode("latin-1").partition(b"?")
        scope = {
            "type": "http", "method": method, "scheme": "http", "http_version": "1.1",
            "path": unquote(raw.decode("latin-1")), "raw_path": raw, "query_string": query,
            "root_path": "", "headers": headers, "client": ("192.168.1.50", 50_000),
            "server": ("127.0.0.1", 8765), "asgi": {"version": "3.0"},
        }  # fmt: skip
        sent: list[dict[str, Any]] = []
        received: list[bool] = []

        async def receive() -> dict[str, Any]:
            if received:
                await asyncio.Event().wait()  # the client stays until it has its answer
            received.append(True)
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))  # type: ignore[arg-type]
        return sent[0]["status"], b"".join(one.get("body", b"") for one in sent)

    def _client(self, **more: Any) -> httpx.Client:
        here = _Here(self.app, more.pop("address", "192.168.1.50"))
        return httpx.Client(base_url=self.base, transport=here, **more)

    def phone(self, **more: Any) -> httpx.Client:
        """A paired phone."""
        client = self.client(**more)
        answer = client.post("/pair", data={"code": self.studio.pairing.new()})
        assert answer.status_code == 303, answer.text
        return client

    def token(self) -> str:
        """The token of a newly paired phone."""
        return self.phone().cookies["vf"]

    def feed(self, phone: httpx.Client) -> str:
        """The address of a phone's feed, less the server's."""
        found = re.search(r'value="https?://[^/]*(/feed/[^"]+)"', phone.get("/settings").text)
        assert found
        return found[1]

    def lose(self, render_id: str) -> None:
        """Remove the MP3 of a render behind the server's back, as if it had never been made."""
        files = self.studio.mp3_files
        mp3 = files._files.get(render_id)
        wait_for(lambda: mp3 is None or (mp3.path.suffix == ".mp3" and not mp3.busy))
        files._files.pop(render_id, None)
        (files.folder / f"{render_id}.mp3").unlink(missing_ok=True)

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self.studio.close()
        self._patch.undo()


class Home(InProcess):
    """The same behind a real server on this computer; `certificate` holds its key, too."""

    def __init__(
        self, folder: Path, *, limits: Limits | None = None, certificate: Path | None = None,
        **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(folder, **more)
        self.listening = bind("127.0.0.1", 0)
        self.port: int = self.listening.getsockname()[1]
        self.base = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        self.server = server_of(self.app, certificate)
        if limits is not None:
            self.server.places = Places(limits)
        self.thread = threading.Thread(
            target=self.server.run, kwargs={"sockets": [self.listening]}, daemon=True
        )
        self.thread.start()
        wait_for(lambda: self.server.started)

    def _client(self, **more: Any) -> httpx.Client:
        return httpx.Client(base_url=self.base, timeout=60, verify=False, **more)

    def raw(self, data: bytes, *, end: bool = False) -> bytes:
        """What the server answers to bytes that no client would send; `end` sends no more."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as link:
            link.sendall(data)
            if end:
                link.shutdown(socket.SHUT_WR)
            found = b""
            try:
                while chunk := link.recv(65_536):
                    found += chunk
            except (TimeoutError, ConnectionResetError):
                pass
            return found

    def close(self) -> None:
        for client in self._clients:
            client.close()  # the server waits for connections that are kept open
        self.server.should_exit = True
        self.thread.join(timeout=60)
        super().close()


SERVER = (
    "import sys; from voiceflow.server import main; port, library, pem, verbose = sys.argv[1:];"
    " main(port=int(port), library=library, certificate=pem or None, verbose=int(verbose))"
)


class Outside:
    """A server in a process of its own, to be killed; `pem` holds a certificate and its key."""

    def __init__(
        self, folder: Path, port: int, pem: Path | None = None, *, verbose: int = 0
    ) -> None:
        environment = {
            **os.environ,
            "VOICEFLOW_CACHE": str(folder / "cache"),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(port), str(folder / "user"), str(pem or ""),
             str(verbose)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
            stdin=subprocess.DEVNULL, encoding="utf-8",
        )  # fmt: skip
        scheme = "https" if pem else "http"
        self.base, self.lines = f"{scheme}://127.0.0.1:{port}", list[str]()
        self.port = port
        threading.Thread(target=self._read, daemon=True).start()
        wait_for(lambda: self.process.poll() is not None or self._is_there())
        assert self.process.poll() is None, "".join(self.lines)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)

    def _is_there(self) -> bool:
        try:
            return httpx.get(f"{self.base}/healthz", verify=False, timeout=60).status_code == 200
        except httpx.HTTPError:
            return False

    def pair(self) -> str:
        wait_for(lambda: any("/pair?code=" in line for line in self.lines))
        address = next(line.strip() for line in self.lines if "/pair?code=" in line)
        code = address.rpartition("=")[2]
        headers = {"Origin": self.base}
        form = {"code": code}
        answer = httpx.post(
            f"{self.base}/pair", data=form, headers=headers, verify=False, timeout=60
        )
        return answer.cookies["vf"]

    def end(self, number: int) -> None:
        self.process.send_signal(number)
        self.process.wait(120)


@contextmanager
def open_files(count: int) -> Iterator[None]:
    """This process, and those it starts meanwhile, may have so many files and sockets open."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count:
        pytest.skip("this process may not open so many connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certificate(folder: Path) -> Path:
    """A certificate that nobody trusts, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    made = folder / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-subj", "/CN=localhost", "-keyout", made, "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    made.write_text(made.read_text() + (folder / "cert.pem").read_text())
    return made


def hide_secrets(home: InProcess) -> None:
    """Files that no phone may see: one beside the library, and one in it that is no script."""
    (home.library.user.parent / "secret.yaml").write_text(TINY.replace("Two", "Secret"))
    (home.library.user / "secret.txt").write_text("Secret")


@contextmanager
def in_process(folder: Path, **more: Any) -> Iterator[InProcess]:
    inside = InProcess(folder, **more)
    try:
        yield inside
    finally:
        inside.close()


@contextmanager
def home_in(folder: Path, **more: Any) -> Iterator[Home]:
    home = Home(folder, **more)
    try:
        yield home
    finally:
        home.close()


def wait_for(true: Callable[[], object], limit_s: float = 120.0) -> None:
    """Until something is so; the limit only ends what would never be."""
    end = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


def make(phone: httpx.Client, session: str = "two-breaths", **options: Any) -> dict[str, Any]:
    """A render of a session."""
    answer = phone.post("/api/v1/renders", json={"session": session, "options": options})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found
