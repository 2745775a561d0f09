"""Whole sessions as hypothesis writes them: times and words of all kinds, plain and odd."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import strategies as st

from voiceflow.score.options import Options
from voiceflow.script.models import POSITIONS

TEMPO = {"calm": 0.9, "steady": 1.0, "brisk": 1.15}
_NAMES = "Bridge Swan Saw Teaser Mermaid Crab Seal Boomerang".split()
_WORDS = (
    "lift your heel and let the long line of your spine open while your ribs stay soft and wide "
    "3x10 ½ 20-30s w/ I psoas naïve Ñandú A/B 5 % don't “soft” C# #2 no yes: 1:30 e.g. 🙂 … "
    "{{side}} ribs, 10 reps/side"
).split()


@dataclass(frozen=True)
class Case:
    """A session as data, and how it is asked for."""

    root: dict[str, Any]
    pace: str = "steady"
    detail: str = "full"
    rest: float | None = None

    def options(self, minutes_ms: int | None = None) -> Options:
        rest = () if self.rest is None else (("rest", self.rest),)
        return Options(
            pace=self.pace,
            voice="silent",
            pacing=(("detail", self.detail), *rest),
            minutes_ms=minutes_ms,
        )


class _Author:
    """Writes texts of which no two are alike: each version ends in a word of its own."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw, self.numbers = draw, itertools.count()

    def pick(self, *values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def text(self, most: int) -> str:
        """One to three versions, the richest first."""
        full = self.draw(st.integers(0, most))
        lengths = [full, full // 2, full // 4][: self.pick(1, 2, 2, 3)]
        return " | ".join(self._version(length) for length in lengths)

    def _version(self, length: int) -> str:
        # One draw for all words: with a draw for each, few sessions are small enough to be made.
        words = Random(self.draw(st.integers(0, 9_999))).choices(_WORDS, k=length)
        number, letters = next(self.numbers), "bdfgklmnprst"
        own = letters[number // 60 % 12] + "aeiou"[number // 12 % 5] + letters[number % 12] + "in"
        said = " ".join([*words, own])
        return f"{said[:1].upper()}{said[1:]}."


def _times(author: _Author, *seconds: float) -> str:
    return f"{author.pick(*seconds):g}s"


def _phase(author: _Author, breath: str) -> Any:
    seconds = author.pick(2, 3, 4, 5.5, 8)
    key = f"{breath} {seconds:g}"
    if breath == "hold" and author.pick(False, True):
        key = f"hold {_times(author, 5, 12, 20)}"
    return {key: author.text(8)} if author.pick(True, True, True, False) else key


def _step(author: _Author) -> Any:
    kind = author.pick("say", "silence", "silence", "bell", "inhale", "exhale", "hold")
    if kind in ("say", "bell"):
        return {"say": author.text(14)} if kind == "say" else "bell"
    if kind == "silence":
        key = f"silence {_times(author, 4, 10, 25.5, 60)}"
        return {key: author.text(12)} if author.pick(False, False, False, True) else key
    return _phase(author, kind)


def _body(author: _Author) -> dict[str, Any]:
    kind = author.pick("rep", "work", "work", "flow")
    if kind == "work":
        return {"work": _times(author, 5, 20, 40, 61.3)}
    if kind == "flow":
        return {"flow": [_step(author) for _ in range(author.pick(1, 2, 3, 5))]}
    breaths = author.pick(("inhale", "exhale"), ("exhale", "hold", "inhale"), ("hold",))
    return {"rep": [_phase(author, one) for one in breaths], "reps": author.pick(1, 2, 3, 5)}


def _exercise(author: _Author, name: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": name,
        "position": author.pick("standing", "standing", *POSITIONS),
        "setup": author.text(author.pick(3, 8, 20)),
        **_body(author),
    }
    some = {
        "purpose": lambda: author.text(8),
        "caution": lambda: author.text(6),
        "finish": lambda: author.text(6),
        "rest": lambda: _times(author, 15, 0, 3, 8, 30, 47.5, 120),
        "sets": lambda: author.pick(2, 3),
        "tips": lambda: [author.text(6) for _ in range(author.pick(1, 2))],
        "sides": lambda: author.pick("each", "alternate"),
    }
    for key, write in some.items():
        if author.pick(False, True):
            made[key] = write()
    return _fitting(author, made)


def _fitting(author: _Author, made: dict[str, Any]) -> dict[str, Any]:
    """`made` without keys that have no effect beside its others, and without a side it lacks."""
    if "flow" in made:
        made.pop("tips", None)
    if "rep" not in made and made.get("sides") == "alternate":
        made["sides"] = "each"
    if made.get("sides") == "each" and author.pick(False, True):
        made["switch"] = author.text(6)
    return made if "sides" in made else _sideless(made)


def _sideless(made: Any) -> Any:
    """`made` without the variable that only exercises with two sides have."""
    return json.loads(json.dumps(made).replace("{{side}} ", "").replace("{{side}}", ""))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Whole sessions, at any pace and detail, with times and words of all kinds."""
    author = _Author(draw)
    names = iter(_NAMES)
    sections = []
    for title in ("Begin", "Go on")[: author.pick(1, 1, 2)]:
        made = [_exercise(author, next(names)) for _ in range(author.pick(1, 2, 3))]
        sections.append({title: {"rounds": author.pick(1, 1, 2), "exercises": made}})
    root: dict[str, Any] = {"title": "A Made Session", "sections": sections}
    if author.pick(False, True):
        root["about"] = _sideless(author.text(8))
    if author.pick(False, True):
        root["rest"] = _times(author, 12, 0, 5, 45)
    rest = author.pick(None, None, None, 10.0)
    return Case(root, author.pick(*TEMPO), author.pick("full", "full", "brief", "tones"), rest)


@st.composite
def roomy_cases(draw: st.DrawFn) -> Case:
    """Sessions with time for all their words, as a careful author writes them."""
    author = _Author(draw)
    made = []
    for name in _NAMES[: author.pick(1, 2, 3)]:
        one = {"name": name, "position": "standing", "setup": f"Stand tall. {author.text(2)}"}
        one.update(author.pick(_roomy_work, _roomy_reps, _roomy_flow)(author))
        made.append({**one, "rest": _times(author, 30, 45), "sets": author.pick(1, 2)})
    root = {"title": "A Careful Session", "exercises": _sideless(made)}
    return Case(root, author.pick(*TEMPO))


def _roomy_work(author: _Author) -> dict[str, Any]:
    return {"work": _times(author, 20, 40), "finish": author.text(2)}


def _roomy_reps(author: _Author) -> dict[str, Any]:
    exhale = {"exhale 8": f"Exhale. {author.text(1)}"}
    return {"rep": [{"inhale 8": "Inhale slowly. | Inhale."}, exhale], "reps": 3}


def _roomy_flow(author: _Author) -> dict[str, Any]:
    flow = [{"say": author.text(4)}, "bell", f"silence {_times(author, 5, 15)}"]
    return {"flow": flow, "finish": author.text(3)}


@st.composite
def boxes(draw: st.DrawFn) -> Case:
    """Sessions whose work is a time box: its exercises are told first, then the time runs."""
    author = _Author(draw)
    made = [_exercise(author, name) for name in _NAMES[: author.pick(1, 2)]]
    section = {"time": _times(author, 60, 90.5), "exercises": made}
    after = {"name": "Stand", "position": "standing", "setup": "Stand.", "work": "20s"}
    root = {"title": "A Box", "sections": [{"Box": section}, {"After": [after]}]}
    return Case(root, author.pick(*TEMPO), "full", author.pick(None, 25.0))
