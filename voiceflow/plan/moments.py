"""What a plan is made of: lines, moments, bouts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from voiceflow.script.fields import Text
from voiceflow.script.models import Exercise, Session
from voiceflow.script.pacing import Layer, Pacing, resolve

Richness = Literal["full", "brief", "word", "none"]
RICHNESS: tuple[Richness, ...] = get_args(Richness)
"""From the richest on: where one stands is the version of a text that it says."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing said: a macro of the phrases, or a script's own text said through it."""

    macro: str
    text: Text | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of the session.

    Attributes
    ----------
    kind : str
        welcome, section, transition, name, set-up, caution, count-in, phase, switch, rest,
        work, silence, finish, farewell, end, bell or say.
    least_ms : int
        Of a box (`box`), its length; else the least length, which words may exceed.
    stretch_ms, shrink_ms : int
        How far glue gives, from `least_ms` up and down.
    after_ms : int
        Quiet after the words of a spoken moment.
    lines : tuple of Line
        Said in order.
    prefix : str
        Macro said before the text of a phase: last, more, halfway or alternate.
    richness : {"full", "brief", "word", "none"}
        From which version of its text a phase begins; which version a spoken moment says.
    signal : str
        A signal at its start; "" for none.
    count : int
        How many beats are counted before its end.
    until_work : bool
        Of an interval's rest: `least_ms` runs to the next "Go", set-up and count-in within it.
    """

    kind: str
    exercise: int = -1
    least_ms: int = 0
    box: bool = False
    stretch_ms: int = 0
    shrink_ms: int = 0
    after_ms: int = 0
    lines: tuple[Line, ...] = ()
    context: tuple[tuple[str, Any], ...] = ()
    breath: str | None = None
    side: str | None = None
    rep: int | None = None
    group: int = -1
    prefix: str = ""
    richness: Richness = "full"
    signal: str = ""
    count: int = 0
    count_up: bool = False
    beat_ms: int = 1000
    halfway: bool = False
    section: int = 0
    until_work: bool = False


@dataclass(frozen=True, slots=True)
class Bout:
    """One exercise as it stands in the plan: with its own pacing, and known or new."""

    exercise: Exercise
    pacing: Pacing
    title: str
    section: int
    known: bool = False
    reps: int = 1
    sets: int = 1
    met: bool = False
    turn: int = 0

    @property
    def quick(self) -> bool:
        """Whether it needs no introduction: known, already met in this session, or not wanted."""
        return self.known or self.met or self.pacing.detail != "full"


@dataclass(frozen=True, slots=True)
class Plan:
    """A session unrolled. `chapters` are (title, index of the first moment)."""

    session: Session
    pacing: Pacing
    bouts: tuple[Bout, ...]
    moments: tuple[Moment, ...]
    chapters: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person asks of a session, beside its pacing.

    Attributes
    ----------
    reps, rounds : tuple of (int, int)
        Repetitions by bout and rounds by section, where they are not as written.
    spare_ms : int
        How much more quiet the close may bear than it does.
    """

    name: str = ""
    known: tuple[str, ...] = ()
    reps: tuple[tuple[int, int], ...] = ()
    rounds: tuple[tuple[int, int], ...] = ()
    spare_ms: int = 0
    before: tuple[Layer, ...] = ()
    after: tuple[Layer, ...] = ()


def pacing_of(session: Session, wishes: Wishes, exercise: Exercise | None = None) -> Pacing:
    """The pacing of a session, or of one exercise in it."""
    own = (exercise.pacing,) if exercise else ()
    return resolve((*wishes.before, session.pacing, *own, *wishes.after))
