"""What no input may bring about; the rules are in `finds`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fuzz_cases import Case, Command, Outcome, Raw, Request, Said
from fuzz_child import HANG_S, MOST_MB
from plain_words import not_plain

_LINE = re.compile(
    r"(?P<file>.+?)(?::(?P<line>\d+):(?P<column>\d+))?: (?P<how>error|warning): (?P<message>.+)"
)
# What is wrong with a file as a whole has no line.
_WHOLE = re.compile(
    "cannot be read: |the file is larger than|the file is not a script|the file is not a kind of"
    "|there are no scripts|there is no such file|the file is not UTF-8 text, but"
)
MOST_SAID = 150_000  # characters: more than anybody reads, and what a file of 1 MiB may come to


@dataclass(frozen=True, slots=True)
class Find:
    """Something that is wrong; finds of the same `sign` are one."""

    sign: str
    told: str


def finds(case: Case, outcome: Outcome) -> Iterator[Find]:
    """All that is wrong with what came of a case."""
    if outcome.ended == "hang":
        yield _find(f"more than {HANG_S} CPU-s", _place(outcome.trace), outcome.trace)
    elif outcome.ended:
        yield _find("the process was lost", outcome.ended + _place(outcome.trace), outcome.trace)
    if outcome.memory_mb > MOST_MB:
        yield _find("more than 1 GB", "", f"{outcome.memory_mb} MB")
    for said in outcome.said:
        if said.trace:
            yield _find("an exception", _place(said.trace) + _last(said.trace), said.trace)
        match case.acts[said.act]:
            case Command() as command:
                yield from _of_command(case, command, said)
            case Request() | Raw():
                yield from _of_answer(said)
            case _ if said.err:
                yield _find("not the same", "", said.err)


def _find(what: str, where: str, told: str) -> Find:
    return Find(f"{what}: {where}" if where else what, told[-3_000:])


def _place(trace: str) -> str:
    """The innermost line of ours in a traceback, of Python's or of `faulthandler`'s."""
    places = re.findall(r'File "[^"]*?(voiceflow/[^"]+)", line (\d+)', trace)
    # `faulthandler` tells the innermost first.
    inner = places[:1] if "most recent call first" in trace else places[-1:]
    return " ".join(f"{file}:{line}" for file, line in inner)


def _last(trace: str) -> str:
    return " " + trace.strip().splitlines()[-1].partition(":")[0]


# The command line


def _of_command(case: Case, command: Command, said: Said) -> Iterator[Find]:
    if said.code not in (0, 1, 2):
        yield _find("an exit code", str(said.code), said.out + said.err)
    if "there is not enough memory" in said.err:
        yield _find("more memory than there is", command.words[0], said.err)
    if said.code and not (said.out + said.err).strip():
        yield _find("nothing was said", command.words[0], str(said))
    texts = [said.err]
    if command.words[0] in ("check", "list", "render") and "--json" not in command.words:
        texts.append(said.out)
    for text in texts:
        if len(text) > MOST_SAID:
            yield _find("too much is said", command.words[0], text[:2_000])
        for wrong in not_plain(text):
            yield _find("words", wrong, _near(text, wrong))
    if case.about:
        yield from _unplaced(case, command, said)


def _near(text: str, wrong: str) -> str:
    return f"{wrong}:\n{text[:2_000]}"


def _unplaced(case: Case, command: Command, said: Said) -> Iterator[Find]:
    """Errors about the file that was made odd which do not say where in it."""
    if command.words[0] == "check" and "--json" in command.words and said.code in (0, 2):
        yield from _unplaced_json(said)
        return
    lines = said.err.splitlines() if said.code else []
    # With errors nothing is proved: then nothing else is printed.
    if command.words[0] == "check" and ": error: " in said.out:
        lines += said.out.splitlines()
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is None and not line.startswith("error: "):
            yield _find("a line that is no message", _shape(line), line)
        elif found is None and not _has_place(case, line):
            yield _find("no place", _shape(line), line)
        elif (
            found
            and not found["line"]
            and found["how"] == "error"
            and not _WHOLE.match(found["message"])
        ):
            yield _find("no line", _shape(found["message"]), line)
        elif found and found["how"] == "error" and "/voiceflow/" in found["file"]:
            yield _find("the place is a bundled file", _shape(found["message"]), line)


# An option is the place of its own value; --minutes is the only one that is told without its name.
_OF_THE_SESSION = re.compile(r"error: (this session cannot last|--)")


def _has_place(case: Case, line: str) -> bool:
    name = case.about.rpartition("/")[2]
    return name in line or _OF_THE_SESSION.match(line) is not None


def _unplaced_json(said: Said) -> Iterator[Find]:
    if said.err:
        return
    told: dict[str, Any] = json.loads(said.out)
    for one in told["problems"]:
        whole = _WHOLE.match(one["message"])
        if one["severity"] == "error" and not one["mark"]["line"] and not whole:
            yield _find("no line", _shape(one["message"]), str(one))
        if one["severity"] == "error" and "/voiceflow/" in one["mark"]["file"]:
            yield _find("the place is a bundled file", _shape(one["message"]), str(one))
        for wrong in not_plain(one["message"] + one["hint"]):
            yield _find("words", wrong, str(one)[:2_000])


def _shape(message: str) -> str:
    """A message without what it quotes."""
    bare = re.sub(r"`[^`]*`|'[^']*'|\"[^\"]*\"|\d+|\S*/\S*", "…", message)
    return " ".join(bare.split()[:8])


# A server


def _of_answer(said: Said) -> Iterator[Find]:
    if said.err:
        yield _find("the server", _shape(said.err), said.err)
    if said.code >= 500 and said.code not in (503, 507):
        yield _find("an answer", str(said.code) + _place(said.trace), said.out[:2_000] + said.trace)
    if said.code < 400 or not said.out.startswith("{"):
        return
    told = json.loads(said.out)
    for words in (told["message"], told["hint"], *(one["message"] for one in told["errors"])):
        for wrong in not_plain(words):
            yield _find("words", wrong, said.out[:2_000])
    if len(said.out) > 50_000:
        yield _find("too much is said", "", said.out[:2_000])
