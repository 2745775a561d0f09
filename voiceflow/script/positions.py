"""How the body moves between positions: words and seconds, joined along the quickest safe way."""

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
    """One way from a position to another. `seconds` at a transition factor of 1."""

    to: str
    seconds: float
    say: Text


@dataclass(frozen=True, slots=True)
class _StartTable:
    def read(self, node: Node, problems: Problems) -> dict[str, Move] | None:
        if node.kind != "map":
            complain(problems, node, "`position: {seconds, say}` lines are needed here")
            return None
        moves = {}
        for key, value in node.pairs:
            if key.text not in POSITIONS:
                complain(problems, key, f"`{key.text}` is not a position", ", ".join(POSITIONS))
            elif (move := _read_move(value, key.text, problems)) is not None:
                moves[key.text] = move
        return moves


@dataclass(frozen=True, slots=True)
class _PathList:
    def read(self, node: Node, problems: Problems) -> dict[str, list[Move]]:
        moves: dict[str, list[Move]] = {}
        for item in node.items:
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
    Field(name, Choice(POSITIONS), "a position", required=True) for name in ("from", "to")
)
_MOVE = (
    Field("seconds", Seconds(0, 120), "how long it takes", required=True),
    Field("say", Spoken(), "how it is done, body-relative", required=True),
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
        """What is needed, as a list that is spoken: `a mat, a chair and a towel`."""
        said = [self.things.get(need, need) for need in needs]
        return (
            f" {self.joiner} ".join([", ".join(said[:-1]), said[-1]])
            if len(said) > 1
            else "".join(said)
        )

    def path(self, here: str | None, there: str) -> tuple[Move, ...]:
        """The moves from `here` (None: the session begins) to `there`, by least seconds."""
        if here is None:
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
                        order += 1  # breaks ties, so that moves are never compared
                        heapq.heappush(
                            queue, (seconds + move.seconds, order, move.to, (*moves, move))
                        )
        return ()


def load_positions(library: Library, language: str) -> Positions:
    """The positions in `language`, or in English where it has none. Raises ScriptError."""
    for name in (f"positions.{language.split('-')[0]}.yaml", "positions.yaml"):
        for folder in library.folders("phrases"):
            if is_file(folder / name):
                return read_positions(folder / name)
    where = Mark(str(library.folders("phrases")[-1] / "positions.yaml"))
    raise ScriptError([Problem(where, "cannot be read: there is no such file")])


def read_positions(path: Path) -> Positions:
    """The positions at `path`: complete and all joined.

    Raises
    ------
    ScriptError
        A key is wrong, a position is missing, or one cannot be reached from another.
    """
    node, problems = read(path), []  # type: tuple[Node, Problems]
    fields = (
        Field("language", Words(slug=True), "the language of the words"),
        Field("names", _WORDS, "words for each position", required=True),
        Field("sides", _WORDS, "words for right and left", required=True),
        Field("things", _WORDS, "words for what is needed"),
        Field("and", Words(), "the word between the last two things"),
        Field("start", _StartTable(), "how to come to each position at first", required=True),  # type: ignore[arg-type]
        Field("paths", _PathList(), "the moves between positions", required=True),  # type: ignore[arg-type]
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
    gaps = [f"no start for {one}" for one in POSITIONS if one not in found.start]
    gaps += [f"no words for {one}" for one in POSITIONS if one not in found.names]
    gaps += [
        f"no way from {here} to {there}"
        for here in POSITIONS
        for there in POSITIONS
        if here != there and not found.path(here, there)
    ]
    return [Problem(node.mark, gap) for gap in gaps]
