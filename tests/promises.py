"""What every session must keep, whatever somebody writes: its times and its words.

Sessions made by hypothesis are checked and decided by the silent voice, whose lengths are estimated
and always the same. A promise is a strategy, and a function from a session to what breaks it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from made_sessions import TEMPO, Case, boxes, cases, roomy_cases
from making import BUNDLE
from written import Stretch, Wrote, exercises_of, rests, stretches, wrote

from voiceflow.core.cache import Cache
from voiceflow.core.errors import TimingError
from voiceflow.lint import check_path, prove
from voiceflow.score.decide import Decision
from voiceflow.score.options import Context
from voiceflow.score.prepare import prepare

NEAR_MS = 24
_SIDE = re.compile(r"\{\{\s*side\s*\}\}")


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
    # A set-up may be said in the work before a short rest.
    for one in checked.decision.arranged.rests:
        for owner, text in one.ahead:
            bout = checked.decision.plan.bouts[checked.decision.plan.moments[owner].exercise]
            assert any(text in texts for texts in said.values())
            said.setdefault(bout.exercise.name, []).append(text)
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
    """Whether `version` is in what is heard, with either side for `{{ side }}`, or in a message."""
    sides = (_SIDE.sub(side, version) for side in ("right", "left", ""))
    # Where no moment has given it a side, a message quotes a text as it is written.
    return any(_plain(one) in heard for one in (*sides, version))


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
