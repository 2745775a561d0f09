"""The growing list of moments, and the values that the texts of each may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from voiceflow.core.errors import TimingError
from voiceflow.plan.moments import Bout, Line, Moment, Richness
from voiceflow.plan.timing import other_side
from voiceflow.script.pacing import Pacing
from voiceflow.script.positions import Positions

_RICHNESS: Final[dict[str, Richness]] = {"full": "full", "brief": "brief", "tones": "word"}

# Six hours of the shortest breaths have fewer: more is a mistake or an attack.
MOST_MOMENTS = 100_000


class PlanBuilder:
    """The moments so far, and the context (`base`) that the next ones get."""

    def __init__(self, positions: Positions, pacing: Pacing, bouts: Sequence[Bout]) -> None:
        self.positions, self.pacing, self.bouts = positions, pacing, bouts
        self.moments: list[Moment] = []
        self.base: dict[str, Any] = {}
        self.group = 0

    def bound(self) -> None:
        if len(self.moments) > MOST_MOMENTS:
            raise TimingError(
                f"the session has more than {MOST_MOMENTS:,} moments", hint="make it shorter"
            )

    def add(
        self, kind: str, *lines: Line, context: Mapping[str, Any] | None = None, **more: Any
    ) -> None:
        self.bound()
        # How much a phase says depends on its repetition, so a box brings its own richness.
        if not more.get("box"):
            more.setdefault("richness", self._richness(more.get("exercise", -1)))
        given = tuple({**self.base, **(context or {})}.items())
        self.moments.append(Moment(kind, lines=lines, context=given, **more))

    def _richness(self, index: int) -> Richness:
        """How much is said outside of phases: in an exercise, or (-1) in the session itself."""
        pacing = self.pacing if index < 0 else self.bouts[index].pacing
        return _RICHNESS[pacing.detail]

    def sides(self, side: str | None) -> dict[str, str]:
        if side is None:
            return {"side": "", "other_side": ""}
        here, there = self.positions.side(side), self.positions.side(other_side(side))
        return {"side": here, "other_side": there}
