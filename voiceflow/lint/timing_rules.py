"""Rules of time: every word fits its breath, each has its place, and no two collide."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from voiceflow.lint.evidence import Finding, Said, View, once
from voiceflow.plan.moments import Bout, Moment
from voiceflow.score.arrange import Unsaid

LEAST_TEMPO = 0.25


def unfit(view: View) -> Iterator[Finding]:
    """Texts that do not fit their phase: what is left to say decides how bad that is."""
    found = []
    for one in view.decision.arranged.unsaid:
        moment = view.moments[one.moment]
        if not moment.prefix:  # with a prefix the longer versions are but tried
            key = (moment.exercise, one.text)
            found.append((key, _unfit(view, moment, one)))
    yield from once(found)


def _unfit(view: View, moment: Moment, one: Unsaid) -> Finding:
    text = moment.lines[0].text if moment.lines else None
    own = len(text.versions) - (moment.richness == "brief") if text else 0
    versions = view.cue_sheet.cues[one.moment].versions
    enough = one.said in versions[:own]
    message = (
        f"“{one.text}” does not fit its {moment.breath or moment.kind}: "
        f"it needs {one.needs_ms / 1000:.2f} s, there are {one.has_ms / 1000:.2f} s"
    )
    if not enough:
        left = f"only “{one.said}” is said" if one.said else "nothing is said"
        message += f"; {left}"
    mark = text.mark if text else None
    hint = _fitting(view, moment, one)
    severity = "warning" if enough else "error"
    return view.finding(severity, "does-not-fit", message, hint, at=one.moment, mark=mark)  # type: ignore[arg-type]


def _fitting(view: View, moment: Moment, one: Unsaid) -> str:
    """How it could fit: shorter, or at which tempo."""
    pacing = view.bouts[moment.exercise].pacing
    whole = one.needs_ms + moment.least_ms - one.has_ms
    own_breath = {"inhale": pacing.breath_in, "exhale": pacing.breath_out}.get(moment.breath or "")
    if own_breath is not None:
        return f"make it shorter: it fits in a phase of {whole / 1000:.1f} s"
    tempo = math.floor(pacing.tempo * moment.least_ms / whole * 100) / 100
    if tempo < LEAST_TEMPO:
        return "make it shorter"
    return f"make it shorter, or slower: it fits at tempo {tempo:.2f}"


def unannounced(view: View) -> Iterator[Finding]:
    """Announcements, such as the last repetition, that found no room."""
    found: list[tuple[Any, Finding]] = []
    for index, moment in enumerate(view.moments):
        versions = view.cue_sheet.cues[index].versions
        prefix = _prefix(versions) if moment.prefix else ""
        if prefix and not any(s.event.name.startswith(prefix) for s in view.of_moment(index)):
            message = f"“{prefix}” finds no room in its {moment.breath}"
            hint = "a longer first phase, or a slower tempo, gives it room"
            finding = view.finding("warning", "not-announced", message, hint, at=index)
            found.append(((moment.exercise, prefix), finding))
    yield from once(found)


def _prefix(versions: tuple[str, ...]) -> str:
    """The announcement that the first of a phase's versions begins with."""
    alone = [one.rstrip(".") for one in versions[1:]]
    begins = [one for one in alone if versions[0].startswith((f"{one}. ", f"{one}, ", f"{one} "))]
    return min(begins, key=len, default="")


def uncounted(view: View) -> Iterator[Finding]:
    """Counts that were cut: a count-in that begins late, a hold that no repetition counts."""
    found: list[tuple[Any, Finding]] = []
    counted = set()
    for index, moment in enumerate(view.moments):
        counts = view.cue_sheet.cues[index].counts
        heard = sum(said.event.name in counts for said in view.of_moment(index))
        # Where a hold is taught the words come first; other repetitions may count it.
        hold = moment.kind == "phase"
        key = (moment.exercise, moment.kind, moment.lines[:1] if hold else ())
        if hold and heard:
            counted.add(key)
        if heard < (min(1, len(counts)) if hold else len(counts)):
            message = f"of {len(counts)} counts in the {moment.breath or moment.kind}, {heard} fit"
            hint = "the beat is too short for the numbers: speak faster, or take a slower tempo"
            if hold:
                message = f"the {moment.breath} is never counted: its words leave no room"
                hint = "fewer words, a longer hold, or `count: none`"
            finding = view.finding("warning", "counts-cut", message, hint, at=index)
            found.append((key, finding))
    yield from once((key, finding) for key, finding in found if key not in counted)


def unsaid_tips(view: View) -> Iterator[Finding]:
    """Tips that were tried and found no room; those without a repetition left are not."""
    for number, bout in enumerate(view.bouts):
        if bout.pacing.detail == "tones" or not view.worked(bout):
            continue
        if any(later.exercise.slug == bout.exercise.slug for later in view.bouts[number + 1 :]):
            continue  # what is left is said when it comes again
        tips, said = view.cue_sheet.tips[number], {one.event.name for one in _said_of(view, bout)}
        left = [tip for tip in tips if tip not in said]
        told = [one.moment for one in view.of_bout(number) if one.event.name in tips]
        if left and (bout.exercise.flow or _had_room(view, bout, number, told)):
            hint = "make it shorter"
            if bout.exercise.flow:
                hint = "say it under `flow:`, as a step of its own"
            for tip in left if bout.exercise.flow else left[:1]:
                message = f"the tip “{tip}” finds no room"
                text = view.tip(number, tip)
                mark = text.mark if text else None
                yield view.finding("warning", "tip-unsaid", message, hint, bout=number, mark=mark)


def _said_of(view: View, bout: Bout) -> Iterator[Said]:
    for number, one in enumerate(view.bouts):
        if one.exercise.slug == bout.exercise.slug:
            yield from view.of_bout(number)


def _had_room(view: View, bout: Bout, number: int, told: list[Moment]) -> bool:
    """Whether there was a place where one more tip was tried: not beside another tip."""
    if bout.exercise.work_s is not None:
        places = sum(2 for _, m in view.numbered(number, "work") if m.least_ms >= 15_000)
        return len(told) < places
    taken = {moment.group for moment in told}
    firsts: dict[int, Moment] = {}
    for _, moment in view.numbered(number, "phase"):
        firsts.setdefault(moment.group, moment)
    quiet = [
        g for g, m in firsts.items() if m.richness == "brief" and m.prefix in ("", "alternate")
    ]
    return any(not taken & {group - 1, group, group + 1} for group in quiet)


def collisions(view: View) -> Iterator[Finding]:
    """Speech over speech, and clips closer than the air they are promised."""
    end = 0
    for before, after in pairwise(view.said):
        end = max(end, before.event.end_ms)
        if after.event.start_ms < end:
            message = f"“{before.event.name}” and “{after.event.name}” are said at once"
            yield view.finding("error", "overlap", message, at=after.index)
            continue
        gap = after.event.start_ms - end
        counted = before.event.name in view.cue_sheet.cues[before.index].counts
        if not counted and gap < _air_ms(view, before, after):
            message = (
                f"{gap} ms between “{before.event.name}” and “{after.event.name}”, "
                f"less than the air of {_air_ms(view, before, after)} ms"
            )
            yield view.finding("error", "no-air", message, at=after.index)


def _air_ms(view: View, *said: Said) -> int:
    airs = [view.bouts[s.moment.exercise].pacing.air for s in said if s.moment.exercise >= 0]
    return round(min(airs, default=view.plan.pacing.air) * 1000)


RULES = (
    unfit,
    unannounced,
    uncounted,
    unsaid_tips,
    collisions,
)
