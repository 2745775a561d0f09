"""mutagen, the library that writes tags, behind one seam: imported when the first tag is made."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def mutagen(part: str) -> Any:
    """The module `part` of mutagen, such as ``id3`` or ``mp4``; it carries no types."""
    return import_module(f"mutagen.{part}")
