"""The evidence for the proof: a decided session indexed by moment and exercise, and findings.

In: a `Decision`. Out: `Evidence`, which the rules read, and `Finding`, which they yield.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from voiceflow.core.errors import Mark, Severity
from voiceflow.plan.moments import Bout, Moment
from voiceflow.plan.timing import side_words
from voiceflow.score.decide import Decision
from voiceflow.score.score import Event
from voiceflow.script.fields import Text, locate
from voiceflow.sounds import ToneSet

if TYPE_CHECKING:
    from voiceflow.sounds.bed import Bed


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the proof found.

    Attributes
    ----------
    severity : {"error", "warning"}
        An error means that it cannot be followed with eyes closed, a warning that it could be
        better.
    rule : str
        The name of the rule, such as ``does-not-fit``.
    exercise : str or None
        The name of the exercise, as it is spoken.
    start_ms : int >= 0
        Its time in the session; the first, if there are several.
    mark : Mark or None
        Its place in the scripts, if known.
    count : int >= 1
        How often it occurs.
    """

    severity: Severity
    rule: str
    message: str
    hint: str = ""
    exercise: str | None = None
    start_ms: int = 0
    mark: Mark | None = None
    count: int = 1

    def to_dict(self) -> dict[str, Any]:
        """The finding as plain values for JSON."""
        mark = self.mark
        place = {"file": mark.file, "line": mark.line, "column": mark.column} if mark else None
        return {
            "severity": self.severity,
            "rule": self.rule,
            "message": self.message,
            "hint": self.hint,
            "exercise": self.exercise,
            "start_ms": self.start_ms,
            "mark": place,
            "count": self.count,
        }


@dataclass(frozen=True, slots=True)
class Said:
    """A speech event and the moment it belongs to."""

    index: int
    moment: Moment
    event: Event


class Evidence:
    """A decision indexed by moment and by exercise. Rules read it and never change it."""

    def __init__(self, decision: Decision, tones: ToneSet, bed: Bed | None = None) -> None:
        self.decision, self.tones, self.bed = decision, tones, bed
        self.plan, self.score = decision.plan, decision.score
        self.session, self.cue_sheet = decision.session, decision.cue_sheet
        # The tables of words are kept by language alone: `es-mx` reads those of `es`.
        self.language = self.session.language.split("-")[0]
        self.starts, self.rests = decision.arranged.starts, decision.arranged.rests
        self.moments = self.plan.moments
        self.bouts = self.plan.bouts
        self.said = tuple(
            Said(index, self.moments[index], event)
            for event in self.score.events
            if event.kind == "speech"
            for index in (self.index_at(event.start_ms),)
        )
        self._of_bout: dict[int, list[Said]] = {}
        self._of_moment: dict[int, list[Said]] = {}
        for one in self.said:
            self._of_bout.setdefault(one.moment.exercise, []).append(one)
            self._of_moment.setdefault(one.index, []).append(one)
        self._moments: dict[int, list[int]] = {}
        for index, moment in enumerate(self.moments):
            self._moments.setdefault(moment.exercise, []).append(index)

    def index_at(self, ms: int) -> int:
        """The index of the moment at `ms`; empty moments that start there are skipped."""
        return max(0, bisect_right(self.starts, ms) - 1)

    def sounds(self, start: int, end: int, *, speech: bool = True) -> bool:
        """Whether a sound starts between `start` and `end`; without `speech`, a tone.

        The wake tone does not count: it announces speech and tells nothing itself.
        """
        events = self.score.events
        # A score has its events in order of start, which is what `bisect` needs.
        first = bisect_left(events, start, key=lambda event: event.start_ms)
        last = bisect_left(events, end, key=lambda event: event.start_ms)
        return any(
            (speech or event.kind != "speech") and event.name != "wake"
            for event in events[first:last]
        )

    def length(self, index: int) -> int:
        """The length of a moment in the score, in ms."""
        last = index + 1 == len(self.starts)
        return (self.score.length_ms if last else self.starts[index + 1]) - self.starts[index]

    def of_bout(self, bout: int) -> list[Said]:
        """What is said in an exercise, in order; -1 stands for the welcome and the farewell."""
        return self._of_bout.get(bout, [])

    def of_moment(self, index: int) -> list[Said]:
        """What is said in a moment, in order."""
        return self._of_moment.get(index, [])

    def numbered(self, bout: int, *kinds: str) -> Iterator[tuple[int, Moment]]:
        """The moments of an exercise with their indices; with `kinds`, only those."""
        for index in self._moments.get(bout, ()):
            if not kinds or self.moments[index].kind in kinds:
                yield index, self.moments[index]

    def worked(self, bout: Bout) -> bool:
        """Whether the exercise has moments of its own: in a time box several share one."""
        return self.session.sections[bout.section].box_s is None

    def finding(
        self, severity: Severity, rule: str, message: str, hint: str = "", *, at: int = -1,
        bout: int = -1, mark: Mark | None = None, start_ms: int | None = None, count: int = 1,
    ) -> Finding:  # fmt: skip
        """A finding in moment `at` or exercise `bout`, with exercise, time and place filled in."""
        if at >= 0:
            bout = self.moments[at].exercise if bout < 0 else bout
            start_ms = self.starts[at] if start_ms is None else start_ms
        elif bout >= 0 and start_ms is None:
            start_ms = next((self.starts[n] for n, _ in self.numbered(bout)), 0)
        exercise = self.bouts[bout].exercise if bout >= 0 else None
        # A finding without a place of its own points at the exercise as the session names it.
        mark = mark or (exercise.mark if exercise else None)
        name = exercise.name if exercise else None
        return Finding(severity, rule, message, hint, name, start_ms or 0, mark, count)

    def tip(self, bout: int, said: str) -> Text | None:
        """The text in the script from which the tip `said` was rendered."""
        tips, written = self.cue_sheet.tips[bout], self.bouts[bout].exercise.tips
        # A tip that came out empty is not among `tips`: then the two no longer match.
        return written[tips.index(said)] if said in tips and len(tips) == len(written) else None

    def text_of(self, said: Said, word: str) -> Text | None:
        """The text in the scripts that has a spoken word; None if it comes from the phrases."""
        texts = [line.text for line in said.moment.lines if line.text is not None]
        if said.moment.exercise >= 0:
            texts += self.bouts[said.moment.exercise].exercise.tips
        elif self.session.about is not None:
            texts.append(self.session.about)
        with_word = (text for text in texts if any(word in one for one in text.versions))
        return next(with_word, None)

    def mark_of(self, said: Said, word: str) -> Mark | None:
        """Where a spoken word is written in the scripts; None if it comes from the phrases."""
        text = self.text_of(said, word)
        return locate(text.mark, word) if text else None

    def side_words(self, moment: Moment) -> dict[str, str]:
        """The words for right and left in the session's language, as a moment's texts see them."""
        # Up to the first switch, texts of a moment without a side are given the side that works
        # first; later ones are not asked about here.
        usual = self.bouts[moment.exercise].exercise.first if moment.exercise >= 0 else "right"
        return side_words(moment, usual)


def once(findings: Iterable[tuple[Any, Finding]]) -> Iterator[Finding]:
    """One finding for each key: the first, with the number of all."""
    kept: dict[Any, list[Finding]] = {}
    for key, finding in findings:
        kept.setdefault(key, []).append(finding)
    for same in kept.values():
        first = same[0]
        yield Finding(
            first.severity, first.rule, first.message, first.hint, first.exercise,
            first.start_ms, first.mark, sum(one.count for one in same),
        )  # fmt: skip
