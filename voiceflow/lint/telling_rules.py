"""Rules about what must be said: names, set-ups, breath, things to fetch, the end.

Each rule takes the evidence of a session and yields findings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from voiceflow.lint.evidence import Evidence, Finding, Said, once
from voiceflow.lint.number_words import hint_for, miscounts, told
from voiceflow.lint.script_texts import SEEN_HINT
from voiceflow.lint.seen_words import seen
from voiceflow.lint.thing_words import listed, things
from voiceflow.lint.word_tables import breathes
from voiceflow.plan.moments import Bout
from voiceflow.plan.rests import Level


def pointing(evidence: Evidence) -> Iterator[Finding]:
    """Words that point at something that must be seen."""
    found: list[tuple[Any, Finding]] = []
    for said in evidence.said:
        for one in seen(said.event.name, (evidence.language,)):
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
        for one in evidence.rests
        for index, _, _ in one.left_out
        if evidence.moments[index].kind == "set-up"
    }
    # A set-up without room in a short rest is said in the work before that.
    ahead = {
        evidence.moments[owner].exercise
        for one in evidence.rests
        for owner, _ in one.ahead
        if evidence.moments[owner].kind == "set-up"
    }
    for number, bout in enumerate(evidence.bouts):
        said = evidence.of_bout(number)
        kinds = {one.moment.kind for one in said}
        if "name" not in kinds and not _named_before(evidence, number):
            message = "the name of the exercise is not said"
            hint = "say it in the macro `exercise` of the phrases"
            if _hurried(evidence, number - 1):
                hint = "make the rest before it longer"
            yield evidence.finding("error", "no-name", message, hint, bout=number)
        # Told by an earlier round, by the work before, or by `without_room`.
        taught = bout.turn or number in left | ahead
        if bout.pacing.detail != "tones" and not taught and not _set_up(evidence, number):
            message = "nothing says how to begin: there is no set-up"
            yield evidence.finding(
                "error", "no-setup", message, "write it under `setup:`", bout=number
            )
        if bout.exercise.rep and not _breathing(evidence, bout, said):
            message = "nothing says how to breathe"
            hint = "use inhale and exhale under `rep:`, or describe the breath in the set-up"
            yield evidence.finding("warning", "no-breath", message, hint, bout=number)
        if _ends(evidence, number, bout) and not _ended(evidence, number):
            message, hint = "nothing says that the exercise is over", "write `finish:`"
            if not bout.exercise.flow:
                hint += ", or use a tone set that has `change`"
            yield evidence.finding("error", "no-finish", message, hint, bout=number)


def _named_before(evidence: Evidence, number: int) -> bool:
    """Whether the rest before, or the work around it, names this exercise."""
    rests = [index for index, _ in evidence.numbered(number - 1, "rest")] if number else []
    if not rests or not evidence.moments[rests[-1]].until_work:
        return False
    first = [said for said in evidence.of_bout(number) if said.moment.kind == "work"][:1]
    return _names((*_told_next(evidence, number - 1), *first), evidence.bouts[number])


def _told_next(evidence: Evidence, number: int) -> list[Said]:
    """What is said where the next exercise is named: in the last rest, or as the work ends.

    In a rest too short for both its name stands at its head alone.
    """
    rests = [index for index, _ in evidence.numbered(number, "rest")]
    works = [index for index, _ in evidence.numbered(number, "work")]
    names = [
        index
        for one in evidence.rests
        if one.rest.at in rests[-1:] and one.level >= Level.NAMED_ONCE
        for index in range(one.rest.at, one.rest.end)
        if evidence.moments[index].kind == "name"
    ]
    # The rests before the last one lie between sets.
    places = (*works[-1:], *rests[-1:], *names)
    return [said for index in places for said in evidence.of_moment(index)]


def _hurried(evidence: Evidence, number: int) -> bool:
    """Whether the rest after an exercise has no room for any word."""
    return any(
        one.level == Level.ON_THE_BEAT and evidence.moments[one.rest.at].exercise == number
        for one in evidence.rests
    )


def _names(said: Iterable[Said], bout: Bout) -> bool:
    """Whether the name of an exercise is heard; a bar in it is said as a pause."""
    # Phrases may put a name through `lower` or `capitalize`.
    heard = _bare(" ".join(one.event.name for one in said))
    return _bare(bout.exercise.name) in heard


def _bare(text: str) -> str:
    """The words of `text` alone, to be compared."""
    words = re.findall(r"[^\W_]+", text.casefold())
    return f" {' '.join(words)} "


def _set_up(evidence: Evidence, number: int) -> bool:
    """Whether words come before the first movement.

    A flow moves nothing but the breath: who has been told the way to its position, or is in it
    already, is in place.
    """
    bout, kinds = evidence.bouts[number], ["set-up"]
    if bout.exercise.flow:
        kinds += ["say", "transition"]
        before = evidence.bouts[number - 1].exercise.position if number else None
        if before == bout.exercise.position:
            return True
    for one in evidence.of_bout(number):
        if one.moment.kind in kinds:
            return True
        if one.moment.kind in ("phase", "work"):
            return False
    return False


def _breathing(evidence: Evidence, bout: Bout, said: list[Said]) -> bool:
    breaths = {phase.breath for phase in bout.exercise.rep}
    if breaths & {"inhale", "exhale"}:
        return True
    return any(breathes(one.event.name, evidence.language) for one in said)


def _ends(evidence: Evidence, number: int, bout: Bout) -> bool:
    """Whether the exercise has its own end: in a time box, only the last one does."""
    after = evidence.bouts[number + 1] if number + 1 < len(evidence.bouts) else None
    return evidence.worked(bout) or after is None or after.section != bout.section


def _ended(evidence: Evidence, number: int) -> bool:
    exercise = evidence.bouts[number].exercise
    # In a time box no step of a flow is heard: the box itself says when it is over.
    if exercise.flow and exercise.finish is None and evidence.worked(evidence.bouts[number]):
        return _flow_ended(evidence, number)
    indices = (index for index, _ in evidence.numbered(number, "finish"))
    # In a rest too short for it, the signal takes no time and rings into what follows.
    ringing = {one.rest.first for one in evidence.rests if one.level == Level.ON_THE_BEAT}
    return any(
        evidence.sounds(
            evidence.starts[n], evidence.starts[n] + (evidence.length(n) or int(n in ringing))
        )
        for n in indices
    )


def _flow_ended(evidence: Evidence, number: int) -> bool:
    """Whether a flow without a finish ends with its own words or a bell, or with what follows."""
    steps = list(evidence.numbered(number, "say", "bell", "silence", "phase"))
    last, moment = steps[-1]
    after = range(last + 1, len(evidence.moments))
    kinds = ("say", "silence", "phase", "work")
    begins = next((n for n in after if evidence.moments[n].kind in kinds), None)
    start = evidence.starts[last]
    if moment.kind not in ("say", "bell"):
        start += evidence.length(last)
    end = evidence.score.length_ms if begins is None else evidence.starts[begins]
    return evidence.sounds(start, end)


def unannounced_next(evidence: Evidence) -> Iterator[Finding]:
    """Rests that do not name what comes next."""
    for number, bout in enumerate(evidence.bouts[:-1]):
        after = evidence.bouts[number + 1]
        # One flow leads to the next without a rest: its name follows at once.
        led = bout.exercise.flow and after.exercise.flow and bout.section == after.section
        if led or not _ends(evidence, number, bout):
            continue
        if not _names(_told_next(evidence, number), after):
            message = f"the rest does not name the next exercise, {after.exercise.name}"
            hint = "write {{ next }} in the macro `next` of the phrases"
            if _hurried(evidence, number):
                hint = "make the rest longer, or the work before it"
            yield evidence.finding("warning", "next-not-named", message, hint, bout=number)


def unlisted_things(evidence: Evidence) -> Iterator[Finding]:
    """Things that a text asks for, but the welcome does not list."""
    found: list[tuple[Any, Finding]] = []
    needs = set(evidence.session.needs)
    # As for the welcome: a list of the session takes the place of those of its exercises.
    if not needs:
        every = [bout.exercise for bout in evidence.bouts]
        needs = {need for one in every for need in (*one.needs, *one.equipment)}
    known = listed(needs, evidence.language)
    for number, bout in enumerate(evidence.bouts):
        lying = bout.exercise.position != "standing"
        for said in evidence.of_bout(number):
            for need, word in things(said.event.name, evidence.language, lying=lying).items():
                # A rest may announce the next exercise, whose own words are looked at as well.
                if need not in known and said.moment.kind != "rest":
                    message = f"asks for “{word}”, which is not listed under `needs:`"
                    finding = evidence.finding(
                        "error", "not-listed", message, _listing(evidence, bout, need),
                        bout=number, mark=evidence.mark_of(said, word),
                        start_ms=said.event.start_ms,
                    )  # fmt: skip
                    found.append(((number, need), finding))
    yield from once(found)


def _listing(evidence: Evidence, bout: Bout, need: str) -> str:
    """How to list a thing beside what is listed: the session's own list is all that is said."""
    own = evidence.session.needs
    where = "in the session" if own else "in the exercise"
    return f"write `needs: [{', '.join((*(own or bout.exercise.needs), need))}]` {where}"


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


def miscounted(evidence: Evidence) -> Iterator[Finding]:
    """A number of one beside a word for several."""
    found: list[tuple[Any, Finding]] = []
    for said in evidence.said:
        for one in miscounts(said.event.name, evidence.language):
            text = evidence.text_of(said, one.noun)
            hint = hint_for(one, text.versions if text else ())
            hint += "" if text else "; the words are in the phrases"
            finding = evidence.finding(
                "warning", "miscounted", f"{told(one)}: “{said.event.name}”", hint,
                at=said.index, mark=evidence.mark_of(said, one.noun),
                start_ms=said.event.start_ms,
            )  # fmt: skip
            found.append((said.event.name, finding))
    yield from once(found)


RULES = (pointing, untold, unannounced_next, unlisted_things, endless, miscounted)
