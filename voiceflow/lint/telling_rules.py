"""Rules about what must be said: names, set-ups, breath, things to fetch, the end.

Each rule takes the evidence of a session and yields findings.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from voiceflow.lint import word_tables as words
from voiceflow.lint.evidence import Evidence, Finding, Said, once
from voiceflow.lint.script_texts import SEEN_HINT
from voiceflow.plan.moments import Bout
from voiceflow.plan.rests import Level


def pointing(evidence: Evidence) -> Iterator[Finding]:
    """Words that point at something that must be seen."""
    found: list[tuple[Any, Finding]] = []
    for said in evidence.said:
        for one in words.seen(said.event.name, (evidence.language,)):
            mark = evidence.mark_of(said, one.word)
            message = f"“{one.word}” points at something that must be seen: “{said.event.name}”"
            hint = SEEN_HINT if mark else f"{SEEN_HINT}; the words are in the phrases"
            finding = evidence.finding(
                "error" if one.sure else "warning", "must-be-seen", message, hint,
                at=said.index, mark=mark, start_ms=said.event.start_ms,
            )  # fmt: skip
            found.append(((one.word.lower(), said.event.name), finding))
    yield from once(found)


def untold(evidence: Evidence) -> Iterator[Finding]:
    """Exercises whose name, set-up, breath or end is not said."""
    left = {
        evidence.moments[index].exercise
        for one in evidence.decision.arranged.rests
        for index, _, _ in one.left_out
        if evidence.moments[index].kind == "set-up"
    }
    for number, bout in enumerate(evidence.bouts):
        said = evidence.of_bout(number)
        kinds = {one.moment.kind for one in said}
        if "name" not in kinds and not _named_before(evidence, number):
            message = "the name of the exercise is not said"
            hint = "say it in the macro `exercise` of the phrases"
            yield evidence.finding("error", "no-name", message, hint, bout=number)
        taught = bout.turn or number in left  # told by an earlier round, or by `without_room`
        if bout.pacing.detail != "tones" and not taught and not _set_up(said, bout):
            message, hint = "nothing says how to get into place", "write it under `setup:`"
            yield evidence.finding("error", "no-setup", message, hint, bout=number)
        if bout.exercise.rep and not _breathing(evidence, bout, said):
            message = "nothing says how to breathe"
            hint = "use inhale and exhale under `rep:`, or describe the breath in the set-up"
            yield evidence.finding("warning", "no-breath", message, hint, bout=number)
        if _ends(evidence, number, bout) and not _ended(evidence, number):
            message, hint = (
                "nothing says that the exercise is over",
                "write `finish:`, or use tones",
            )
            yield evidence.finding("error", "no-finish", message, hint, bout=number)


def _named_before(evidence: Evidence, number: int) -> bool:
    """Whether the rest before, or the work around it, names this exercise."""
    rests = [index for index, _ in evidence.numbered(number - 1, "rest")] if number else []
    if not rests or not evidence.moments[rests[-1]].until_work:
        return False
    first = [said for said in evidence.of_bout(number) if said.moment.kind == "work"][:1]
    heard = " ".join(s.event.name for s in (*_told_next(evidence, number - 1), *first))
    return evidence.bouts[number].exercise.name.casefold() in heard.casefold()


def _told_next(evidence: Evidence, number: int) -> list[Said]:
    """What is said where the next exercise is named: in the last rest, or as the work ends."""
    rests = [index for index, _ in evidence.numbered(number, "rest")]
    works = [index for index, _ in evidence.numbered(number, "work")]
    # The rests before the last one lie between sets.
    return [said for index in (*works[-1:], *rests[-1:]) for said in evidence.of_moment(index)]


def _set_up(said: list[Said], bout: Bout) -> bool:
    """Whether words come before the first movement: a set-up, or in a flow a `say` step."""
    kinds = ("set-up", "say") if bout.exercise.flow else ("set-up",)
    for one in said:
        if one.moment.kind in kinds:
            return True
        if one.moment.kind in ("phase", "work"):
            return False
    return False


def _breathing(evidence: Evidence, bout: Bout, said: list[Said]) -> bool:
    breaths = {phase.breath for phase in bout.exercise.rep}
    if breaths & {"inhale", "exhale"}:
        return True
    return any(words.breathes(one.event.name, evidence.language) for one in said)


def _ends(evidence: Evidence, number: int, bout: Bout) -> bool:
    """Whether the exercise has its own end: in a time box, only the last one does."""
    after = evidence.bouts[number + 1] if number + 1 < len(evidence.bouts) else None
    return evidence.worked(bout) or after is None or after.section != bout.section


def _ended(evidence: Evidence, number: int) -> bool:
    indices = (index for index, _ in evidence.numbered(number, "finish"))
    rests = evidence.decision.arranged.rests
    # In a rest too short for it, the signal takes no time and rings into what follows.
    ringing = {one.rest.first for one in rests if one.level == Level.ON_THE_BEAT}
    return any(
        evidence.sounds(
            evidence.starts[n], evidence.starts[n] + (evidence.length(n) or int(n in ringing))
        )
        for n in indices
    )


def unannounced_next(evidence: Evidence) -> Iterator[Finding]:
    """Rests that do not name what comes next."""
    for number, bout in enumerate(evidence.bouts[:-1]):
        after = evidence.bouts[number + 1]
        if not _ends(evidence, number, bout):
            continue
        heard = " ".join(s.event.name for s in _told_next(evidence, number))
        if after.exercise.name.casefold() not in heard.casefold():
            message = f"the rest does not name the next exercise, {after.exercise.name}"
            hint = "write {{ next }} in the macro `next` of the phrases"
            yield evidence.finding("warning", "next-not-named", message, hint, bout=number)


def unlisted_things(evidence: Evidence) -> Iterator[Finding]:
    """Things that a text asks for, but the welcome does not list."""
    found: list[tuple[Any, Finding]] = []
    needs = set(evidence.session.needs)
    # As for the welcome: a list of the session takes the place of those of its exercises.
    if not needs:
        every = [bout.exercise for bout in evidence.bouts]
        needs = {need for one in every for need in (*one.needs, *one.equipment)}
    known = words.listed(needs, evidence.language)
    for number in range(len(evidence.bouts)):
        for said in evidence.of_bout(number):
            for need, word in words.things(said.event.name, evidence.language).items():
                # A rest may announce the next exercise, whose own words are looked at as well.
                if need not in known and said.moment.kind != "rest":
                    mark = evidence.mark_of(said, word)
                    message = f"asks for “{word}”, which is not listed under `needs:`"
                    hint = f"write `needs: [{need}]`"
                    finding = evidence.finding(
                        "error", "not-listed", message, hint,
                        bout=number, mark=mark, start_ms=said.event.start_ms,
                    )  # fmt: skip
                    found.append(((number, need), finding))
    yield from once(found)


def endless(evidence: Evidence) -> Iterator[Finding]:
    """A session whose end can be missed: it needs last words and a signal."""
    ends = [n for n, moment in enumerate(evidence.moments) if moment.kind == "end"]
    start = evidence.starts[ends[-1]] if ends else evidence.score.length_ms
    spoken = any(said.moment.kind == "end" for said in evidence.said)
    signal = evidence.sounds(start, evidence.score.length_ms, speech=False)
    if not spoken and not signal:
        message = "the session ends without last words and without a signal"
        hint = "say them in the macro `end` of the phrases, and use a tone set that has `end`"
        yield Finding("error", "no-end", message, hint, None, start, evidence.session.mark)
    elif not signal:
        message = "the session ends without a signal"
        hint = "use a tone set that has `end`"
        yield Finding("warning", "no-end", message, hint, None, start, evidence.session.mark)
    elif not spoken:
        message = "the session ends without last words"
        hint = "say them in the macro `end` of the phrases"
        yield Finding("warning", "no-end", message, hint, None, start, evidence.session.mark)


RULES = (pointing, untold, unannounced_next, unlisted_things, endless)
