"""Time and sound in whole units: milliseconds on the grid, samples at 24 kHz.

The grid is one MP3 frame at 24 kHz: 576 samples, 24 ms (ISO/IEC 13818-3, layer III at the
half sampling rates). Equal stretches are then equal to the sample wherever they stand.
"""

from __future__ import annotations

import math
import re

RATE = 24_000
FRAME = 576
GRID_MS = 24

_CLOCK = re.compile(r"(?:(\d{1,9}):)?(\d{1,9}):(\d{1,2}(?:\.\d+)?)")
_AMOUNT = re.compile(
    r"(\d{1,12}(?:\.\d+)?|\.\d+)\s*(ms|s|sec|secs|seconds?|m|min|mins|minutes?|h|hours?)?"
)
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def snap(ms: float) -> int:
    """The nearest grid time to `ms`; halves go up. The reverse of nothing: a snapped time stays."""
    # Not `round`, which takes halves to the even neighbour: now up, now down.
    return math.floor(ms / GRID_MS + 0.5) * GRID_MS


def snap_up(ms: float) -> int:
    """The first grid time at or after `ms`."""
    return -(-math.ceil(ms) // GRID_MS) * GRID_MS


def ms_to_samples(ms: int) -> int:
    """Samples at 24 kHz in `ms` whole milliseconds; the reverse of `samples_to_ms`."""
    # Exact: a millisecond is 24 samples.
    return ms * RATE // 1000


def samples_to_ms(samples: int) -> int:
    """Whole milliseconds that hold `samples` at 24 kHz, rounded up."""
    return -(-samples * 1000 // RATE)


def parse_seconds(text: str, *, bare: float = 1.0) -> float:
    """Seconds in ``40s``, ``1.5 min``, ``12:30`` or ``1:02:03``.

    Parameters
    ----------
    text : str
        A clock time (minutes and seconds, or hours too) or a number with a unit.
    bare : float > 0
        Seconds that a number without a unit counts.

    Raises
    ------
    ValueError
        The text is none of these.
    """
    text = text.strip().lower()
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds = clock.groups()
        if float(seconds) >= 60:
            raise ValueError(f"{text!r}: seconds run to 59")
        return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
    if amount := _AMOUNT.fullmatch(text):
        number, unit = amount.groups()
        # The first letter tells units apart, but for `ms`, which begins as minutes do.
        scale = bare if unit is None else _UNIT_S["ms" if unit == "ms" else unit[0]]
        return float(number) * scale
    raise ValueError(f"{text!r} is not a time such as 40s, 1.5 min or 12:30")


def counted(number: int, one: str, several: str = "") -> str:
    """``1 chapter``, ``2 chapters``; `several` where an s at its end is not enough."""
    return f"{number} {one if number == 1 else several or f'{one}s'}"


def clock(ms: int) -> str:
    """``m:ss`` or ``h:mm:ss``, rounded to the second."""
    seconds = (ms + 500) // 1000
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
