"""`kill -9` at random moments, of a render, an export, and of a server that is being used.

One folder is killed in again and again, so that each run meets what the last one left. After each
kill every file is whole, and what was answered to a phone still holds.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import httpx
from conftest import BUNDLED, SOUNDS
from serving import free_port, wait_for
from writers import SCRIPT, scraps

from voiceflow.core.errors import VoiceflowError
from voiceflow.core.files import is_draft
from voiceflow.script.load import load_session
from voiceflow.script.lookup import Library
from voiceflow.server.auth.phones import Phones

OLD = b"an older recording"


class Victim(Protocol):
    """Something that is done, to be killed in the middle of it."""

    def kill(self, chance: random.Random) -> None:
        """Begin, kill at a moment by `chance`, and assert that all is whole."""

    def ends_well(self) -> None:
        """Once it is not killed, all is done and nothing is left over."""


def environment(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "VOICEFLOW_CACHE": str(folder / "cache"),
        "VOICEFLOW_HOME": str(folder / "user"),
        "TMPDIR": str(folder / "tmp"),
    }


class Command:
    """A command that writes files into a folder; `arguments` end with where to."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        for name in ("out", "tmp", "user"):
            (folder / name).mkdir(parents=True)
        (folder / "one.yaml").write_text(SCRIPT.format(title="One Thing"), encoding="utf-8")
        self.command = [sys.executable, "-m", "voiceflow", *arguments, "--voice", "silent"]
        began = time.monotonic()
        self._finish()
        self.usual_s = time.monotonic() - began
        self.new = self._out()
        assert self.new

    def _out(self) -> dict[str, bytes]:
        found = (self.folder / "out").iterdir()
        return {path.name: path.read_bytes() for path in found if not is_draft(path.name)}

    def _names(self) -> set[str]:
        return {path.name for path in (self.folder / "out").iterdir()}

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.command, cwd=self.folder, env=environment(self.folder),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip

    def _finish(self) -> None:
        process = self._start()
        _, said = process.communicate(timeout=240)
        assert process.returncode == 0, said.decode()

    def kill(self, chance: random.Random) -> None:
        for name in self.new:
            (self.folder / "out" / name).write_bytes(OLD)
        # Without its cache it has most to do, and that is where it is to be met.
        if chance.random() < 0.5:
            for path in (self.folder / "cache").rglob("*"):
                if path.is_file():
                    path.unlink()
        before = self._names()  # with the drafts of earlier kills
        process = self._start()
        # Half of the time from the first draft on: before it, a process mostly loads its code.
        wait_s = chance.uniform(0.1, 1.1) * self.usual_s
        if chance.random() < 0.5:
            while process.poll() is None and self._names() <= before:
                time.sleep(0.001)
            wait_s = chance.uniform(0, 0.4) * self.usual_s
        with suppress(subprocess.TimeoutExpired):
            process.wait(wait_s)
        process.kill()
        process.communicate()
        found = self._out()
        assert found.keys() == self.new.keys()
        for name, data in found.items():
            assert data in (OLD, self.new[name]), name

    def ends_well(self) -> None:
        self._finish()
        assert self._out() == self.new
        assert scraps(self.folder) == []


SERVER = (
    "import sys; from voiceflow.server import main;"
    " main(port=int(sys.argv[1]), library=sys.argv[2], warm=False)"
)


