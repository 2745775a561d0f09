"""A session's loudness, added up from its pieces and held against a measurement of the whole."""

from __future__ import annotations

from array import array

import numpy as np
import pyloudnorm
import pytest
from numpy.typing import NDArray

from voiceflow.audio.loudness import SILENT
from voiceflow.core.units import FRAME, RATE, ms_to_samples
from voiceflow.stitch.encoded import Tally
from voiceflow.stitch.session_loudness import measure, session_loudness

LENGTH_MS = 20_160
STARTS = (432, 3_312, 5_976, 9_936, 11_952, 15_792)
Samples = NDArray[np.int16]


def piece(seed: int, channels: int) -> Samples:
    """1.92 s: 48 ms of silence, noise in syllables over a tone, 72 ms of silence."""
    count = ms_to_samples(1_920 - 120)
    time_s = np.arange(count)[:, None] / RATE
    noise = np.random.default_rng(seed).normal(0, 0.2, (count, 1))
    body = noise * (np.sin(2 * np.pi * 3.3 * time_s) > 0)
    body = body + 0.05 * np.sin(2 * np.pi * (200 + 50 * seed) * time_s)
    lean = np.array([[1.0, 0.7]])[:, :channels]
    padded = np.pad(body * lean, ((ms_to_samples(48), ms_to_samples(72)), (0, 0)))
    return np.rint(np.clip(padded, -0.85, 0.85) * 32767).astype("<i2")


def session(channels: int) -> tuple[list[tuple[int, Samples]], Samples]:
    """Pieces with their starts, and the whole."""
    pieces = [(start, piece(at % 4, channels)) for at, start in enumerate(STARTS)]
    whole = np.zeros((ms_to_samples(LENGTH_MS), channels), "<i2")
    for start_ms, samples in pieces:
        at = ms_to_samples(start_ms)
        whole[at : at + len(samples)] = samples
    return pieces, whole


def powers(channels: int) -> list[tuple[int, array[float]]]:
    return [(at, measure(one.tobytes(), channels).powers) for at, one in session(channels)[0]]


@pytest.mark.parametrize("channels", [1, 2])
def test_loudness_is_the_sum_of_the_pieces(channels: int) -> None:
    whole = session(channels)[1] / 32768
    theirs = pyloudnorm.Meter(RATE, filter_class="DeMan").integrated_loudness(whole)
    # Blocks of 408 ms meet the edges of such short pieces elsewhere than blocks of 400 ms.
    assert session_loudness(powers(channels), LENGTH_MS) == pytest.approx(theirs, abs=0.15)


def test_a_mono_piece_counts_in_every_ear_that_hears_it() -> None:
    mono = piece(1, 1)
    both = np.repeat(mono, 2, axis=1)
    one, doubled = measure(mono.tobytes(), 1), measure(mono.tobytes(), 1, ears=2)
    assert doubled == measure(both.tobytes(), 2)
    assert doubled.powers.tolist() == pytest.approx([2 * power for power in one.powers])


def test_loudness_ignores_silence_between() -> None:
    """The gates leave out what is silent: an hour of pauses changes nothing."""
    pieces = powers(2)
    apart = [(60_000 * at, one) for at, (_, one) in enumerate(pieces)]
    together = session_loudness(pieces, LENGTH_MS)
    assert session_loudness(apart, 3_600_000) == pytest.approx(together, abs=0.3)


def test_silence_has_the_lowest_loudness_and_peak() -> None:
    levels = measure(bytes(2 * FRAME * 40), 1)
    assert session_loudness([(0, levels.powers)], 960) == SILENT
    assert session_loudness([], 0) == SILENT
    assert levels.peak == 0
    assert Tally(peaks={levels.peak}).peak() == Tally().peak() == SILENT


def test_the_peak_of_a_piece_lies_between_its_samples() -> None:
    """A quarter of the rate, sampled off its crests: the crest is 3 dB above every sample."""
    at = np.arange(FRAME * 8)
    crest = 20_000 * np.sin(np.pi / 2 * at + np.pi / 4) * np.hanning(len(at))
    peak = measure(np.rint(crest).astype("<i2").tobytes(), 1).peak * 32768
    assert np.abs(crest).max() < 14_200
    assert peak == pytest.approx(20_000, rel=0.01)
