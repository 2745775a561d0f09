"""What becomes of an engine's sound: read, resampled, trimmed, levelled. Judged by other ears."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile

from voiceflow.audio import wav
from voiceflow.audio.loudness import OFFSET, k_weight
from voiceflow.audio.true_peak import dbtp, true_peak
from voiceflow.core.errors import VoiceError
from voiceflow.voices import levelling as level

RATE = 24_000


def tone(hz: float, seconds: float, rate: int = RATE, height: float = 0.5) -> np.ndarray:
    return height * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate + 0.3)


def utterance(seconds: float = 2.0, lead: float = 0.25, tail: float = 0.4, crest: float = 1.0):
    """Something like speech: a buzz in syllables, silence around it."""
    times = np.arange(round(seconds * RATE)) / RATE
    buzz = sum(np.sin(2 * np.pi * 140 * k * times + crest * k * k / 9) / k for k in range(1, 40))
    syllables = np.clip(np.sin(2 * np.pi * 2.5 * times), 0.02, 1) * np.minimum(1, times * 100)
    silence = np.zeros(round(lead * RATE)), np.zeros(round(tail * RATE))
    return np.concatenate((silence[0], 0.1 * buzz * syllables, silence[1]))


def samples(clip: bytes) -> np.ndarray:
    return np.frombuffer(clip, "<i2") / 32768


def heard_loudness(x: np.ndarray) -> float:
    """By pyloudnorm, in both channels; whole steps of a block, since it rounds their number."""
    whole = x[: x.size // 2400 * 2400]
    meter = pyloudnorm.Meter(RATE, filter_class="DeMan")
    return meter.integrated_loudness(np.stack([whole, whole], axis=1))


def write(path: Path, x: np.ndarray, rate: int, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(x, -1, 1) * 32767).astype("<i2").tobytes())
    return path


# Reading.


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_any_rate_becomes_ours_without_shift_or_ripple(rate: int) -> None:
    hz, seconds = 1_234.5, 0.731
    envelope = np.hanning(round(seconds * rate))
    found = wav.resample(tone(hz, seconds, rate) * envelope, rate)
    ideal = tone(hz, seconds) * np.hanning(round(seconds * RATE))
    assert abs(found.size - ideal.size) <= 1
    count = min(found.size, ideal.size)
    assert np.abs(found[:count] - ideal[:count]).max() < 0.001


@pytest.mark.parametrize("hz", [60, 997, 5_000, 9_000, 10_400])
def test_espeaks_band_is_whole_and_has_no_image(hz: float) -> None:
    found = wav.resample(tone(hz, 0.5, 22_050), 22_050)[2_000:-2_000]
    ideal = tone(hz, 0.5)[2_000:-2_000]
    noise = found - ideal[: found.size]
    assert 10 * np.log10((noise**2).mean() / (ideal**2).mean()) < -80


@pytest.mark.parametrize("size", [1, 100, 147, 148])
def test_a_moment_is_as_long_as_it_was(size: int) -> None:
    assert wav.resample(np.ones(size), 22_050).size == -(-size * 160 // 147)


def test_what_ours_cannot_hold_is_left_out_not_folded_back() -> None:
    found = wav.resample(tone(18_000, 0.5, 48_000) * np.hanning(24_000), 48_000)
    assert np.abs(found).max() < 0.001


def test_stereo_and_eight_bits_are_read(tmp_path: Path) -> None:
    x = tone(440, 0.2)
    path = write(tmp_path / "a.wav", np.stack([x, x], axis=1).ravel(), RATE, channels=2)
    assert wav.read(path) == pytest.approx(x, abs=1e-4)
    with wave.open(str(tmp_path / "b.wav"), "wb") as file:
        file.setparams((1, 1, RATE, 0, "NONE", "none"))
        file.writeframes((x * 127 + 128).astype(np.uint8).tobytes())
    assert wav.read(tmp_path / "b.wav") == pytest.approx(x, abs=0.02)


@pytest.mark.parametrize(
    ("name", "subtype"), [("a.wav", "PCM_24"), ("a.wav", "FLOAT"), ("a.aiff", "PCM_16")]
)
def test_other_sound_files_are_read_whatever_their_name(
    tmp_path: Path, name: str, subtype: str
) -> None:
    x = tone(440, 0.2)
    soundfile.write(tmp_path / name, x, RATE, subtype)
    path = (tmp_path / name).rename(tmp_path / "cue.wav")
    assert wav.read(path) == pytest.approx(x, abs=1e-4)


def test_a_missing_empty_or_foreign_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "cue.wav"
    with pytest.raises(VoiceError, match="no sound"):
        wav.read(path)
    path.touch()
    with pytest.raises(VoiceError, match="no sound"):
        wav.read(path)
    path.write_bytes(b"RIFF and so on" * 50)
    with pytest.raises(VoiceError, match="not audio"):
        wav.read(path)
    with pytest.raises(VoiceError, match="empty"):
        wav.read(write(path, np.zeros(0), RATE))


# Levelling.


@pytest.mark.parametrize("gain", [0.06, 0.3, 1.0])
@pytest.mark.parametrize("crest", [0.0, 1.0])
@pytest.mark.parametrize("seconds", [0.5, 1.0, 4.0])
def test_every_clip_has_the_same_loudness_under_the_same_ceiling(
    gain: float, crest: float, seconds: float
) -> None:
    """-15.5 LUFS as pyloudnorm hears it, not as our own meter and constant have it."""
    clip = samples(level.make_clip(gain * utterance(seconds, crest=crest)))
    assert heard_loudness(clip) == pytest.approx(-15.5, abs=0.1)
    assert dbtp(true_peak(clip)) <= -2.5


def test_a_short_clip_is_levelled_as_a_whole() -> None:
    clip = samples(level.make_clip(0.05 * utterance(0.2)))
    power = (k_weight(clip, RATE) ** 2).mean()
    measured = OFFSET + 10 * np.log10(2 * power)
    assert measured == pytest.approx(level.TARGET_LUFS, abs=0.3)


def test_hard_peaks_are_held_without_bending_what_is_between() -> None:
    x = utterance(2.0)[:48_000]
    click = x.copy()
    click[RATE] = 0.9  # far above the speech
    plain, clicked = (level.level(y, k_weight(y, RATE)) for y in (x, click))
    assert dbtp(true_peak(clicked)) <= -2.5
    # 50 ms from the click nothing is any different but for the level of the whole.
    ratio = clicked[2_400 : RATE - 8_400] @ plain[2_400 : RATE - 8_400]
    ratio /= plain[2_400 : RATE - 8_400] @ plain[2_400 : RATE - 8_400]
    assert np.abs(clicked - ratio * plain)[2_400 : RATE - 8_400].max() < 0.01


@pytest.mark.parametrize("lead", [0.0, 0.0301, 0.25, 0.7])
def test_sound_begins_at_once_and_nothing_is_lost_at_the_end(lead: float) -> None:
    x = utterance(1.0, lead=lead, tail=0.5)
    clip = samples(level.make_clip(x))
    heard = np.flatnonzero(np.abs(clip) > 0.01)
    assert heard[0] / RATE < 0.010
    assert abs(clip.size / RATE - 1.0) < 0.06
    assert clip.size % 24 == 0


def test_a_soft_end_is_kept_and_fades() -> None:
    # A word that ends in a hiss 40 dB below its loudest, as `this` may.
    hiss = 0.002 * np.random.default_rng(1).standard_normal(RATE // 5)
    x = np.concatenate((utterance(1.0, tail=0.0), hiss, np.zeros(RATE // 2)))
    clip = samples(level.make_clip(x))
    assert clip.size / RATE == pytest.approx(1.2, abs=0.06)
    assert np.abs(clip[-24:]).max() < 0.001


def test_clips_neither_click_nor_hold_an_offset() -> None:
    for x in (utterance(1.0), tone(300, 0.6), np.full(RATE, 0.3) + utterance(0.35, 0.25, 0.4)):
        clip = samples(level.make_clip(x))
        assert abs(clip[0]) < 0.001
        assert abs(clip[-1]) < 0.001


def test_a_noisy_voice_is_trimmed_at_its_own_floor() -> None:
    x = utterance(1.0, lead=0.4, tail=0.6)
    x += 0.0008 * np.random.default_rng(2).standard_normal(x.size)
    assert level.make_clip(x).__len__() / 2 / RATE == pytest.approx(1.0, abs=0.08)


@pytest.mark.parametrize("x", [np.zeros(RATE), np.full(RATE, 1e-4), np.zeros(0), np.full(1, 0.0)])
def test_silence_is_no_clip(x: np.ndarray) -> None:
    with pytest.raises(VoiceError, match="silence"):
        level.make_clip(x)
