"""Loudness and peak of a session, added up from its pieces.

Each different piece is measured once, when it is sounded: the K-weighted power of its frames of
24 ms, and its true peak. A piece begins and ends in silence, so the power of its frames does not
depend on its neighbours, and the session's loudness is a sum over the pieces: blocks of 17 frames
(408 ms) that begin every 4 frames (96 ms).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from voiceflow.audio.loudness import integrated, step_powers
from voiceflow.audio.true_peak import true_peak
from voiceflow.core.units import FRAME, GRID_MS

VERSION: Final = "loudness 2"  # counts up with every change of what `measure` returns

_BLOCK: Final = 17
_HOP: Final = 4
_FULL: Final = 32768


@dataclass(frozen=True, slots=True)
class Levels:
    """What one piece adds to the loudness of the session.

    Attributes
    ----------
    powers : array of float32
        K-weighted mean square of each 24 ms frame, full scale 1, summed over channels.
    peak : float >= 0
        True peak, full scale 1.
    """

    powers: array[float]
    peak: float


def measure(pcm: bytes, channels: int, ears: int = 0) -> Levels:
    """Power by frame and true peak of one piece.

    Parameters
    ----------
    pcm : bytes
        int16 little-endian, interleaved, 24 kHz, a whole number of 576-sample frames.
    channels : {1, 2}
    ears : {0, 1, 2}
        In how many channels it is heard: 2 where one stands for both. 0 is `channels`.
    """
    import numpy as np

    samples = np.frombuffer(pcm, "<i2").reshape(-1, channels)
    x = samples.astype(np.float32) / np.float32(_FULL)
    # Most pieces lean to no side: measured once and counted in both ears, at half the work.
    if (ears or channels) == 2 and np.array_equal(samples[:, 0], samples[:, -1]):
        x = np.ascontiguousarray(x[:, 0])
    # Four bytes each: an hour has 150,000 of them.
    return Levels(array("f", step_powers(x, FRAME).astype("f4").tobytes()), true_peak(x))


def session_loudness(pieces: Iterable[tuple[int, array[float]]], length_ms: int) -> float:
    """Integrated loudness of a session in LUFS.

    Parameters
    ----------
    pieces : iterable of (int, array of float32)
        Start in milliseconds on the grid, and powers; in order of start.
    length_ms : int
    """
    whole = array("f")
    for start_ms, powers in pieces:
        # One step of power is one frame, so a place on the grid is an index.
        whole.extend(_zeros(start_ms // GRID_MS - len(whole)))
        whole.extend(powers)
    whole.extend(_zeros(-(-length_ms // GRID_MS) - len(whole)))
    return integrated(whole, _BLOCK, _HOP)


def _zeros(count: int) -> array[float]:
    return array("f", bytes(4 * max(count, 0)))
