"""What the server tells and leaves behind: its log, its files, its end; and what runs it always."""

from __future__ import annotations

import configparser
import ctypes
import logging
import re
import shlex
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the extra `serve` is not installed")

from click.testing import CliRunner
from serving import InProcess, Outside, free_port, in_process, make, wait_for
from starlette.requests import ClientDisconnect

from voiceflow.cli.main import cli
from voiceflow.server import service
from voiceflow.server.http import request_log
from voiceflow.server.http.request_log import SELDOM_S, Seldom, written
from voiceflow.server.process import ending_on_terminate, private_files, short_turns

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights and signals")


# The log


def all_it_does(home: InProcess) -> list[str]:
    """Ask for a bit of everything; what of it is secret."""
    phone, code = home.phone(headers={"User-Agent": "iPhone Safari"}), home.studio.pairing.new()
    render = make(phone)
    feed = home.feed(phone)
    for path in ("/", "/session/two-breaths", feed, render["mp3"], f"/pair?code={code}"):
        assert phone.get(path).status_code == 200
    stranger = home.client()
    for path in ("/feed/wr0ng.xml", "/wr0ng", "/pair/wr0ng", "/?wr0ng", "/api/v1/phones/wr0ng"):
        assert stranger.get(path, headers={"Cookie": "vf=wr0ng"}).status_code == 401
    phone.get("/wr0ng")
    return [phone.cookies["vf"], feed.removeprefix("/feed/")[:20], code, "wr0ng", render["id"]]


