"""The moments as they are laid one after another, and what every text may know just then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from voiceflow.core.errors import TimingError
from voiceflow.plan.moments import Bout, Line, Moment, Richness
from voiceflow.script.pacing import Pacing
from voiceflow.script.positions import Positions

_RICHNESS: Final[dict[str, Richness]] = {"full": "full", "brief": "brief", "tones": "word"}

# Six hours of the shortest breaths have fewer.
MOST_MOMENTS = 100_000


class Roll:
    """Moments, and the context that is added to each."""

    def __init__(self, positions: Positions, pacing: Pacing) -> None:
        self.positions, self.pacing = positions, pacing
        self.bouts: Sequence[Bout] = ()
        self.moments: list[Moment] = []
        self.base: dict[str, Any] = {}
        self.group = 0

    def bound(self) -> None:
        if len(self.moments) > MOST_MOMENTS:
            raise TimingError("the session is far too long", hint="six hours at most")

    def add(
        self, kind: str, *lines: Line, context: Mapping[str, Any] | None = None, **more: Any
    ) -> None:
        self.bound()
        if not more.get("box"):
            more.setdefault("richness", self._richness(more.get("exercise", -1)))
        given = tuple({**self.base, **(context or {})}.items())
        self.moments.append(Moment(kind, lines=lines, context=given, **more))

    def _richness(self, index: int) -> Richness:
        """How much is said beside the phases, at an exercise or (-1) of the session."""
        pacing = self.pacing if index < 0 else self.bouts[index].pacing
        return _RICHNESS[pacing.detail]

    def sides(self, side: str | None) -> dict[str, str]:
        if side is None:
            return {"side": "", "other_side": ""}
        other = "left" if side == "right" else "right"
        return {"side": self.positions.side(side), "other_side": self.positions.side(other)}
