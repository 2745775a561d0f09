"""`kill -9` at many random moments, other ones with each seed.

``VOICEFLOW_KILLS=200 pytest -n 2 tests/long/test_killed_long.py`` kills so often in all, and shows
the seed; ``VOICEFLOW_SEED`` takes up an earlier one.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from killing import VICTIMS, kill_again_and_again

KILLS = int(os.environ.get("VOICEFLOW_KILLS") or 0)
pytestmark = pytest.mark.timeout(6 * 3600)
if not KILLS:
    pytest.skip("many kills: VOICEFLOW_KILLS=200 kills so often", allow_module_level=True)
if os.name != "posix":
    pytest.skip("needs SIGKILL", allow_module_level=True)

SEED = int(os.environ.get("VOICEFLOW_SEED") or random.SystemRandom().randrange(10**6))


@pytest.mark.parametrize("kind", VICTIMS)
def test_killed_long(kind: str, tmp_path: Path) -> None:
    times = -(-KILLS // len(VICTIMS))
    kill_again_and_again(kind, tmp_path / "place", times, SEED)
    print(f"{kind}: {times} kills, seed {SEED}")
