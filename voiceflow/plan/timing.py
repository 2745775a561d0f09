"""The rules for the length of moments and for how much is said in them.

In: pacing, phases, bouts. Out: milliseconds on the grid, and which version or announcement to say.
"""

from __future__ import annotations

from voiceflow.core.units import snap
from voiceflow.plan.moments import Bout, Moment, Richness
from voiceflow.script.models import Exercise
from voiceflow.script.pacing import Pacing
from voiceflow.script.steps import Phase, Step

# In a shorter hold the breath word leaves no room for counts.
LEAST_COUNTED_MS = 3_500
LEAST_REMINDED = 5
LONGEST_MS = 6 * 3_600_000
"""No session is longer."""
# A hold in a flow that is no part of a breath: from here on its seconds are meant as such.
LEAST_HELD_S = 10


def to_ms(seconds: float) -> int:
    return snap(seconds * 1000)


def other_side(side: str) -> str:
    return "left" if side == "right" else "right"


def side_words(moment: Moment, usual: str = "right") -> dict[str, str]:
    """The words for right and left in the session's language, as a moment's texts see them.

    Parameters
    ----------
    usual : {"right", "left"}
        The side that texts of a moment without a side are given as `side`.
    """
    context, side = dict(moment.context), moment.side or usual
    names = {side: context.get("side", ""), other_side(side): context.get("other_side", "")}
    return {which: str(name) for which, name in names.items()}


def beat_ms(pacing: Pacing) -> int:
    """The length of a counted beat: 1 s / tempo, but never too short to say a number."""
    return max(snap(1000 / pacing.tempo), 792)


def switch_ms(exercise: Pacing, session: Pacing) -> int:
    """The least pause for changing sides.

    An exercise may ask for more time than the session's pace gives, not for less.
    """
    return to_ms(max(exercise.switch_time, session.switch_time))


def phase_ms(phase: Phase, exercise: Exercise, pacing: Pacing) -> int:
    """The length of a phase: seconds / tempo, or scaled to the person's own breath.

    With a breath of one's own, the average inhale (exhale) of the exercise gets that length. A hold
    that was written as a time (with a unit, or a long one in a flow) is kept to the second.
    """
    if phase.exact:
        return snap(phase.seconds * 1000)
    own = {"inhale": pacing.breath_in, "exhale": pacing.breath_out}.get(phase.breath)
    if own is None:
        return max(snap(phase.seconds * 1000 / pacing.tempo), 120)
    alike = [one.seconds for one in exercise.rep if one.breath == phase.breath] or [phase.seconds]
    return max(snap(phase.seconds * own * 1000 * len(alike) / sum(alike)), 120)


def flow_phase(step: Step) -> Phase:
    """A breath or a hold of a flow as a phase: a long hold there is kept to the second."""
    exact = step.exact or (step.kind == "hold" and step.seconds >= LEAST_HELD_S)
    return Phase(step.kind, step.seconds, step.text, step.mark, exact, step.united)


def richness_of(pacing: Pacing, taught: bool) -> Richness:
    if pacing.detail == "tones":
        return "none"
    return "full" if taught and pacing.detail == "full" else "brief"


def taught(bout: Bout, fresh: bool) -> int:
    """How many repetitions are said in full.

    Of three or more at least two stay brief, to leave room for a tip and for the last one.
    """
    anew = any(bout.is_new(phase.text) for phase in bout.exercise.rep)
    if bout.known or (bout.met and not anew):
        return 0
    teach = bout.pacing.teach if fresh else min(1, bout.pacing.teach)
    return min(teach, max(1, bout.reps - 2))


def announced(rep: int, bout: Bout, *, alternate: bool) -> tuple[str, ...]:
    """The macros that announce repetition `rep`: the most useful one, and its side."""
    pacing, reps = bout.pacing, bout.reps
    if pacing.detail == "tones":
        return ()
    # The side of the first repetition was named before it.
    side = ("alternate",) if alternate and rep > 1 else ()
    if pacing.last and rep == reps and reps > 1:
        return ("last", *side)
    if alternate:
        return side
    if pacing.more and rep == reps - 1 and reps > LEAST_REMINDED:
        return ("more",)
    if pacing.halfway and reps > LEAST_REMINDED + 1 and rep == reps // 2 + 1:
        return ("halfway",)
    return ()


def hold_count(phase: Phase, length_ms: int, pacing: Pacing) -> int:
    """How many beats of a hold to count."""
    if phase.breath != "hold" or pacing.count == "none" or pacing.detail == "tones":
        return 0
    if length_ms < LEAST_COUNTED_MS:
        return 0
    # The last number falls a beat before the end; the first beat is left to the breath word.
    beats = round(length_ms / beat_ms(pacing)) - 1
    return min(beats, 3) if pacing.count == "last3" else min(beats, 60)
