"""The score: every word, tone and silence with its start, before one sample is touched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

EventKind = Literal["speech", "tone", "sample"]


@dataclass(frozen=True, slots=True)
class Event:
    """One sound on the absolute timeline.

    Attributes
    ----------
    kind : {"speech", "tone", "sample"}
    start_ms : int >= 0
        On the 24 ms grid.
    length_ms : int > 0
        A clip's measured length (rounded up), or a tone's.
    name : str
        Of speech, the text as written; of a tone or a sample, its name in the tone set.
    spoken : str
        Of speech, the text that the voice is given: numbers and shorthand in words, pronunciations
        applied, no decoration; else empty.
    """

    kind: EventKind
    start_ms: int
    length_ms: int
    name: str
    spoken: str = ""
    moment: str = ""
    exercise: str | None = None
    side: str | None = None
    rep: int | None = None
    breath: str | None = None

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.length_ms

    def later(self, ms: int) -> Event:
        """The same, `ms` later."""
        # Written out: `dataclasses.replace` takes three times as long, and all events are moved
        # in every pass.
        return Event(
            self.kind,
            self.start_ms + ms,
            self.length_ms,
            self.name,
            self.spoken,
            self.moment,
            self.exercise,
            self.side,
            self.rep,
            self.breath,
        )


@dataclass(frozen=True, slots=True)
class Chapter:
    title: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Score:
    """A session, fully decided. Events are in order of start; chapters join without gaps.

    `length_changes` says in lines what a wanted length has changed of the script.
    """

    title: str
    about: str
    language: str
    voice: str
    pace: str
    tones: str
    events: tuple[Event, ...]
    chapters: tuple[Chapter, ...]
    length_ms: int
    # The server knows a recording by the `repr` of its score: what is not heard is no part of it.
    length_changes: tuple[str, ...] = field(default=(), repr=False)


def as_dict(score: Score) -> dict[str, Any]:
    """The score as plain data, as `voiceflow show --json` prints it."""
    return {
        "title": score.title,
        "length_ms": score.length_ms,
        "voice": score.voice,
        "pace": score.pace,
        "length_changes": list(score.length_changes),
        "chapters": [
            {"title": one.title, "start_ms": one.start_ms, "end_ms": one.end_ms}
            for one in score.chapters
        ],
        "events": [_event(one) for one in score.events],
    }


def _event(event: Event) -> dict[str, Any]:
    what = "text" if event.kind == "speech" else "name"
    spoken = {"spoken": event.spoken} if event.kind == "speech" else {}
    return {
        "kind": event.kind,
        "start_ms": event.start_ms,
        "length_ms": event.length_ms,
        what: event.name,
        **spoken,
        "moment": event.moment,
        "exercise": event.exercise,
        "side": event.side,
        "rep": event.rep,
        "breath": event.breath,
    }
