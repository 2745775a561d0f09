"""Fitting: whole repetitions bring a session near the time there is, glue does the rest."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import Phase as Stage
from hypothesis import given, settings
from hypothesis import strategies as st
from making import PACING, Decided, exercise, phase, session, sessions, wishes

from voiceflow.core.errors import TimingError
from voiceflow.core.units import GRID_MS
from voiceflow.plan.moments import Wishes
from voiceflow.score.fit_minutes import LEAST_REPS, MOST_TIMES, reach, repetitions, rounds
from voiceflow.script.models import Section, Session

# Shrinking a whole session takes minutes; the example as found tells enough.
steady = settings(derandomize=True, max_examples=30, phases=(Stage.explicit, Stage.generate))


def fitted(made: Session, target_ms: int, asked: Wishes) -> Decided:
    """`made` at `target_ms`: repetitions are chosen until they stay, then the glue is set."""
    reps: dict[int, int] = {}
    for _ in range(40):
        wanted = replace(asked, reps=tuple(reps.items()))
        decided = Decided(made, wanted, bounded=False)
        chosen = repetitions(decided.plan, decided.arranged, target_ms)
        if chosen == reps:
            return Decided(made, wanted, target_ms=target_ms)
        reps = chosen
    raise AssertionError("the repetitions do not settle")


def longest_step(decided: Decided) -> int:
    """Milliseconds of one repetition more, on both sides and in all sets, where it is longest."""
    return max(
        sum(m.least_ms for m in decided.plan.moments if m.exercise == n and m.kind == "phase")
        // bout.reps
        * (2 if bout.exercise.sides == "alternate" else 1)
        for n, bout in enumerate(decided.plan.bouts)
    )


def counts(decided: Decided) -> list[int]:
    """How often each exercise's first phase is done, in all."""
    return [
        sum(m.kind == "phase" and m.exercise == index for m in decided.plan.moments)
        // max(1, len(bout.exercise.rep))
        for index, bout in enumerate(decided.plan.bouts)
    ]


@steady
@given(sessions("rep"), PACING, st.floats(0, 1))
def test_any_length_that_can_be_reached_is_met(
    made: Session, pacing: dict[str, Any], share: float
) -> None:
    asked = wishes(**pacing)
    natural = Decided(made, asked, bounded=False)
    span = reach(natural.plan, natural.arranged)
    target = int(span.shortest_ms + share * (span.longest_ms - span.shortest_ms))
    if target > 3600 * 1000:
        return
    try:
        decided = fitted(made, target, asked)
    except TimingError:
        # Only where one repetition more is longer than all the glue there is.
        assert longest_step(natural) > natural.arranged.stretch_ms + natural.arranged.shrink_ms
        return
    assert abs(decided.score.length_ms - target) <= GRID_MS
    titles = [bout.title for bout in decided.plan.bouts]
    assert titles == [bout.title for bout in natural.plan.bouts], "no exercise vanishes"
    for kind in ("welcome", "farewell", "end"):
        assert decided.said(kind) == natural.said(kind)
    for bout in decided.plan.bouts:
        written = bout.exercise.reps
        least, most = min(written, LEAST_REPS), written * MOST_TIMES
        if bout.exercise.sides == "alternate":
            assert bout.reps % 2 == 0
            least, most = min(least, 2), most + MOST_TIMES
        if not made.sections[bout.section].box_s:
            assert least <= bout.reps <= most


@steady
@given(sessions("rep rep work flow"), PACING, st.floats(0, 1))
def test_with_intervals_it_is_met_or_told(
    made: Session, pacing: dict[str, Any], share: float
) -> None:
    asked = wishes(**pacing)
    natural = Decided(made, asked, bounded=False)
    span = reach(natural.plan, natural.arranged)
    target = int(span.shortest_ms + share * (span.longest_ms - span.shortest_ms))
    if target > 3600 * 1000:
        return
    try:
        decided = fitted(made, target, asked)
    except TimingError:
        # Whole intervals leave gaps that no rest may fill.
        assert any(bout.exercise.work_s for bout in natural.plan.bouts)
    else:
        assert abs(decided.score.length_ms - target) <= GRID_MS


@pytest.mark.parametrize("beyond", [-60_000, 60_000])
def test_beyond_its_reach_is_an_error(beyond: int) -> None:
    made = session(exercise("One"), exercise("Two", sides="each"))
    natural = Decided(made)
    span = reach(natural.plan, natural.arranged)
    assert span.shortest_ms < natural.score.length_ms < span.longest_ms
    target = (span.shortest_ms if beyond < 0 else span.longest_ms) + beyond
    with pytest.raises(TimingError):
        fitted(made, target, Wishes())


def test_without_added_ones_nothing_is_done_more_often_than_written() -> None:
    made = session(exercise("One", reps=4), exercise("Two", reps=3, sides="alternate"))
    natural = Decided(made)
    span = reach(natural.plan, natural.arranged)
    for target in range(span.shortest_ms, span.longest_ms, 20_000):
        most = repetitions(natural.plan, natural.arranged, target, added=False)
        free = repetitions(natural.plan, natural.arranged, target)
        assert most[0] <= 4
        assert most[1] <= 4  # sides in turn come in pairs
        if all(free[bout] <= 4 for bout in free):
            assert most == free


