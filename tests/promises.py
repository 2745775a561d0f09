"""What every session must keep, whatever somebody writes: its times and its words.

Sessions made by hypothesis are checked and decided by the silent voice, whose lengths are estimated
and always the same. A promise is a strategy, and a function from a session to what breaks it.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from making import BUNDLE
from written import Stretch, Wrote, exercises_of, rests, stretches, wrote

from voiceflow.core.cache import Cache
from voiceflow.core.errors import TimingError
from voiceflow.lint import check_path, prove
from voiceflow.score.decide import Decision
from voiceflow.score.options import Context, Options
from voiceflow.score.prepare import prepare
from voiceflow.script.models import POSITIONS

NEAR_MS = 24
TEMPO = {"calm": 0.9, "steady": 1.0, "brisk": 1.15}
_NAMES = "Bridge Swan Saw Teaser Mermaid Crab Seal Boomerang".split()
_WORDS = (
    "lift your heel and let the long line of your spine open while your ribs stay soft and wide "
    "3x10 ½ 20-30s w/ I psoas naïve Ñandú A/B 5 % don't “soft” C# #2 no yes: 1:30 e.g. 🙂 … "
    "{{side}} ribs, 10 reps/side"
).split()
_SIDE = re.compile(r"\{\{\s*side\s*\}\}")


# What hypothesis makes


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


# Checking and deciding them


@dataclass(frozen=True)
class Checked:
    """A session decided, and all that `check` says of it."""

    case: Case
    decision: Decision
    messages: tuple[str, ...]
    warned: tuple[str, ...]

    @property
    def told(self) -> dict[str, Wrote]:
        return wrote(self.case.root, self.case.rest)

    @property
    def found(self) -> list[Stretch]:
        return stretches(self.decision, self.told)


_KNOWN: dict[tuple[Any, ...], Checked] = {}


def check(case: Case, folder: Path, minutes_ms: int | None = None) -> Checked:
    """`case` as a file in `folder`, checked and decided. JSON is YAML, and quotes what it must."""
    text = json.dumps(case.root, ensure_ascii=False, indent=1)
    key = (text, case.pace, case.detail, case.rest, minutes_ms)
    if key not in _KNOWN:
        # Two promises about the same sessions: without chance, hypothesis makes the same again.
        if len(_KNOWN) > 100:
            _KNOWN.clear()
        path = folder / "sessions" / "made.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        _KNOWN[key] = _check(case, path, minutes_ms)
    return _KNOWN[key]


def _check(case: Case, path: Path, minutes_ms: int | None) -> Checked:
    problems = check_path(path, BUNDLE)
    assert all(one.severity != "error" for one in problems), problems
    context = Context(library=BUNDLE, cache=Cache(None))
    decision, instruments = prepare(path, case.options(minutes_ms), context, ahead=False)
    findings = prove(decision, instruments.tones).findings
    messages = (*(one.message for one in problems), *(one.message for one in findings))
    return Checked(case, decision, messages, tuple(one.message for one in findings))


# Every written time is in the score, or `check` tells its seconds


def wrong_times(checked: Checked) -> Iterator[str]:
    """The written times that are not in the score."""
    for what, written_ms, lasts_ms in times(checked):
        if abs(lasts_ms - written_ms) > NEAR_MS:
            yield f"{what}: {written_ms / 1000:g} s written, {lasts_ms / 1000:g} s in the score"


def untold_times(checked: Checked) -> Iterator[str]:
    """Those among them of which `check` does not tell both."""
    for what, written_ms, lasts_ms in times(checked):
        near = abs(lasts_ms - written_ms) <= NEAR_MS
        if not near and not _tells(checked, written_ms / 1000, lasts_ms / 1000):
            yield f"{what}: {written_ms / 1000:g} s written, {lasts_ms / 1000:g} s, and not told"


def times(checked: Checked) -> Iterator[tuple[str, float, float]]:
    """Each written time: what it is, as written, and in the score, in milliseconds."""
    starts, found = checked.decision.arranged.starts, checked.found
    for stretch in found:
        for index in range(stretch.first, stretch.last + 1):
            kind, written_ms = _written(checked, stretch, index)
            if written_ms:
                what = f"{kind} in {stretch.wrote.name}"
                yield what, written_ms, starts[index + 1] - starts[index]
    for one, after in rests(found):
        lasts = starts[after.first] - starts[one.last + 1]
        yield f"rest after {one.wrote.name}", (one.wrote.rest or 0) * 1000, lasts


def _written(checked: Checked, stretch: Stretch, index: int) -> tuple[str, float]:
    if stretch.wrote.box or stretch.wrote.work:
        return "work", (stretch.wrote.box or stretch.wrote.work or 0) * 1000
    step = stretch.step(index)
    tempo = 1 if step.exact else TEMPO[checked.case.pace]
    return step.kind, step.seconds * 1000 / tempo


def _tells(checked: Checked, written: float, lasts: float) -> bool:
    """Whether a warning holds both. One that stands for several places tells the first of them."""
    for message in checked.messages:
        told = [float(number) for number in re.findall(r"(\d+(?:\.\d+)?) s\b", message)]
        if any(abs(n - written) < 0.001 for n in told) and any(abs(n - lasts) <= 1 for n in told):
            return True
    return False


def late_works(checked: Checked) -> Iterator[str]:
    """Intervals whose first word does not sound where they start."""
    starts = checked.decision.arranged.starts
    sounds = {one.start_ms for one in checked.decision.score.events}
    for stretch in checked.found:
        if stretch.wrote.work and starts[stretch.first] not in sounds:
            yield f"nothing sounds where {stretch.wrote.name} starts"


# Every word that was written is said, or `check` lists it

_LESS = {
    "full": (),
    "brief": ("purpose", "about"),
    "tones": ("purpose", "about", "setup", "caution", "tips", "switch", "finish", "rep", "flow"),
}
"""What a detail leaves out because less was asked for."""


def unsaid_texts(checked: Checked) -> Iterator[str]:
    """The texts of which no version is said."""
    said: dict[str | None, list[str]] = {}
    for event in checked.decision.score.events:
        if event.kind == "speech":
            said.setdefault(event.exercise, []).append(event.name)
    heard = {name: _plain(" ".join(texts)) for name, texts in said.items()}
    for name, key, text in texts_of(checked.case.root):
        if key in _LESS[checked.case.detail]:
            continue
        if not any(_holds(heard.get(name, ""), one) for one in text.split(" | ")):
            yield f"{name}, {key}: {text}"


def unlisted_texts(checked: Checked) -> Iterator[str]:
    """Those among them that `check` does not list either."""
    messages = [_plain(message) for message in checked.messages]
    for what in unsaid_texts(checked):
        versions = what.partition(": ")[2].split(" | ")
        if not any(_holds(message, one) for message in messages for one in versions):
            yield what


def texts_of(root: dict[str, Any]) -> Iterator[tuple[str | None, str, str]]:
    """Each text of a session: its exercise, its key, and its versions."""
    if "about" in root:
        yield None, "about", root["about"]
    for exercise, _ in exercises_of(root):
        name = exercise["name"]
        for key in ("setup", "purpose", "caution", "finish", "switch"):
            if key in exercise:
                yield name, key, exercise[key]
        yield from ((name, "tips", tip) for tip in exercise.get("tips", ()))
        for key in ("rep", "flow"):
            steps = (step for step in exercise.get(key, ()) if isinstance(step, dict))
            yield from ((name, key, text) for step in steps for text in step.values())


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _holds(heard: str, version: str) -> bool:
    """Whether `version` is in what is heard, with either side in place of `{{ side }}`."""
    sides = (_SIDE.sub(side, version) for side in ("right", "left", ""))
    return any(_plain(one) in heard for one in sides)


# The promises


@dataclass(frozen=True)
class Promise:
    """Sessions, and what breaks the promise in one of them; `share` of the examples suffices."""

    cases: st.SearchStrategy[Case]
    broken: Callable[[Case, Path], list[str]]
    share: float = 1

    def keep(self, folder: Path, examples: int, how: settings) -> None:
        """Try it on so many sessions."""

        @settings(how, max_examples=max(1, round(examples * self.share)))
        @given(self.cases)
        def kept(case: Case) -> None:
            broken = self.broken(case, folder)
            assert not broken, "\n".join(broken)

        kept()


def _times_kept(case: Case, folder: Path) -> list[str]:
    checked = check(case, folder)
    return [*untold_times(checked), *late_works(checked)]


def _words_kept(case: Case, folder: Path) -> list[str]:
    return list(unlisted_texts(check(case, folder)))


def _eyes_free_kept(case: Case, folder: Path) -> list[str]:
    checked = check(case, folder)
    assume(not checked.warned)
    return [*wrong_times(checked), *unsaid_texts(checked)]


def _kept_in_minutes(case: Case, folder: Path) -> list[str]:
    """Met or refused, `--minutes` takes no written time; less time, then more."""
    natural_ms, broken = check(case, folder).decision.score.length_ms, []
    for factor in (0.9, 1.2):
        try:
            broken += untold_times(check(case, folder, round(natural_ms * factor)))
        except TimingError:
            continue
    return broken


def _box_kept(case: Case, folder: Path) -> list[str]:
    return [*_times_kept(case, folder), *_words_kept(case, folder)]


PROMISES = {
    "every written time is in the score or told": Promise(cases(), _times_kept),
    "every written word is said or listed": Promise(cases(), _words_kept),
    "eyes-free means all times and all words": Promise(
        st.one_of(roomy_cases(), cases()), _eyes_free_kept
    ),
    "minutes change no written time": Promise(cases(), _kept_in_minutes, 0.4),
    "a time box keeps its time and its words": Promise(boxes(), _box_kept, 0.4),
}
