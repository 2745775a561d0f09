"""True peak: how high a sound rises between its samples, by four-fold oversampling.

Follows ITU-R BS.1770-5, annex 2, with a Kaiser-windowed sinc of 24 taps: within 0.05 dB up to 0.4
of the sampling rate, where speech has its peaks. numpy is imported inside the functions, so that
`dbtp` works without it.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, Final

from voiceflow.audio.loudness import SILENT

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

_TAPS: Final = 12  # to either side
_KAISER: Final = 5.0
_BLOCK: Final = 64


def true_peak(x: Floats) -> float:
    """The largest magnitude of `x`, also between its samples; 0 for silence.

    Parameters
    ----------
    x : np.ndarray [shape=(n,) or (n, channels), float]
        Full scale is 1.
    """
    tracks = x.T if x.ndim == 2 else x[None]
    # Only the highest peak is asked for, so fewer blocks come near it than by default.
    peaks = (block_peaks(track, _BLOCK, near_db=6) for track in tracks)
    return max((float(found.max(initial=0)) for found in peaks), default=0.0)


def dbtp(peak: float) -> float:
    """A true peak of full scale 1 in dBTP, never below `SILENT`."""
    return max(SILENT, 20 * math.log10(peak)) if peak > 0 else SILENT


def block_peaks(x: Floats, block: int, near_db: float = 12) -> Floats:
    """The true peak of each block of `block` samples.

    Blocks that stay more than `near_db` under the highest sample are given by their samples alone:
    the curve between samples can be higher, but in no real sound by so much, and most of speech is
    spared the work.

    Parameters
    ----------
    x : np.ndarray [shape=(n,), float]

    Returns
    -------
    np.ndarray [shape=(ceil(n / block),)]
    """
    import numpy as np

    blocks = -(-x.size // block)
    # One less before than after: the places read lie between a sample and the next one.
    padded = np.zeros(_TAPS - 1 + blocks * block + _TAPS, x.dtype)
    padded[_TAPS - 1 : _TAPS - 1 + x.size] = x
    height = np.abs(padded[_TAPS - 1 : _TAPS - 1 + blocks * block]).reshape(-1, block).max(axis=1)
    # Strictly higher: in silence, no block is, and there is nothing to do.
    high = np.flatnonzero(height > height.max(initial=0) * 10 ** (-near_db / 20))
    if high.size:
        reach = np.arange(block + 2 * _TAPS - 1)
        near: Floats = padded[(high * block)[:, np.newaxis] + reach]
        windows = np.lib.stride_tricks.sliding_window_view(near, 2 * _TAPS, axis=1)
        between = np.abs(windows @ _quarter_taps().astype(x.dtype)).max(axis=(1, 2))
        height[high] = np.maximum(height[high], between)
    return np.asarray(height)


@functools.lru_cache(maxsize=1)
def _quarter_taps() -> Floats:
    """Filters [shape=(2 * _TAPS, 3)] that read 1/4, 1/2 and 3/4 of the way to the next sample."""
    import numpy as np

    places = np.arange(-_TAPS + 1, _TAPS + 1, dtype=np.float64)
    offsets = np.array([0.25, 0.5, 0.75]) - places[:, np.newaxis]
    taps = np.sinc(offsets) * np.i0(_KAISER * np.sqrt(1 - (offsets / _TAPS) ** 2))
    # A steady level must come out as it went in: the window alone would change it a little.
    return np.asarray(taps / taps.sum(axis=0))
