"""The plan: a session unrolled into moments, in the order a body needs them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from conftest import little_work
from hypothesis import Phase as Stage
from hypothesis import given, settings
from hypothesis import strategies as st
from making import PACING, exercise, phase, positions, session, sessions, text, wishes

from voiceflow.core.errors import TimingError
from voiceflow.core.units import snap
from voiceflow.plan.moments import Moment, Plan, Wishes, pacing_of
from voiceflow.plan.unroll import least_ms, unroll
from voiceflow.script.models import POSITIONS, Section, Session
from voiceflow.script.pacing import layer
from voiceflow.script.steps import Step

steady = settings(derandomize=True, max_examples=50, phases=(Stage.explicit, Stage.generate))


def planned(made: Session, **pacing: Any) -> Plan:
    return unroll(made, positions(made.language), wishes(**pacing))


def of(plan: Plan, index: int) -> list[Moment]:
    return [moment for moment in plan.moments if moment.exercise == index]


def kinds(plan: Plan, index: int = 0) -> list[str]:
    """The kinds of an exercise's moments, a run of one kind told once."""
    found = [moment.kind for moment in of(plan, index)]
    return [kind for n, kind in enumerate(found) if not n or found[n - 1] != kind]


def test_an_exercise_goes_from_name_to_finish() -> None:
    made = exercise(purpose=text("Wake your back."), caution=text("Slowly."), sides="each", sets=2)
    plan = planned(session(made))
    order = kinds(plan)
    for one, two in pairwise(
        ["section", "transition", "name", "sides", "set-up", "caution", "set", "count-in", "phase",
         "switch"]
    ):  # fmt: skip
        assert order.index(one) < order.index(two), order
    assert order[-1] == "finish"
    assert plan.moments[0].kind == "welcome"
    assert [m.kind for m in plan.moments][-2:] == ["farewell", "end"]


@steady
@given(sessions(), PACING)
def test_whatever_the_session_the_body_is_led(made: Session, pacing: dict[str, Any]) -> None:
    plan = planned(made, **pacing)
    exercises = [e for s in made.sections for _ in range(s.rounds) for e in s.exercises]
    assert [bout.exercise for bout in plan.bouts] == exercises
    here: str | None = None
    for index, bout in enumerate(plan.bouts):
        mine = of(plan, index)
        order = [moment.kind for moment in mine]
        # In place, and told how, before anything moves.
        first = next((n for n, kind in enumerate(order) if kind in ("phase", "work")), len(order))
        assert ("transition" in order[:first]) == (bout.exercise.position != here)
        if "set-up" in order:
            assert order.index("set-up") < first
        if "caution" in order:
            assert order.index("caution") < first
        # Repetitions are whole and numbered from one to the last, on each side.
        reps = [m.rep for m in mine if m.kind == "phase" and m.rep is not None]
        length = len(bout.exercise.rep)
        if reps:
            turns = len(reps) // (bout.reps * length)
            once = [n for n in range(1, bout.reps + 1) for _ in range(length)]
            assert reps == once * turns
            assert turns == bout.sets * (2 if bout.exercise.sides == "each" else 1)
        here = bout.exercise.position
    # What comes next is named in every rest that is not the last.
    for index in range(len(plan.bouts) - 1):
        rests = [m for m in of(plan, index) if m.kind == "rest" and dict(m.context)["next"]]
        boxed = made.sections[plan.bouts[index].section].box_s is not None
        flows = plan.bouts[index].exercise.flow and plan.bouts[index + 1].exercise.flow
        if not boxed and not flows:
            named = {dict(m.context)["next"] for m in rests}
            assert plan.bouts[index + 1].exercise.name in named


@pytest.mark.parametrize("here", POSITIONS)
@pytest.mark.parametrize("there", POSITIONS)
def test_there_is_time_for_each_change_of_position(here: str, there: str) -> None:
    plan = planned(
        session(exercise("One", position=here), exercise("Two", position=there)), transition=2
    )
    moves = [m for m in of(plan, 1) if m.kind == "transition"]
    if here == there:
        assert not moves
    else:
        seconds = sum(one.seconds for one in positions().path(here, there))
        assert moves[0].least_ms == snap(2000 * seconds)
        assert len(moves[0].lines) == len(positions().path(here, there))


def test_sides_each_does_one_side_then_the_other() -> None:
    plan = planned(session(exercise(sides="each", first="left", reps=3)))
    sides = [m.side for m in of(plan, 0) if m.kind == "phase" and m.breath == "inhale"]
    assert sides == ["left"] * 3 + ["right"] * 3
    (switch,) = [m for m in of(plan, 0) if m.kind == "switch"]
    assert (switch.side, switch.signal) == ("right", "switch")
    assert switch.least_ms == snap(8000)
    said = dict(switch.context)
    assert (said["side"], said["other_side"]) == ("right", "left")
    assert dict(of(plan, 0)[0].context)["side"] == "left"


