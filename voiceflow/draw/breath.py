"""The breath as a curve.

Takes the events of a score and returns the phases of breath in them, each with how full the lungs
are before and after it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from voiceflow.score.score import Event
from voiceflow.script.steps import BREATHS

# Tones end a little before their phase. A gap shorter than this is no break in the breath.
_JOINED_MS = 240
_LONGEST_PAUSE_MS = 60_000
# Tones have a greatest length, so one as long as this may belong to a longer phase.
_LONG_TONE_MS = 240_000


@dataclass(frozen=True, slots=True)
class Breath:
    """One phase.

    Attributes
    ----------
    kind : str
        One of `BREATHS`.
    before, after : float
        How full the lungs are at its start and its end: 0 empty to 1 full.
    opens : bool
        Whether a repetition begins with it.
    """

    kind: str
    start_ms: int
    end_ms: int
    before: float
    after: float
    side: str | None = None
    rep: int | None = None
    opens: bool = False

    def level(self, share: float) -> float:
        """How full the lungs are after a share of the phase, 0 to 1; gently at both ends."""
        return self.before + (self.after - self.before) * (1 - math.cos(math.pi * share)) / 2


@dataclass(frozen=True, slots=True)
class _Phase:
    """A phase as its events show it; `toned` if it has a tone, which tells where it ends."""

    kind: str
    start_ms: int
    end_ms: int
    side: str | None
    rep: int | None
    toned: bool

    def includes(self, event: Event) -> bool:
        """Whether `event` is said in this phase."""
        same = (self.kind, self.side, self.rep) == (event.breath, event.side, event.rep)
        return same and event.kind == "speech"

    @property
    def open_ended(self) -> bool:
        """Whether it may last longer than its events: it has words only, or the longest tone."""
        return not self.toned or self.end_ms - self.start_ms >= _LONG_TONE_MS


def is_breath(event: Event) -> bool:
    """Whether an event is the tone of a breath."""
    return event.kind != "speech" and event.name in BREATHS and event.breath == event.name


def breaths(events: Sequence[Event]) -> tuple[Breath, ...]:
    """The phases of breath in `events`, which are in order of start.

    A phase shows by its tone, or by what is said in it if the tone set has no breath tones.
    Exhales in a row share the way down, and inhales the way up: "exhale and lift, hold, exhale and
    lower" empties the lungs once.
    """
    found: list[Breath] = []
    for group in _groups(events):
        found.extend(_levelled(group))
    return tuple(found)


def _groups(events: Sequence[Event]) -> Iterator[list[_Phase]]:
    """Runs of phases with nothing else between them; each phase lasts until the next."""
    group: list[_Phase] = []
    for event in events:
        phase = _begun(event)
        if phase is None:
            # A word or a signal within a phase does not end the breath.
            if group and event.moment != "phase":
                yield _ended(group, event.start_ms)
                group = []
        elif not group or not group[-1].includes(event):
            # After so long nobody knows how full the lungs are: the breath is taken up anew.
            if group and phase.start_ms - group[-1].end_ms > _LONGEST_PAUSE_MS:
                yield group
                group = []
            if group:
                group = _ended(group, phase.start_ms)
                if phase.start_ms > group[-1].end_ms:
                    group.append(_pause(group[-1], phase.start_ms))
            group.append(phase)
        else:
            # Without a tone, only the words tell how long the phase lasts at least.
            group[-1] = replace(group[-1], end_ms=max(group[-1].end_ms, event.end_ms))
    if group:
        yield group


def _begun(event: Event) -> _Phase | None:
    """The phase that an event could begin, if any."""
    toned = is_breath(event)
    if not toned and not (
        event.kind == "speech" and event.moment == "phase" and event.breath in BREATHS
    ):
        return None
    return _Phase(event.breath or "", event.start_ms, event.end_ms, event.side, event.rep, toned)


def _ended(group: list[_Phase], at: int) -> list[_Phase]:
    """The group, with its last phase stretched to `at` if it may reach so far."""
    last = group[-1]
    if last.open_ended or at - last.end_ms <= _JOINED_MS:
        return [*group[:-1], replace(last, end_ms=at)]
    return group


def _pause(after: _Phase, end_ms: int) -> _Phase:
    return replace(after, kind="pause", start_ms=after.end_ms, end_ms=end_ms)


def _levelled(group: Sequence[_Phase]) -> Iterator[Breath]:
    """The phases of a group with their levels."""
    # Without holds and pauses: "exhale, hold, exhale" is one way down.
    ways = [phase.kind for phase in group if phase.kind in ("inhale", "exhale")]
    # Before a first exhale the lungs are full.
    level = 1.0 if ways[:1] == ["exhale"] else 0.0
    seen, left, target = 0, 0, level
    key: tuple[str | None, int | None] | None = None
    for phase in group:
        before = level
        if phase.kind in ("inhale", "exhale"):
            if not left:
                left = _run(ways, seen)
                target = 1.0 if phase.kind == "inhale" else 0.0
            # A share of what is left, so that the last one of a run arrives exactly.
            level += (target - level) / left
            seen, left = seen + 1, left - 1
        opens = phase.rep is not None and (phase.side, phase.rep) != key
        key = (phase.side, phase.rep)
        yield Breath(
            phase.kind, phase.start_ms, phase.end_ms, before, level, phase.side, phase.rep, opens
        )


def _run(ways: Sequence[str], start: int) -> int:
    """How many of `ways` are the same from `start` on."""
    end = start
    while end < len(ways) and ways[end] == ways[start]:
        end += 1
    return end - start