class Served:
    """A server that a phone changes things in, as fast as it is answered."""

    def __init__(self, folder: Path, use: Callable[[Served, httpx.Client], None]) -> None:
        self.folder, self._use = folder, use
        self.user = folder / "user"
        self.library = Library(self.user, BUNDLED, SOUNDS)
        (self.user / "sessions").mkdir(parents=True)
        (folder / "tmp").mkdir()
        (self.user / "settings.yaml").write_text("voice: silent\n")
        script = SCRIPT.format(title="One Thing")
        (self.user / "sessions" / "one.yaml").write_text(script, encoding="utf-8")
        self.phones = Phones(self.user / "serve" / "phones.json")
        _, self.token = self.phones.pair("the first")
        # What has been answered, and so must hold; and what is under way, and may hold or not.
        self.tokens, self.gone = {self.token}, set[str]()
        self.kept: set[str] = set()
        self.feed: str | None = None
        self.open: set[str] = set()
        self.number = 0
        self.wrong: Exception | None = None

    def kill(self, chance: random.Random) -> None:
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(port), str(self.user)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=environment(self.folder),
        )  # fmt: skip
        base = f"http://127.0.0.1:{port}"
        headers = {"Authorization": f"Bearer {self.token}", "Origin": base}
        try:
            wait_for(lambda: process.poll() is not None or _answers(base))
            assert process.poll() is None, process.communicate()[1].decode()
            user = threading.Thread(target=self._used, args=(base, headers))
            begun = self.number
            user.start()
            # Mostly once it is in full swing: on a busy machine the first answer takes a while.
            if chance.random() < 0.8:
                wait_for(lambda: self.number > begun + 1 or not user.is_alive())
            time.sleep(chance.uniform(0, 0.5))
        finally:
            process.send_signal(signal.SIGKILL)
            _, said = process.communicate()
        user.join(60)
        if self.wrong is not None:
            raise AssertionError(f"the phone was answered wrongly: {self.wrong!r}") from self.wrong
        assert b"Traceback" not in said, said.decode()
        self.holds()

    def _used(self, base: str, headers: dict[str, str]) -> None:
        try:
            with httpx.Client(base_url=base, headers=headers, timeout=60) as phone:
                while True:
                    self.open.clear()
                    self.number += 1
                    self._use(self, phone)
        except httpx.TransportError:  # the server is gone
            pass
        except Exception as error:  # it is told where the test runs
            self.wrong = error

    def holds(self) -> None:
        """Every file is whole; what was answered is so."""
        known = json.loads(self.phones.path.read_bytes())["phones"]
        assert len(known) == len(self.phones.all()), "the list of phones is damaged"
        for token in self.tokens - self.open:
            assert self.phones.find(token) is not None, "a paired phone is lost"
        for token in self.gone - self.open:
            assert self.phones.find(token) is None, "a forgotten phone is back"
        if self.feed and "feed" not in self.open:
            assert self.phones.find_feed(self.feed) is not None, "the address of a feed is lost"
        # What was under way has happened by now, or never will: from here on it is known.
        self.gone |= {one for one in self.open & self.tokens if self.phones.find(one) is None}
        self.tokens -= self.gone
        if "feed" in self.open:
            self.feed = None
        self.open.clear()
        listed = self.user / "serve" / "kept.json"
        kept = json.loads(listed.read_bytes())["kept"] if listed.exists() else []
        assert self.kept <= {one["slug"] for one in kept}, "a kept session is lost"
        for path in (self.user / "sessions").iterdir():
            if not is_draft(path.name):
                load_session(path, self.library)  # raises where it is half a script
        for path in (self.folder / "cache").rglob("renders/*.json"):
            check, _, body = path.read_bytes().partition(b"\n")
            if not is_draft(path.name):
                assert blake2b(body, digest_size=32).hexdigest().encode() == check, path.name

    def ends_well(self) -> None:
        self.phones.pair("the last")
        for name in self.phones.path.parent.iterdir():
            assert not name.name.startswith(".voiceflow") or "kept" not in name.name


def _answers(base: str) -> bool:
    try:
        return httpx.get(f"{base}/healthz", timeout=60).status_code == 200
    except httpx.HTTPError:
        return False


def _pairs(served: Served, phone: httpx.Client) -> None:
    """Pairs one phone more; the oldest but the first is forgotten before there are too many."""
    address = _right(phone.post("/api/v1/pairings", json={}))["address"]
    code = parse_qs(urlsplit(address).query)["code"][0]
    answer = httpx.post(
        f"{phone.headers['Origin']}/pair", data={"code": code},
        headers={"Origin": phone.headers["Origin"]}, timeout=60,
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    served.tokens.add(answer.cookies["vf"])
    if len(served.tokens) > 8:
        _forgets(served, phone)


def _forgets(served: Served, phone: httpx.Client) -> None:
    token = next(one for one in served.tokens if one != served.token)
    found = served.phones.find(token)
    assert found is not None
    served.open.add(token)
    assert phone.delete(f"/api/v1/phones/{found.id}").status_code == 204
    served.tokens.discard(token)
    served.gone.add(token)


def _settles(served: Served, phone: httpx.Client) -> None:
    """Gives the feed another address; every third time there is none for a moment."""
    served.open.add("feed")
    if served.number % 3 == 0:
        assert phone.delete("/api/v1/feed").status_code == 204
        served.feed = None
    answer = _right(phone.post("/api/v1/feed", json={}))
    served.feed = answer["feed"].rpartition("/")[2].removesuffix(".xml")


def _keeps(served: Served, phone: httpx.Client) -> None:
    """Keeps a session; every fourth is taken out again."""
    tempo = 0.9 + served.number % 20 / 100
    wanted = {"session": "one", "options": {"tempo": tempo}}
    render = _right(phone.post("/api/v1/renders", json=wanted))
    body = {"render": render["id"], "title": f"Kept {served.number}"}
    slug = _right(phone.post("/api/v1/kept", json=body))["slug"]
    served.kept.add(slug)
    if served.number % 4 == 0:
        served.kept.discard(slug)  # from now on it may be there, or not
        assert phone.delete(f"/api/v1/kept/{slug}").status_code == 200


def _right(answer: httpx.Response) -> Any:
    assert answer.status_code == 201, answer.text
    return answer.json()


VICTIMS: dict[str, Callable[[Path], Victim]] = {
    "render": lambda folder: Command(folder, "render", "one.yaml", "-o", "out/one.mp3"),
    "export": lambda folder: Command(folder, "export", "one.yaml", "--to", "out"),
    "keep": lambda folder: Served(folder, _keeps),
    "pair": lambda folder: Served(folder, _pairs),
    "settings": lambda folder: Served(folder, _settles),
}


def kill_again_and_again(kind: str, folder: Path, times: int, seed: int) -> None:
    """So many kills of one kind; each moment follows from the seed."""
    victim = VICTIMS[kind](folder)
    for number in range(times):
        chance = random.Random(f"{kind} {seed} {number}")
        try:
            victim.kill(chance)
        except (AssertionError, VoiceflowError, ValueError) as error:
            raise AssertionError(f"{kind}, seed {seed}, kill {number}: {error}") from error
    victim.ends_well()
