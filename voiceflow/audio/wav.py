"""Reads the sound file that a voice engine wrote, as mono samples at 24 kHz."""

from __future__ import annotations

import functools
import math
import wave
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from voiceflow.core.errors import VoiceError
from voiceflow.core.units import RATE

Floats = npt.NDArray[np.floating[Any]]

_REACH = 64  # samples on either side, of the lower rate
_KAISER = 9.0  # aliases stay 90 dB down, except in the last 5 % of the band
_BLOCK = 128  # fewer samples are not worth a matrix product


def read(path: Path) -> Floats:
    """The sound in `path`, as mono at 24 kHz [shape=(n,), full scale 1].

    Raises
    ------
    VoiceError
        The file is missing, empty or not a sound file.
    """
    if not path.is_file() or path.stat().st_size == 0:
        raise VoiceError("the voice wrote no sound")
    # soundfile is imported only for what the standard library cannot read.
    try:
        samples, rate = _read_wave(path)
    except (wave.Error, EOFError):
        samples, rate = _read_other(path)
    if not samples.size:
        raise VoiceError("the voice wrote an empty sound")
    return resample(samples, rate)


def resample(x: Floats, rate: int) -> Floats:
    """`x` [shape=(n,)] brought from `rate` to 24 kHz, within 0.001 of full scale.

    A windowed sinc, applied to blocks of samples as one matrix: from 22,050 Hz, 147 samples become
    160, each made from the 64 samples on either side of it. Silence is assumed before the first
    sample and after the last.
    """
    if rate == RATE:
        return x
    taps, step, reach = _interpolation(rate)
    blocks = -(-x.size // step)
    padded = np.zeros(blocks * step + 2 * reach, np.float32)
    padded[reach : reach + x.size] = x
    windows = np.lib.stride_tricks.sliding_window_view(padded, step + 2 * reach)[::step]
    # The last block is filled up with silence: what comes of that is cut off.
    found: Floats = (windows @ taps).reshape(-1)[: -(-x.size * RATE // rate)]
    return found


@functools.lru_cache(maxsize=2)
def _interpolation(rate: int) -> tuple[Floats, int, int]:
    """Weights [shape=(step + 2 * reach, out)] of a block of `step` samples and its neighbours.

    Whole blocks in become whole blocks out. From a higher rate, the same sinc is made wider and
    filters out what 24 kHz cannot hold.
    """
    common = math.gcd(rate, RATE)
    several = -(-_BLOCK * common // rate)
    step, out = several * rate // common, several * RATE // common
    narrow = min(1.0, RATE / rate)
    reach = math.ceil(_REACH / narrow)
    offsets = np.arange(-reach, step + reach)[:, np.newaxis] - np.arange(out) * (step / out)
    # Beyond the reach the root would be of a negative number; `where` sets these weights to 0.
    window = np.i0(_KAISER * np.sqrt(np.maximum(0.0, 1 - (offsets / reach) ** 2)))
    taps = np.where(np.abs(offsets) <= reach, np.sinc(narrow * offsets) * window, 0.0)
    return (taps / taps.sum(axis=0)).astype(np.float32), step, reach


def _read_wave(path: Path) -> tuple[Floats, int]:
    """Samples and rate of a WAV file of whole numbers, with the standard library alone."""
    with wave.open(str(path), "rb") as file:
        width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
        raw = file.readframes(file.getnframes())
    if width == 2:
        # A file that breaks off inside a sample or frame loses that one, not the whole sound.
        flat = np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.float32) / 32768
    elif width == 1:
        # WAV has 8 bits without a sign: silence is 128.
        flat = np.frombuffer(raw, np.uint8).astype(np.float32) / 128 - 1
    else:
        # `read` takes this as a file that is not for the standard library.
        raise wave.Error("a sample width that soundfile reads")
    return _to_mono(flat[: flat.size // channels * channels].reshape(-1, channels)), rate


def _read_other(path: Path) -> tuple[Floats, int]:
    """Any other sound file: macOS voices write AIFF, whatever the ending says."""
    import soundfile

    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, ValueError) as error:
        raise VoiceError("the voice wrote a file that is not audio") from error
    return _to_mono(samples), int(rate)


def _to_mono(samples: Floats) -> Floats:
    mono: Floats = samples.mean(axis=1) if samples.shape[1] > 1 else samples[:, 0]
    return mono
