"""Ears that are not ours: recordings decoded by libsndfile and held against their score."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

THRESHOLD = 10 ** (-40 / 20)
"""What counts as sound: 38 dB below the loudest that a recording may be."""

QUIET_BEFORE_MS = 40
"""So long a quiet comes before what counts as an onset: between two breaths there are 72 ms."""


def decode(path: Path) -> tuple[np.ndarray, int]:
    """Samples (frames, channels) and rate of a sound file."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return samples, rate


def loudest(samples: np.ndarray) -> np.ndarray:
    return np.abs(samples).max(axis=1)


def true_peak(samples: np.ndarray) -> float:
    """dBTP: the highest of what lies between the samples, too, at four times their rate.

    A stretch at a time, looked at with what stands around it. One transform of a whole recording
    takes minutes where its length has a great prime factor.
    """
    length, around, highest = 1 << 16, 1 << 10, 0.0
    padded = np.pad(samples, ((around, around), (0, 0)))
    for at in range(0, len(samples), length):
        part = padded[at : at + length + 2 * around]
        finer = np.fft.irfft(np.fft.rfft(part, axis=0), n=4 * len(part), axis=0) * 4
        inner = finer[4 * around : -4 * around]
        highest = max(highest, float(np.abs(inner).max()))
    return float(20 * np.log10(highest))


def onset_errors(samples: np.ndarray, rate: int, events: list[dict[str, Any]]) -> list[float]:
    """For each event, milliseconds from its start in the score to the first sound heard.

    Looks from 100 ms before; only of use where nothing else sounds around the start.
    """
    level = loudest(samples)
    errors = []
    for event in events:
        start = event["start_ms"] * rate // 1000
        before = min(start, rate // 10)
        window = level[start - before : start + event["length_ms"] * rate // 1000]
        heard = np.flatnonzero(window > THRESHOLD)
        first = float(heard[0]) if heard.size else float("inf")
        errors.append((first - before) / rate * 1000)
    return errors


def onset(
    level: np.ndarray, rate: int, near_ms: float, threshold_db: float = -60, reach_ms: int = 120
) -> float | None:
    """Milliseconds at which a sound begins within `reach_ms` of `near_ms`; None where none does.

    It begins where the level rises over the threshold after `QUIET_BEFORE_MS` below it.
    """
    before = round(QUIET_BEFORE_MS * rate / 1000)
    begin = round((near_ms - reach_ms) * rate / 1000) - before
    window = level[max(0, begin) : round((near_ms + reach_ms) * rate / 1000)]
    loud = np.flatnonzero(window > 10 ** (threshold_db / 20))
    gaps = np.diff(loud, prepend=-1 if begin > 0 else -1 - before)
    begins = loud[gaps > before]
    return float((begins[0] + max(0, begin)) / rate * 1000) if begins.size else None


def where_silent(score: dict[str, Any], rate: int, count: int, margin_ms: int = 48) -> np.ndarray:
    """A mask of the samples in which the score has nothing.

    `margin_ms` around each event is left out: a lossy codec smears an onset over its block.
    """
    silent = np.ones(count, dtype=bool)
    for event in score["events"]:
        start = max(0, event["start_ms"] - margin_ms)
        end = event["start_ms"] + event["length_ms"] + margin_ms
        silent[start * rate // 1000 : end * rate // 1000] = False
    return silent


def score_of(text: str) -> dict[str, Any]:
    return json.loads(text)
