"""The loudness meter, held against other meters: pyloudnorm, and a long oversampling filter."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest

from voiceflow.audio import loudness as meter
from voiceflow.audio.loudness import SILENT, integrated, loudness, loudness_of_power
from voiceflow.audio.true_peak import block_peaks, dbtp, true_peak
from voiceflow.core.units import RATE

# Its "DeMan" filters are the recommendation's; its default ones only come near them.
THEIRS = pyloudnorm.Meter(RATE, filter_class="DeMan")


def tone(hz: float, seconds: float = 3.0, height: float = 0.5, rate: int = RATE) -> np.ndarray:
    return height * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate + 0.3)


def speech(seed: int, seconds: float = 4.0) -> np.ndarray:
    """Something like speech: a buzz in syllables with pauses, and a hiss between them."""
    draw = np.random.default_rng(seed)
    times = np.arange(round(seconds * RATE)) / RATE
    buzz = sum(np.sin(2 * np.pi * (110 + 20 * seed) * k * times) / k for k in range(1, 40))
    syllables = np.clip(np.sin(2 * np.pi * 2.5 * times), 0, 1) * (np.sin(times * 1.7) > -0.5)
    hiss = draw.standard_normal(times.size) * np.clip(np.sin(2 * np.pi * 1.9 * times), 0, 1) ** 4
    return 0.1 * buzz * syllables + 0.03 * hiss


def noise(seed: int, seconds: float = 3.0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))


SOUNDS: dict[str, Callable[[], np.ndarray]] = {
    "speech": lambda: speech(0),
    "other speech": lambda: speech(1, 9.0),
    "a word": lambda: speech(2, 0.5),
    "soft speech after loud": lambda: np.concatenate((speech(0), 0.15 * speech(1))),
    "noise": lambda: noise(1),
    "60 Hz": lambda: tone(60),
    "110 Hz": lambda: tone(110),
    "440 Hz": lambda: tone(440),
    "997 Hz": lambda: tone(997, 0.4),
    "9 kHz": lambda: tone(9_000),
    "swelling": lambda: noise(2, 5.0) * np.linspace(0, 1, 5 * RATE) ** 2,
}


def spliced(x: np.ndarray) -> float:
    """Measured in frames of 24 ms, as a session is."""
    return integrated(meter.step_powers(x, 576), block=17, hop=4)


@pytest.mark.parametrize("name", SOUNDS)
def test_mono_agrees_with_pyloudnorm(name: str) -> None:
    """Within 0.1 LU, in both ways of adding up."""
    x = SOUNDS[name]()
    x = x[: x.size // 2400 * 2400]  # whole steps: pyloudnorm rounds their number
    theirs = THEIRS.integrated_loudness(np.stack([x, x], axis=1))
    assert loudness(x) == pytest.approx(theirs, abs=0.1)
    assert loudness(x.astype(np.float32)) == pytest.approx(theirs, abs=0.1)
    # Where much of a sound is about 10 LU softer, blocks of 408 ms meet the gate elsewhere.
    if name not in ("swelling", "soft speech after loud"):
        assert spliced(x) == pytest.approx(theirs, abs=0.15)


def test_stereo_agrees_with_pyloudnorm() -> None:
    left, right = speech(0, 6.0), 0.4 * noise(5, 6.0)
    both = np.stack([left, right], axis=1)
    assert loudness(both) == pytest.approx(THEIRS.integrated_loudness(both), abs=0.1)
    one_ear = np.stack([left, np.zeros_like(left)], axis=1)
    assert loudness(one_ear) == pytest.approx(loudness(left) - 3.01, abs=0.01)


@pytest.mark.parametrize("rate", [24_000, 48_000])
def test_a_sine_of_known_loudness(rate: int) -> None:
    """BS.1770-5's own test: 997 Hz at full scale in one channel measures -3.01 LKFS."""
    sine = tone(997, 2, 1.0, rate)
    one_ear = np.stack([sine, np.zeros_like(sine)], axis=1)
    assert loudness(one_ear, rate) == pytest.approx(-3.01, abs=0.06)
    assert loudness(sine, rate) == pytest.approx(0.0, abs=0.06)


def test_k_weighting_is_that_of_the_recommendation() -> None:
    # ITU-R BS.1770-5, annex 1, tables 1 and 2: the coefficients at 48 kHz.
    b, a = meter._shelf(48_000)
    assert np.array(b) / a[0] == pytest.approx(
        (1.53512485958697, -2.69169618940638, 1.19839281085285)
    )
    assert np.array(a) / a[0] == pytest.approx((1, -1.69065929318241, 0.73248077421585))
    b, a = meter._high_pass(48_000)
    assert (b, a) == (
        pytest.approx((1, -2, 1)),
        pytest.approx((1, -1.99004745483398, 0.99007225036621)),
    )


