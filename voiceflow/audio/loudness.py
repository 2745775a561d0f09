"""The loudness meter: K-weighting and gated loudness, for clips, tones, beds and whole sessions.

Follows Recommendation ITU-R BS.1770-5: K-weighting (annex 1), blocks of 400 ms every 100 ms, an
absolute gate at -70 LUFS and a relative gate 10 LU below the mean of what is left. The filter
prototypes are those of libebur128 and of B. De Man, "Evaluation of implementations of the EBU R128
loudness measurement" (AES 145, 2018): they give the recommendation's 48 kHz coefficients exactly
and those of any other rate by the bilinear transform.

A sound of one dimension is mono and counts in both channels of a stereo file, because that is how
it is played.

numpy is imported inside the functions. `integrated` works without it: a render from the cache
needs nothing else, and importing numpy would take ten times as long as the sums.
"""

from __future__ import annotations

import functools
import math
from array import array
from collections.abc import Iterable
from itertools import accumulate
from operator import sub
from typing import TYPE_CHECKING, Any, Final

from voiceflow.core.units import RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

OFFSET: Final = -0.691
"""The constant of BS.1770 that makes a full-scale 997 Hz sine measure -3.01 LUFS."""

SILENT: Final = -120.0
"""LUFS and dBTP of silence: a number, so that it can be compared."""

BLOCK: Final = 4
"""Steps of 100 ms in one block of 400 ms."""

# As a power, so that no block needs a logarithm.
_GATE: Final = 10 ** ((-70 - OFFSET) / 10)
_SHELF_HZ, _SHELF_DB, _SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
_PASS_HZ, _PASS_Q = 38.13547087602444, 0.5003270373238773
_RING_S = 0.06  # after that the high-pass has faded below 24 bits

Coefficients = tuple[tuple[float, float, float], tuple[float, float, float]]


def loudness(x: Floats, rate: int = RATE) -> float:
    """Integrated loudness of `x` in LUFS; `SILENT` where nothing passes the gates.

    Parameters
    ----------
    x : np.ndarray [shape=(n,) or (n, channels), float]
        Full scale is 1. One dimension is mono, counted in both channels.
    rate : int > 0
        Samples a second.
    """
    return loudness_of_power(_power(x, rate), rate)


def loudness_of_power(power: Floats, rate: int) -> float:
    """Integrated loudness in LUFS of a sound that is already weighted.

    A sound shorter than one block (400 ms) is measured as a whole, without gates.

    Parameters
    ----------
    power : np.ndarray [shape=(n,), float]
        K-weighted square of each sample (or mean square of each millisecond), summed over channels.
    rate : int > 0
        Values of `power` a second; a multiple of 10.
    """
    step = round(rate / 10)
    if power.size < BLOCK * step:
        return lufs(float(power.mean())) if power.size else SILENT
    return integrated(_step_means(power, step))


def step_powers(x: Floats, step: int, rate: int = RATE) -> Floats:
    """K-weighted mean square of each whole step of `x`, summed over channels.

    Parameters
    ----------
    x : np.ndarray [shape=(n,) or (n, channels), float]
    step : int > 0
        Samples in one step.

    Returns
    -------
    np.ndarray [shape=(n // step,), float64]
    """
    return _step_means(_power(x, rate), step)


def integrated(steps: Iterable[float], block: int = BLOCK, hop: int = 1) -> float:
    """Integrated loudness in LUFS, from the power of steps that follow each other.

    Parameters
    ----------
    steps : iterable of float >= 0
        As `step_powers` gives them.
    block, hop : int > 0
        Steps in a block, and from one block's start to the next one's: about 400 and 100 ms.
        Fewer steps than one block are measured as one shorter block.
    """
    # Arrays, not lists: three hours of floats as objects would be most of a warm render's memory.
    # Blocks overlap: as differences of a running sum, each costs one subtraction.
    sums = array("d", accumulate(steps, initial=0.0))
    block = min(block, len(sums) - 1)
    blocks = array("d", map(sub, sums[block::hop], sums[::hop]))
    # Blocks are sums here, not means: the gate is multiplied, not every block divided.
    kept = _above(blocks, _GATE * block)
    # 10 LU below the mean are a tenth of its power.
    kept = _above(kept, sum(kept) / max(len(kept), 1) / 10)
    return lufs(sum(kept) / len(kept) / block) if kept else SILENT


