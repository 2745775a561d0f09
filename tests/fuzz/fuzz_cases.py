"""A case of the fuzzer, and what came of it: plain data, which goes to another process and back."""

from __future__ import annotations

from dataclasses import dataclass

from odd_bytes import Edit


@dataclass(frozen=True, slots=True)
class Command:
    """The command line, with these words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spoil:
    """Changes one of the files beneath `place` that an earlier act has left there."""

    place: str
    number: int
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Same:
    """Two files that must be equal by now."""

    one: str
    other: str


@dataclass(frozen=True, slots=True)
class Request:
    """A request of a paired phone. In `target`, `headers` and `body` some words in angle brackets
    stand for what only the server knows: ``<token>``, ``<render>``, ``<feed>``.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Restart:
    """The server is ended, and started again on the same folders."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes on a socket."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Plant:
    """What no input may bring about, to see that it is found."""

    what: str


Act = Plant | Command | Spoil | Same | Request | Restart | Raw


@dataclass(frozen=True, slots=True)
class Case:
    """Files in an empty folder (its library is ``user/``), and what is done, one after another.

    `about` is the file or the option that is odd, where one is: what is told must name it.
    """

    kind: str
    files: tuple[tuple[str, bytes], ...]
    acts: tuple[Act, ...]
    about: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What one act has said. `trace` is where something unforeseen was raised, if it was."""

    act: int
    code: int = 0
    out: str = ""
    err: str = ""
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`ended` says how the process was lost, if it was: "hang", "stuck" or the signal."""

    said: tuple[Said, ...] = ()
    ended: str = ""
    trace: str = ""
    memory_mb: int = 0
