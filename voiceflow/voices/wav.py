"""What an engine wrote, read back as mono samples at 24 kHz."""

from __future__ import annotations

import math
import wave
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from voiceflow.errors import VoiceError
from voiceflow.units import RATE
from voiceflow.voices.loudness import fast_size

Floats = npt.NDArray[np.floating[Any]]


def read(path: Path) -> Floats:
    """The sound in `path`, as mono at 24 kHz [shape=(n,), full scale 1].

    Raises
    ------
    VoiceError
        The file is missing, empty or no sound file.
    """
    if not path.is_file() or path.stat().st_size == 0:
        raise VoiceError("the voice wrote no sound")
    try:
        samples, rate = _read_wave(path)
    except (wave.Error, EOFError):
        samples, rate = _read_other(path)
    if not samples.size:
        raise VoiceError("the voice wrote an empty sound")
    return resample(samples, rate)


def resample(x: Floats, rate: int) -> Floats:
    """`x` [shape=(n,)] brought from `rate` to 24 kHz by its spectrum: no image, no alias.

    The whole clip is transformed at once, in a size that makes both lengths whole: 22,050 Hz
    becomes 24 kHz by 147 samples in to 160 out. What overhangs is silence.
    """
    if rate == RATE:
        return x
    common = math.gcd(rate, RATE)
    down, up = rate // common, RATE // common
    # Silence at the end keeps the transform's circle from laying the tail over the onset.
    blocks = fast_size(-(-(x.size + rate // 20) // down))
    spectrum = np.fft.rfft(x, blocks * down)
    wide = np.zeros(blocks * up // 2 + 1, spectrum.dtype)
    keep = min(spectrum.size, wide.size)
    wide[:keep] = spectrum[:keep]
    return np.fft.irfft(wide, blocks * up)[: -(-x.size * up // down)] * (up / down)


def _read_wave(path: Path) -> tuple[Floats, int]:
    """Samples and rate of a WAV file of whole numbers, with the standard library alone."""
    with wave.open(str(path), "rb") as file:
        width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
        raw = file.readframes(file.getnframes())
    if width == 2:
        flat = np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.float32) / 32768
    elif width == 1:
        flat = np.frombuffer(raw, np.uint8).astype(np.float32) / 128 - 1
    else:
        raise wave.Error("a width that soundfile reads as well")
    return _to_mono(flat[: flat.size // channels * channels].reshape(-1, channels)), rate


def _read_other(path: Path) -> tuple[Floats, int]:
    """Any other sound file: macOS voices write AIFF whatever the name says."""
    import soundfile

    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, ValueError) as error:
        raise VoiceError("the voice wrote something that is no sound") from error
    return _to_mono(samples), int(rate)


def _to_mono(samples: Floats) -> Floats:
    mono: Floats = samples.mean(axis=1) if samples.shape[1] > 1 else samples[:, 0]
    return mono
