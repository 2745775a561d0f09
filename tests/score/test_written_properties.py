"""What somebody writes is kept, or `check` says that it is not: on sessions made by hypothesis.

`tests/long` tries the same promises on many more.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from promises import PROMISES

EXAMPLES = 60
# A broken promise is shown as it was found: `tests/long` looks for the smallest session.
steady = settings(
    derandomize=True,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.mark.parametrize("promise", PROMISES)
def test_promise(promise: str, tmp_path: Path) -> None:
    PROMISES[promise].keep(tmp_path, EXAMPLES, steady)
