"""Makes a clip from one utterance: trimmed at both ends, levelled, faded, 16 bits.

Gains are decided on a curve of one value per millisecond and then applied to the samples, so that
a clip takes only a few milliseconds. The whole clip is known beforehand, so a gain changes evenly
before and after its cause: nothing pumps, and no attack comes late.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from voiceflow.audio.loudness import SILENT, k_weight, loudness_of_power
from voiceflow.audio.true_peak import block_peaks
from voiceflow.core.errors import VoiceError
from voiceflow.core.units import RATE

Floats = npt.NDArray[np.floating[Any]]

VERSION = "level-4"
"""Stands in every clip's key: raise it when a clip sounds different after a change here."""

TARGET_LUFS = -15.5
CEILING_DBTP = -2.6  # 0.1 dB within what is promised, for the rounding to 16 bits

_MS = RATE // 1000
_NOTHING_DB = -60.0  # K-weighted, of the loudest moment: no voice speaks as softly
_ONSET_DB, _END_DB = -33.0, -55.0  # below the loudest moment; ends decay, onsets are sudden
_FLOOR_DB = 8.0  # a noisy voice: stay that far above its own noise
_LEAD_MS, _LAG_MS = 4, 30
_FADE_IN_MS, _FADE_OUT_MS = 4, 40
_RATIO, _KNEE_DB, _ABOVE_DB = 2.0, 8.0, 0.0
_LOOK_MS = 8
_MOST_DB = 40.0


def make_clip(x: Floats) -> bytes:
    """A clip of speech at -15.5 LUFS (in both channels), true peak at most -2.5 dBTP.

    Parameters
    ----------
    x : np.ndarray [shape=(n,)]
        Mono at 24 kHz as the engine gave it, full scale 1. Worked on in single precision, which is
        exact to 24 bits and half the work.

    Returns
    -------
    bytes
        Mono int16, little-endian, a whole number of milliseconds; sound from the first 10 ms on.

    Raises
    ------
    VoiceError
        Nothing is to be heard.
    """
    whole = np.concatenate((x, np.zeros(-x.size % _MS, x.dtype))).astype(np.float32, copy=False)
    weighted = k_weight(whole, RATE)
    start, end = bounds(_per_ms(weighted))
    cut = slice(start * _MS, end * _MS)
    clip = fade(level(whole[cut], weighted[cut]))
    return np.round(clip * 32767).astype("<i2").tobytes()


def bounds(power: Floats) -> tuple[int, int]:
    """Where sound starts and ends, in milliseconds, with a little air.

    Parameters
    ----------
    power : np.ndarray [shape=(ms,)]
        K-weighted power of each millisecond. The weighting lifts fricatives and drops rumble.
    """
    smooth = np.convolve(power, np.full(5, 0.2), "same") if power.size else power
    level_db = _db(smooth)
    top = float(level_db.max(initial=SILENT))
    if top < _NOTHING_DB:
        raise VoiceError("the voice gave silence")
    # Bounded below the loudest moment, so that there always is an onset and an end.
    floor = min(float(np.percentile(level_db, 2)) + _FLOOR_DB, top + _ONSET_DB + 10)
    onset = np.flatnonzero(level_db > max(top + _ONSET_DB, floor))
    end = np.flatnonzero(level_db > max(top + _END_DB, floor))
    return max(0, int(onset[0]) - _LEAD_MS), min(power.size, int(end[-1]) + 1 + _LAG_MS)


def level(x: Floats, weighted: Floats) -> Floats:
    """`x` brought to the target loudness, its peaks held under the ceiling.

    Parameters
    ----------
    x, weighted : np.ndarray [shape=(n,), n a multiple of 24]
        The sound, and the same K-weighted.
    """
    power = _per_ms(weighted)
    highest = block_peaks(x, _MS)
    even = _compress(power)
    make_up = 1.0
    # What the limiter takes away has to be made up for, and is limited again: hence in steps.
    for _ in range(12):
        gain = even * make_up
        gain *= _limit(gain * highest)
        # Twice the power, because the clip is heard in both channels.
        miss_db = TARGET_LUFS - loudness_of_power(2 * power * gain**2, 1000)
        if abs(miss_db) < 0.02:
            break
        make_up = min(make_up * 10 ** (miss_db / 20), 10 ** (_MOST_DB / 20))
    return x * _draw(gain)


def fade(x: Floats) -> Floats:
    """`x` with both ends at zero: too short to hear, long enough not to click."""
    fade_in, fade_out = min(_FADE_IN_MS * _MS, x.size // 2), min(_FADE_OUT_MS * _MS, x.size // 2)
    y = x.copy()
    y[:fade_in] *= np.sin(np.linspace(0, np.pi / 2, fade_in)) ** 2
    y[y.size - fade_out :] *= np.cos(np.linspace(0, np.pi / 2, fade_out)) ** 2
    return y


def _compress(power: Floats) -> Floats:
    """A gain a millisecond that draws loud syllables 2:1 towards the clip's own loudness."""
    above = _db(_smooth(power, 20)) - _db(np.array(_block_mean(power))) - _ABOVE_DB
    knee = np.clip(above + _KNEE_DB / 2, 0, _KNEE_DB) ** 2 / (2 * _KNEE_DB)
    excess = np.where(above > _KNEE_DB / 2, above, knee)
    return np.asarray(10 ** (-(1 - 1 / _RATIO) * _smooth(excess, 20) / 20))


def _limit(highest: Floats) -> Floats:
    """The gain a millisecond that keeps peaks of height `highest` under the ceiling.

    The lowest gain asked for within the look-ahead, smoothed over less than it: the smooth
    curve is nowhere above what any of its milliseconds asks for.
    """
    ceiling: float = 10 ** (CEILING_DBTP / 20)
    asked = ceiling / np.maximum(highest, ceiling)
    if asked.min() >= 1.0:
        return asked
    padded = np.pad(asked, _LOOK_MS, mode="edge")
    lowest = np.lib.stride_tricks.sliding_window_view(padded, 2 * _LOOK_MS + 1).min(axis=1)
    return _smooth(lowest, _LOOK_MS - 1)


def _smooth(values: Floats, reach: int) -> Floats:
    """`values` averaged under a Hann window that reaches `reach` to both sides."""
    # numpy's Hann window has a zero at each end, which would reach nothing.
    window = np.hanning(2 * reach + 3)[1:-1]
    padded = np.pad(values, reach, mode="edge")
    return np.convolve(padded, window / window.sum(), "valid")


def _draw(gain: Floats) -> Floats:
    """A gain a millisecond as a gain a sample, by straight lines between the middles."""
    held = np.concatenate((gain[:1], gain, gain[-1:])).astype(np.float32)[:, np.newaxis]
    half = _MS // 2
    share = (np.arange(half, dtype=np.float32) + 0.5) / _MS
    drawn = np.empty((gain.size, _MS), np.float32)
    drawn[:, :half] = held[:-2] * (0.5 - share) + held[1:-1] * (0.5 + share)
    drawn[:, half:] = held[1:-1] * (1 - share) + held[2:] * share
    return drawn.reshape(-1)


def _block_mean(power: Floats) -> float:
    """Mean power of what is louder than 10 dB below the mean: of speech, not of its pauses."""
    return float(power[power > power.mean() / 10].mean())


def _per_ms(x: Floats) -> Floats:
    rows = x.reshape(-1, _MS)
    power: Floats = np.einsum("ij,ij->i", rows, rows).astype(np.float64) / _MS
    return power


def _db(power: Floats) -> Floats:
    return np.asarray(10 * np.log10(np.maximum(power, 10 ** (SILENT / 10))))
