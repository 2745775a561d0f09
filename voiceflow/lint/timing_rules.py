"""Rules about time: every text fits its breath, announcements have room, no two clips overlap.

Each rule takes the evidence of a session and yields findings.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from voiceflow.core.units import GRID_MS
from voiceflow.lint.evidence import Evidence, Finding, Said, once
from voiceflow.plan.moments import Bout, Moment
from voiceflow.plan.rests import Level
from voiceflow.plan.timing import flow_phase, phase_ms
from voiceflow.score.laid import SettledRest, Unsaid
from voiceflow.script.steps import Phase

# The slowest tempo that a script may ask for.
LEAST_TEMPO = 0.25
NEAR_MS = 48  # two steps of the grid


def unfit(evidence: Evidence) -> Iterator[Finding]:
    """Texts that do not fit their phase: a warning if a shorter one of the author's is said."""
    found = []
    for one in evidence.decision.arranged.unsaid:
        moment = evidence.moments[one.moment]
        # Versions with an announcement are only tried, not promised.
        if not _announces(evidence, one):
            key = (moment.exercise, one.text)
            found.append((key, _unfit(evidence, moment, one)))
    yield from once(found)


def _announces(evidence: Evidence, one: Unsaid) -> bool:
    told = evidence.cue_sheet.cues[one.moment].announced
    return any(one.text.startswith(text.rstrip(".")) for text in told)


def _unfit(evidence: Evidence, moment: Moment, one: Unsaid) -> Finding:
    text = moment.lines[0].text if moment.lines else None
    cue = evidence.cue_sheet.cues[one.moment]
    enough = one.said in cue.versions[: cue.own]
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
    """Announcements, such as “Last one”, for which there is no room; of two, the side."""
    found: list[tuple[Any, Finding]] = []
    for index, moment in enumerate(evidence.moments):
        said = " ".join(one.event.name for one in evidence.of_moment(index)).casefold()
        for text in evidence.cue_sheet.cues[index].announced[-1:]:
            told = text.rstrip(".")
            # The second of two goes on after a comma, with a small letter.
            if told.casefold() in said:
                continue
            message = f"there is no room for “{told}” in the {moment.breath}"
            hint = "make the first phase longer, or the tempo slower"
            finding = evidence.finding("warning", "not-announced", message, hint, at=index)
            found.append(((moment.exercise, told), finding))
    yield from once(found)


def uncounted(evidence: Evidence) -> Iterator[Finding]:
    """Counts that do not fit: in a count-in some, in a hold all of them in every repetition."""
    found: list[tuple[Any, Finding]] = []
    counted = set()
    # A short rest gives up beats of its count-in before words of the script.
    short = {one.rest.end - 1 for one in evidence.rests if one.level >= Level.FEWER_BEATS}
    for index, moment in enumerate(evidence.moments):
        if index in short:
            continue
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


