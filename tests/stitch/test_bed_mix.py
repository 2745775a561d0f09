"""A bed under a session: measured by itself, under speech and between, as the score has it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from voiceflow import sounds
from voiceflow.core.units import ms_to_samples
from voiceflow.score.score import Chapter, Event, Score
from voiceflow.sounds.bed import ATTACK_MS, DUCK_DB, FADE_MS, RELEASE_MS
from voiceflow.stitch.bed_mix import BLOCK_MS, NEAR_MS, BedMix, underlaid

LENGTH_MS = 36_000
SPEECH = ((4_008, 2_400), (12_000, 960), (12_960 + NEAR_MS - 100, 1_200), (20_040, 3_000))
APART = (12_960 + NEAR_MS + ATTACK_MS + RELEASE_MS, 1_200)


def score(speech: tuple[tuple[int, int], ...] = SPEECH) -> Score:
    events = [
        Event("speech", start_ms, length_ms, "Lift", "Lift") for start_ms, length_ms in speech
    ]
    events.append(Event("tone", 27_000, 2_400, "inhale"))
    chapters = (Chapter("One", 0, 18_000), Chapter("Two", 18_000, LENGTH_MS))
    return Score("T", "", "en", "silent", "calm", "none", tuple(events), chapters, LENGTH_MS)


def under_alone(of: Score, channels: int = 2) -> NDArray[np.float64]:
    """The bed of a session in which nothing else sounds."""
    blocks = list(underlaid((), of, sounds.load_bed("rain"), channels))
    assert [start_ms for start_ms, _ in blocks] == list(range(0, LENGTH_MS, BLOCK_MS))
    whole = np.frombuffer(b"".join(pcm for _, pcm in blocks), "<i2").reshape(-1, channels)
    assert len(whole) == ms_to_samples(LENGTH_MS)
    return whole.astype(float)


def level(samples: NDArray[np.float64], start_ms: int, end_ms: int) -> float:
    part = samples[ms_to_samples(start_ms) : ms_to_samples(end_ms)]
    return float(10 * np.log10((part**2).mean()))


@pytest.mark.parametrize("channels", [1, 2])
def test_a_bed_ducks_under_speech_and_comes_back_between(channels: int) -> None:
    """Against the same bed in a session without speech: rain is never even in itself."""
    found, plain = under_alone(score(), channels), under_alone(score(()), channels)

    def lower(start_ms: int, end_ms: int) -> float:
        return level(plain, start_ms, end_ms) - level(found, start_ms, end_ms)

    for start_ms, length_ms in SPEECH:
        assert lower(start_ms, start_ms + length_ms) == pytest.approx(DUCK_DB, abs=0.3)
    between = ((1_100, 3_800), (7_000, 11_800), (15_500, 16_900), (24_000, 34_900))
    for start_ms, end_ms in between:
        assert lower(start_ms, end_ms) == pytest.approx(0, abs=0.05)


def test_a_short_pause_leaves_the_bed_down_and_a_longer_one_does_not() -> None:
    plain = under_alone(score(()))
    short = level(plain, 13_150, 13_400) - level(under_alone(score()), 13_150, 13_400)
    assert short == pytest.approx(DUCK_DB, abs=0.3)
    longer = under_alone(score((SPEECH[1], APART)))
    middle_ms = 12_960 + RELEASE_MS
    gap = level(plain, middle_ms, middle_ms + 300) - level(longer, middle_ms, middle_ms + 300)
    assert gap < 2


def test_a_bed_fades_where_a_chapter_ends() -> None:
    found = under_alone(score(()))
    loud = level(found, 8_000, 16_000)
    for mark_ms in (0, 18_000, LENGTH_MS):
        near = level(found, max(mark_ms - 60, 0), min(mark_ms + 60, LENGTH_MS))
        assert near < loud - 20
        far = mark_ms + FADE_MS if not mark_ms else mark_ms - FADE_MS - 2_000
        assert level(found, far, far + 2_000) == pytest.approx(loud, abs=2)


def test_what_lies_over_the_bed_is_added_to_it_and_never_clips() -> None:
    bed, mix = under_alone(score()), BedMix.of(score(), sounds.load_bed("rain"), 2)
    over = np.full((ms_to_samples(2_000), 2), 1_000, "<i2")
    start = ms_to_samples(5_000)
    found = np.frombuffer(mix.mixed(over.tobytes(), 5_000), "<i2").reshape(-1, 2)
    assert (found == bed[start : start + len(over)] + 1_000).all()
    loud = np.full((ms_to_samples(2_000), 2), 28_400, "<i2")
    assert np.frombuffer(mix.mixed(loud.tobytes(), 5_000), "<i2").max() == 28_500


def test_a_stretch_mixed_alone_is_the_same_as_in_the_whole() -> None:
    whole, mix = under_alone(score()), BedMix.of(score(), sounds.load_bed("rain"), 2)
    for start_ms, length_ms in ((0, 997), (3_913, 2_500), (17_500, 1_000), (35_000, 1_000)):
        silence = bytes(4 * ms_to_samples(length_ms))
        found = np.frombuffer(mix.mixed(silence, start_ms), "<i2").reshape(-1, 2)
        first = ms_to_samples(start_ms)
        assert (found == whole[first : first + len(found)]).all()
