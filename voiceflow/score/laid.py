"""What a plan is laid out with, and what it comes to: lengths asked for, moments, rests.

In `lay_moments` moments become `Laid`, in `lay_rests` rests become `Settled`; `arrange` puts both
on one line of time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from voiceflow.plan.rests import Level, Rest
from voiceflow.score.score import Event
from voiceflow.script.models import Exercise


class Signals(Protocol):
    """What the score must know of a tone set: lengths, not sound."""

    def has(self, name: str) -> bool: ...

    def kind(self, name: str) -> Literal["tone", "sample"]: ...

    def length_ms(self, signal: str) -> int: ...


Ahead = tuple[tuple[int, str], ...]
"""Sentences at the end of an interval, each with the index of the moment that it stands for."""


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A text that did not fit its phase: `needs_ms` of speech in `has_ms` of breath."""

    moment: int
    text: str
    needs_ms: int
    has_ms: int
    said: str


@dataclass(slots=True)
class Laid:
    """One moment laid out: its events relative to its start, and how it gives."""

    length: int
    events: list[Event] = field(default_factory=list)
    stretch: int = 0
    shrink: int = 0
    words: int = 0


@dataclass(frozen=True, slots=True)
class SettledRest:
    """A rest until the next work, and what of it could be said.

    Attributes
    ----------
    level : Level
        What gave way so that it lasts as long as is written.
    lasts_ms, needs_ms : int
        What it comes to; what it would take for everything to be said.
    left_out : tuple of (int, str, int)
        The script's own texts without room: the moment, the words, their milliseconds.
    ahead : Ahead
        What the end of the work before says in its place.
    """

    rest: Rest
    level: Level
    lasts_ms: int
    needs_ms: int
    left_out: tuple[tuple[int, str, int], ...] = ()
    ahead: Ahead = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """All rests of a plan, settled.

    Attributes
    ----------
    laid : dict of int to Laid
        Their moments, by index.
    named : frozenset of int
        The intervals that begin with their name.
    """

    rests: tuple[SettledRest, ...]
    laid: dict[int, Laid]
    named: frozenset[int]

    @property
    def ahead(self) -> dict[int, Ahead]:
        """By the index of an interval: what is said at its end of what comes next."""
        return {one.rest.first - 1: one.ahead for one in self.rests if one.ahead}


@dataclass(frozen=True, slots=True)
class Voicing:
    """How texts become clips: what the voice is given, and how long that lasts.

    Attributes
    ----------
    spelled : callable (exercise or None, text) -> str
        The text as the voice is given it (pronunciations applied).
    length : callable (text as spelled) -> int or None
        Milliseconds of its clip; None where that is not known.
    guess : callable (text) -> int
        A length for one that is not known.
    """

    spelled: Callable[[Exercise | None, str], str]
    length: Callable[[str], int | None]
    guess: Callable[[str], int]
