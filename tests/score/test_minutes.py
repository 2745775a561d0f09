"""`--minutes`: whatever a session is made of, it lasts as long as it is asked to."""

from __future__ import annotations

import pytest
import soundfile

import voiceflow
from voiceflow import Options
from voiceflow.core.cache import Cache
from voiceflow.core.errors import ScriptError, TimingError
from voiceflow.core.units import GRID_MS
from voiceflow.score.options import Context

MINUTE = 60_000
TABATA = """\
title: Tabata
sections:
  - Work:
      rounds: 2-40
      exercises:
        - {name: March, position: standing, setup: Stand tall., work: 20s, rest: 10s}
        - {name: Punch, position: standing, setup: Stand tall., work: 20s, rest: 10s}
  - Out:
      - {name: Stand, position: standing, setup: Stand., rep: [exhale 4: Sigh.], reps: 4}
"""
LONG = """\
title: One Long Thing
exercises:
  - name: Long Stretch
    position: seated
    setup: Sit tall.
    reps: 3
    rep: [inhale 30: Inhale and grow., exhale 30: Exhale and fold.]
"""


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    return Context(cache=Cache(tmp_path_factory.mktemp("minutes") / "cache"))


def decided(reference, minutes, context, **options):
    asked = Options(voice="silent", minutes_ms=round(minutes * MINUTE), **options)
    return voiceflow.arrange(reference, asked, context)


@pytest.mark.parametrize("pace", ["calm", "steady", "brisk"])
@pytest.mark.parametrize("minutes", [10, 12.5, 20, 30, 45])
def test_the_recording_lasts_as_long_as_asked(tmp_path, context, pace, minutes):
    target = tmp_path / "out.mp3"
    options = Options(
        voice="silent", mono=True, tones="pluck", pace=pace, minutes_ms=round(minutes * MINUTE)
    )
    summary = voiceflow.render("hip-back", target, options=options, context=context)
    samples, rate = soundfile.read(target, dtype="int16")
    seconds = len(samples) / rate
    assert seconds == pytest.approx(minutes * 60, abs=0.05)
    assert seconds * 1000 == pytest.approx(summary.length_ms, abs=1)


@pytest.mark.parametrize("minutes", [6, 8, 10, 12, 14, 19, 25])
def test_circuits_go_in_whole_rounds(minutes, context):
    decision = decided("hiit-12", minutes, context)
    assert decision.score.length_ms == pytest.approx(minutes * MINUTE, abs=GRID_MS)
    circuit = [
        b for b in decision.plan.bouts if b.exercise.slug == "power-march" and b.section == 1
    ]
    rounds = {b.turn for b in circuit}
    assert rounds == set(range(len(rounds)))
    assert all(b.sets == b.exercise.sets for b in circuit)


def test_more_time_means_more_rounds(put, context):
    path = put("sessions/tabata.yaml", TABATA)
    rounds = []
    for minutes in (4, 6, 9, 15, 22):
        decision = decided(path, minutes, context)
        assert decision.score.length_ms == pytest.approx(minutes * MINUTE, abs=GRID_MS)
        assert {b.exercise.name for b in decision.plan.bouts} == {"March", "Punch", "Stand"}
        rounds.append(1 + max(b.turn for b in decision.plan.bouts))
        said = [e.name for e in decision.score.events if e.kind == "speech"]
        assert any(f"Round {rounds[-1]}" in text for text in said)
    assert rounds == sorted(set(rounds))


def test_without_a_span_no_round_is_added(put, context):
    path = put("sessions/eight.yaml", TABATA.replace("2-40", "8"))
    natural = voiceflow.arrange(path, Options(voice="silent"), context).score.length_ms
    with pytest.raises(TimingError, match="cannot last 30:00") as caught:
        decided(path, 30, context)
    # The four breaths of the last exercise may become more.
    longest = caught.value.hint.split(" to about ")[1]
    minutes, seconds = map(int, longest.split(":"))
    assert natural < (minutes * 60 + seconds) * 1000 < natural + 90_000


def test_between_two_numbers_of_rounds_the_nearest_lengths_are_told(put, context):
    text = (
        "title: T\nsections:\n  - A:\n      rounds: 3\n      exercises:\n"
        "        - {name: Walk, position: standing, setup: Stand., work: 4 min, rest: 1 min}\n"
        "        - {name: Jog, position: standing, setup: Stand., work: 4 min, rest: 1 min}\n"
    )
    path = put("sessions/long-rounds.yaml", text)
    with pytest.raises(TimingError, match="cannot last 15:00") as caught:
        decided(path, 15, context)
    below, above = caught.value.hint.removeprefix("up to about ").split(", or from about ")
    for told, add in ((below, -3), (above, 3)):
        minutes, seconds = map(int, told.split(":"))
        decision = decided(path, minutes + (seconds + add) / 60, context)
        assert {m.least_ms for m in decision.plan.moments if m.kind == "work"} == {240_000}


def test_no_exercise_goes_before_all_circuits_are_at_their_fewest_rounds(context):
    natural = voiceflow.arrange("hiit-12", Options(voice="silent"), context)
    exercises = {bout.exercise.name for bout in natural.plan.bouts}
    met = False
    for minutes in (4.7, 5, 5.4, 6, 6.6, 7.2, 7.8, 9, 10, 10.6, 11, 12, 12.7):
        decision = decided("hiit-12", minutes, context)
        whole = {bout.exercise.name for bout in decision.plan.bouts} == exercises
        assert whole or {bout.turn for bout in decision.plan.bouts} <= {0, 1}  # two at least
        assert whole or not met, "the longer one has fewer exercises"
        met = met or whole
    assert met


