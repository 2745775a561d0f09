"""Rosters of thousands, and runs that are stopped at many random moments.

``VOICEFLOW_LONG=10000 pytest -n 1 tests/long/test_rosters_long.py`` makes so many rows, one in a
hundred of them wrong, and stops runs 20 times; ``VOICEFLOW_SEED`` gives other moments.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from rosters import context, goes_on, good_and_bad

from voiceflow import Context

__all__ = ["context"]

ROWS = int(os.environ.get("VOICEFLOW_LONG") or 0)
SEED = int(os.environ.get("VOICEFLOW_SEED") or 20261129)
pytestmark = pytest.mark.timeout(6 * 3600)
if not ROWS:
    pytest.skip("many rows: VOICEFLOW_LONG=10000 makes so many", allow_module_level=True)


def test_rows_long(tmp_path: Path, context: Context) -> None:
    good_and_bad(tmp_path, context, rows=ROWS)


def test_stops_long(tmp_path: Path, context: Context) -> None:
    assert context.library.user.is_dir()
    goes_on(tmp_path, rows=min(ROWS, 600), stops=20, stop=signal.SIGKILL, seed=SEED)
