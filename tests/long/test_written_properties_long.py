"""The promises of `tests/score/test_written_properties.py` on many sessions, new ones each time.

``VOICEFLOW_LONG=2000 pytest -n 2 tests/long/test_written_properties_long.py`` tries each on so
many, and shows the smallest
session that breaks one. Some ten in a second.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from promises import PROMISES

EXAMPLES = int(os.environ.get("VOICEFLOW_LONG") or 0)
pytestmark = pytest.mark.timeout(6 * 3600)
if not EXAMPLES:
    pytest.skip("many examples: VOICEFLOW_LONG=2000 tries so many", allow_module_level=True)

thorough = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


@pytest.mark.parametrize("promise", PROMISES)
def test_promise_long(promise: str, tmp_path: Path) -> None:
    PROMISES[promise].keep(tmp_path, EXAMPLES, thorough)
