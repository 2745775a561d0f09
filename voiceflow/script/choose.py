"""Chooses among a session's exercises: by name, by tag, or in another order.

A session in, a session with fewer or reordered exercises out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from voiceflow.core.errors import InputError, UnknownNameError
from voiceflow.script.models import Exercise, Section, Session


def choose(
    session: Session,
    *,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    focus: Sequence[str] = (),
    shuffle: int | None = None,
) -> Session:
    """`session` with the chosen exercises.

    Parameters
    ----------
    only, skip : sequence of str
        Names of exercises, as the session uses them.
    focus : sequence of str
        Tags; an exercise with at least one of them stays.
    shuffle : int, optional
        A seed for another order: only neighbours in the same position change places.

    Raises
    ------
    UnknownNameError
        The session has no such exercise or tag.
    InputError
        No exercise is left.
    """
    slugs = {exercise.slug for exercise in session.exercises}
    tags = {tag for exercise in session.exercises for tag in exercise.tags}
    # A misspelt name must not pass unseen as one that leaves nothing out.
    for kind, asked, known in (("exercise", (*only, *skip), slugs), ("tag", focus, tags)):
        for name in asked:
            if name not in known:
                raise UnknownNameError(f"{kind} in this session", name, known)
    chosen = _kept(
        session,
        lambda e: (
            (not only or e.slug in only)
            and e.slug not in skip
            and (not focus or any(tag in focus for tag in e.tags))
        ),
    )
    if not chosen.sections:
        raise InputError("no exercises are left in the session", hint="leave out fewer of them")
    return chosen if shuffle is None else _shuffled(chosen, shuffle)


def drop_one(session: Session) -> Session | None:
    """`session` without the exercise that is missed least; None if there is none to leave out.

    The first and the last exercise stay, and those whose dose is prescribed. It is taken from the
    section with the most exercises: the one that leaves the fewest changes of position, and of
    several the last.
    """
    places = [
        (s, e) for s, section in enumerate(session.sections) for e in range(len(section.exercises))
    ]
    flat = [session.sections[s].exercises[e] for s, e in places]

    def cost(n: int) -> tuple[int, int, int]:
        rest = flat[:n] + flat[n + 1 :]
        changes = sum(a.position != b.position for a, b in pairwise(rest))
        return (-len(session.sections[places[n][0]].exercises), changes, -n)

    free = [n for n in range(1, len(flat) - 1) if not flat[n].fixed]
    if not free:
        return None
    section, at = places[min(free, key=cost)]
    return _without(session, section, at)


def _without(session: Session, section: int, at: int) -> Session:
    sections = list(session.sections)
    left = sections[section].exercises
    sections[section] = replace(sections[section], exercises=left[:at] + left[at + 1 :])
    return replace(session, sections=tuple(one for one in sections if one.exercises))


def _kept(session: Session, keep: Callable[[Exercise], bool]) -> Session:
    sections = (
        replace(s, exercises=tuple(e for e in s.exercises if keep(e))) for s in session.sections
    )
    return replace(session, sections=tuple(section for section in sections if section.exercises))


def _shuffled(session: Session, seed: int) -> Session:
    # A string as the seed gives the same order on every machine and in every version of Python.
    dice = random.Random(f"voiceflow {seed}")

    def mixed(section: Section) -> Section:
        order: list[Exercise] = []
        for _, run in groupby(section.exercises, key=lambda exercise: exercise.position):
            # Not `shuffle`: of `random` alone is promised that a seed gives the same numbers.
            order.extend(sorted(run, key=lambda _: dice.random()))
        return replace(section, exercises=tuple(order))

    return replace(session, sections=tuple(mixed(section) for section in session.sections))