def long_rests(evidence: Evidence) -> Iterator[Finding]:
    """Rests that last longer than written: what must be said before the next work needs longer."""
    found: list[tuple[Any, Finding]] = []
    for one in evidence.rests:
        bout = evidence.bouts[evidence.moments[one.rest.at].exercise]
        written = evidence.moments[one.rest.at].least_ms
        lasts = evidence.starts[one.rest.end] - evidence.starts[one.rest.first]
        if not one.rest.written or lasts <= written + NEAR_MS:
            continue
        message = (
            f"the rest after {bout.exercise.name} lasts {lasts / 1000:.1f} s, "
            f"{round(written / 1000, 1):g} s are written"
        )
        if evidence.moments[one.rest.end].exercise == evidence.moments[one.rest.at].exercise:
            message += ": the change of sides has a time of its own"
        elif not one.rest.works:
            after = evidence.bouts[evidence.moments[one.rest.end].exercise].exercise
            message += f": {after.name} has to be introduced"
        hint = f"use fewer words before what follows, or `rest: {_enough(one)}s`"
        finding = evidence.finding("warning", "rest-longer", message, hint, at=one.rest.at)
        found.append(((bout.exercise.slug, lasts // 1000), finding))
    yield from once(found)


def _enough(one: SettledRest) -> str:
    """A length in seconds that has room for everything, rounded up."""
    return f"{math.ceil((one.needs_ms + GRID_MS) / 100) / 10:g}"


def long_silences(evidence: Evidence) -> Iterator[Finding]:
    """Written silences that last longer, because of the words that are said in them."""
    found: list[tuple[Any, Finding]] = []
    for index, moment in enumerate(evidence.moments):
        lasts = evidence.length(index)
        if moment.kind != "silence" or lasts <= moment.least_ms + NEAR_MS:
            continue
        name = evidence.bouts[moment.exercise].exercise.name
        message = (
            f"a silence in {name} lasts {lasts / 1000:.1f} s, "
            f"{round(moment.least_ms / 1000, 1):g} s are written: its words need longer"
        )
        hint = "use fewer words, or say them in a `say` step before it"
        mark = next((line.text.mark for line in moment.lines if line.text is not None), None)
        finding = evidence.finding("warning", "silence-longer", message, hint, at=index, mark=mark)
        found.append(((moment.exercise, moment.lines), finding))
    yield from once(found)


def scaled_breaths(evidence: Evidence) -> Iterator[Finding]:
    """Breaths that are written with a unit, as a time is, and last longer or shorter."""
    found: list[tuple[Any, Finding]] = []
    for number, bout in enumerate(evidence.bouts):
        if not evidence.worked(bout):
            continue
        for phase in (*bout.exercise.rep, *map(flow_phase, bout.exercise.flow)):
            lasts = phase_ms(phase, bout.exercise, bout.pacing)
            if phase.united is None or abs(lasts - phase.seconds * 1000) <= GRID_MS:
                continue
            finding = evidence.finding(
                "warning", "breath-scaled", *_scaled(evidence, bout, phase, lasts),
                bout=number, mark=phase.united,
            )  # fmt: skip
            found.append(((phase.united, phase.breath, lasts), finding))
    yield from once(found)


def _scaled(evidence: Evidence, bout: Bout, phase: Phase, lasts: int) -> tuple[str, str]:
    """What to say of a breath with a unit, and how its seconds are kept."""
    name, seconds = phase.breath, f"{phase.seconds:g}"
    message = f"`{name} {seconds}s` lasts {lasts / 1000:.1f} s: a breath "
    hint = f"write `{name} {seconds}`, without a unit"
    if {"inhale": bout.pacing.breath_in, "exhale": bout.pacing.breath_out}.get(name):
        return f"{message}is as long as your own, whatever its unit", hint
    # Where another tempo is asked for by hand, no script keeps the seconds.
    if not any(key == "tempo" for key, _ in evidence.decision.layers[-1].values):
        hint += "; `tempo: 1` in the exercise keeps the seconds"
    return f"{message}scales with the pace, whatever its unit", hint


def without_room(evidence: Evidence) -> Iterator[Finding]:
    """The script's own texts that a written rest has no room for."""
    found: list[tuple[Any, Finding]] = []
    for one in evidence.rests:
        written = evidence.moments[one.rest.at].least_ms
        for index, text, needs in one.left_out:
            moment = evidence.moments[index]
            name = evidence.bouts[moment.exercise].exercise.name
            message = (
                f"the rest of {round(written / 1000, 1):g} s has no room for “{text}” "
                f"({_KINDS.get(moment.kind, moment.kind)} of {name}, {needs / 1000:.1f} s)"
            )
            hint = f"use fewer words, or `rest: {_enough(one)}s`, which has room for everything"
            mark = next((line.text.mark for line in moment.lines if line.text is not None), None)
            finding = evidence.finding("warning", "left-out", message, hint, at=index, mark=mark)
            found.append(((moment.exercise, moment.kind, text), finding))
    yield from once(found)


# The key of a script that a kind of moment says; the other kinds bear its name.
_KINDS = {"name": "purpose", "set-up": "setup"}


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
    long_rests,
    long_silences,
    scaled_breaths,
    without_room,
    collisions,
)
