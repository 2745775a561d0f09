"""`--minutes`: whatever a session is made of, it lasts as long as it is asked to."""

from __future__ import annotations

import pytest
import soundfile

import voiceflow
from voiceflow import Options
from voiceflow.core.cache import Cache
from voiceflow.core.errors import TimingError
from voiceflow.core.units import GRID_MS
from voiceflow.score.options import Context

MINUTE = 60_000
TABATA = """\
title: Tabata
sections:
  - Work:
      rounds: 8
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
    for minutes in (4, 6, 9, 15, 30):
        decision = decided(path, minutes, context)
        assert decision.score.length_ms == pytest.approx(minutes * MINUTE, abs=GRID_MS)
        assert {b.exercise.name for b in decision.plan.bouts} == {"March", "Punch", "Stand"}
        rounds.append(1 + max(b.turn for b in decision.plan.bouts))
        said = [e.name for e in decision.score.events if e.kind == "speech"]
        assert any(f"Round {rounds[-1]}" in text for text in said) or rounds[-1] == 1
    assert rounds == sorted(set(rounds))


def test_no_exercise_goes_before_all_circuits_are_at_one_round(context):
    natural = voiceflow.arrange("hiit-12", Options(voice="silent"), context)
    exercises = {bout.exercise.name for bout in natural.plan.bouts}
    met = False
    for minutes in (4.7, 5, 5.4, 6, 6.6, 7.2, 7.8, 9, 10, 10.6, 11):
        decision = decided("hiit-12", minutes, context)
        whole = {bout.exercise.name for bout in decision.plan.bouts} == exercises
        assert whole or {bout.turn for bout in decision.plan.bouts} == {0}
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
