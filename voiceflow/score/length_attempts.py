"""Attempts: one way after another to lay a session out in the time there is. All pure.

An `Attempt` says which exercises there are, how often each is done, and what is said of the time.
`write` makes its plan and cues, `lay_out` its score; `first_attempt` and `next_attempt` say what
to try, by lengths that are guessed at first and measured later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from voiceflow.core.errors import InputError
from voiceflow.core.units import GRID_MS, clock, snap_up
from voiceflow.plan import cues
from voiceflow.plan.cues import CueSheet, Facts
from voiceflow.plan.moments import Plan
from voiceflow.plan.timing import LONGEST_MS
from voiceflow.plan.unroll import least_ms, too_long, unroll
from voiceflow.score.arrange import Arranged, arrange
from voiceflow.score.fit_minutes import Reach, left_over, reach, repetitions, rounds
from voiceflow.score.inputs import Inputs
from voiceflow.score.laid import Voicing
from voiceflow.script.choose import drop_one
from voiceflow.script.models import Session

Counts = tuple[tuple[int, int], ...]

# How much quiet before its end a session may get for want of anything to do.
MOST_QUIET_MS = 60_000
# By how much a length that is told lies inside what was guessed, so that it can be had.
GUESSED_MS = 3_000
# Said of the time before anything is known of it.
_UNKNOWN = Facts(30)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to lay out a session.

    Attributes
    ----------
    session : Session
        Less the exercises that were left out for want of time.
    reps, rounds : tuple of (int, int)
        Repetitions by bout and rounds by section, where they are not as written.
    spare_ms : int >= 0
        How much more quiet the close may bear than it usually does.
    facts : Facts
        What is said of the time.
    """

    session: Session
    reps: Counts = ()
    rounds: Counts = ()
    spare_ms: int = 0
    facts: Facts = _UNKNOWN


@dataclass(frozen=True, slots=True)
class Written:
    """An attempt with its plan and the words for each of its moments."""

    attempt: Attempt
    plan: Plan
    cue_sheet: CueSheet


def write(inputs: Inputs, attempt: Attempt, before: Written | None = None) -> Written:
    """The plan and the cues of an attempt.

    Parameters
    ----------
    before : Written, optional
        An earlier attempt. Where only the facts differ its plan is the same, and is kept:
        unrolling takes as long as all the rest.

    Raises
    ------
    ScriptError
        A text fails with the values it gets.
    """
    if before is not None and replace(before.attempt, facts=attempt.facts) == attempt:
        plan = before.plan
    else:
        wishes = replace(
            inputs.wishes, reps=attempt.reps, rounds=attempt.rounds, spare_ms=attempt.spare_ms
        )
        plan = unroll(attempt.session, inputs.positions, wishes)
    sheet = cues.write(plan, inputs.phrases, attempt.facts, inputs.pronunciation)
    return Written(attempt, plan, sheet)


def lay_out(
    inputs: Inputs, written: Written, voicing: Voicing, target_ms: int | None = None
) -> Arranged:
    """The score of an attempt, or the texts whose lengths it needs first.

    Parameters
    ----------
    target_ms : int, optional
        The length that the glue is set to reach. Without, everything has its natural length.

    Raises
    ------
    TimingError
        The glue does not reach `target_ms`, or the session is longer than six hours.
    """
    return arrange(
        written.plan, written.cue_sheet, voicing, inputs.tones,
        voice=inputs.voice.name, pace=inputs.pace, target_ms=target_ms,
        bounded=inputs.target_ms is None,
    )  # fmt: skip


def first_attempt(inputs: Inputs, guessed: Voicing) -> tuple[Attempt, Arranged]:
    """What to try first, by guessed lengths alone, and what it comes to.

    Exercises, rounds and repetitions are chosen from guesses, so that a cold render and a warm one
    go the same way.

    Raises
    ------
    InputError
        The session cannot last as long, or as short, as it is asked to.
    """
    session, target = inputs.session, inputs.target_ms
    # To write down and lay out what is far too long would take longer than to refuse it.
    if target is None and (least := least_ms(session, inputs.wishes)) > LONGEST_MS:
        raise too_long(least)
    longer: Reach | None = None
    while True:
        attempt, span, more = _in_rounds(inputs, session, guessed)
        if target is None:
            break
        # A time between two attempts is within reach: the shorter gets quiet before its end.
        whole = session is inputs.session and more is None
        if target > span.longest_ms and whole:
            raise _out_of_reach(inputs, guessed)
        longer = more or longer
        if target >= span.shortest_ms:
            break
        less = drop_one(session)
        if less is None:
            raise _out_of_reach(inputs, guessed)
        session, longer = less, span
    if target is not None and longer and target > span.longest_ms + MOST_QUIET_MS:
        raise _between(inputs, span, longer)
    written = write(inputs, attempt)
    arranged = lay_out(inputs, written, guessed)
    if target is not None:
        attempt = replace(attempt, reps=_items(_repetitions(inputs, written, arranged, target)))
        written = write(inputs, attempt)
        arranged = lay_out(inputs, written, guessed)
    return replace(attempt, facts=facts_of(written.plan, arranged)), arranged


def next_attempt(
    inputs: Inputs, written: Written, arranged: Arranged, guessed: Voicing
) -> Attempt | None:
    """What to try after an attempt with measured lengths; None where it can meet the time.

    Raises
    ------
    InputError
        Nothing shorter is left.
    """
    attempt, plan, target = written.attempt, written.plan, inputs.target_ms
    if target is None:
        return None
    if target < reach(plan, arranged).shortest_ms:
        # The guess was too hopeful: there is no room for one round or one exercise of these.
        return _less(inputs, attempt, guessed)
    reps = _repetitions(inputs, written, arranged, target)
    if reps != dict(attempt.reps):
        return replace(attempt, reps=_items(reps))
    over = left_over(plan, arranged, reps, target)
    if over > 0:
        # Not even all the glue makes up for half a repetition: it is quiet before the end.
        return replace(attempt, spare_ms=attempt.spare_ms + snap_up(over) + GRID_MS)
    return None