def test_sides_alternate_changes_every_repetition_and_ends_even() -> None:
    plan = planned(session(exercise(sides="alternate", reps=5)))
    sides = [m.side for m in of(plan, 0) if m.kind == "phase" and m.breath == "inhale"]
    assert sides == ["right", "left"] * 3
    assert "switch" not in kinds(plan)
    changes = [m.announces for m in of(plan, 0) if m.kind == "phase" and m.breath == "inhale"]
    assert set(changes[1:-1]) == {("alternate",)}
    assert changes[-1] == ("last", "alternate")


def test_the_longer_switch_wins() -> None:
    for own, asked in ((14.0, 8.0), (4.0, 9.0)):
        made = exercise(sides="each", switch_time=own)
        plan = unroll(
            session(made), positions(), Wishes(before=(layer("p", {"switch_time": asked}),))
        )
        (switch,) = [m for m in of(plan, 0) if m.kind == "switch"]
        assert switch.least_ms == snap(1000 * max(own, asked))


def test_texts_see_plain_data() -> None:
    plan = planned(session(exercise("One", sides="each", reps=4), exercise("Two")))
    for moment in plan.moments:
        for key, value in moment.context:
            assert isinstance(value, str | int), key
    third = next(m for m in of(plan, 0) if m.rep == 3)
    said = dict(third.context)
    assert (said["rep"], said["reps"], said["left"], said["side"]) == (3, 4, 1, "right")
    assert (said["exercise"], said["position"]) == ("One", "on your back")


def test_a_persons_own_breath_scales_the_phases() -> None:
    made = exercise(rep=(phase("inhale", 4), phase("exhale", 3), phase("exhale", 6)), reps=1)
    plan = planned(session(made), breath_in=6, breath_out=9, tempo=0.5)
    lengths = [m.least_ms for m in of(plan, 0) if m.kind == "phase"]
    assert lengths == [snap(6000), snap(6000), snap(12000)]


@pytest.mark.parametrize("tempo", [0.25, 0.9, 1.0, 1.15, 4.0])
def test_a_phase_is_its_seconds_over_the_tempo(tempo: float) -> None:
    plan = planned(session(exercise(rep=(phase("hold", 3.7),), reps=1)), tempo=tempo)
    (one,) = [m for m in of(plan, 0) if m.kind == "phase"]
    assert one.least_ms == snap(3700 / tempo)
    assert one.box


def test_what_is_known_is_not_taught_again() -> None:
    made = exercise(
        "Bridge", purpose=text("Wake."), caution=text("Slowly."), setup=text("Full.", "Brief.")
    )
    plan = unroll(session(made), positions(), wishes(known=("bridge",)))
    assert "caution" not in kinds(plan)
    setup = next(m for m in of(plan, 0) if m.kind == "set-up")
    assert setup.richness == "brief"
    assert {m.richness for m in of(plan, 0) if m.kind == "phase"} == {"brief"}


def test_tones_leave_out_all_but_names_and_switches() -> None:
    made = exercise(sides="each", caution=text("Slowly."), purpose=text("Wake."), sets=2)
    plan = planned(session(made), detail="tones")
    assert not {"set-up", "caution", "set"} & set(kinds(plan))
    assert {"name", "switch", "phase"} <= set(kinds(plan))
    assert {m.richness for m in of(plan, 0) if m.kind == "phase"} == {"none"}
    assert all(not m.announces and not m.count for m in of(plan, 0) if m.kind == "phase")


def test_what_comes_round_again_is_numbered_and_brief() -> None:
    made = session(sections=(Section("Round", (exercise("One"), exercise("Two")), rounds=3),))
    plan = planned(made)
    assert [bout.title for bout in plan.bouts] == [
        "One (1/3)", "Two (1/3)", "One (2/3)", "Two (2/3)", "One (3/3)", "Two (3/3)"]  # fmt: skip
    richness = [
        next(m.richness for m in of(plan, n) if m.kind == "phase") for n in range(len(plan.bouts))
    ]
    assert richness == ["full", "full", "brief", "brief", "brief", "brief"]
    assert [title for title, _ in plan.chapters[1:-1]] == [b.title for b in plan.bouts]


def test_a_flow_is_laid_as_it_is_written() -> None:
    mark = phase().mark
    steps = (
        Step("say", 0, text("Notice your feet."), mark),
        Step("silence", 30, None, mark),
        Step("bell", 0, None, mark),
        Step("inhale", 5, text("Inhale."), mark),
    )
    plan = planned(session(exercise(flow=steps, setup=None)))
    order = [m.kind for m in of(plan, 0)]
    assert order[-4:] == ["say", "silence", "bell", "phase"]
    silence = of(plan, 0)[-3]
    assert silence.least_ms == snap(30_000)
    assert silence.stretch_ms == 0, "a written silence is never made longer"
    assert of(plan, 0)[-2].signal == "bell"


