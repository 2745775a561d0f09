"""Rules about time: every text fits its breath, announcements have room, no two clips overlap.

Each rule takes the evidence of a session and yields findings.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from voiceflow.lint.evidence import Evidence, Finding, Said, once
from voiceflow.plan.moments import Bout, Moment
from voiceflow.plan.timing import flow_phase
from voiceflow.score.arrange import Unsaid

# The slowest tempo that a script may ask for.
LEAST_TEMPO = 0.25
NEAR_MS = 48  # two steps of the grid


def unfit(evidence: Evidence) -> Iterator[Finding]:
    """Texts that do not fit their phase: a warning if a shorter one of the author's is said."""
    found = []
    for one in evidence.decision.arranged.unsaid:
        moment = evidence.moments[one.moment]
        if not moment.prefix:  # longer versions with a prefix are only tried, not promised
            key = (moment.exercise, one.text)
            found.append((key, _unfit(evidence, moment, one)))
    yield from once(found)


def _unfit(evidence: Evidence, moment: Moment, one: Unsaid) -> Finding:
    text = moment.lines[0].text if moment.lines else None
    # A brief phase is not given the author's full version.
    own = len(text.versions) - (moment.richness == "brief") if text else 0
    versions = evidence.cue_sheet.cues[one.moment].versions
    enough = one.said in versions[:own]
    message = (
        f"“{one.text}” does not fit its {moment.breath or moment.kind}: "
        f"it needs {one.needs_ms / 1000:.2f} s and has {one.has_ms / 1000:.2f} s"
    )
    if not enough:
        left = f"only “{one.said}” is said" if one.said else "nothing is said"
        message += f"; {left}"
    mark = text.mark if text else None
    hint = _fitting(evidence, moment, one)
    severity = "warning" if enough else "error"
    return evidence.finding(severity, "does-not-fit", message, hint, at=one.moment, mark=mark)  # type: ignore[arg-type]


def _fitting(evidence: Evidence, moment: Moment, one: Unsaid) -> str:
    """A hint how it could fit: shorter, or at which tempo."""
    pacing = evidence.bouts[moment.exercise].pacing
    # `has_ms` is without the quiet at the end of a phase, which a longer one has to keep.
    whole = one.needs_ms + moment.least_ms - one.has_ms
    own_breath = {"inhale": pacing.breath_in, "exhale": pacing.breath_out}.get(moment.breath or "")
    # The tempo changes neither a breath of one's own nor a hold that was written as a time.
    if own_breath is not None or _is_exact(evidence, moment):
        return f"make it shorter: it fits a phase of {whole / 1000:.1f} s"
    # Rounded down: at the tempo that is told, the text must fit.
    tempo = math.floor(pacing.tempo * moment.least_ms / whole * 100) / 100
    if tempo < LEAST_TEMPO:
        return "make it shorter"
    return f"make it shorter, or the tempo slower: it fits at tempo {tempo:.2f}"


def _is_exact(evidence: Evidence, moment: Moment) -> bool:
    """Whether a moment is a hold that keeps its seconds at every tempo."""
    exercise = evidence.bouts[moment.exercise].exercise
    phases = (*exercise.rep, *map(flow_phase, exercise.flow))
    texts = [line.text for line in moment.lines]
    return any(phase.exact and phase.text in texts for phase in phases if phase.text)


def unannounced(evidence: Evidence) -> Iterator[Finding]:
    """Announcements, such as “Last one”, for which there is no room."""
    found: list[tuple[Any, Finding]] = []
    for index, moment in enumerate(evidence.moments):
        versions = evidence.cue_sheet.cues[index].versions
        prefix = _prefix(versions) if moment.prefix else ""
        if prefix and not any(s.event.name.startswith(prefix) for s in evidence.of_moment(index)):
            message = f"there is no room for “{prefix}” in the {moment.breath}"
            hint = "make the first phase longer, or the tempo slower"
            finding = evidence.finding("warning", "not-announced", message, hint, at=index)
            found.append(((moment.exercise, prefix), finding))
    yield from once(found)


def _prefix(versions: tuple[str, ...]) -> str:
    """The announcement with which the first version of a phase begins."""
    # The cues have it before the first version and once by itself; the shortest text with which the
    # first begins is the announcement.
    alone = [one.rstrip(".") for one in versions[1:]]
    begins = [one for one in alone if versions[0].startswith((f"{one}. ", f"{one}, ", f"{one} "))]
    return min(begins, key=len, default="")


def uncounted(evidence: Evidence) -> Iterator[Finding]:
    """Counts that do not fit: in a count-in some, in a hold all of them in every repetition."""
    found: list[tuple[Any, Finding]] = []
    counted = set()
    for index, moment in enumerate(evidence.moments):
        counts = evidence.cue_sheet.cues[index].counts
        heard = sum(said.event.name in counts for said in evidence.of_moment(index))
        # In the first repetitions words take the place of counts: later ones may count.
        hold = moment.kind == "phase"
        key = (moment.exercise, moment.kind, moment.lines[:1] if hold else ())
        if hold and heard:
            counted.add(key)
        if heard < (min(1, len(counts)) if hold else len(counts)):
            message = f"only {heard} of {len(counts)} counts fit the {moment.breath or moment.kind}"
            hint = "the beat is too short for the numbers: use faster speech or a slower tempo"
            if hold:
                message = f"the {moment.breath} is never counted: the words leave no room"
                hint = "use fewer words, a longer hold, or `count: none`"
            finding = evidence.finding("warning", "counts-cut", message, hint, at=index)
            found.append((key, finding))
    yield from once((key, finding) for key, finding in found if key not in counted)


