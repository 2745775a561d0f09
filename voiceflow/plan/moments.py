"""The data of a plan: lines, moments, bouts, and the wishes it was made for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from voiceflow.script.fields import Text
from voiceflow.script.models import Exercise, Session
from voiceflow.script.pacing import Layer, Pacing, resolve

Richness = Literal["full", "brief", "word", "none"]
RICHNESS: tuple[Richness, ...] = get_args(Richness)
"""From rich to short. The index of a richness is the version of a text that it says."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to say: a macro of the phrases, or a script's own text, or both.

    A text with a macro is said through it: `exercise` puts the purpose after the name.
    """

    macro: str
    text: Text | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """A part of the session that has its own length and its own words.

    Attributes
    ----------
    kind : str
        welcome, section, transition, name, set-up, caution, count-in, phase, switch, rest,
        work, silence, finish, farewell, end, bell or say.
    least_ms : int
        The length of a box (`box`); otherwise the shortest length, which words may exceed.
    stretch_ms, shrink_ms : int
        How much longer or shorter than `least_ms` a moment of glue may become.
    after_ms : int
        Pause after the words of a spoken moment.
    lines : tuple of Line
        Said in order.
    announces : tuple of str
        Macros to say before the text of a phase: last, more, halfway or alternate; or the last
        repetition and its side.
    richness : {"full", "brief", "word", "none"}
        The richest version that a phase may say; the version that a spoken moment says.
    signal : str
        Signal at the start of the moment; "" for none.
    count : int
        Number of beats to count before its end.
    until_work : bool
        For a rest: `least_ms` runs from the end of the work to the next, and includes all that is
        said in between.
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
    announces: tuple[str, ...] = ()
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
    """One exercise in the plan, each time it comes, with its own pacing.

    Attributes
    ----------
    known : bool
        The person knows it.
    met : bool
        It has come before in this session.
    heard : frozenset of tuple of str
        The texts that it had when it came before.
    turn : int >= 0
        The round of its section.
    rest_written : bool
        The script or the command line says how long it rests, and not only the pace.
    """

    exercise: Exercise
    pacing: Pacing
    title: str
    section: int
    known: bool = False
    reps: int = 1
    sets: int = 1
    met: bool = False
    heard: frozenset[tuple[str, ...]] = frozenset()
    turn: int = 0
    rest_written: bool = False

    @property
    def quick(self) -> bool:
        """Whether it needs no introduction: known, met before, or too little is to be said."""
        return self.known or self.met or self.pacing.detail != "full"

    def is_new(self, text: Text | None) -> bool:
        """Whether the session has not said `text` before, in any of its versions."""
        return text is not None and not self.known and text.versions not in self.heard

    def in_full(self, text: Text | None) -> bool:
        """Whether `text` of the introduction is said, and as fully as it is written."""
        return self.pacing.detail == "full" and self.is_new(text)


@dataclass(frozen=True, slots=True)
class Plan:
    """An unrolled session. `chapters` are (title, index of the first moment)."""

    session: Session
    pacing: Pacing
    bouts: tuple[Bout, ...]
    moments: tuple[Moment, ...]
    chapters: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person wants of a session beyond what the script says.

    Attributes
    ----------
    client : tuple of (str, str)
        What else is known of the person, by the names that texts use after ``client.``.
    reps, rounds : tuple of (int, int)
        Repetitions by bout and rounds by section, where they differ from the script.
    spare_ms : int
        Extra stretch for the pause at the end of the session.
    before, after : tuple of Layer
        Layers of pacing under and over those of the session.
    """

    name: str = ""
    client: tuple[tuple[str, str], ...] = ()
    known: tuple[str, ...] = ()
    reps: tuple[tuple[int, int], ...] = ()
    rounds: tuple[tuple[int, int], ...] = ()
    spare_ms: int = 0
    before: tuple[Layer, ...] = ()
    after: tuple[Layer, ...] = ()


def pacing_of(session: Session, wishes: Wishes, exercise: Exercise | None = None) -> Pacing:
    """The pacing of a session, or of one of its exercises."""
    own = (exercise.pacing,) if exercise else ()
    return resolve((*wishes.before, session.pacing, *own, *wishes.after))
