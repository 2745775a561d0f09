"""Small samples of what `tests/long` does by hand: phones among strangers, and long use."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

import many_phones
from process_figures import THERE, children, descriptors
from serving import SHORT, TINY, Outside, certificate, free_port, open_files, wait_for
from steady_use import use
from strangers import BUSY, KINDS, attacking

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not THERE, reason="only Linux tells what a process holds"),
]


def library(folder: Path) -> None:
    (folder / "user" / "sessions").mkdir(parents=True)
    (folder / "user" / "settings.yaml").write_text("voice: silent\n")
    for name, text in (("tiny", TINY), ("short", SHORT)):
        (folder / "user" / "sessions" / f"{name}.yaml").write_text(text)


def test_phones_among_strangers_get_all_they_ask_for(tmp_path: Path) -> None:
    library(tmp_path)
    tokens = many_phones.pair(tmp_path, 8)
    with open_files(1_024):
        server = Outside(tmp_path, free_port(), certificate(tmp_path))
        pid = server.process.pid
        try:
            before = descriptors(pid)
            attack = dict.fromkeys([*KINDS, *BUSY, "hello"], 100)
            with attacking(server.port, attack, secure=True) as cut:
                answers = many_phones.use(server.base, tokens, ("tiny", "short"), 15)
            wait_for(lambda: descriptors(pid) <= before + 5)
            after = many_phones.use(server.base, tokens[:1], ("tiny",), 1)
        finally:
            server.end(15)
    assert not answers.errors()
    assert not answers.refused()
    assert not answers.unexpected()
    assert {one.phone for one in answers.all if one.what in ("mp3", "range")} == set(range(8))
    assert sum(cut) > 100
    assert not after.errors()
    told = "".join(server.lines)
    assert server.process.returncode == 0
    assert "Traceback" not in told
    assert len(server.lines) < 40


def test_long_use_leaves_nothing_open(tmp_path: Path) -> None:
    library(tmp_path)
    server = Outside(tmp_path, free_port())
    try:
        figures = use(server, server.pair(), 4, 50)
        assert not children(server.process.pid)
    finally:
        server.end(15)
    assert [one.requests for one in figures] == [50, 100, 150, 200]
    assert figures[-1].descriptors <= figures[0].descriptors + 2
    assert min(one.server_kib for one in figures) > 10_000  # it was measured
    assert "Traceback" not in "".join(server.lines)
