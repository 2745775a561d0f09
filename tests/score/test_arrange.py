"""Arranging: whatever the session, the pace and the options, the score can be followed by ear."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from conftest import NoSignals, little_work
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from making import (
    PACING,
    SIGNALS,
    Decided,
    exercise,
    phase,
    session,
    sessions,
    signals_called,
    text,
    wishes,
    words,
)

from voiceflow.core.errors import TimingError
from voiceflow.core.units import GRID_MS, snap
from voiceflow.score.arrange import arrange
from voiceflow.score.laid import Voicing
from voiceflow.score.lay_moments import LONGEST_TONE_MS
from voiceflow.score.score import Event
from voiceflow.script.models import Section, Session
from voiceflow.script.steps import Step

# As the design says them; not taken from the code, which could change them unseen.
SPARE_MS, TONE_GAP_MS, QUIET_MS = 200, 72, 2_000

# Shrinking a whole session takes minutes; the example as found tells enough.


def silence(seconds: float) -> Step:
    return Step("silence", seconds, None, phase().mark)


steady = settings(
    derandomize=True,
    max_examples=45,
    phases=(Phase.explicit, Phase.generate),
)


def air_at(decided: Decided, at_ms: int) -> float:
    """The air, in milliseconds, that the pacing asks for at a time of the session."""
    plan, starts = decided.plan, decided.arranged.starts
    moment = max(n for n, start in enumerate(starts) if start <= at_ms)
    index = plan.moments[moment].exercise
    return 1000 * (plan.bouts[index].pacing if index >= 0 else plan.pacing).air


def no_speech_overlaps(decided: Decided) -> None:
    for one, two in pairwise(decided.speech):
        gap = two.start_ms - one.end_ms
        if both_are_counts(decided, one, two):
            assert gap >= 144, (one, two)
            continue
        least = min(air_at(decided, one.start_ms), air_at(decided, two.start_ms))
        assert gap >= least, (one, two)
        if one.moment == "phase":
            assert gap >= SPARE_MS, (one, two)


def both_are_counts(decided: Decided, one: Event, two: Event) -> bool:
    """Numbers counted a beat apart stand as close as the beat has them."""
    numbers = {number for cue in decided.cue_sheet.cues for number in cue.counts}
    return {one.name, two.name} <= numbers and one.moment == two.moment


def all_stands_on_the_grid(decided: Decided) -> None:
    score = decided.score
    assert all(event.start_ms % GRID_MS == 0 <= event.start_ms for event in score.events)
    assert all(event.length_ms > 0 for event in score.events)
    assert all(start % GRID_MS == 0 for start in decided.arranged.starts)
    assert score.length_ms % GRID_MS == 0
    assert list(score.events) == sorted(score.events, key=lambda event: event.start_ms)
    assert max(event.end_ms for event in score.events) <= score.length_ms


def phases_last_what_the_script_says(decided: Decided) -> None:
    plan, starts, ends = decided.plan, decided.arranged.starts, decided.ends
    by_start: dict[int, list[Event]] = {}
    for event in decided.score.events:
        if event.kind == "tone" and event.breath:
            by_start.setdefault(event.start_ms, []).append(event)
    for index, moment in enumerate(plan.moments):
        if moment.kind != "phase":
            continue
        length = ends[index] - starts[index]
        pacing = plan.bouts[moment.exercise].pacing
        if pacing.breath_in is None and pacing.breath_out is None:
            assert length in written(decided, index)
        tones = [one for one in by_start.get(starts[index], []) if one.name == moment.breath]
        tone_ms = min(length - TONE_GAP_MS, LONGEST_TONE_MS)
        if moment.breath == "pause" or tone_ms < 120 or not decided.signals.has("inhale"):
            assert not tones
        else:
            assert [one.length_ms for one in tones] == [tone_ms]


def written(decided: Decided, index: int) -> set[int]:
    """The lengths that phases of this breath have in the exercise, over its tempo."""
    moment = decided.plan.moments[index]
    bout = decided.plan.bouts[moment.exercise]
    parts: list[Any] = [*bout.exercise.rep, *bout.exercise.flow]
    own = [one.seconds for one in parts if getattr(one, "breath", "kind") == moment.breath]
    own += [one.seconds for one in bout.exercise.flow if one.kind == moment.breath]
    return {max(snap(seconds * 1000 / bout.pacing.tempo), 120) for seconds in own}


def speech_stays_in_its_phase(decided: Decided) -> None:
    plan = decided.plan
    spans = [
        (start, end, moment)
        for moment, start, end in zip(
            plan.moments, decided.arranged.starts, decided.ends, strict=True
        )
        if moment.box
    ]
    at = 0
    for event in decided.speech:
        while at < len(spans) and spans[at][1] <= event.start_ms:
            at += 1
        if at < len(spans) and spans[at][0] <= event.start_ms:
            assert event.end_ms + SPARE_MS <= spans[at][1], event
            assert event.moment == spans[at][2].kind


def counts_land_on_the_beats(decided: Decided) -> None:
    for index, moment in enumerate(decided.plan.moments):
        numbers = decided.cue_sheet.cues[index].counts
        if not numbers:
            continue
        start, end = decided.arranged.starts[index], decided.ends[index]
        counted = [
            e for e in decided.speech
            if start <= e.start_ms < end and e.moment == moment.kind and e.name in numbers
        ]  # fmt: skip
        counted = counted[-len(numbers) :]
        if moment.box and not counted:
            continue
        expected = [end - n * moment.beat_ms for n in range(len(counted), 0, -1)]
        assert [e.start_ms for e in counted] == expected
        assert [e.name for e in counted] == list(numbers)[len(numbers) - len(counted) :]


def tips_are_said_once(decided: Decided) -> None:
    for index, bout in enumerate(decided.plan.bouts):
        tips = list(decided.cue_sheet.tips[index])
        spans = [
            (start, end)
            for moment, start, end in zip(
                decided.plan.moments, decided.arranged.starts, decided.ends, strict=True
            )
            if moment.exercise == index
        ]
        first, last = spans[0][0], spans[-1][1]
        said = [e.name for e in decided.speech if first <= e.start_ms < last and e.name in tips]
        assert len(said) == len(set(said)), bout.title
        assert said == [tip for tip in tips if tip in said]


def the_ear_is_woken(decided: Decided) -> None:
    if not decided.signals.has("wake"):
        return
    events = decided.score.events
    end = at = before = 0
    for event in events:
        if event.start_ms > at:
            before, at = end, event.start_ms
        if event.kind == "speech":
            # A tone that begins with the word wakes nobody in time.
            assert event.start_ms - before <= QUIET_MS, event
        end = max(end, event.end_ms)
    spoken = {event.start_ms for event in decided.speech}
    assert all(event.end_ms in spoken for event in events if event.name == "wake")


def chapters_join(decided: Decided) -> None:
    chapters = decided.score.chapters
    assert chapters[0].start_ms == 0
    assert chapters[-1].end_ms == decided.score.length_ms
    for one, two in pairwise(chapters):
        assert one.end_ms == two.start_ms
    assert all(one.start_ms < one.end_ms and one.title for one in chapters)
    titles = [bout.title for bout in decided.plan.bouts]
    assert [one.title for one in chapters[1:-1]] == titles


def the_end_cannot_be_missed(decided: Decided) -> None:
    last = decided.score.events[-1]
    if decided.signals.has("end"):
        assert (last.name, last.moment) == ("end", "end")
        assert decided.speech[-1].moment == "end"
    else:
        assert last.moment == "end"


def both_sides_get_the_same(decided: Decided) -> None:
    plan = decided.plan
    for index, bout in enumerate(plan.bouts):
        if bout.exercise.sides == "none" or plan.session.sections[bout.section].box_s:
            continue
        for kind in ("phase", "work"):
            sides: dict[str, list[int]] = {"right": [], "left": []}
            for n, moment in enumerate(plan.moments):
                if moment.exercise == index and moment.kind == kind and moment.side:
                    sides[moment.side].append(decided.ends[n] - decided.arranged.starts[n])
            assert sides["right"] == sides["left"]
        switches = [
            n for n, m in enumerate(plan.moments) if m.exercise == index and m.kind == "switch"
        ]
        assert len(switches) == (2 * bout.sets - 1 if bout.exercise.sides == "each" else 0)
        for n in switches:
            length = decided.ends[n] - decided.arranged.starts[n]
            assert length >= snap(bout.pacing.switch_time * 1000)


def repetitions_can_be_cut_apart(decided: Decided) -> None:
    plan = decided.plan
    borders = [
        decided.arranged.starts[n]
        for n, (one, two) in enumerate(pairwise(plan.moments), 1)
        if one.kind == two.kind == "phase" and one.group != two.group
    ]
    events = decided.score.events
    for border in borders:
        # A wake tone belongs to the speech after the border.
        after = [
            n for n, e in enumerate(events)
            if e.start_ms >= border or (e.name == "wake" and e.end_ms >= border)
        ]  # fmt: skip
        if not after:
            continue
        before = max((e.end_ms for e in events[: after[0]]), default=0)
        assert events[after[0]].start_ms - before >= TONE_GAP_MS


def detail_is_respected(decided: Decided) -> None:
    for event in decided.speech:
        moment = max(n for n, s in enumerate(decided.arranged.starts) if s <= event.start_ms)
        index = decided.plan.moments[moment].exercise
        if index >= 0 and decided.plan.bouts[index].pacing.detail == "tones":
            assert event.moment not in ("phase", "set-up", "caution", "set"), event


CHECKS = (
    no_speech_overlaps, all_stands_on_the_grid, phases_last_what_the_script_says,
    speech_stays_in_its_phase, counts_land_on_the_beats, tips_are_said_once, the_ear_is_woken,
    chapters_join, the_end_cannot_be_missed, both_sides_get_the_same, repetitions_can_be_cut_apart,
    detail_is_respected,
)  # fmt: skip


@steady
@given(sessions(), PACING, SIGNALS)
def test_any_session_can_be_followed_by_ear(
    made: Session, pacing: dict[str, Any], signals: str
) -> None:
    decided = Decided(made, wishes(**pacing), signals=signals_called(signals))
    for check in CHECKS:
        check(decided)
    assert decided.arranged.natural_ms == decided.score.length_ms


@steady
@given(sessions(), PACING, SIGNALS, st.floats(-1, 1))
def test_glue_takes_a_session_to_any_length_it_reaches(
    made: Session, pacing: dict[str, Any], signals: str, share: float
) -> None:
    asked, tones = wishes(**pacing), signals_called(signals)
    natural = Decided(made, asked, signals=tones).arranged
    give = natural.stretch_ms if share > 0 else natural.shrink_ms
    target = natural.natural_ms + int(share * give)
    decided = Decided(made, asked, signals=tones, target_ms=target)
    assert abs(decided.score.length_ms - target) <= GRID_MS
    for check in CHECKS:
        check(decided)


@steady
@given(sessions(), PACING)
def test_beyond_the_glue_is_an_error(made: Session, pacing: dict[str, Any]) -> None:
    asked = wishes(**pacing)
    natural = Decided(made, asked).arranged
    for target in (
        natural.natural_ms + natural.stretch_ms + 2 * GRID_MS,
        natural.natural_ms - natural.shrink_ms - 2 * GRID_MS,
    ):
        with pytest.raises(TimingError):
            Decided(made, asked, target_ms=target)


# Which words are said


def said_in_phase(seconds: float, *versions: str, **pacing: Any) -> list[str]:
    """What is said in the one phase of an exercise."""
    made = exercise(rep=(phase("exhale", seconds, *versions),), reps=1, finish=text("Rest."))
    return Decided(session(made), wishes(count_in=0, last=False, **pacing)).said("phase")


def length_needed(said: str, air: float = 0.25) -> float:
    """Seconds of a phase in which a text just fits."""
    from making import length_of

    return (length_of(said) + max(SPARE_MS, -(-air * 1000 // GRID_MS) * GRID_MS)) / 1000


@pytest.mark.parametrize("air", [0, 0.1, 0.25, 1.0])
def test_the_richest_text_that_fits_is_said(air: float) -> None:
    full, brief = words(10), words(3)
    assert said_in_phase(20, full, brief, air=air) == [full]
    on_grid = -(-length_needed(full, air) * 1000 // GRID_MS) * GRID_MS / 1000
    assert said_in_phase(on_grid, full, brief, air=air) == [full]
    assert said_in_phase(on_grid - 0.024, full, brief, air=air) == [brief]


def test_in_the_only_repetition_no_tip_takes_the_place_of_the_cue() -> None:
    cue, tip = "Exhale slowly now.", text(words(6))
    for reps, said in ((1, True), (4, True)):
        made = exercise(rep=(phase("exhale", 3, cue, cue),), reps=reps, tips=(tip,))
        told = Decided(session(made), wishes(count_in=0, detail="brief", last=False)).said("phase")
        assert (cue in told) == said
        assert (words(6) in told) == (reps > 1)


def test_where_no_text_fits_the_breath_word_is_said_or_nothing() -> None:
    full, brief = words(10), words(3)
    assert said_in_phase(1.2, full, brief) == ["Exhale."]
    assert said_in_phase(0.5, full, brief) == []


def test_what_did_not_fit_is_told_with_its_figures() -> None:
    full, brief = words(12), words(3)
    made = exercise(rep=(phase("exhale", 3, full, brief),), reps=1)
    decided = Decided(session(made), wishes(count_in=0))
    (unsaid,) = decided.arranged.unsaid
    moment = decided.plan.moments[unsaid.moment]
    assert (moment.kind, unsaid.text, unsaid.said) == ("phase", full, brief)
    assert unsaid.needs_ms > unsaid.has_ms == 3000 - 264  # 0.25 s of air, on the grid


@pytest.mark.parametrize(
    ("pacing", "expected"),
    [
        ({"detail": "full", "teach": 2}, ["Full one.", "Full one.", "Brief."]),
        ({"detail": "full", "teach": 0}, ["Full one.", "Brief.", "Brief."]),
        ({"detail": "brief"}, ["Brief.", "Brief.", "Brief."]),
        ({"detail": "tones"}, []),
    ],
)
def test_teaching_goes_from_full_to_brief(pacing: dict[str, Any], expected: list[str]) -> None:
    made = exercise(rep=(phase("exhale", 6, "Full one.", "Brief."),), reps=3)
    decided = Decided(session(made), wishes(last=False, **pacing))
    if pacing.get("teach") == 0:
        expected = ["Brief.", "Brief.", "Brief."]
    elif pacing["detail"] == "full":
        # Of three repetitions one is taught: a tip and the end have room.
        expected = ["Full one.", "Brief.", "Brief."]
    assert decided.said("phase") == expected


def test_a_known_exercise_starts_brief() -> None:
    made = exercise("Bridge", rep=(phase("exhale", 6, "Full one.", "Brief."),), reps=3)
    decided = Decided(session(made), wishes(known=("bridge",), last=False))
    assert decided.said("phase") == ["Brief."] * 3


def test_the_last_and_the_others_are_announced() -> None:
    made = exercise(rep=(phase("exhale", 8),), reps=8)
    said = Decided(session(made), wishes(teach=0)).said("phase")
    assert [line.startswith("Halfway") for line in said].index(True) == 4
    assert said[6].startswith("Two more")
    assert said[7].startswith("Last one")
    plain = Decided(session(made), wishes(teach=0, halfway=False, more=False, last=False))
    assert len(set(plain.said("phase"))) == 1


def test_tips_come_one_at_a_time_after_the_words() -> None:
    tips = (text("Soft ribs."), text("Long neck."), text("Heavy heels."))
    made = exercise(rep=(phase("inhale", 4), phase("exhale", 8)), reps=10, tips=tips)
    decided = Decided(session(made), wishes(teach=2))
    said = [e for e in decided.speech if e.name in ("Soft ribs.", "Long neck.", "Heavy heels.")]
    assert [e.name for e in said] == ["Soft ribs.", "Long neck.", "Heavy heels."]
    reps = [e.rep for e in said]
    assert all(isinstance(rep, int) and rep > 2 for rep in reps)
    assert all(two - one >= 2 for one, two in pairwise([rep or 0 for rep in reps]))
    assert Decided(session(made), wishes(tips=False)).said("phase").count("Soft ribs.") == 0


def test_tips_in_an_interval_never_overlap() -> None:
    tips = (text(words(26)), text(words(5)), text(words(3)))
    for seconds in range(15, 40, 3):
        made = exercise(work_s=float(seconds), sets=2, tips=tips)
        no_speech_overlaps(Decided(session(made)))


# Counts, signals, intervals


@pytest.mark.parametrize("count", ["down", "up", "last3", "none"])
def test_holds_are_counted_so_that_the_action_lands_on_the_change(count: str) -> None:
    made = exercise(rep=(phase("inhale", 4), phase("hold", 8, "Hold.")), reps=1)
    decided = Decided(session(made), wishes(count=count, last=False, count_in=0))
    hold = next(n for n, m in enumerate(decided.plan.moments) if m.breath == "hold")
    counted = [e for e in decided.speech if e.breath == "hold" and e.name.isdigit()]
    numbers = [int(e.name) for e in counted]
    beats = [decided.ends[hold] - e.start_ms for e in reversed(counted)]
    assert beats == [1008 * n for n in range(1, len(counted) + 1)]
    if count == "none":
        assert not numbers
    elif count == "up":
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert len(numbers) >= 5
    else:
        assert numbers == list(range(len(numbers), 0, -1))
        assert len(numbers) == 3 if count == "last3" else len(numbers) >= 5


@pytest.mark.parametrize("beats", [0, 1, 3, 10])
def test_the_count_in_ends_where_the_first_breath_begins(beats: int) -> None:
    decided = Decided(session(exercise()), wishes(count_in=beats))
    first = next(n for n, m in enumerate(decided.plan.moments) if m.kind == "phase")
    counted = [e for e in decided.speech if e.moment == "count-in" and e.name.isdigit()]
    assert [e.name for e in counted] == [str(n) for n in range(beats, 0, -1)]
    start = decided.arranged.starts[first]
    assert [start - e.start_ms for e in counted] == [1008 * n for n in range(beats, 0, -1)]


def test_an_interval_is_counted_and_halved() -> None:
    made = exercise(work_s=40.0, sets=2)
    decided = Decided(session(made), wishes(rest=10))
    works = [n for n, m in enumerate(decided.plan.moments) if m.kind == "work"]
    assert len(works) == 2
    for n in works:
        start, end = decided.arranged.starts[n], decided.ends[n]
        assert end - start == snap(40_000)
        inside = [e for e in decided.score.events if start <= e.start_ms < end]
        assert {e.name for e in inside if e.kind != "speech"} <= {"change", "wake"}
        assert [e.name for e in inside if e.kind == "speech"] == ["Go.", "Halfway.", "3", "2", "1"]
        half = next(e for e in inside if e.name == "Halfway.")
        assert abs(half.start_ms - (start + end) / 2) <= GRID_MS


def test_a_time_box_lasts_what_it_says() -> None:
    box = Section("Round", (exercise("One", work_s=5.0), exercise("Two")), box_s=120)
    decided = Decided(session(sections=(box,)))
    works = [n for n, m in enumerate(decided.plan.moments) if m.kind == "work"]
    assert [decided.ends[n] - decided.arranged.starts[n] for n in works] == [120_000]
    assert not [m for m in decided.plan.moments if m.kind == "phase"]
    assert [c.title for c in decided.score.chapters[1:-1]] == ["One", "Two"]


def test_a_very_long_tone_has_an_end() -> None:
    decided = Decided(session(exercise(rep=(phase("hold", 300),), reps=1)), wishes(tempo=0.5))
    tones = [e.length_ms for e in decided.score.events if e.name == "hold"]
    assert tones == [LONGEST_TONE_MS]


def say(words: str) -> Step:
    return Step("say", 0, text(words), phase().mark)


@pytest.mark.parametrize(
    ("flow", "air", "quiet"),
    [
        ((say("Be still."), silence(30), say("And back.")), 1.0, 30_000),
        ((Step("bell", 0, None, phase().mark), silence(30), say("And back.")), 0.4, 30_000),
        ((say("Be still."), silence(30), silence(12), say("And back.")), 0.4, 42_000),
        # As short as this it does not part the words: the air does.
        ((say("Be still."), silence(0.5), say("And back.")), 2.0, 2_000),
        # Its own words are parted from those before, and are said in it.
        ((say("Be."), Step("silence", 9, text("Still."), phase().mark), say("And back.")), 1.0, 0),
    ],
)
def test_the_air_after_words_is_part_of_the_silence_after_them(
    flow: tuple[Step, ...], air: float, quiet: int
) -> None:
    decided = Decided(session(exercise(flow=flow, air=air)))
    events = [e for e in decided.score.events if e.name != "wake"]
    back = next(n for n, e in enumerate(events) if e.name == "And back.")
    before = events[back - 1]
    if quiet:
        assert 0 <= events[back].start_ms - before.end_ms - quiet < 2 * GRID_MS
    else:
        assert before.start_ms - events[back - 2].end_ms >= air * 1000
        assert 0 <= events[back].start_ms - before.start_ms - 9_000 <= GRID_MS


def test_the_time_to_get_into_place_comes_before_a_silence() -> None:
    decided = Decided(session(exercise(flow=(silence(30), say("And back.")), settle=4)))
    words = [e for e in decided.speech if e.moment in ("set-up", "say")]
    assert words[-1].start_ms - words[-2].end_ms >= 34_000


def test_a_wake_tone_comes_before_speech_after_a_long_quiet() -> None:
    steps = (
        silence(30),
        Step("say", 0, text("And back."), phase().mark),
    )
    decided = Decided(session(exercise(flow=steps)))
    index = next(n for n, e in enumerate(decided.score.events) if e.name == "And back.")
    wake = decided.score.events[index - 1]
    assert (wake.name, wake.kind, wake.spoken) == ("wake", "tone", "")
    assert wake.end_ms == decided.score.events[index].start_ms


# What is asked for, and what it costs


def test_what_is_not_known_is_asked_for_until_it_is() -> None:
    made = session(
        exercise("One", tips=(text("Soft ribs."),), reps=8),
        exercise("Two", sides="each", switch=text("Turn over.")),
        exercise("Three", work_s=40.0, sets=2),
    )
    decided = Decided(made)
    lengths: dict[str, int] = {}
    from making import length_of

    for _ in range(8):
        voicing = Voicing(lambda _, said: said, lengths.get, lambda _: 900)
        arranged = arrange(decided.plan, decided.cue_sheet, voicing, decided.signals)
        if arranged.score is not None:
            break
        assert arranged.missing
        assert not arranged.missing & lengths.keys()
        lengths.update((said, length_of(said)) for said in arranged.missing)
    assert arranged.score == decided.score
    spoken = {e.spoken for e in decided.speech}
    assert spoken <= lengths.keys()


def test_pronunciations_change_what_is_spoken_not_what_is_written() -> None:
    decided = Decided(session(exercise()))
    voicing = Voicing(
        lambda own, said: f"<{own and own.name}> {said}", decided.lengths.get, lambda _: 900
    )
    arranged = arrange(decided.plan, decided.cue_sheet, voicing, decided.signals)
    assert arranged.score is not None
    for event in arranged.score.events:
        if event.kind == "speech":
            assert event.spoken.endswith("> " + event.name)
            assert event.spoken.startswith(f"<{event.exercise}>")
        else:
            assert event.spoken == ""


def test_a_score_says_where_each_event_belongs() -> None:
    decided = Decided(session(exercise("Bridge", sides="each", reps=2)))
    for event in decided.score.events:
        assert event.moment
        if event.breath and event.name != "wake":
            assert event.exercise == "Bridge"
            assert event.side in ("right", "left")
            assert event.rep in (1, 2)
    sides = [e.side for e in decided.score.events if e.breath == "inhale" and e.kind == "tone"]
    assert sides == ["right", "right", "left", "left"]


def test_equal_repetitions_are_equal_to_the_millisecond() -> None:
    made = exercise(rep=(phase("inhale", 3.7), phase("exhale", 4.3)), reps=9)
    decided = Decided(session(made), wishes(teach=1, more=False, halfway=False, tempo=0.93))
    starts = [
        start
        for moment, start in zip(decided.plan.moments, decided.arranged.starts, strict=True)
        if moment.kind == "phase" and moment.breath == "inhale"
    ]
    assert len({two - one for one, two in pairwise(starts)}) == 1

    def relative(rep: int) -> list[tuple[int, int, str]]:
        return [
            (e.start_ms - starts[rep - 1], e.length_ms, e.name)
            for e in decided.score.events
            if e.rep == rep
        ]

    assert relative(3) == relative(4) == relative(8)


def test_the_same_again_is_the_same() -> None:
    made = session(exercise("One", reps=7), exercise("Two", sides="alternate"))
    assert Decided(made).score == Decided(made).score


def test_the_cost_is_linear_in_moments() -> None:
    def cost(reps: int) -> tuple[int, int]:
        tips = (text("Soft ribs."),)
        decided = Decided(session(exercise(reps=reps, tips=tips), exercise("Two", reps=reps)))
        return decided.lengths.looks, len(decided.score.events)

    (looks, events), (more_looks, more_events) = cost(50), cost(500)
    assert more_looks <= 10.5 * looks
    assert more_events <= 10.5 * events
    assert more_looks <= 4 * more_events


def test_one_exercise_and_sixty() -> None:
    for count in (1, 60):
        many = tuple(exercise(f"Exercise {n}", reps=2) for n in range(count))
        decided = Decided(session(*many))
        for check in CHECKS:
            check(decided)
        assert len(decided.score.chapters) == count + 2


@pytest.mark.parametrize(
    "changes",
    [
        {"reps": 10_000, "sets": 100},
        {"rep": (phase("hold", 300),) * 1000, "reps": 90},
        {"flow": (silence(0.5),) * 1000, "sets": 100, "sides": "each"},
    ],
)
def test_a_session_without_end_is_refused_before_it_is_laid_out(changes: dict[str, Any]) -> None:
    with little_work(), pytest.raises(TimingError):
        Decided(session(*(exercise(**changes),) * 3))


def test_a_long_set_up_takes_its_time() -> None:
    sentence = words(8)
    long = text(" ".join([sentence] * 250))  # two thousand words
    decided = Decided(session(exercise(setup=long)))
    assert decided.said("set-up") == [sentence] * 250
    for check in CHECKS:
        check(decided)


@pytest.mark.parametrize("detail", ["full", "brief"])
def test_an_only_version_is_said_in_every_repetition(detail: str) -> None:
    """A cue without `|` became a bare breath word after the taught repetitions."""
    made = exercise(rep=(phase("inhale", 4, "Down."), phase("exhale", 4, "Pulse up.")), reps=6)
    said = Decided(session(made), wishes(detail=detail, teach=1)).said("phase")
    assert sum("down" in one.lower() for one in said) == 6
    assert sum("pulse up" in one.lower() for one in said) == 6


def test_without_tones_a_tip_never_takes_the_only_breath_word() -> None:
    # So long that it fits a phase only in place of the phase's own word.
    tips = (text(words(9)),)
    made = exercise(rep=(phase("inhale", 4), phase("exhale", 4)), reps=8, tips=tips)
    with_tones = Decided(session(made), wishes(teach=1))
    assert words(9) in with_tones.said("phase"), "the case shows nothing"
    silent = Decided(session(made), wishes(teach=1), signals=NoSignals())
    phases = [m for m in silent.plan.moments if m.kind == "phase"]
    own = [
        one for one in silent.speech if one.moment == "phase" and one.name not in tips[0].versions
    ]
    assert len(own) == len(phases)
