"""What is asked for beside the session, and where things are looked up and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from voiceflow.core.cache import Cache
from voiceflow.script.lookup import Library, default_library

Report = Callable[[str, int, int], None]
"""Told of progress: stage, steps done, steps in all."""


def quiet(stage: str, done: int, total: int) -> None:
    """A report that says nothing."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked for beside the session; None is not said.

    Attributes
    ----------
    pacing : tuple of (str, value)
        Pacing values that win over every script (`voiceflow.script.pacing.Pacing`).
    equipment : tuple of str
        What is at hand.
    minutes_ms : int > 0
        How long the session shall last.
    only, skip, focus, shuffle
        Which exercises, and in what order: see `voiceflow.script.choose`.
    bed : str
        What sounds under everything: ``ocean``, ``rain``, a sound file, or ``none``.
    """

    pace: str | None = None
    voice: str | None = None
    phrases: str | None = None
    tones: str | None = None
    level: int | None = None
    name: str | None = None
    mono: bool = False
    pacing: tuple[tuple[str, Any], ...] = ()
    equipment: tuple[str, ...] | None = None
    minutes_ms: int | None = None
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    focus: tuple[str, ...] = ()
    shuffle: int | None = None
    bed: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """Where things are looked up and kept: the library, the cache, how many workers."""

    library: Library = field(default_factory=default_library)
    cache: Cache = field(default_factory=lambda: Cache(Cache.default_root()))
    jobs: int = 0