def _repetitions(
    inputs: Inputs, written: Written, arranged: Arranged, target: int
) -> dict[int, int]:
    """Repetitions by bout that bring an attempt near the time.

    Where exercises were left out, no other is done more often than it is written for the sake of
    time that a little quiet can fill.
    """
    plan = written.plan
    if written.attempt.session is not inputs.session:
        reps = repetitions(plan, arranged, target, added=False)
        if 0 <= left_over(plan, arranged, reps, target) <= MOST_QUIET_MS:
            return reps
    return repetitions(plan, arranged, target)


def facts_of(plan: Plan, arranged: Arranged) -> Facts:
    """What an arrangement makes true of the time, in whole minutes."""
    score = arranged.score
    if score is None:
        raise ValueError("what still lacks clips has no length")
    first = [score.length_ms] * len(plan.session.sections)
    for moment, start in zip(plan.moments, arranged.starts, strict=True):
        if moment.exercise >= 0:
            first[moment.section] = min(first[moment.section], start)
    left = tuple(_minutes(score.length_ms - start) for start in first)
    return Facts(_minutes(score.length_ms), left)


def _minutes(ms: int) -> int:
    return max(1, round(ms / 60_000))


def _items(counts: dict[int, int]) -> Counts:
    return tuple(counts.items())


def _guess(inputs: Inputs, attempt: Attempt, guessed: Voicing) -> tuple[Plan, Arranged]:
    written = write(inputs, attempt)
    return written.plan, lay_out(inputs, written, guessed)


def _in_rounds(
    inputs: Inputs, session: Session, guessed: Voicing
) -> tuple[Attempt, Reach, Reach | None]:
    """`session` with its circuits in as many rounds as come nearest to the time.

    With the lengths that it can take so, and with a round more; None where there are no more.
    """
    target, ways = inputs.target_ms, rounds(session)
    # No exercise goes for the sake of one round more of the others.
    if session is not inputs.session:
        ways = ways[:1]
    if target is None:
        attempt = Attempt(session)
        return attempt, reach(*_guess(inputs, attempt, guessed)), None
    tried: dict[int, tuple[Arranged, Reach, int]] = {}

    def natural_ms(at: int) -> int:
        """The natural length with `ways[at]`; by how much the time is missed is noted, too."""
        plan, arranged = _guess(inputs, Attempt(session, rounds=_items(ways[at])), guessed)
        over = left_over(plan, arranged, repetitions(plan, arranged, target), target)
        tried[at] = arranged, reach(plan, arranged), over
        return arranged.natural_ms

    # More rounds last longer: the way next to the time, and those around it, are the nearest.
    near = _first_at_least(target, len(ways), natural_ms)
    for at in (near - 1, near, near + 1):
        if 0 <= at < len(ways) and at not in tried:
            natural_ms(at)

    def cost(at: int) -> tuple[bool, int, int]:
        arranged, _, over = tried[at]
        # Too short can be mended with quiet, too long cannot.
        return over < 0, abs(over), abs(arranged.natural_ms - target)

    best = min(tried, key=cost)
    more = tried[best + 1][1] if best + 1 in tried else None
    return Attempt(session, rounds=_items(ways[best])), tried[best][1], more


def _first_at_least(target: int, count: int, value: Callable[[int], int]) -> int:
    """The first of `count` places whose rising `value` reaches `target`; else the last."""
    low, high = 0, count - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if value(middle) < target else (low, middle)
    return low


def _less(inputs: Inputs, attempt: Attempt, guessed: Voicing) -> Attempt:
    """`attempt` with one round less, or with one exercise less."""
    ways = rounds(attempt.session)
    here = dict(attempt.rounds)
    # No exercise goes before all circuits are at their fewest rounds.
    if here in ways[1:]:
        return replace(attempt, reps=(), rounds=_items(ways[ways.index(here) - 1]))
    less = drop_one(attempt.session)
    if less is None:
        raise _out_of_reach(inputs, guessed)
    return replace(attempt, session=less, reps=(), rounds=_items(rounds(less)[0]))


def _between(inputs: Inputs, shorter: Reach, longer: Reach) -> InputError:
    """That a length lies between those that can be had, which are told, by guesses."""
    below, above = shorter.longest_ms + MOST_QUIET_MS, longer.shortest_ms
    hint = f"up to about {clock(below - GUESSED_MS)}, or from about {clock(above + GUESSED_MS)}"
    return _refusal(inputs, hint)


def _out_of_reach(inputs: Inputs, guessed: Voicing) -> InputError:
    """That the length cannot be had, with the shortest and the longest that can, by guesses."""
    smaller = inputs.session
    most = Attempt(smaller, rounds=_items(rounds(smaller)[-1]))
    longest = reach(*_guess(inputs, most, guessed)).longest_ms
    while (less := drop_one(smaller)) is not None:
        smaller = less
    fewest = Attempt(smaller, rounds=_items(rounds(smaller)[0]))
    shortest = reach(*_guess(inputs, fewest, guessed)).shortest_ms
    hint = f"from about {clock(shortest + GUESSED_MS)} to about {clock(longest - GUESSED_MS)}"
    return _refusal(inputs, hint)


def _refusal(inputs: Inputs, hint: str) -> InputError:
    return inputs.refusal(f"this session cannot last {clock(inputs.target_ms or 0)}", hint)
