"""Rules about what somebody wrote and nobody hears: no moment of the session had room for it.

Texts that do not fit their breath are told by `timing_rules`. What is left out because less talk
was asked for, or fewer repetitions, is not told at all.
"""

from __future__ import annotations

from collections.abc import Iterator

from voiceflow.lint.evidence import Evidence, Finding, Said, once
from voiceflow.plan.moments import Bout, Moment
from voiceflow.score.lay_moments import LEAST_TIP_WORK_MS, TIP_PLACES
from voiceflow.script.fields import Text


def unsaid_tips(evidence: Evidence) -> Iterator[Finding]:
    """Tips that no repetition, interval or step says, but for those of a store."""
    for finding, stored in _unheard(evidence):
        if not stored:
            yield finding


def stored_tips(evidence: Evidence) -> tuple[Finding, ...]:
    """The tips of other files for which this session has too few repetitions.

    The tips of an exercise that others use, too, are a store: some sessions have room for a few.
    So these are told, each at its place, and are nothing to be mended.
    """
    found = (((one.mark, one.message), one) for one, stored in _unheard(evidence) if stored)
    return tuple(once(found))


def _unheard(evidence: Evidence) -> Iterator[tuple[Finding, bool]]:
    """The tips that nobody hears, and whether each is of a store."""
    for number, bout in enumerate(evidence.bouts):
        tips = evidence.cue_sheet.tips[number]
        if bout.pacing.detail == "tones" or not evidence.worked(bout):
            continue
        if (bout.exercise.slug, tips) in _later(evidence, number):
            continue  # the other tips are said when the exercise comes again
        said = {one.event.name for one in _said_of(evidence, bout)}
        told = [one.moment for one in evidence.of_bout(number) if one.event.name in tips]
        room = bool(bout.exercise.flow) or _had_room(evidence, bout, number, told)
        for tip in tips:
            if tip in said or (not room and _fewer(bout)):
                continue
            text = evidence.tip(number, tip)
            own = text is not None and text.mark.file == evidence.session.mark.file
            message, hint = _unsaid_tip(evidence, number, tip, room)
            mark = text.mark if text else None
            finding = evidence.finding(
                "warning", "tip-unsaid", message, hint, bout=number, mark=mark
            )
            yield finding, not (room or own)


def _unsaid_tip(evidence: Evidence, number: int, tip: str, room: bool) -> tuple[str, str]:
    """What to say of a tip that nobody hears, and how it would be heard."""
    exercise = evidence.bouts[number].exercise
    message = f"there is no room for the tip “{tip}”"
    if exercise.flow:
        return message, "write it as a `say` step under `flow:`"
    if room:
        return message, "make it shorter"
    if not exercise.work_s:
        message = f"no repetition is left for the tip “{tip}”"
        return message, "write more `reps:` or fewer tips, or say it in the set-up"
    if exercise.work_s * 1000 < LEAST_TIP_WORK_MS:
        return message, f"say it in the set-up, or work for {LEAST_TIP_WORK_MS / 1000:g} s"
    return message, f"an interval has room for {len(TIP_PLACES)}: write more `sets:` or fewer tips"


def _fewer(bout: Bout) -> bool:
    """Whether fewer repetitions are asked for than the session has."""
    return bool(bout.exercise.rep) and bout.reps < bout.exercise.reps


def _later(evidence: Evidence, number: int) -> set[tuple[str, tuple[str, ...]]]:
    """The exercises after `number`, each with its tips."""
    later = range(number + 1, len(evidence.bouts))
    return {(evidence.bouts[n].exercise.slug, evidence.cue_sheet.tips[n]) for n in later}


def _said_of(evidence: Evidence, bout: Bout) -> Iterator[Said]:
    for number, one in enumerate(evidence.bouts):
        if one.exercise.slug == bout.exercise.slug:
            yield from evidence.of_bout(number)


def _had_room(evidence: Evidence, bout: Bout, number: int, told: list[Moment]) -> bool:
    """Whether one more tip could have been tried: tips are never in neighbouring repetitions."""
    if bout.exercise.work_s is not None:
        works = [moment for _, moment in evidence.numbered(number, "work")]
        long = sum(one.least_ms >= LEAST_TIP_WORK_MS for one in works)
        return len(told) < long * len(TIP_PLACES)
    taken = {moment.group for moment in told}
    firsts: dict[int, Moment] = {}
    for _, moment in evidence.numbered(number, "phase"):
        firsts.setdefault(moment.group, moment)
    # The places that `_repetition` in score/lay_moments.py tries.
    free = ((), ("alternate",))
    quiet = [g for g, m in firsts.items() if m.richness == "brief" and m.announces in free]
    return any(not taken & {group - 1, group, group + 1} for group in quiet)


def boxed(evidence: Evidence) -> Iterator[Finding]:
    """Words of the session's own exercises for which a time box has no moment.

    There the person repeats the exercises alone: names and set-ups are said before it.
    """
    for number, bout in enumerate(evidence.bouts):
        if evidence.worked(bout) or bout.pacing.detail == "tones":
            continue
        last = any(True for _ in evidence.numbered(number, "finish"))
        for key, texts in _in_vain(bout, last).items():
            if texts and texts[0].mark.file == evidence.session.mark.file:
                quoted = ", ".join(f"“{text.versions[0]}”" for text in texts)
                message = (
                    f"`{key}:` is not said ({quoted}): "
                    "a section with a `time:` is done at one's own pace"
                )
                hint = "say it in the set-up, or write `rounds:` in place of `time:`"
                yield evidence.finding(
                    "warning", "unsaid", message, hint, bout=number, mark=texts[0].mark
                )


def _in_vain(bout: Bout, last: bool) -> dict[str, list[Text]]:
    """What an exercise in a time box says in vain, by its key."""
    exercise = bout.exercise
    phases = [phase.text for phase in exercise.rep if phase.text]
    steps = [step.text for step in exercise.flow if step.text]
    return {
        "rep": phases,
        "flow": steps,
        "tips": list(exercise.tips) if bout.pacing.tips else [],
        "switch": [exercise.switch] if exercise.switch else [],
        "finish": [exercise.finish] if exercise.finish and not last else [],
    }


RULES = (unsaid_tips, boxed)