@pytest.mark.parametrize("milliseconds", [1, 30, 240, 399])
def test_a_sound_under_one_block_is_measured_as_a_whole(milliseconds: int) -> None:
    x = noise(3, 3.0)[: milliseconds * RATE // 1000]
    weighted = meter.k_weight(x)
    wanted = meter.OFFSET + 10 * np.log10(2 * (weighted**2).mean())
    assert loudness(x) == pytest.approx(wanted, abs=1e-6)
    per_ms = 2 * (weighted**2).reshape(milliseconds, -1).mean(axis=1)
    assert loudness_of_power(per_ms, 1000) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("count", [0, 100, 9_600, RATE])
def test_silence_and_nothing_have_a_loudness_too(count: int) -> None:
    for x in (np.zeros(count), np.zeros((count, 2)), np.zeros(count, np.float32)):
        assert loudness(x) == SILENT
        assert dbtp(true_peak(x)) == SILENT
        assert spliced(x) == SILENT


def test_the_gates_leave_pauses_out() -> None:
    x = noise(4)
    far = np.concatenate([x, np.zeros(60 * RATE), x])
    assert loudness(far) == pytest.approx(loudness(x), abs=0.3)


# True peak


def in_band(x: np.ndarray) -> np.ndarray:
    """`x` faded in and out, without what lies over 0.4 of the rate, where speech has no peaks."""
    spectrum = np.fft.rfft(x * np.minimum(1, 20 * np.hanning(x.size)))
    spectrum[np.fft.rfftfreq(x.size, 1 / RATE) > 0.4 * RATE] = 0
    return np.fft.irfft(spectrum, x.size)


def oversampled_peak(x: np.ndarray, times: int) -> float:
    """The peak of `x` read `times` as densely, by way of its whole spectrum."""
    padded = np.pad(x, 4_096)
    spectrum = np.fft.rfft(padded)
    return float(np.abs(np.fft.irfft(spectrum, padded.size * times) * times).max())


@pytest.mark.parametrize("hz", [997, 3_000, 5_999, 6_000, 7_777, 9_600])
def test_true_peak_sees_between_the_samples(hz: float) -> None:
    smooth = tone(hz, 0.5) * np.hanning(RATE // 2)
    assert dbtp(true_peak(smooth)) == pytest.approx(20 * np.log10(0.5), abs=0.1)


@pytest.mark.parametrize("seed", range(6))
def test_true_peak_agrees_with_a_longer_filter(seed: int) -> None:
    """Also where the crest lies off every sample: 3 dB above them at a quarter of the rate."""
    at = np.arange(RATE // 2)
    off_crest = 0.6 * np.sin(np.pi / 2 * at + np.pi / 4) * np.hanning(at.size)
    for x in (in_band(speech(seed, 1.5)), off_crest):
        four, many = (dbtp(oversampled_peak(x, times)) for times in (4, 16))
        assert dbtp(true_peak(x)) == pytest.approx(four, abs=0.1)
        assert dbtp(true_peak(x.astype(np.float32))) == pytest.approx(four, abs=0.1)
        # What four-fold oversampling may miss (BS.1770-5, annex 2) stays small.
        assert many - 0.35 < dbtp(true_peak(x)) < many + 0.1


def test_true_peak_of_two_channels_is_the_higher() -> None:
    low, high = tone(1000, 0.1, 0.1), tone(1000, 0.1, 0.8)
    assert true_peak(np.stack([low, high], axis=1)) == pytest.approx(true_peak(high))


def test_the_highest_block_peak_is_the_true_peak() -> None:
    x = speech(3)
    assert block_peaks(x, 24).max() == pytest.approx(true_peak(x), rel=1e-6)


# Without numpy

LIGHT = """
import sys
from array import array
from voiceflow.stitch.encoded import Tally
tally = Tally(powers=[(0, array("f", [0.01] * 200))], peaks={0.5})
print(round(tally.loudness(4_800), 2), round(tally.peak(), 2))
assert "numpy" not in sys.modules
"""


def test_a_render_from_the_cache_is_measured_without_numpy() -> None:
    """Importing numpy takes longer than all the rest of such a render."""
    env = {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["-20.69", "-6.02"]