def lufs(power: float) -> float:
    """LUFS of a K-weighted mean square summed over channels, never below `SILENT`."""
    return max(SILENT, OFFSET + 10 * math.log10(power)) if power > 0 else SILENT


def k_weight(x: Floats, rate: int = RATE) -> Floats:
    """`x` through the K-weighting filter.

    Parameters
    ----------
    x : np.ndarray [shape=(n,) or (n, channels), float32 or float64]
        Single precision stays single: exact to 24 bits, and less memory to move.
    rate : int > 0
        Samples a second.

    Returns
    -------
    np.ndarray [same shape]
    """
    import numpy as np

    if x.ndim == 2:
        return np.stack([k_weight(track, rate) for track in x.T], axis=1)
    if not x.size:
        return x.astype(np.float64)
    # Overlap-save in blocks of one size: the response is computed once, and small transforms
    # stay in the processor's cache.
    response, taps = _k_response(rate)
    single = x.dtype == np.float32
    size = 2 * (response.size - 1)
    hop = size - taps + 1
    blocks = -(-x.size // hop)
    padded = np.zeros(blocks * hop + taps - 1, np.float32 if single else np.float64)
    padded[taps - 1 : taps - 1 + x.size] = x
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    spectrum = np.fft.rfft(windows, axis=1)
    spectrum *= response.astype(np.complex64) if single else response
    filtered: Floats = np.fft.irfft(spectrum, size, axis=1)
    # The first taps - 1 samples of a transform are mixed with its end: they belong to the block
    # before, which has them right.
    weighted: Floats = filtered[:, taps - 1 :].reshape(-1)[: x.size]
    return weighted


def _power(x: Floats, rate: int) -> Floats:
    """K-weighted square of each sample, summed over channels; mono counts twice."""
    weighted = k_weight(x, rate)
    return 2 * weighted**2 if x.ndim == 1 else (weighted**2).sum(axis=1)


def _step_means(power: Floats, step: int) -> Floats:
    import numpy as np

    rows = power[: power.size // step * step].reshape(-1, step)
    return np.asarray(rows.mean(axis=1, dtype=np.float64))


def _above(blocks: array[float], gate: float) -> array[float]:
    return array("d", (block for block in blocks if block > gate))


@functools.lru_cache(maxsize=4)
def _k_response(rate: int) -> tuple[NDArray[np.complex128], int]:
    """The K-weighting's response over one transform, and how many samples it rings."""
    import numpy as np

    taps = round(_RING_S * rate)
    size = 1 << (4 * taps).bit_length()
    z = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    response = np.ones(z.size, np.complex128)
    for b, a in (_shelf(rate), _high_pass(rate)):
        response *= (b[0] + z * (b[1] + z * b[2])) / (a[0] + z * (a[1] + z * a[2]))
    # Recursive filters ring for ever; cut where it has faded, the response is finite, as
    # overlap-save needs it.
    return np.fft.rfft(np.fft.irfft(response)[:taps], size), taps


def _shelf(rate: int) -> Coefficients:
    """The effect of the head: a high shelf of +4 dB. Numerator and denominator."""
    k = math.tan(math.pi * _SHELF_HZ / rate)
    high = 10 ** (_SHELF_DB / 20)
    band = high**0.4996667741545416
    q = k / _SHELF_Q
    b = (high + band * q + k * k, 2 * (k * k - high), high - band * q + k * k)
    return b, (1 + q + k * k, 2 * (k * k - 1), 1 - q + k * k)


def _high_pass(rate: int) -> Coefficients:
    """The revised low-frequency B curve. The recommendation does not normalise its numerator."""
    k = math.tan(math.pi * _PASS_HZ / rate)
    q = k / _PASS_Q
    a = (1.0, 2 * (k * k - 1) / (1 + q + k * k), (1 - q + k * k) / (1 + q + k * k))
    return (1.0, -2.0, 1.0), a
