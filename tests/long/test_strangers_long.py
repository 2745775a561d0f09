"""How long a paired phone waits while six hundred connections are held, in every way.

``VOICEFLOW_LONG=120 pytest -n 0 -s tests/long/test_strangers_long.py`` holds each kind for so many
seconds, plain and in TLS, and prints a line for each. Linux only. Let nothing else run meanwhile.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

import many_phones
from process_figures import THERE, descriptors, memory_kib
from serving import Outside, certificate, free_port, open_files, wait_for
from strangers import BUSY, KINDS, answered, attacking

SECONDS = int(os.environ.get("VOICEFLOW_LONG") or 0)
pytestmark = pytest.mark.timeout(6 * 3600)
if not SECONDS:
    pytest.skip("strangers by hand: VOICEFLOW_LONG=120 holds so long", allow_module_level=True)
if not THERE:
    pytest.skip("only Linux tells what a process holds", allow_module_level=True)

STRANGERS = 600


@pytest.fixture(scope="module", autouse=True)
def _head() -> Iterator[None]:
    print(f"\n{SECONDS} s each{'':21}answers  median    95 %   worst", end="")
    yield
    print()


@pytest.mark.parametrize(
    ("kind", "secure"),
    [
        *((kind, False) for kind in KINDS | BUSY),
        *((kind, True) for kind in (*KINDS, *BUSY, "hello")),
    ],
)
def test_a_phone_is_answered_among_strangers(tmp_path: Path, kind: str, secure: bool) -> None:
    (tmp_path / "user" / "sessions").mkdir(parents=True)
    (tmp_path / "user" / "settings.yaml").write_text("voice: silent\n")
    times: list[float] = []
    with open_files(4_096):
        server = Outside(tmp_path, free_port(), certificate(tmp_path) if secure else None)
        token, pid = server.pair(), server.process.pid
        try:
            before = descriptors(pid)
            with attacking(server.port, {kind: STRANGERS}, secure) as cut:
                until = time.monotonic() + SECONDS
                while time.monotonic() < until:
                    began = time.monotonic()
                    assert answered(server.base, token) == 200
                    times.append(time.monotonic() - began)
                    time.sleep(0.2)
            wait_for(lambda: descriptors(pid) <= before + 5, 60)
            assert answered(server.base, token) == 200
            memory = memory_kib(pid)
        finally:
            server.end(15)
    name = f"{kind}, {'TLS' if secure else 'plain'}"
    print(f"\n{many_phones.row(name, times)}   {cut[0]} cut or answered, {memory} KiB,", end="")
    print(f" load average {os.getloadavg()[0]:.1f}", end="")
    assert cut[0] or kind == "reader"
    assert "Traceback" not in "".join(server.lines)
