"""Every error voiceflow raises, as one tree.

    VoiceflowError                      exit 1: it could not be done
    ├── InputError                      exit 2: what was given is wrong
    │   ├── ScriptError                 problems in scripts, each with file, line, column
    │   ├── UnknownNameError            a name that is not there (did you mean …?)
    │   └── TimingError                 a length that cannot be reached, a value out of range
    ├── VoiceError                      a voice is missing, hangs, crashes or returns nothing
    │   └── UnreadableError             exit 2: a text that the voice cannot read
    ├── SoundError                      a tone, a sample or a bed cannot be sounded
    ├── OutputError                     the recording cannot be written
    └── UnfinishedError                 of several things, some could not be done

Foreign exceptions are turned into one of these where they enter the project, never later.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from voiceflow.core.plain import plain, printable
from voiceflow.core.units import counted

MOST_TOLD: Final = 100
"""Problems of one file that are told at once: who has more mends some, and asks again."""

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file. `line` and `column` count from 1; 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, where it is, and what to do about it."""

    mark: Mark
    message: str
    hint: str = ""
    severity: Severity = "error"

    def __post_init__(self) -> None:
        # Messages quote what somebody wrote. A frozen object is set this way or not at all.
        object.__setattr__(self, "message", plain(self.message))
        object.__setattr__(self, "hint", plain(self.hint))

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{printable(str(self.mark))}: {self.severity}: {self.message}{hint}"


def fewest(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """`problems`, but of each file `MOST_TOLD` at most, errors before warnings.

    A last one says how many more there are. One line that is there ten thousand times over has ten
    thousand problems, and nobody reads a megabyte.
    """
    files: dict[str, list[Problem]] = {}
    for problem in problems:
        files.setdefault(problem.mark.file, []).append(problem)
    return tuple(one for found in files.values() for one in _first_of(found))


def _first_of(found: list[Problem]) -> list[Problem]:
    if len(found) <= MOST_TOLD:
        return found
    # Sorting keeps the order of equals.
    first = sorted(found, key=lambda one: one.severity != "error")[:MOST_TOLD]
    kept = {id(one) for one in first}
    rest = [one.severity for one in found if id(one) not in kept]
    errors, warnings = rest.count("error"), rest.count("warning")
    parts = [
        *([counted(errors, "more error")] if errors else ()),
        *([counted(warnings, "more warning")] if warnings else ()),
    ]
    told = f"there {'is' if len(rest) == 1 else 'are'} {' and '.join(parts)}"
    more = Problem(found[-1].mark, told, "mend those above first", "error" if errors else "warning")
    return [*(one for one in found if id(one) in kept), more]


class VoiceflowError(Exception):
    """The root. `hint` says what the reader can do next.

    `exit_code` is what the command line returns: 1, it could not be done.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.message, self.hint = plain(message), plain(hint)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class InputError(VoiceflowError):
    """What was given is wrong: exit code 2."""

    exit_code = 2


class ScriptError(InputError):
    """All problems of the scripts at hand, sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        # An exercise that is used twice is read twice, and has its problems found twice.
        self.problems = tuple(sorted(set(problems)))
        super().__init__("")
        # Not by way of `plain`, which would shorten the paths of files, however long.
        self.message = "\n".join(str(problem) for problem in fewest(self.problems))
        self.args = (self.message,)


def lacking(kind: str) -> str:
    """What is not there: "there is no pace", "there are no phrases"."""
    return f"there {'are' if kind == 'phrases' else 'is'} no {kind}"


class UnknownNameError(InputError):
    """A name that is not there.

    Parameters
    ----------
    kind : str
        What was looked for: ``session``, ``voice`` …
    name : str
        The name as it was given.
    known : iterable of str
        The names that would have been right; the nearest becomes the hint.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str] = ()) -> None:
        super().__init__(f"{lacking(kind)} called {name!r}", hint=did_you_mean(name, known))


class TimingError(InputError):
    """A length that cannot be reached, or a value out of its range."""


class VoiceError(VoiceflowError):
    """A voice is missing, hangs, crashes or returns nothing.

    `text` is the cue that failed, where one did.
    """

    def __init__(self, message: str, *, hint: str = "", text: str = "") -> None:
        super().__init__(message, hint=hint)
        self.text = text


class UnreadableError(VoiceError):
    """A text that the voice cannot read, as it is written: exit code 2."""

    exit_code = 2


class SoundError(VoiceflowError):
    """A tone, a sample or a bed cannot be sounded."""


class OutputError(VoiceflowError):
    """The recording cannot be written."""


class UnfinishedError(VoiceflowError):
    """Of several things that were asked for, some could not be done; the others are."""


_MEANT: Final[dict[str, tuple[str, ...]]] = {
    "sitting": ("seated",),
    "sit": ("seated",),
    "chair": ("seated",),
    "lying": ("supine", "prone", "side-lying"),
    "on the back": ("supine",),
    "on your back": ("supine",),
    "face up": ("supine",),
    "on the front": ("prone",),
    "on your front": ("prone",),
    "face down": ("prone",),
    "on the side": ("side-lying",),
    "on your side": ("side-lying",),
    "all fours": ("quadruped",),
    "on all fours": ("quadruped",),
    "hands and knees": ("quadruped",),
    "walking": ("standing",),
    "running": ("standing",),
    "both": ("each", "alternate"),
    "alternating": ("alternate",),
    "duration": ("work", "time"),
    "seconds": ("work", "time"),
    "repetitions": ("reps",),
    "pause": ("rest",),
    "change": ("switch",),
    "wait": ("silence",),
}
"""What people write, and the words that stand for it here."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint with the nearest known names; all of them where none is near and they are few.

    What people often write for a word of ours comes before what is spelled alike.
    """
    names = sorted(set(known))
    # The table serves every place: only what is known at this one is offered.
    meant = [one for one in _MEANT.get(" ".join(name.casefold().split()), ()) if one in names]
    if meant:
        return "did you mean " + " or ".join(f"`{one}`" for one in meant) + "?"
    near = difflib.get_close_matches(name.lower(), names, n=2, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(f"`{one}`" for one in near) + "?"
    return "known: " + ", ".join(names) if 0 < len(names) <= 30 else ""
