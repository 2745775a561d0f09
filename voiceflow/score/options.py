"""Options: what a person asks for besides the session itself, and where files are kept.

This module is imported by everything that streams a session it already knows, so it loads neither
YAML nor numpy. How the values are read and checked stands in `voiceflow.score.option_table`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from voiceflow.core.cache import Cache
from voiceflow.core.errors import InputError
from voiceflow.script.lookup import Library, default_library

Report = Callable[[str, int, int], None]
"""Told of progress: stage, steps done, steps in all."""


def quiet(stage: str, done: int, total: int) -> None:
    """A report that says nothing."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked of a session; None stands for "not said".

    Attributes
    ----------
    pacing : tuple of (str, value)
        Pacing values that win over every script (`voiceflow.script.pacing.Pacing`).
    equipment : tuple of str
        What is at hand.
    name : str
        Whom to greet; "" is nobody, whatever the session or the settings say.
    minutes_ms : int, 5,000 to 21,600,000
        Length of the session.
    only, skip, focus, shuffle
        Which exercises, and in what order: see `voiceflow.script.choose`.
    bed : str
        What sounds under everything: ``ocean``, ``rain``, a sound file, or ``none``.
    client : tuple of (str, str)
        What else is known of the person; texts say it as ``{{ client.goal }}``.
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
    client: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """Where files are looked up and kept: the library, the cache; and how many workers to use."""

    library: Library = field(default_factory=default_library)
    cache: Cache = field(default_factory=lambda: Cache(Cache.default_root()))
    jobs: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.jobs, int) or self.jobs < 0:
            raise InputError(f"jobs: {self.jobs!r} is not a number of workers", hint="0 or more")
