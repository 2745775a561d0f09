"""Rules about quiet: no long silence by accident, and neither too much talk nor too little."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from voiceflow.core.units import clock
from voiceflow.lint.evidence import Evidence, Finding, once
from voiceflow.plan.moments import Moment
from voiceflow.score.arrange import QUIET_MS

# After more time without a sound, a listener wonders whether the player has stopped.
LONGEST_QUIET_MS = 20_000
_QUIET_BY_INTENT = ("silence", "rest", "work")

# Least and most share of speech. Above three quarters, less than one second in four is left to feel
# what was said; an exercise taught in full and done three or four times comes to two thirds. A
# tenth is 14 of 140 words a minute: about one breath cue in three. Brief coaching keeps set-ups
# and names, and shortens the cues of the breaths.
DENSITY = {"full": (0.10, 0.75), "brief": (0.03, 0.70)}
LEAST_SECTION_MS = 30_000


def unwoken(evidence: Evidence) -> Iterator[Finding]:
    """Speech after a long quiet, without the soft tone that should announce it."""
    tones = evidence.tones
    # Without such a tone in its set, no change of the script could mend it.
    if not tones.has("wake") or not tones.length_ms("wake"):
        return
    end = 0
    for event in evidence.score.events:
        if event.kind == "speech" and event.start_ms - end > QUIET_MS:
            quiet = (event.start_ms - end) / 1000
            message = f"“{event.name}” comes after {quiet:.1f} s of quiet, without a wake tone"
            hint = "put a wake tone before it"
            yield Finding("error", "no-wake", message, hint, event.exercise, event.start_ms)
        end = max(end, event.end_ms)


def silences(evidence: Evidence) -> Iterator[Finding]:
    """Long times without a sound where the script does not ask for quiet."""
    end = 0
    found: list[tuple[Any, Finding]] = []
    starts = [(event.start_ms, event.end_ms) for event in evidence.score.events]
    # The end counts as a sound, so that quiet before it is found.
    for start, stop in [*starts, (evidence.score.length_ms, evidence.score.length_ms)]:
        if start - end > LONGEST_QUIET_MS:
            index, quiet = _longest_quiet(evidence, end, start)
            if quiet > LONGEST_QUIET_MS:
                moment = evidence.moments[index]
                message = f"{quiet / 1000:.0f} s without a word or a tone"
                hint = _less_quiet(moment)
                finding = evidence.finding(
                    "error", "long-silence", message, hint, at=index, start_ms=end
                )
                found.append(((moment.exercise, moment.kind, moment.breath), finding))
        end = max(end, stop)
    yield from once(found)


# What makes the quiet shorter in each kind of moment.
_QUIETER = {
    "set-up": "make `settle` shorter, or say more under `setup:`",
    "welcome": "make `settle` shorter",
    "switch": "make `switch_time` shorter, or say more under `switch:`",
    "transition": "make `transition` shorter, or say more in positions.yaml",
    "farewell": "ask for fewer minutes",
}


def _less_quiet(moment: Moment) -> str:
    """How to get rid of a long quiet."""
    if moment.kind != "phase":
        return _QUIETER.get(moment.kind, "make it shorter, or say more")
    if moment.rep is None:
        return "make it a `silence` step, or part it in two with words in each"
    if moment.breath == "hold" and not moment.count:
        return "count it (`count: down`), or use a tone set that has `hold`"
    return "make it shorter, or part it in two with words in each"


def _longest_quiet(evidence: Evidence, start: int, end: int) -> tuple[int, int]:
    """The moment with the most unwanted quiet from `start` to `end`, and the total in ms.

    Unwanted is what is outside of silences, rests and intervals.
    """
    total, best, index = 0, 0, 0
    # What a written rest leaves of its time is quiet by intent, in whichever moment it lies.
    resting = {
        n for one in evidence.rests if one.rest.written for n in range(one.rest.first, one.rest.end)
    }
    for n in range(evidence.index_at(start), len(evidence.moments)):
        if evidence.starts[n] >= end:
            break
        part = min(end, evidence.starts[n] + evidence.length(n)) - max(start, evidence.starts[n])
        wanted = evidence.moments[n].kind in _QUIET_BY_INTENT or n in resting
        if part > 0 and not wanted:
            total += part
            if part > best:
                best, index = part, n
    return index, total


@dataclass(frozen=True, slots=True)
class SectionTalk:
    """How much of a section is speech.

    Attributes
    ----------
    spoken_ms : int >= 0
    quiet_ms : int >= 0
        The time of silences, rests and intervals: the script asks for quiet there.
    """

    title: str
    start_ms: int
    end_ms: int
    spoken_ms: int
    quiet_ms: int

    @property
    def share(self) -> float:
        """The share of all the time that is speech, 0 to 1."""
        return self.spoken_ms / max(1, self.end_ms - self.start_ms)

    @property
    def talking(self) -> float:
        """The share of the time outside of wanted quiet that is speech, at most 1."""
        return min(1.0, self.spoken_ms / max(1, self.end_ms - self.start_ms - self.quiet_ms))


def section_talk(evidence: Evidence) -> tuple[SectionTalk, ...]:
    """How much of each section is speech, in order."""
    spans: dict[int, SectionTalk] = {}
    for index, moment in enumerate(evidence.moments):
        if moment.exercise < 0:
            continue
        start, end = evidence.starts[index], evidence.starts[index] + evidence.length(index)
        title = evidence.session.sections[moment.section].title
        old = spans.get(moment.section, SectionTalk(title, start, end, 0, 0))
        spoken = sum(said.event.length_ms for said in evidence.of_moment(index))
        quiet = end - start if moment.kind in _QUIET_BY_INTENT else 0
        spans[moment.section] = SectionTalk(
            title, old.start_ms, end, old.spoken_ms + spoken, old.quiet_ms + quiet
        )
    return tuple(spans[number] for number in sorted(spans))


def density(evidence: Evidence) -> Iterator[Finding]:
    """Sections with too much talk, or too little."""
    if evidence.plan.pacing.detail not in DENSITY:
        return
    least, most = DENSITY[evidence.plan.pacing.detail]
    for one in section_talk(evidence):
        length = one.end_ms - one.start_ms
        # Quiet that the script asks for must not make the talk look too little.
        if length - one.quiet_ms < LEAST_SECTION_MS or (one.share <= most and one.talking >= least):
            continue
        where = f"section “{one.title}”" if one.title else "the session"
        hint = "use fewer words or more repetitions" if one.share > most else "add a few cues"
        good = f"{least:.0%} to {most:.0%} is good"
        message = f"{one.share:.0%} of {where} ({clock(length)}) is speech; {good}"
        mark = evidence.session.mark
        yield Finding("warning", "speech-density", message, hint, None, one.start_ms, mark)


RULES = (unwoken, silences, density)