@pytest.mark.parametrize("minutes", [3.7, 4.2, 4.6, 5, 5.5, 6.1, 10])
def test_half_a_long_repetition_is_made_up_for_with_quiet(minutes, put, context):
    path = put("sessions/long.yaml", LONG)
    decision = decided(path, minutes, context)
    assert decision.score.length_ms == pytest.approx(minutes * MINUTE, abs=GRID_MS)
    # All breaths keep their length.
    breaths = {e.length_ms for e in decision.score.events if e.breath and e.kind == "tone"}
    assert len(breaths) == 1


@pytest.mark.parametrize("minutes", [1, 60])
def test_out_of_reach_the_shortest_and_the_longest_are_told(minutes, context):
    with pytest.raises(TimingError) as caught:
        decided("hiit-12", minutes, context)
    shortest, longest = (
        sum(int(part) * 60**power for power, part in enumerate(reversed(time.split(":"))))
        for time in caught.value.hint.removeprefix("from about ").split(" to about ")
    )
    assert decided("hiit-12", (shortest + 10) / 60, context)
    assert decided("hiit-12", (longest - 60) / 60, context)


@pytest.mark.parametrize("minutes", ["1", "50"])
def test_a_length_that_a_script_asks_for_in_vain_is_told_at_its_place(minutes, put, context):
    text = f"title: T\nminutes: {minutes}\n" + LONG.split("\n", 1)[1]
    path = put("sessions/long.yaml", text)
    with pytest.raises(ScriptError) as caught:
        voiceflow.arrange(path, Options(voice="silent"), context)
    (problem,) = caught.value.problems
    assert str(problem.mark) == f"{path}:2:10"
    assert f"cannot last {minutes}:00" in problem.message
    assert problem.hint.startswith("from about ")
    # The command line asks for another: what it asks for is no fault of the script's.
    with pytest.raises(TimingError, match="cannot last 2:00") as caught:
        decided(path, 2, context)
    assert str(path) not in str(caught.value)


def test_what_a_length_takes_away_is_told(context, tmp_path):
    decision = decided("hip-back", 12, context)
    gone, fewer = decision.score.length_changes
    left = {bout.exercise.name for bout in decision.plan.bouts}
    names = gone.removeprefix("left out: ").split(", ")
    assert names
    assert not left & set(names)
    assert fewer.startswith("fewer repetitions: ")
    summary = voiceflow.render(
        "hip-back", tmp_path / "a.mp3",
        options=Options(voice="silent", minutes_ms=12 * 60_000), context=context,
    )  # fmt: skip
    again = voiceflow.render(
        "hip-back", tmp_path / "b.mp3",
        options=Options(voice="silent", minutes_ms=12 * 60_000), context=context,
    )  # fmt: skip
    assert gone in summary.line()
    assert summary.line().splitlines()[1:] == again.line().splitlines()[1:]
    as_written = voiceflow.arrange("hip-back", Options(voice="silent"), context)
    assert as_written.score.length_changes == ()


@pytest.mark.parametrize("minutes", [6, 6.5, 7, 7.5, 8, 8.5, 9])
def test_nothing_is_done_more_often_while_something_is_left_out(minutes, context):
    decision = decided("rehab-holds", minutes, context)
    changes = decision.score.length_changes
    assert changes[0].startswith("left out: ")
    assert not [one for one in changes if one.startswith("more repetitions")]
    assert decision.score.length_ms == pytest.approx(minutes * MINUTE, abs=GRID_MS)
    # What that leaves over is quiet before the end, a minute at most.
    farewell = next(n for n, m in enumerate(decision.plan.moments) if m.kind == "farewell")
    starts = decision.arranged.starts
    said = [e.end_ms for e in decision.score.events if e.moment == "farewell"]
    assert starts[farewell + 1] - max(said) <= MINUTE + 10_000


def test_a_prescribed_dose_survives_or_the_error_says_so(put, context):
    text = TABATA.replace("reps: 4", "reps: 4, dose: fixed").replace("2-40", "3")
    path = put("sessions/dose.yaml", text)
    decision = decided(path, 4, context)
    assert [b.reps for b in decision.plan.bouts if b.exercise.name == "Stand"] == [4]
    everything = text.replace("rest: 10s}", "rest: 10s, dose: fixed}")
    with pytest.raises(TimingError, match="cannot last 4:00"):
        decided(put("sessions/fixed.yaml", everything), 4, context)


def test_no_written_time_changes_with_the_length(put, context):
    text = (
        "title: T\nexercises:\n"
        "  - {name: Lift, position: standing, setup: Stand., reps: 6, sets: 2, rest: 25s,\n"
        "     rep: [inhale 3: In., hold 5s: Hold., exhale 3: Out.]}\n"
        "  - {name: Be, position: standing, flow: [say: Be still., silence 40s, hold 12: Hold.]}\n"
    )
    path = put("sessions/times.yaml", text)
    for minutes in (4, 4.5, 6):
        decision = decided(path, minutes, context)
        starts = (*decision.arranged.starts, decision.score.length_ms)
        lasts = [
            (moment.kind, moment.breath, starts[n + 1] - starts[n])
            for n, moment in enumerate(decision.plan.moments)
        ]
        assert {ms for kind, _, ms in lasts if kind == "silence"} == {40_008}
        assert {ms for _, breath, ms in lasts if breath == "hold"} == {4_992, 12_000}
        (rest, *_) = (one.lasts_ms for one in decision.arranged.rests)
        assert rest == 25_008
