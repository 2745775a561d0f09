"""Loudness after ITU-R BS.1770-5, for sounds at 24 kHz, by way of the spectrum."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from voiceflow.core.units import RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEP = RATE // 10
_BLOCK = 4 * STEP
_ROWS = 64
SILENCE = -120.0


@functools.cache
def _weighting() -> NDArray[np.float32]:
    """K-weighting of energies at the bins of one 100 ms step: the shelf and the high-pass of the
    standard as analogue filters, which is what its coefficients were derived from.
    """
    s = 1j * np.fft.rfftfreq(STEP, 1 / RATE)
    shelf, high = s / 1681.974, s / 38.135
    gain = 10 ** (3.99984 / 20)
    lift = (gain * shelf**2 + gain**0.49967 * shelf / 0.70718 + 1) / (
        shelf**2 + shelf / 0.70718 + 1
    )
    cut = high**2 / (high**2 + high / 0.50033 + 1)
    weights = np.abs(lift * cut) ** 2 * 2
    # Mean square of a step from its bins (Parseval); the outermost bins have no mirror image.
    weights[0] /= 2
    weights[-1] /= 2
    return np.asarray(weights / STEP**2, dtype=np.float32)


def energies(mono: NDArray[np.float32]) -> NDArray[np.float64]:
    """The K-weighted mean square of each whole 100 ms; what is under 400 ms is filled with silence.

    Parameters
    ----------
    mono : np.ndarray [shape=(n,), float32]

    Returns
    -------
    np.ndarray [shape=(max(4, n // 2400),), float64]
    """
    if len(mono) < _BLOCK:
        mono = np.concatenate([mono, np.zeros(_BLOCK - len(mono), dtype=np.float32)])
    rows = mono[: len(mono) // STEP * STEP].reshape(-1, STEP)
    parts = []
    for at in range(0, len(rows), _ROWS):
        power = np.square(np.abs(np.fft.rfft(rows[at : at + _ROWS], axis=1)))
        # Not by `@`: with it the last digits hang on how many threads multiply.
        parts.append(np.einsum("ij,j->i", power, _weighting()))
    return np.concatenate(parts).astype(np.float64)


def integrated(steps: NDArray[np.float64]) -> float:
    """LUFS of the steps' energies, gated (absolute -70, then 10 LU below); -120 for silence."""
    sums = np.cumsum(np.concatenate([[0.0], steps]))
    blocks = (sums[4:] - sums[:-4]) / 4
    loud = blocks[blocks > 10 ** ((-70 + 0.691) / 10)]
    if not len(loud):
        return SILENCE
    kept = loud[loud > loud.mean() / 10]
    return float(-0.691 + 10 * np.log10(kept.mean()))


def loudness(mono: NDArray[np.float32]) -> float:
    """LUFS of one channel; a stereo sound with the same in both measures 3.01 LU more."""
    return integrated(energies(mono))
