"""Starting and ending `serve`: messages, refusals, and that it starts light."""

from __future__ import annotations

import io
import os
import re
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")
import segno

from voiceflow.core.errors import InputError, OutputError
from voiceflow.server import library_at, main
from voiceflow.server.auth.phones import Phones
from voiceflow.server.http.app import own_names
from voiceflow.server.http.listener import bind
from voiceflow.server.terminal import (
    Terminal,
    base_address,
    code_svg,
    code_text,
    is_local,
    lan_address,
    welcome,
)

CODE = "import sys; from voiceflow.server import main; main(*sys.argv[1:2], int(sys.argv[2]))"


def test_a_port_that_is_taken_is_told() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OutputError, match=f"cannot listen on 127.0.0.1:{port}") as told:
            bind("127.0.0.1", port)
        assert f"--port {port + 1}" in told.value.hint


@pytest.mark.parametrize("host", ["nowhere.invalid", "999.1.1.1", "a b", "\ud800", "x" * 300])
def test_a_host_that_is_none_is_told(host: str) -> None:
    with pytest.raises(InputError, match="cannot find the host") as told:
        bind(host, 0)
    assert "0.0.0.0" in told.value.hint


def test_an_address_of_another_computer_is_told() -> None:
    with pytest.raises(OutputError, match="cannot listen"):
        bind("192.0.2.77", 0)


def test_a_library_that_is_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        library_at(tmp_path / "none")
    assert library_at(tmp_path).user == tmp_path.resolve()
    assert library_at(None).user.name == "user"


def test_a_certificate_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("no certificate")
    for name in ("cert.pem", "missing.pem"):
        with pytest.raises(InputError, match="cannot be used"):
            main(port=0, certificate=tmp_path / name)


def test_forgetting_says_how_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    phones = Phones(tmp_path / "serve" / "phones.json")
    for expected in ("0 phones", "1 phone ", "3 phones"):
        for _ in range(int(expected[0])):
            phones.pair("")
        main(library=tmp_path, forget=True)
        assert capsys.readouterr().out.startswith(expected)
    assert phones.all() == ()


def test_without_its_packages_it_says_which_extra_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in [name for name in sys.modules if name.startswith("voiceflow.server.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(InputError, match="`serve` needs uvicorn") as told:
        main(port=0)
    assert "pip install segno" in told.value.hint


def test_importing_it_loads_nothing_heavy() -> None:
    heavy = "starlette uvicorn segno jinja2 numpy pydub asyncio httpx".split()
    code = f"import sys, voiceflow.server; print(*[m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# What is told


def test_the_code_leads_to_the_address() -> None:
    address = "http://192.168.1.20:8765/pair?code=abcdefghijklmnopqrstuvwx"
    drawn, meant = _read_code(code_text(address)), segno.make(address, error="l")
    assert drawn[: len(meant.matrix) + 4] == [
        [bool(dark) for dark in row] for row in meant.matrix_iter(border=2)
    ]
    assert "<svg" in code_svg(address)
    told = welcome("http://192.168.1.20:8765", "abc", local=False, minutes=15)
    assert "http://192.168.1.20:8765/pair?code=abc" in told
    assert "0.0.0.0" not in told
    assert "--host 0.0.0.0" in welcome("http://127.0.0.1", "abc", local=True, minutes=15)


def _read_code(text: str) -> list[list[bool]]:
    """The dark and light of a drawn code, row by row."""
    rows: list[list[bool]] = []
    for line in text.splitlines():
        plain = re.sub(r"\x1b\[[0-9;]*m", "", line)
        assert plain != line  # its colours are said: it is not drawn inside out
        rows.append([char in " ▄" for char in plain])
        rows.append([char in " ▀" for char in plain])
    return rows


@pytest.mark.parametrize(
    ("host", "port", "scheme", "address"),
    [
        ("127.0.0.1", 8765, "http", "http://127.0.0.1:8765"),
        ("::1", 8765, "http", "http://[::1]:8765"),
        ("home.lan", 80, "http", "http://home.lan"),
        ("home.lan", 443, "https", "https://home.lan"),
        ("home.lan", 80, "https", "https://home.lan:80"),
    ],
)
def test_addresses(host: str, port: int, scheme: str, address: str) -> None:
    assert base_address(host, port, scheme) == address


def test_where_it_is_open_to_all_a_phone_gets_an_address_it_can_reach() -> None:
    found = lan_address()
    assert base_address("0.0.0.0", 1) == f"http://{found or '127.0.0.1'}:1"
    assert is_local("127.0.0.1")
    assert is_local("localhost")
    assert not is_local("0.0.0.0")
    assert not is_local("192.168.1.2")
    assert "localhost" in own_names()


def test_in_a_pipe_no_code_is_drawn() -> None:
    out = io.StringIO()
    terminal = Terminal("http://127.0.0.1:1", local=True, out=out)
    terminal.invite("abc", 15)
    terminal.paired("iPhone, Safari")
    assert "█" not in out.getvalue()
    assert "http://127.0.0.1:1/pair?code=abc" in out.getvalue()
    assert "Paired: iPhone, Safari." in out.getvalue()


def test_a_terminal_that_knows_no_blocks_gets_words() -> None:
    class Ascii(io.StringIO):
        encoding = "ascii"  # type: ignore[assignment]

        def isatty(self) -> bool:
            return True

    out = Ascii()
    Terminal("http://x", local=False, out=out).invite("abc", 15)
    assert out.getvalue().isascii()
    assert "http://x/pair?code=abc" in out.getvalue()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_in_a_terminal_a_code_is_drawn_and_enter_draws_another(tmp_path: Path) -> None:
    import pty

    above, below = pty.openpty()
    environment: dict[str, Any] = {**os.environ, "VOICEFLOW_HOME": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, "127.0.0.1", "0"],
        stdin=below, stdout=below, stderr=below, env=environment, close_fds=True,
    )  # fmt: skip
    os.close(below)
    try:
        first = _until(above, rb"Press Ctrl-C to stop the server")
        assert "█".encode() in first
        one = re.search(rb"code=([\w-]+)", first)
        os.write(above, b"\n")
        two = re.search(rb"code=([\w-]+)", _until(above, rb"It works once"))
        assert one
        assert two
        assert one[1] != two[1]
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
    finally:
        process.kill()
        os.close(above)


def _until(handle: int, wanted: bytes) -> bytes:
    found = b""
    while not re.search(wanted, found):
        ready, _, _ = select.select([handle], [], [], 60)
        assert ready, found
        found += os.read(handle, 65_536)
    return found


def test_the_socket_is_given_back() -> None:
    with bind("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
    with socket.create_server(("127.0.0.1", port)):
        pass