def unsaid_tips(evidence: Evidence) -> Iterator[Finding]:
    """Tips for which there is no room, though a repetition was left to say them in."""
    for number, bout in enumerate(evidence.bouts):
        if bout.pacing.detail == "tones" or not evidence.worked(bout):
            continue
        if any(later.exercise.slug == bout.exercise.slug for later in evidence.bouts[number + 1 :]):
            continue  # the other tips are said when the exercise comes again
        tips, said = (
            evidence.cue_sheet.tips[number],
            {one.event.name for one in _said_of(evidence, bout)},
        )
        left = [tip for tip in tips if tip not in said]
        told = [one.moment for one in evidence.of_bout(number) if one.event.name in tips]
        if left and (bout.exercise.flow or _had_room(evidence, bout, number, told)):
            hint = "make it shorter"
            if bout.exercise.flow:
                hint = "write it as a `say` step under `flow:`"
            # There was room for one more, so one is told; a flow has none for any.
            for tip in left if bout.exercise.flow else left[:1]:
                message = f"there is no room for the tip “{tip}”"
                text = evidence.tip(number, tip)
                mark = text.mark if text else None
                yield evidence.finding(
                    "warning", "tip-unsaid", message, hint, bout=number, mark=mark
                )


def _said_of(evidence: Evidence, bout: Bout) -> Iterator[Said]:
    for number, one in enumerate(evidence.bouts):
        if one.exercise.slug == bout.exercise.slug:
            yield from evidence.of_bout(number)


def _had_room(evidence: Evidence, bout: Bout, number: int, told: list[Moment]) -> bool:
    """Whether one more tip could have been tried: tips are never in neighbouring repetitions."""
    if bout.exercise.work_s is not None:
        # The places that `_work_tips` in score/arrange.py tries; below, those of `_repetition`.
        places = sum(2 for _, m in evidence.numbered(number, "work") if m.least_ms >= 15_000)
        return len(told) < places
    taken = {moment.group for moment in told}
    firsts: dict[int, Moment] = {}
    for _, moment in evidence.numbered(number, "phase"):
        firsts.setdefault(moment.group, moment)
    quiet = [
        g for g, m in firsts.items() if m.richness == "brief" and m.prefix in ("", "alternate")
    ]
    return any(not taken & {group - 1, group, group + 1} for group in quiet)


def long_rests(evidence: Evidence) -> Iterator[Finding]:
    """Rests between two intervals that last longer than written: the words need more time."""
    works = [n for n, moment in enumerate(evidence.moments) if moment.kind == "work"]
    found: list[tuple[Any, Finding]] = []
    for one, after in pairwise(works):
        between = evidence.moments[one + 1 : after]
        bout = evidence.bouts[evidence.moments[one].exercise]
        # A change of sides has a time of its own; other exercises may lie between.
        strange = any(moment.kind in ("switch", "phase", "say", "silence") for moment in between)
        if strange or not bout.rest_written:
            continue
        written = round(bout.pacing.rest * 1000)
        lasts = evidence.starts[after] - evidence.starts[one] - evidence.moments[one].least_ms
        if lasts > written + NEAR_MS:
            message = (
                f"the rest after {bout.exercise.name} lasts {lasts / 1000:.1f} s, "
                f"{written / 1000:g} s are written"
            )
            hint = "use fewer words before the next interval, `--detail brief`, or a longer `rest`"
            key = (bout.exercise.slug, lasts // 1000)
            found.append((key, evidence.finding("warning", "rest-longer", message, hint, at=one)))
    yield from once(found)


def collisions(evidence: Evidence) -> Iterator[Finding]:
    """Clips that overlap, or are closer to each other than `air` allows."""
    end = 0
    for before, after in pairwise(evidence.said):
        end = max(end, before.event.end_ms)
        if after.event.start_ms < end:
            message = f"“{before.event.name}” and “{after.event.name}” overlap"
            yield evidence.finding("error", "overlap", message, at=after.index)
            continue
        gap = after.event.start_ms - end
        counted = before.event.name in evidence.cue_sheet.cues[before.index].counts
        if not counted and gap < _air_ms(evidence, before, after):
            message = (
                f"{gap} ms between “{before.event.name}” and “{after.event.name}”, "
                f"less than the `air` of {_air_ms(evidence, before, after)} ms"
            )
            yield evidence.finding("error", "no-air", message, at=after.index)


def _air_ms(evidence: Evidence, *said: Said) -> int:
    airs = [evidence.bouts[s.moment.exercise].pacing.air for s in said if s.moment.exercise >= 0]
    return round(min(airs, default=evidence.plan.pacing.air) * 1000)


RULES = (
    unfit,
    unannounced,
    uncounted,
    unsaid_tips,
    long_rests,
    collisions,
)
