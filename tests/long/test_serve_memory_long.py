"""The memory of `serve` stays what it is: after many requests, and a render for each hundred.

``VOICEFLOW_LONG=10000 pytest -n 0 -s tests/long/test_serve_memory_long.py`` asks so many times,
plainly and by a voice that speaks; ``VOICEFLOW_VOICE`` names another voice. Linux only. What is
measured at the end is held against what was measured after a fifth: by then every wish was made
twice, and what is kept on purpose is full (some tones, plans and records, each with its bound).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from process_figures import THERE
from serving import Outside, free_port
from steady_use import Figures, use

REQUESTS = int(os.environ.get("VOICEFLOW_LONG") or 0)
VOICE = os.environ.get("VOICEFLOW_VOICE") or "natural"
pytestmark = pytest.mark.timeout(6 * 3600)
if not REQUESTS:
    pytest.skip("memory by hand: VOICEFLOW_LONG=10000 asks so often", allow_module_level=True)
if not THERE:
    pytest.skip("only Linux tells what a process holds", allow_module_level=True)

MOST_MORE = 1.1


def test_memory_is_flat(tmp_path: Path) -> None:
    (tmp_path / "user" / "sessions").mkdir(parents=True)
    (tmp_path / "user" / "settings.yaml").write_text(f"voice: {VOICE}\n")
    server = Outside(tmp_path, free_port())
    try:
        figures = use(server, server.pair(), REQUESTS // 100, 100, say=print)
    finally:
        server.end(15)
    assert "Traceback" not in "".join(server.lines)
    part = max(1, len(figures) // 5)
    tenth, first, last = figures[max(0, part // 2 - 1)], figures[part - 1], figures[-1]
    print(f"\n{Figures.HEAD}\n{tenth}\n{first}\n{last}\nload average {os.getloadavg()[0]:.1f}")
    assert last.server_kib < MOST_MORE * first.server_kib
    assert last.descriptors <= first.descriptors + 2
    assert last.left_workers == 0
    # They come and go: the largest of the last ones is held against that of the first.
    late = [one.most_of_worker_kib for one in figures[-part:]]
    early = [one.most_of_worker_kib for one in figures[:part]]
    assert max(late) < MOST_MORE * max(early)