def test_a_line_for_each_request_and_no_secret_in_any(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with in_process(tmp_path) as home, written(1):
        secrets = all_it_does(home)
    told = capsys.readouterr().err
    for secret in secrets:
        assert secret not in told
    lines = told.splitlines()
    form = r"\d\d:\d\d:\d\d INFO \w+ /\S* \d{3} \d+ ms (stranger|iPhone, Safari) 192\.168\.1\.50"
    assert [line for line in lines if not re.fullmatch(form, line)] == []
    shown = {(line.split()[3], line.split()[4]) for line in lines}
    assert {
        ("/", "200"), ("/session/{slug}", "200"), ("/feed/{token}.xml", "200"), ("/pair", "303"),
        ("/renders/{id}.mp3", "200"), ("/feed/…", "401"), ("/…", "401"), ("/api/…", "401"),
        ("/…", "404"),
    } <= shown  # fmt: skip


def test_without_v_nothing_is_told_of_requests(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with in_process(tmp_path) as home, written(0):
        all_it_does(home)
    assert capsys.readouterr().err == ""
    assert request_log.log.handlers == []  # as it was


def test_who_goes_away_while_pairing_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def gone(*_: object) -> bytes:
        raise ClientDisconnect

    monkeypatch.setattr("starlette.requests.Request.body", gone)
    with in_process(tmp_path) as home, pytest.raises(IndexError):  # no answer at all
        home.ask("/pair", [(b"host", b"127.0.0.1")], method="POST")
    assert caplog.text == ""


def test_a_warning_is_told_once_in_a_while() -> None:
    now = [0.0]
    seldom = Seldom(clock=lambda: now[0])

    def passes(level: int, message: str) -> bool:
        return bool(seldom.filter(logging.LogRecord("x", level, "", 0, message, None, None)))

    assert passes(logging.WARNING, "full")
    assert not passes(logging.WARNING, "full")
    assert passes(logging.ERROR, "other")
    assert all(passes(logging.INFO, "GET /") for _ in range(3))
    now[0] = SELDOM_S
    assert passes(logging.WARNING, "full")
    for number in range(1_000):
        passes(logging.WARNING, str(number))
    assert len(seldom._told) < 100


# Files and the end


@POSIX
def test_what_the_server_writes_is_not_for_everybody(tmp_path: Path) -> None:
    with private_files(), in_process(tmp_path) as home:
        phone = home.phone()
        render = make(phone)
        phone.get(render["mp3"])
        assert phone.post("/api/v1/kept", json={"render": render["id"]}).status_code == 201
        wait_for(lambda: not list(tmp_path.rglob("*.part")))
    made = [path for folder in ("cache", "user/serve") for path in (tmp_path / folder).rglob("*")]
    made += (tmp_path / "user" / "sessions").glob("two-breaths-*.yaml")
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in made if path.is_file()}
    assert len(modes) > 4
    assert {path: oct(mode) for path, mode in modes.items() if mode not in (0o600, 0o640)} == {}
    private = [mode for path, mode in modes.items() if path.parent.name == "serve"]
    assert set(private) == {0o600}


@POSIX
def test_terminating_is_an_interrupt_and_then_as_it_was() -> None:
    with pytest.raises(KeyboardInterrupt), ending_on_terminate():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_threads_take_short_turns_while_it_runs() -> None:
    before = sys.getswitchinterval()
    with short_turns():
        assert sys.getswitchinterval() <= 0.001
    assert sys.getswitchinterval() == before


def test_what_fails_in_advance_is_done_a_little_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With no descriptor left the thread died, and nothing was spoken in advance any more."""
    done = list[str]()

    def fails_once() -> None:
        done.append("begun")
        if len(done) == 1:
            raise OSError(24, "Too many open files")

    with in_process(tmp_path) as home:
        monkeypatch.setattr("voiceflow.server.studio._LATER_S", 0.0)
        monkeypatch.setattr(home.studio, "warm", fails_once)
        home.studio.look(warm=True)
    assert done == ["begun", "begun"]
    assert "work in advance was interrupted: OSError" in caplog.text


@pytest.mark.slow
@POSIX
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_end_ends_well(tmp_path: Path, number: int) -> None:
    (tmp_path / "user" / "sessions").mkdir(parents=True)
    (tmp_path / "user" / "settings.yaml").write_text("voice: silent\n")
    server = Outside(tmp_path, free_port(), verbose=1)
    token = server.pair()
    server.end(number)
    assert server.process.returncode == 0
    wait_for(lambda: any("POST /pair 303" in line for line in server.lines))
    assert not [line for line in server.lines if "Traceback" in line or token in line]
    parts = (tmp_path / "cache").rglob("*.part")
    assert list(parts) == []


# To run it always


def test_the_unit_starts_this_very_program() -> None:
    told = CliRunner().invoke(cli, ["serve", "--print", "unit"])
    assert told.exit_code == 0
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(told.output)
    command = shlex.split(unit["Service"]["ExecStart"].replace("\\", "/"))
    assert command[0] == sys.executable.replace("\\", "/")
    assert command[1:4] == ["-m", "voiceflow", "serve"]
    assert cli.commands["serve"].make_context("serve", command[4:]).params["host"] == "0.0.0.0"


def test_the_container_asks_for_its_health_where_it_is_told(tmp_path: Path) -> None:
    told = CliRunner().invoke(cli, ["serve", "--print", "container"]).output
    command = re.search(r'^ENTRYPOINT \["voiceflow", "serve", (.*)\]$', told, re.MULTILINE)
    assert command
    options = [one.strip('"') for one in command[1].split(", ")]
    port = cli.commands["serve"].make_context("serve", options).params["port"]
    asked = re.search(r"http://127\.0\.0\.1:(\d+)(/\w+)", told)
    assert asked
    assert int(asked[1]) == port
    assert f"EXPOSE {port}" in told
    with in_process(tmp_path) as home:
        answer = home.program().get(asked[2], headers={"Host": f"127.0.0.1:{port}"})
        assert (answer.status_code, answer.text) == (200, "ok\n")
    assert set(service.FILES) == {"unit", "container"}


HEAPS = """
import ctypes, threading
from contextlib import nullcontext
from voiceflow.server.process import few_heaps

libc, together = ctypes.CDLL(None), threading.Barrier(12)

def work():
    together.wait()
    libc.malloc(1_000)
    together.wait()

with {context}():
    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    libc.malloc_stats()
"""


def test_threads_share_their_heaps() -> None:
    if sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_stats"):
        pytest.skip("only glibc has a heap for each thread")

    def heaps(context: str) -> int:
        code = HEAPS.replace("{context}", context)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        return done.stderr.count("Arena ")

    assert heaps("nullcontext") > 2
    assert 1 <= heaps("few_heaps") <= 2
