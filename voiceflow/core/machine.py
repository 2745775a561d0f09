"""What this process may use of the machine."""

from __future__ import annotations

import os


def cores() -> int:
    """How many processes can run at once: this one may use fewer cores than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
