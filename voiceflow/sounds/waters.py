"""Generates ocean and rain as loops whose end meets their start.

A name in, one round of samples out. Every part is periodic, so the loop has no seam.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from voiceflow.core.units import RATE, ms_to_samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

# On the 24 ms grid, and with small prime factors, which make the FFT fast.
_OCEAN = ms_to_samples(28_800)
_RAIN = ms_to_samples(24_000)
_DROPS = 1_000
_DROP = RATE // 50


@functools.lru_cache(maxsize=2)
def loop(name: str) -> Floats:
    """One round of `ocean` or `rain`; its level is not adjusted.

    Returns
    -------
    np.ndarray [shape=(n, 2), float32]
        The end continues at the start.
    """
    made = _LOOPS[name](np.random.Generator(np.random.PCG64(len(name))))
    made.setflags(write=False)
    return made


def _ocean(random: np.random.Generator) -> Floats:
    """Three waves of different height in one round: a wash that swells, and hissing foam."""
    # Only whole multiples of `turn` go into a cosine, or the end would not meet the start.
    turn = np.arange(_OCEAN) / _OCEAN
    height = 0.75 + 0.25 * np.cos(2 * np.pi * (turn - 0.1)) * np.cos(2 * np.pi * (2 * turn + 0.3))
    sides = []
    for lag in (0.0, 0.012):
        # A cosine raised to a power looks like a wave: long and low, then short and high.
        swell = (height * (0.5 + 0.5 * np.cos(2 * np.pi * (3 * turn - lag)))) ** 2
        foam = (height * (0.5 + 0.5 * np.cos(2 * np.pi * (3 * turn - lag - 0.09)))) ** 4
        wash = _noise(random, _OCEAN, 180, 900) * (0.3 + 0.9 * swell)
        hiss = _noise(random, _OCEAN, 900, 3600) * (0.06 + 0.5 * foam)
        sides.append(wash + hiss)
    return np.stack(sides, axis=1).astype(np.float32)


def _rain(random: np.random.Generator) -> Floats:
    """Steady rain that comes nearer and goes away, with single drops close by."""
    turn = np.arange(_RAIN) / _RAIN
    near = 1 + 0.12 * np.sin(2 * np.pi * 2 * turn) + 0.08 * np.sin(2 * np.pi * (5 * turn + 0.4))
    sides = [_noise(random, _RAIN, 400, 5200) * near for _ in range(2)]
    rain = np.stack(sides, axis=1)
    at = random.integers(0, _RAIN, _DROPS)
    hertz = random.uniform(900, 3200, _DROPS)[:, None]
    size = random.uniform(0.15, 1, _DROPS)[:, None] ** 2 * 2.5
    right = random.uniform(0.1, 0.9, _DROPS)[:, None]
    time = np.arange(_DROP)[None, :] / RATE
    # A drop is a bubble that rings and decays within milliseconds.
    drops = (
        size * np.sin(2 * np.pi * hertz * time) * np.exp(-time * 400) * np.minimum(time * 2000, 1)
    )
    # A drop that falls at the end rings on at the start.
    place = (at[:, None] + np.arange(_DROP)[None, :]) % _RAIN
    # Not `+=`, which counts only one of the drops that fall on the same sample.
    np.add.at(rain[:, 0], place, drops * np.sqrt(1 - right))
    np.add.at(rain[:, 1], place, drops * np.sqrt(right))
    return rain.astype(np.float32)


def _noise(
    random: np.random.Generator, length: int, low: float, high: float
) -> NDArray[np.float64]:
    """Pink noise between two edges, with RMS 1 and a period of `length` samples."""
    hertz = np.fft.rfftfreq(length, 1 / RATE)
    # At 0 Hz the shape below would be infinity times zero.
    hertz[0] = 1.0
    shape = 1 / ((1 + (low / hertz) ** 4) * (1 + (hertz / high) ** 4) * np.sqrt(hertz))
    noise = np.fft.irfft(shape * np.exp(2j * np.pi * random.random(len(hertz))), length)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)))


_LOOPS: Mapping[str, Callable[[np.random.Generator], Floats]] = {"ocean": _ocean, "rain": _rain}
