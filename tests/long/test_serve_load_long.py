"""Fifty phones and every kind of stranger at once, with figures.

``VOICEFLOW_LONG=120 pytest -n 0 -s tests/long/test_serve_load_long.py`` lasts so many seconds,
once plain and once in TLS. Linux only. Let nothing else run meanwhile.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

import many_phones
from process_figures import THERE, descriptors, memory_kib
from serving import Outside, certificate, free_port, open_files, wait_for
from strangers import attacking

SECONDS = int(os.environ.get("VOICEFLOW_LONG") or 0)
pytestmark = pytest.mark.timeout(6 * 3600)
if not SECONDS:
    pytest.skip("a load by hand: VOICEFLOW_LONG=120 lasts so many seconds", allow_module_level=True)
if not THERE:
    pytest.skip("only Linux tells what a process holds", allow_module_level=True)

ATTACK = {"idle": 300, "head": 150, "body": 150, "reader": 20, "code": 20, "token": 20}
SESSIONS = ("hip-back-short", "breathing", "mobility", "everyday")


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_fifty_phones_among_strangers(tmp_path: Path, secure: bool) -> None:
    (tmp_path / "user" / "sessions").mkdir(parents=True)
    (tmp_path / "user" / "settings.yaml").write_text("voice: silent\n")
    tokens = many_phones.pair(tmp_path, 50)
    server = Outside(tmp_path, free_port(), certificate(tmp_path) if secure else None)
    port, pid = server.port, server.process.pid
    try:
        with open_files(4_096):
            many_phones.use(server.base, tokens[:2], SESSIONS, 1)
            before = (memory_kib(pid), descriptors(pid))
            attack = ATTACK | ({"hello": 200} if secure else {})
            with attacking(port, attack, secure) as cut:
                answers = many_phones.use(server.base, tokens, SESSIONS, SECONDS)
            load = os.getloadavg()[0]
            # By itself, once they have left.
            wait_for(lambda: descriptors(pid) <= before[1] + 5, 60)
            began = time.monotonic()
            after_all = many_phones.use(server.base, tokens[:1], SESSIONS, 1)
            recovered = time.monotonic() - began
            after = (memory_kib(pid), descriptors(pid))
    finally:
        server.end(15)
    print(f"\n{'TLS' if secure else 'plain'}, {SECONDS} s, load average {load:.1f}", end="")
    print(f" on {os.cpu_count()} cores\n{answers.table()}\n{answers.summary()}")
    print("strangers cut or answered:", dict(zip(attack, cut, strict=True)))
    print(f"memory {before[0]} -> {after[0]} KiB, descriptors {before[1]} -> {after[1]}")
    print(f"a phone alone afterwards: {recovered:.1f} s\n{''.join(server.lines)}")
    assert not answers.errors()
    assert not answers.unexpected()
    assert not after_all.errors()
    assert "Traceback" not in "".join(server.lines)
    assert server.process.returncode == 0
