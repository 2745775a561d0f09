"""Rests of a written length: exact from work to work, with what fits of the words said in them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from making import Decided, exercise, length_of, session, text, wishes, words

from voiceflow.core.units import snap
from voiceflow.plan.rests import WORKING, Level
from voiceflow.score.arrange import arrange
from voiceflow.score.laid import Voicing
from voiceflow.script.models import Exercise, Section
from voiceflow.script.steps import Step

STAND = "standing"


def interval(name: str, rest: float | None = None, **changes: Any) -> Exercise:
    """Twenty seconds of work, standing."""
    own = {} if rest is None else {"rest": rest}
    base = {"position": STAND, "work_s": 20.0, "setup": text("Feet apart.")}
    return exercise(name, **{**base, **own, **changes})


def bodies(decided: Decided) -> list[tuple[int, int]]:
    """Start and end of each stretch of work: an interval, all repetitions of a set, a flow."""
    found: list[tuple[int, int]] = []
    before = None
    for moment, start, end in zip(
        decided.plan.moments, decided.arranged.starts, decided.ends, strict=True
    ):
        works = moment.kind in WORKING
        if works and before and before.kind in WORKING and before.exercise == moment.exercise:
            found[-1] = (found[-1][0], end)
        elif works:
            found.append((start, end))
        before = moment
    return found


def gaps(decided: Decided) -> list[int]:
    return [after - end for (_, end), (after, _) in pairwise(bodies(decided))]


def during(decided: Decided, start: int, end: int) -> list[str]:
    return [e.name for e in decided.speech if start <= e.start_ms < end]


@pytest.mark.parametrize("rest", [0, 0.5, 1, 2, 4, 7, 10, 12, 20, 45, 90])
@pytest.mark.parametrize("detail", ["full", "brief", "tones"])
@pytest.mark.parametrize("count", ["down", "none"])
def test_between_intervals_a_written_rest_is_exact(rest: float, detail: str, count: str) -> None:
    one, two = interval("March", rest), interval("Step", rest, purpose=text(words(6), words(2)))
    decided = Decided(session(one, two, one), wishes(detail=detail, count=count))
    assert gaps(decided) == [snap(rest * 1000)] * 2
    assert all(end - start == snap(20_000) for start, end in bodies(decided))


@pytest.mark.parametrize("rest", [0, 5, 15, 60])
def test_between_rounds_and_sets_too(rest: float) -> None:
    sets = interval("March", rest, sets=3)
    circuit = Section("Circuit", (interval("Step", rest), interval("Jab", rest)), rounds=3)
    decided = Decided(session(sections=(Section("", (sets,)), circuit)))
    assert gaps(decided) == [snap(rest * 1000)] * 8


@pytest.mark.parametrize("sides", ["none", "alternate"])
def test_between_sets_of_repetitions_it_lasts_to_the_first_breath(sides: str) -> None:
    made = exercise("Bridge", sets=3, reps=2, rest=20, sides=sides, finish=text("Lower."))
    decided = Decided(session(made))
    assert gaps(decided) == [snap(20_000)] * 2


def test_with_two_sides_the_change_of_sides_is_part_of_it() -> None:
    made = exercise("Lift", sets=2, reps=2, rest=30, sides="each")
    first, rest, second = gaps(Decided(session(made)))
    assert rest == snap(30_000)
    assert first == second < 30_000


def test_between_exercises_it_lasts_to_the_next_breath_where_there_is_room() -> None:
    one, two = exercise("Bridge", rest=45), exercise("Curl")
    assert gaps(Decided(session(one, two))) == [snap(45_000)]


def test_what_must_be_taught_comes_after_a_rest_without_room_for_it() -> None:
    one, two = exercise("Bridge", rest=6), exercise("Curl", setup=text(words(20)))
    decided = Decided(session(one, two))
    (settled,) = decided.arranged.rests
    assert (settled.level, settled.left_out) == (Level.ALL, ())
    end = bodies(decided)[0][1]
    name = next(e.start_ms for e in decided.speech if e.name == "Curl." and e.start_ms > end)
    assert name - end == snap(6_000)
    assert words(20) in decided.said("set-up")


def test_a_set_up_is_said_in_the_first_round_only() -> None:
    pair = (interval("March", 40), interval("Step", 40, setup=text("One step.", "Step.")))
    decided = Decided(session(sections=(Section("", pair, rounds=3),)))
    assert decided.said("set-up") == ["Feet apart.", "One step."]


def test_a_rest_of_nothing_changes_on_the_beat() -> None:
    decided = Decided(session(interval("March", 0), interval("Walk", 0), interval("March", 0)))
    (_, end), (start, _), _ = bodies(decided)
    assert end == start
    assert during(decided, end - 8_000, end) == ["Next, Walk.", "Feet apart.", "3", "2", "1"]
    assert during(decided, start, start + 1) == ["Walk."]
    # The sound for the end of the work is heard as well.
    assert any(e.name == "change" and e.start_ms == end for e in decided.score.events)


def test_on_the_beat_the_side_is_said_with_the_name() -> None:
    made = session(interval("March", 0), interval("Swing", sides="each"))
    assert "Swing, right." in Decided(made).said("work")


def test_words_of_the_phrases_give_way_before_the_scripts_own() -> None:
    made = session(interval("March", 8), interval("Walk", setup=text("Look ahead, arms loose.")))
    (settled,) = Decided(made).arranged.rests
    assert Level.CLOSE < settled.level <= Level.NO_REST
    assert not settled.left_out


def test_a_shorter_version_is_said_before_a_text_is_left_out() -> None:
    after = interval("Walk", setup=text(words(12), "Look ahead."))
    decided = Decided(session(interval("March", 9), after))
    assert "Look ahead." in decided.said("set-up")
    assert not decided.arranged.rests[0].left_out


@pytest.mark.parametrize(
    ("rest", "work", "said", "left"),
    [
        # In the rest; in the work before it; as much as that has room for.
        (30, 20, [], []),
        (5, 20, ["Next, Walk.", words(9), "Not on ice."], []),
        (5, 14, ["Next, Walk.", "Look ahead.", "Not on ice."], []),
        (5, 12, ["Next, Walk.", "Look ahead."], ["Not on ice."]),
        (7, 12, ["Next, Walk.", "Not on ice."], []),
        (5, 9, [], [words(9), "Not on ice."]),
        # On the beat the name is said in any case.
        (0, 20, ["Next, Walk.", words(9), "Not on ice."], []),
        (0, 9, ["Next, Walk."], [words(9), "Not on ice."]),
    ],
)
def test_what_a_rest_has_no_room_for_the_end_of_the_work_before_says(
    rest: float, work: float, said: list[str], left: list[str]
) -> None:
    after = interval("Walk", setup=text(words(9), "Look ahead."), caution=text("Not on ice."))
    decided = Decided(session(interval("March", rest, work_s=work), after))
    (_, end), (start, _) = bodies(decided)
    assert start - end == snap(rest * 1000)
    heard = during(decided, end - snap(work * 1000) + 1, end)
    assert heard == [*said, "3", "2", "1"]
    (settled,) = decided.arranged.rests
    assert [one for _, one, _ in settled.left_out] == left
    # What teaches takes no more than half of the work.
    ahead = [e.start_ms for e in decided.speech if e.name in said and e.moment == "work"]
    assert len(said) < 2 or min(ahead) >= end - snap(work * 1000) / 2
    assert settled.ahead == () or [one for _, one in settled.ahead] == said


def test_what_is_said_ahead_is_spelled_as_its_own_exercise_asks() -> None:
    after = interval("Walk", setup=text("Psoas long."))
    decided = Decided(session(interval("March", 3), after))
    asked = []

    def spelled(one: Exercise | None, said: str) -> str:
        asked.append((one.name if one else "", said))
        return said

    voicing = Voicing(spelled, length_of, length_of)
    arrange(decided.plan, decided.cue_sheet, voicing, decided.signals)
    assert {name for name, said in asked if said == "Psoas long."} == {"Walk"}


def test_what_is_left_out_is_listed_with_its_length_and_what_it_would_take() -> None:
    def made(rest: float) -> Decided:
        after = interval("Walk", setup=text(words(9)), caution=text("Not on ice."))
        return Decided(session(interval("March", rest, work_s=6.0), after))

    (settled,) = made(6).arranged.rests
    assert [one for _, one, _ in settled.left_out] == [words(9), "Not on ice."]
    enough = made((settled.needs_ms + 24) / 1000)
    assert not enough.arranged.rests[0].left_out
    assert words(9) in enough.said("set-up")


def test_a_cue_knows_the_texts_of_its_short_forms() -> None:
    """By them a text that a voice cannot read is found in the script."""
    after = interval("Walk", setup=text(words(9), "Look ahead."))
    texts = {
        t for cue in Decided(session(interval("March", 6), after)).cue_sheet.cues for t in cue.texts
    }
    assert {words(9), "Look ahead.", "Walk.", "Next, Walk.", "3"} <= texts


def test_a_rest_of_the_pace_is_no_promise() -> None:
    decided = Decided(session(interval("March"), interval("Walk")))
    assert all(not one.rest.written for one in decided.arranged.rests)
    assert "Feet apart." in decided.said("set-up")


def test_before_a_flow_it_lasts_to_the_first_step() -> None:
    flow = (Step("silence", 20, text("Be still."), text("x").mark),)
    calm = exercise("Scan", flow=flow, position=STAND, setup=None)
    assert gaps(Decided(session(interval("March", 25), calm))) == [snap(25_000)]


@pytest.mark.parametrize("rest", [12, 20, 60])
def test_between_the_sides_of_an_interval_it_is_exact_too(rest: float) -> None:
    decided = Decided(session(interval("Calf", rest, sides="each", sets=2)))
    assert gaps(decided) == [snap(rest * 1000)] * 3
    # The change of sides keeps the time that it takes.
    switches = [
        after - start
        for moment, start, after in zip(
            decided.plan.moments, decided.arranged.starts, decided.ends, strict=True
        )
        if moment.kind == "switch"
    ]
    assert len(switches) == 3
    assert min(switches) >= snap(decided.plan.pacing.switch_time * 1000)


def test_between_the_sides_of_repetitions_there_is_no_rest() -> None:
    made = exercise("Lift", reps=2, rest=30, sides="each")
    assert not Decided(session(made)).arranged.rests


def test_a_section_that_a_short_rest_does_not_name_is_listed() -> None:
    parts = (Section("Warm up", (interval("Walk", 0),)), Section("Main", (interval("Run"),)))
    (settled,) = Decided(session(sections=parts)).arranged.rests
    assert "Main." in [one for _, one, _ in settled.left_out]


def test_a_written_rest_between_two_flows_says_what_comes() -> None:
    def flow(name: str, **own: Any) -> Exercise:
        steps = (Step("silence", 20, None, text("x").mark),)
        return exercise(name, flow=steps, position=STAND, setup=None, **own)

    decided = Decided(session(flow("Stand", rest=20), flow("Sway")))
    assert "Next, Sway." in decided.said("rest")
    assert gaps(decided) == [snap(20_000)]
    assert not Decided(session(flow("Stand"), flow("Sway"))).said("rest")
