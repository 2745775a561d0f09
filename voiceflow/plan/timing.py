"""How long things last, and how much is said when: the rules behind each moment."""

from __future__ import annotations

from voiceflow.core.units import snap
from voiceflow.plan.moments import Bout, Richness
from voiceflow.script.models import Exercise
from voiceflow.script.pacing import Pacing
from voiceflow.script.steps import Phase

# A spoken breath word needs time to be heard; below this a phase has only its tone.
LEAST_COUNTED_MS = 3_500
LEAST_REMINDED = 5


def to_ms(seconds: float) -> int:
    return snap(seconds * 1000)


def other_side(side: str) -> str:
    return "left" if side == "right" else "right"


def beat_ms(pacing: Pacing) -> int:
    """A counted beat: a second over the tempo, never too fast to be spoken."""
    return max(snap(1000 / pacing.tempo), 792)


def phase_ms(phase: Phase, exercise: Exercise, pacing: Pacing) -> int:
    """A phase's length: the script's seconds over the tempo, or scaled to a person's own breath."""
    own = {"inhale": pacing.breath_in, "exhale": pacing.breath_out}.get(phase.breath)
    if own is None:
        return max(snap(phase.seconds * 1000 / pacing.tempo), 120)
    alike = [one.seconds for one in exercise.rep if one.breath == phase.breath] or [phase.seconds]
    return max(snap(phase.seconds * own * 1000 * len(alike) / sum(alike)), 120)


def richness_of(pacing: Pacing, taught: bool) -> Richness:
    if pacing.detail == "tones":
        return "none"
    return "full" if taught and pacing.detail == "full" else "brief"


def taught(bout: Bout, fresh: bool) -> int:
    """Repetitions said in full: of few, one stays brief, so that a tip and the end have room."""
    if bout.known or bout.met:
        return 0
    teach = bout.pacing.teach if fresh else min(1, bout.pacing.teach)
    return min(teach, max(1, bout.reps - 2))


def prefix_of(rep: int, bout: Bout, *, alternate: bool) -> str:
    """What is announced with repetition `rep`: at most one thing, the most useful."""
    pacing, reps = bout.pacing, bout.reps
    if pacing.detail == "tones":
        return ""
    if pacing.last and rep == reps and reps > 1:
        return "last"
    if alternate:
        # The side of the first one has just been named.
        return "alternate" if rep > 1 else ""
    if pacing.more and rep == reps - 1 and reps > LEAST_REMINDED:
        return "more"
    if pacing.halfway and reps > LEAST_REMINDED + 1 and rep == reps // 2 + 1:
        return "halfway"
    return ""


def hold_count(phase: Phase, length_ms: int, pacing: Pacing) -> int:
    """How many beats of a hold are counted."""
    if phase.breath != "hold" or pacing.count == "none" or pacing.detail == "tones":
        return 0
    if length_ms < LEAST_COUNTED_MS:
        return 0
    beats = round(length_ms / beat_ms(pacing)) - 1
    return min(beats, 3) if pacing.count == "last3" else min(beats, 60)
