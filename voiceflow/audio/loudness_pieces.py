"""Loudness and peak of a session, added up from its pieces.

Integrated loudness after ITU-R BS.1770-5: K-weighting, blocks of 400 ms every 100 ms, an absolute
gate at -70 LUFS, a relative one 10 LU under the mean. Here a block is 17 frames of 24 ms (408 ms)
and begins every 4 frames (96 ms). A piece begins and ends in silence, longer than the weighting
rings, so the energy of its frames does not depend on its neighbours: each different piece is
measured once, and the session is a sum over its pieces.
"""

from __future__ import annotations

import functools
import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from operator import sub
from typing import TYPE_CHECKING, Final

from voiceflow.core.units import FRAME, GRID_MS, RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VERSION: Final = "loudness 1"  # counts up with every change of what `measure` returns

SILENCE: Final = -120.0
"""LUFS and dBTP of a session without sound."""

_BLOCK: Final = 17
_HOP: Final = 4
_ROWS: Final = 256  # frames weighted at a time: 6 s, which stays in the processor's cache
_FULL: Final = 32768.0
_REACH: Final = 12  # samples to either side that a value between two samples is made from


@dataclass(frozen=True, slots=True)
class Levels:
    """What one piece adds to the loudness of the whole.

    Attributes
    ----------
    energies : array of float32
        K-weighted mean square of each 24 ms frame, full scale 1, summed over channels.
    peak : float >= 0
        True peak, full scale 1.
    """

    energies: array[float]
    peak: float


def measure(pcm: bytes, channels: int, ears: int = 0) -> Levels:
    """Energies and true peak of one piece.

    Parameters
    ----------
    pcm : bytes
        int16 little-endian, interleaved, 24 kHz, a whole number of 576-sample frames.
    channels : {1, 2}
    ears : {0, 1, 2}
        In how many channels it is heard: 2 where one stands for both. 0 is `channels`.
    """
    import numpy as np

    samples = np.frombuffer(pcm, "<i2").reshape(-1, channels).T
    if channels == 2 and np.array_equal(samples[0], samples[1]):
        samples = samples[:1]  # most pieces lean to no side: half the work
    rows = samples.reshape(len(samples), -1, FRAME)
    energies = np.zeros(rows.shape[1])
    for at in range(0, rows.shape[1], _ROWS):
        # In double precision, which numpy's real transform is twice as fast in.
        spectrum = np.fft.rfft(rows[:, at : at + _ROWS].astype(np.float64))
        power = spectrum.real**2 + spectrum.imag**2
        energies[at : at + _ROWS] = (power @ _weights()).sum(axis=0)
    energies *= (ears or channels) / len(samples)
    return Levels(array("f", energies), max(map(_true_peak, samples), default=0.0))


def integrated(pieces: Iterable[tuple[int, array[float]]], length_ms: int) -> float:
    """LUFS of the whole.

    Parameters
    ----------
    pieces : iterable of (int, array of float32)
        Start in milliseconds on the grid, and energies; in order of start.
    length_ms : int

    Notes
    -----
    Plain Python: a session from the cache would load numpy for nothing else, and that takes ten
    times as long as these sums.
    """
    whole = array("f")
    for start_ms, energies in pieces:
        whole.extend(_zeros(start_ms // GRID_MS - len(whole)))
        whole.extend(energies)
    whole.extend(_zeros(max(-(-length_ms // GRID_MS), _BLOCK) - len(whole)))
    # Arrays, not lists: three hours of floats as objects would be most of a warm render's memory.
    sums = array("d", accumulate(whole, initial=0.0))
    blocks = array("d", map(sub, sums[_BLOCK::_HOP], sums[::_HOP]))
    kept = _louder(blocks, 10 ** ((-70 + 0.691) / 10) * _BLOCK)
    kept = _louder(kept, sum(kept) / max(len(kept), 1) / 10)
    return -0.691 + 10 * math.log10(sum(kept) / len(kept) / _BLOCK) if kept else SILENCE


def true_peak(peaks: Iterable[float]) -> float:
    """dBTP of the whole, from the peaks of its pieces."""
    peak = max(peaks, default=0.0)
    return 20 * math.log10(peak) if peak > 0 else SILENCE


def _louder(blocks: array[float], gate: float) -> array[float]:
    return array("d", (block for block in blocks if block > gate))


def _zeros(count: int) -> array[float]:
    return array("f", bytes(4 * max(count, 0)))


@functools.cache
def _weights() -> NDArray[np.float64]:
    """K-weighting of energies at the bins of one frame, shape (289,).

    The shelf and the high-pass of the standard as analogue filters, which its coefficients were
    derived from (De Man, "Evaluation of implementations of the EBU R128 loudness measurement",
    AES 145, 2018), and the 0.043 dB that the standard's own high-pass lets through above 1.
    Filtering in time would cost twice the transforms for the same sums.
    """
    import numpy as np

    hertz = 1j * np.fft.rfftfreq(FRAME, 1 / RATE)
    shelf, high = hertz / 1681.974, hertz / 38.135
    gain = 10 ** (3.99984 / 20)
    lift = gain * shelf**2 + gain**0.49967 * shelf / 0.70718 + 1
    lift /= shelf**2 + shelf / 0.70718 + 1
    weights = np.abs(lift * high**2 / (high**2 + high / 0.50033 + 1)) ** 2
    # Mean square from the bins (Parseval); all but the outermost stand for two.
    weights[1:-1] *= 2
    scaled: NDArray[np.float64] = weights * 10**0.0043 / (FRAME * _FULL) ** 2
    return scaled


def _true_peak(samples: NDArray[np.int16]) -> float:
    """The largest magnitude at four times the rate, looked for around the larger samples.

    A piece of soft tones, which no peak between two samples could bring near full scale, is
    spared the search.
    """
    import numpy as np

    size = np.abs(samples.astype(np.float32))
    top = float(size.max(initial=0.0))
    if top < _FULL / 4:
        return top / _FULL
    near = np.flatnonzero(size[_REACH:-_REACH] > 0.5 * top) + _REACH
    around = samples[near[:, None] + np.arange(-_REACH, _REACH)]
    return max(top, float(np.abs(around @ _between()).max(initial=0.0))) / _FULL


@functools.cache
def _between() -> NDArray[np.float32]:
    """Windowed sinc at quarters of a sample to either side of the middle, shape (24, 6)."""
    import numpy as np

    at = np.arange(-_REACH, _REACH)[:, None] - np.array([-0.75, -0.5, -0.25, 0.25, 0.5, 0.75])
    window = np.cos(np.pi * at / (2 * _REACH + 2)) ** 2
    between: NDArray[np.float32] = (np.sinc(at) * window).astype(np.float32)
    return between