def test_proportions_stay() -> None:
    made = session(
        exercise("One", reps=4),
        exercise("Two", reps=8, position="prone"),
        exercise("Three", reps=4, sides="each", position="seated"),
    )
    natural = Decided(made)
    before = counts(natural)
    for factor in (0.7, 1.0, 1.5, 2.5):
        target = int(natural.score.length_ms * factor)
        decided = fitted(made, target, Wishes())
        reps = [bout.reps for bout in decided.plan.bouts]
        assert reps[1] >= reps[0]
        assert abs(reps[0] - reps[2]) <= 1
        sides = [m.side for m in decided.plan.moments if m.exercise == 2 and m.kind == "phase"]
        assert sides.count("right") == sides.count("left")
        grown = sum(counts(decided)) - sum(before)
        assert (grown > 0) == (factor > 1) or grown == 0


def test_more_time_never_means_fewer_repetitions() -> None:
    made = session(exercise("One", reps=5), exercise("Two", reps=7, rep=(phase("exhale", 6),)))
    natural = Decided(made)
    span = reach(natural.plan, natural.arranged)
    worked = []
    for step in range(11):
        target = span.shortest_ms + (span.longest_ms - span.shortest_ms) * step // 10
        decided = fitted(made, target, Wishes())
        worked.append(sum(
            end - start
            for m, start, end in zip(
                decided.plan.moments, decided.arranged.starts, decided.ends, strict=True
            )
            if m.kind == "phase"
        ))  # fmt: skip
    assert worked == sorted(worked)


def test_the_length_asked_for_as_written_changes_nothing() -> None:
    made = session(exercise("One", reps=5), exercise("Two", reps=7, sides="each"))
    natural = Decided(made)
    decided = fitted(made, natural.score.length_ms, Wishes())
    assert [b.reps for b in decided.plan.bouts] == [5, 7]
    assert decided.score.events == natural.score.events


def test_intervals_lose_whole_sets_and_gain_none_and_time_boxes_stay() -> None:
    made = session(
        sections=(
            Section("Work", (exercise("One", work_s=30.0, sets=3),)),
            Section("Box", (exercise("Two", work_s=5.0),), box_s=60.0),
        )
    )
    natural = Decided(made)
    span = reach(natural.plan, natural.arranged)
    assert span.longest_ms - natural.score.length_ms == natural.arranged.stretch_ms
    shorter = fitted(made, natural.score.length_ms - 60_000, Wishes())
    lengths = {
        (m.exercise, end - start)
        for m, start, end in zip(
            shorter.plan.moments, shorter.arranged.starts, shorter.ends, strict=True
        )
        if m.kind == "work"
    }
    assert lengths == {(0, 30_000), (1, 60_000)}
    assert shorter.plan.bouts[0].sets < 3


def test_a_prescribed_dose_stays_and_others_give() -> None:
    given = (exercise("One", reps=8, sets=2, fixed=True), exercise("Two", reps=8))
    natural = Decided(session(*given))
    for factor in (0.9, 1.3):
        decided = fitted(session(*given), int(natural.score.length_ms * factor), Wishes())
        assert (decided.plan.bouts[0].reps, decided.plan.bouts[0].sets) == (8, 2)
        assert decided.plan.bouts[1].reps != 8
    alone = Decided(session(replace(given[1], fixed=True)))
    span = reach(alone.plan, alone.arranged)
    assert span.shortest_ms == alone.score.length_ms - alone.arranged.shrink_ms


@pytest.mark.parametrize(
    ("written", "most", "expected"),
    [(1, 1, [{}]), (3, 3, [{0: 1}, {0: 2}, {0: 3}]), (2, 4, [{0: 2}, {0: 3}, {0: 4}])],
)
def test_rounds_are_length_changes_and_added_only_where_a_span_is_written(
    written: int, most: int, expected: list[dict[int, int]]
) -> None:
    made = (exercise("One", work_s=30.0), exercise("Two", work_s=30.0))
    assert rounds(session(sections=(Section("", made, written, None, most),))) == expected
    fixed = (made[0], replace(made[1], fixed=True))
    assert rounds(session(sections=(Section("", fixed, written, None, most),))) == [{}]


def test_circuits_are_scaled_alike() -> None:
    one, two = (exercise("One", work_s=30.0),), (exercise("Two", work_s=30.0),)
    made = session(sections=(Section("", one, 2, None, 6), Section("", two, 4, None, 4)))
    ways = rounds(made)
    assert ways[0] == {0: 2, 1: 1}
    assert ways[-1] == {0: 6, 1: 4}
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(ways))


def test_a_flow_gives_by_its_pauses_and_its_silences_never_grow() -> None:
    from making import MARK, text

    from voiceflow.script.steps import Step

    steps = (
        Step("say", 0, text("Notice your feet."), MARK),
        Step("silence", 60, None, MARK),
        Step("inhale", 5, None, MARK),
    )
    made = session(exercise(flow=steps))
    natural = Decided(made)
    span = reach(natural.plan, natural.arranged)
    assert span.longest_ms >= natural.score.length_ms + 10_000
    decided = fitted(made, natural.score.length_ms + 10_000, Wishes())
    breaths = [
        end - start
        for m, start, end in zip(
            decided.plan.moments, decided.arranged.starts, decided.ends, strict=True
        )
        if m.kind == "phase"
    ]
    assert breaths == [4992]  # 5 s on the grid: a breath never gives


def test_the_search_ends_with_very_many_repetitions() -> None:
    made = session(exercise(reps=2_000))
    natural = Decided(made, bounded=False)
    chosen = repetitions(natural.plan, natural.arranged, 20 * 60_000)
    assert chosen[0] < 150