@pytest.mark.parametrize("tempo", [0.8, 1.0, 1.15])
def test_written_times_are_kept_at_every_tempo(tempo: float) -> None:
    mark = phase().mark
    steps = (
        Step("silence", 60, None, mark),
        Step("hold", 90, None, mark),
        Step("hold", 4, None, mark),
        Step("hold", 4, None, mark, exact=True),
        Step("inhale", 5, None, mark),
    )
    plan = planned(session(exercise(flow=steps, setup=None, tempo=tempo)))
    lengths = [moment.least_ms for moment in of(plan, 0)][-5:]
    assert lengths[:2] == [snap(60_000), snap(90_000)]
    assert lengths[2] == snap(4_000 / tempo), "a short hold is a part of a breath"
    assert lengths[3] == snap(4_000)
    assert lengths[4] == snap(5_000 / tempo)


def test_a_hold_in_a_repetition_is_scaled_unless_it_has_a_unit() -> None:
    one = exercise(rep=(phase("inhale", 4), phase("hold", 20), phase("exhale", 4)), tempo=0.8)
    plan = planned(session(one))
    first = [m.least_ms for m in of(plan, 0) if m.kind == "phase"][:3]
    assert first == [snap(5_000), snap(25_000), snap(5_000)]
    exact = exercise(rep=(phase("inhale", 4), replace(phase("hold", 20), exact=True)), tempo=0.8)
    first = [m.least_ms for m in of(planned(session(exact)), 0) if m.kind == "phase"][:2]
    assert first == [snap(5_000), snap(20_000)]


def test_what_is_needed_is_gathered_once() -> None:
    one = exercise("One", needs=("mat", "chair"))
    two = exercise("Two", needs=("mat",), equipment=("ball",))
    said = dict(planned(session(one, two)).moments[0].context)
    assert said["equipment"] == "a mat, a steady chair and a soft ball"
    said = dict(planned(session(one, two, needs=("wall",))).moments[0].context)
    assert said["equipment"] == "a free wall"
    assert said["exercises"] == 2


def test_layers_of_pacing_lie_in_order() -> None:
    made = session(exercise(tempo=0.7), pacing=layer("session", {"tempo": 0.6, "rest": 3}))
    before = (layer("settings", {"tempo": 0.3, "air": 1.0, "rest": 1}), layer("pace", {"rest": 2}))
    asked = Wishes(before=before, after=(layer("command line", {"rest": 4}),))
    own, whole = pacing_of(made, asked, made.exercises[0]), pacing_of(made, asked)
    assert (own.tempo, own.air, own.rest) == (0.7, 1.0, 4)
    assert (whole.tempo, whole.air, whole.rest) == (0.6, 1.0, 4)


@steady
@given(st.integers(1, 40), st.integers(1, 5))
def test_repetitions_may_be_chosen_by_bout(reps: int, sets: int) -> None:
    made = session(exercise("One"), exercise("Two", work_s=20.0, sets=2))
    plan = unroll(made, positions(), Wishes(reps=((0, reps), (1, sets))))
    assert [bout.reps for bout in plan.bouts] == [reps, 1]
    assert [bout.sets for bout in plan.bouts] == [1, sets]
    assert sum(m.kind == "work" for m in plan.moments) == sets


def test_a_session_that_would_last_for_days_is_refused_before_it_is_unrolled() -> None:
    phases = tuple(phase("inhale", 1) for _ in range(1_000))
    made = session(exercise(rep=phases, reps=10_000))
    with little_work(), pytest.raises(TimingError) as caught:
        planned(made)
    assert caught.value.message == "the session is too long: 2,800 hours or more"
    assert "six hours at most" in caught.value.hint


@steady
@given(sessions())
def test_the_least_length_is_never_more_than_the_moments_say(made: Session) -> None:
    plan = planned(made)
    filled = sum(m.least_ms for m in plan.moments if m.box or m.kind == "silence")
    assert least_ms(made, wishes()) == filled


@pytest.mark.parametrize("tempo", [0.5, 1.0, 1.5])
def test_written_times_count_as_written_in_the_least_length(tempo: float) -> None:
    mark = phase().mark
    steps = (Step("silence", 600, None, mark), Step("hold", 90, None, mark))
    steps += (Step("hold", 20, None, mark, exact=True), Step("exhale", 6, None, mark))
    made = session(exercise(flow=steps, setup=None, tempo=tempo))
    filled = sum(m.least_ms for m in planned(made).moments if m.box or m.kind == "silence")
    assert least_ms(made, wishes()) == filled
