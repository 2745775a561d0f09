"""Files for those who run the server always: a unit for systemd, and a container file.

The name of one comes in; its text, with this computer's Python in it, goes out.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

FILES: Final = {"unit": "voiceflow.service", "container": "Containerfile"}


def text(kind: str) -> str:
    """The text of a file of `FILES`, by its kind. Raises KeyError."""
    path = Path(__file__).with_name(FILES[kind])
    return path.read_text(encoding="utf-8").replace("@PYTHON@", sys.executable)
