"""The positions of the body: their names in a language, and the way from one to another.

In: ``positions.yaml``, the moves between neighbouring positions with words and seconds. Out:
`Positions`, whose `path` joins moves along the quickest way.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from voiceflow.core.errors import Mark, Problem, ScriptError
from voiceflow.script.fields import (
    Choice,
    Field,
    Problems,
    Seconds,
    Spoken,
    Table,
    Text,
    Words,
    complain,
    read_fields,
)
from voiceflow.script.lookup import Library, is_file
from voiceflow.script.models import POSITIONS
from voiceflow.script.yaml import Node, read


@dataclass(frozen=True, slots=True)
class Move:
    """A move to the position `to`; `seconds` at a transition factor of 1."""

    to: str
    seconds: float
    say: Text


@dataclass(frozen=True, slots=True)
class _StartTable:
    def read(self, node: Node, problems: Problems) -> dict[str, Move] | None:
        if node.kind != "map":
            message = f"expected `position: {{seconds, say}}` lines, found {node.described}"
            complain(problems, node, message)
            return None
        moves = {}
        for key, value in node.pairs:
            if key.text not in POSITIONS:
                complain(problems, key, f"unknown position `{key.text}`", ", ".join(POSITIONS))
            elif (move := _read_move(value, key.text, problems)) is not None:
                moves[key.text] = move
        return moves


@dataclass(frozen=True, slots=True)
class _PathList:
    def read(self, node: Node, problems: Problems) -> dict[str, list[Move]]:
        moves: dict[str, list[Move]] = {}
        for item in node.items:
            # In two parts, because `read_fields` reports every key that its table does not have.
            ends = Node(
                item.mark, "map", pairs=tuple(p for p in item.pairs if p[0].text in ("from", "to"))
            )
            values = read_fields(ends, _ENDS, problems, "a path")
            if "from" in values and "to" in values:
                move = _read_move(item.without("from", "to"), values["to"], problems)
                if move is not None:
                    moves.setdefault(values["from"], []).append(move)
        return moves


_ENDS = tuple(
    Field(name, Choice(POSITIONS), "A position.", required=True) for name in ("from", "to")
)
_MOVE = (
    Field("seconds", Seconds(0, 120), "How long the move takes.", required=True),
    Field("say", Spoken(), "How to move, in terms of the body.", required=True),
)
_WORDS = Table(Words())


def _read_move(node: Node, to: str, problems: Problems) -> Move | None:
    values = read_fields(node, _MOVE, problems, "a move")
    return Move(to, values["seconds"], values["say"]) if len(values) == 2 else None


@dataclass(frozen=True, slots=True)
class Positions:
    """The positions of one language."""

    names: dict[str, str]
    sides: dict[str, str]
    start: dict[str, Move]
    paths: dict[str, list[Move]]
    things: dict[str, str] = field(default_factory=dict)
    joiner: str = "and"

    def name(self, position: str) -> str:
        """The words for a position: `on your back`."""
        return self.names.get(position, position)

    def side(self, side: str) -> str:
        """The word for `right` or `left`."""
        return self.sides.get(side, side)

    def listed(self, needs: Sequence[str]) -> str:
        """What is needed, as a spoken list: `a mat, a chair and a towel`."""
        said = [self.things.get(need, need) for need in needs]
        return (
            f" {self.joiner} ".join([", ".join(said[:-1]), said[-1]])
            if len(said) > 1
            else "".join(said)
        )

    def path(self, here: str | None, there: str) -> tuple[Move, ...]:
        """The quickest moves from `here` to `there`; `here` is None at the start of a session."""
        if here is None:
            # Where the body is at the start nobody knows, so there is one way into each position.
            return (self.start[there],)
        queue: list[tuple[float, int, str, tuple[Move, ...]]] = [(0.0, 0, here, ())]
        order = 0
        seen: set[str] = set()
        while queue:
            seconds, _, at, moves = heapq.heappop(queue)
            if at == there:
                return moves
            if at not in seen:
                seen.add(at)
                for move in self.paths.get(at, []):
                    if move.to not in seen:
                        order += 1  # breaks ties: a Move cannot be compared
                        heapq.heappush(
                            queue, (seconds + move.seconds, order, move.to, (*moves, move))
                        )
        # Not with what `read_positions` let through: it has asked for every pair.
        return ()


def load_positions(library: Library, language: str) -> Positions:
    """The positions in `language`, else in English. Raises ScriptError."""
    # The language before the folder: bundled words in it win over a user's own in English.
    for name in (f"positions.{language.split('-')[0]}.yaml", "positions.yaml"):
        for folder in library.folders("phrases"):
            if is_file(folder / name):
                return read_positions(folder / name)
    where = Mark(str(library.folders("phrases")[-1] / "positions.yaml"))
    raise ScriptError([Problem(where, "cannot be read: there is no such file")])


def read_positions(path: Path) -> Positions:
    """The positions in the file `path`: all are there, and each can be reached from every other.

    Raises
    ------
    ScriptError
        A key is wrong, a position is missing, or one cannot be reached from another.
    """
    node, problems = read(path), []  # type: tuple[Node, Problems]
    fields = (
        Field("language", Words(slug=True), "The language of the words."),
        Field("names", _WORDS, "The words for each position.", required=True),
        Field("sides", _WORDS, "The words for right and left.", required=True),
        Field("things", _WORDS, "The words for what is needed."),
        Field("and", Words(), "The word between the last two things of a list."),
        Field("start", _StartTable(), "How to get into each position at the start.", required=True),  # type: ignore[arg-type]
        Field("paths", _PathList(), "The moves between positions.", required=True),  # type: ignore[arg-type]
    )
    values = read_fields(node, fields, problems, "the positions")
    if not problems:
        found = Positions(
            dict(values["names"]), dict(values["sides"]), values["start"], values["paths"],
            dict(values.get("things", ())), values.get("and", "and"),
        )  # fmt: skip
        problems.extend(_gaps(node, found))
        if not problems:
            return found
    raise ScriptError(problems)


def _gaps(node: Node, found: Positions) -> list[Problem]:
    gaps = [f"`start:` has no entry for {one}" for one in POSITIONS if one not in found.start]
    gaps += [f"`names:` has no entry for {one}" for one in POSITIONS if one not in found.names]
    gaps += [
        f"no `paths:` lead from {here} to {there}"
        for here in POSITIONS
        for there in POSITIONS
        if here != there and not found.path(here, there)
    ]
    return [Problem(node.mark, gap) for gap in gaps]
