"""How loud speech is: K-weighting, gated loudness and true peak, with numpy alone.

Loudness follows Recommendation ITU-R BS.1770-5: K-weighting (annex 1), 400 ms blocks that overlap
by 75 %, an absolute gate at -70 LUFS and a relative one 10 LU below what is left; true peak from
four-fold oversampling (annex 2). The filters' prototypes are those of libebur128 and of B. De Man,
"Evaluation of implementations of the EBU R128 loudness measurement" (AES 145, 2018), which give
the recommendation's 48 kHz coefficients exactly and any other rate by the bilinear transform.

Mono counts as if it stood in both channels of a stereo file, since that is where speech is played.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

OFFSET = -0.691
"""The constant of BS.1770 that lets a full-scale 997 Hz sine measure -3.01 LUFS."""

SILENT = -120.0
"""What is measured where there is nothing: a number, so that it can be compared."""

_SHELF_HZ, _SHELF_DB, _SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
_PASS_HZ, _PASS_Q = 38.13547087602444, 0.5003270373238773
_RING_S = 0.06  # by then the high-pass has rung out below 24 bits
_TAPS = 12  # each side: within 0.05 dB up to 0.4 of the rate, where speech has its peaks
_KAISER = 5.0


def k_weight(x: Floats, rate: int) -> Floats:
    """`x` through the K-weighting filter.

    Parameters
    ----------
    x : np.ndarray [shape=(n,) or (n, channels), float64]
    rate : int > 0
        Samples a second.

    Returns
    -------
    np.ndarray [same shape]
    """
    if x.ndim == 2:
        return np.stack([k_weight(track, rate) for track in x.T], axis=1)
    if not x.size:
        return x.astype(np.float64)
    # Overlap-save in blocks of one size: the response is worked out once, and small transforms
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
    weighted: Floats = filtered[:, taps - 1 :].reshape(-1)[: x.size]
    return weighted


def loudness(x: Floats, rate: int) -> float:
    """Integrated loudness of `x` in LUFS; `SILENT` where nothing passes the gate.

    A sound shorter than one block (400 ms) is measured as a whole, without gates.

    Parameters
    ----------
    x : np.ndarray [shape=(n,) or (n, channels), float64]
        Full scale is 1. One dimension is mono, counted in both channels.
    rate : int > 0
    """
    weighted = k_weight(x, rate)
    power = 2 * weighted**2 if x.ndim == 1 else (weighted**2).sum(axis=1)
    step = round(rate / 10)
    return gated(_block_powers(power, 4 * step, step))


def gated(powers: Floats) -> float:
    """Loudness in LUFS of block powers [shape=(blocks,)], after both gates of BS.1770."""
    heard = powers[powers > 10 ** ((-70 - OFFSET) / 10)]
    if not heard.size:
        return SILENT
    heard = heard[heard > heard.mean() / 10]
    return OFFSET + 10 * math.log10(heard.mean())


def true_peak(x: Floats) -> float:
    """True peak of `x` [shape=(n,) or (n, channels)] in dBTP; `SILENT` for silence."""
    tracks = x[:, np.newaxis] if x.ndim == 1 else x
    peak = max((float(block_peaks(track, 64).max(initial=0)) for track in tracks.T), default=0.0)
    return max(SILENT, 20 * math.log10(peak)) if peak > 0 else SILENT


def block_peaks(x: Floats, block: int) -> Floats:
    """The height of `x` between its samples too, in each block of `block` samples.

    Blocks that stay 12 dB under the highest are given by their samples alone: what lies between
    samples can be higher, but in no sound by so much, and most of speech is spared the work.

    Returns
    -------
    np.ndarray [shape=(ceil(n / block),)]
    """
    blocks = -(-x.size // block)
    padded = np.zeros(_TAPS - 1 + blocks * block + _TAPS, x.dtype)
    padded[_TAPS - 1 : _TAPS - 1 + x.size] = x
    height = np.abs(padded[_TAPS - 1 : _TAPS - 1 + blocks * block]).reshape(-1, block).max(axis=1)
    high = np.flatnonzero(height > height.max(initial=0) / 4)
    if high.size:
        reach = np.arange(block + 2 * _TAPS - 1)
        near: Floats = padded[(high * block)[:, np.newaxis] + reach]
        windows = np.lib.stride_tricks.sliding_window_view(near, 2 * _TAPS, axis=1)
        between = np.abs(windows @ _quarter_taps().astype(x.dtype)).max(axis=(1, 2))
        height[high] = np.maximum(height[high], between)
    return np.asarray(height)


def _block_powers(power: Floats, block: int, step: int) -> Floats:
    """Mean power of each whole block; of all there is where there is less than one."""
    if power.size <= block:
        return np.array([power.mean() if power.size else 0.0])
    sums = np.concatenate(([0.0], np.cumsum(power)))
    starts = np.arange(0, power.size - block + 1, step)
    return (sums[starts + block] - sums[starts]) / block


@functools.lru_cache(maxsize=1)
def _quarter_taps() -> Floats:
    """Filters [shape=(2 * _TAPS, 3)] that read 1/4, 1/2 and 3/4 of the way to the next sample."""
    places = np.arange(-_TAPS + 1, _TAPS + 1, dtype=np.float64)
    offsets = np.array([0.25, 0.5, 0.75]) - places[:, np.newaxis]
    taps = np.sinc(offsets) * np.i0(_KAISER * np.sqrt(1 - (offsets / _TAPS) ** 2))
    return np.asarray(taps / taps.sum(axis=0))


@functools.lru_cache(maxsize=4)
def _k_response(rate: int) -> tuple[npt.NDArray[np.complex128], int]:
    """The K-weighting's response over a block, and how many samples it rings."""
    taps = round(_RING_S * rate)
    size = 1 << (4 * taps).bit_length()
    z = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    response = np.ones(z.size, np.complex128)
    for b, a in (_shelf(rate), _high_pass(rate)):
        response *= (b[0] + z * (b[1] + z * b[2])) / (a[0] + z * (a[1] + z * a[2]))
    return np.fft.rfft(np.fft.irfft(response)[:taps], size), taps


def _shelf(rate: int) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """The head's effect: a high shelf of +4 dB."""
    k = math.tan(math.pi * _SHELF_HZ / rate)
    high = 10 ** (_SHELF_DB / 20)
    band = high**0.4996667741545416
    q = k / _SHELF_Q
    b = (high + band * q + k * k, 2 * (k * k - high), high - band * q + k * k)
    return b, (1 + q + k * k, 2 * (k * k - 1), 1 - q + k * k)


def _high_pass(rate: int) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """The revised low-frequency B curve. Its numerator is 1, -2, 1 over a denominator from 1 on."""
    k = math.tan(math.pi * _PASS_HZ / rate)
    q = k / _PASS_Q
    a = (1.0, 2 * (k * k - 1) / (1 + q + k * k), (1 - q + k * k) / (1 + q + k * k))
    return (1.0, -2.0, 1.0), a
