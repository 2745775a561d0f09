"""Reads a user's music file at any place, at 24 kHz, in bounded memory.

The file is read in windows of 16 s that always start at the same places. So a window never
depends on what was read before it, and resampled windows join without a click.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from voiceflow.audio.decode import digest, named, opened, read_stereo, resample, resampled_length
from voiceflow.core.errors import SoundError
from voiceflow.core.units import RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

LEAST_S = 0.5
_CORE_S = 16
_MARGIN_S = 1
_CORE = _CORE_S * RATE
_MARGIN = _MARGIN_S * RATE
# 38 windows are ten minutes, 58 MB in 16 bit: music up to that length is decoded only once.
_KEPT = 38


@dataclass(frozen=True, slots=True)
class Music:
    """An audio file: its path, a digest of its content, its sample rate and number of frames."""

    path: Path = field(repr=False)
    digest: str
    rate: int
    frames: int

    @property
    def length(self) -> int:
        """Its length in samples at 24 kHz."""
        return resampled_length(self.frames, self.rate)


def open_music(path: Path) -> Music:
    """The music in `path`.

    Raises
    ------
    SoundError
        The file is missing, not audio, damaged, or shorter than half a second.
    """
    content = digest(path)
    with opened(path) as file:
        frames = _frames(file, path)
        if frames < LEAST_S * file.samplerate:
            length = f"{frames / file.samplerate:.2g} s"
            raise SoundError(
                f"{named(path)} is only {length} long", hint="a bed needs at least half a second"
            )
        return Music(path, content, file.samplerate, frames)


def _frames(file: Any, path: Path) -> int:
    """The number of frames, found by reading the end.

    An MP3 without a frame count reports a guess, which is usually too high.
    """
    back: int = file.samplerate
    while True:
        start: int = max(0, file.frames - back)
        file.seek(start)
        count = 0
        while got := len(read_stereo(file, 1 << 16, path)):
            count += got
        if count or not start:
            return start + count
        # Not even here is there a frame: the guess was higher still.
        back *= 2


def read(music: Music, start: int, count: int) -> Floats:
    """`count` samples from `start` on; both must be within the music.

    Returns
    -------
    np.ndarray [shape=(count, 2), float32]

    Raises
    ------
    SoundError
        The file is truncated, or can no longer be read.
    """
    parts, end = [], start + count
    while start < end:
        index, offset = divmod(start, _CORE)
        part = _window(music, index)[offset : offset + end - start]
        parts.append(part)
        start += len(part)
    joined = np.concatenate(parts) if parts else np.zeros((0, 2), dtype="<i2")
    return np.asarray(joined * np.float32(1 / 32767), dtype=np.float32)


def spread(music: Music, most: int) -> list[Floats]:
    """At most `most` windows, spread evenly over the music."""
    count = -(-music.length // _CORE)
    picked = sorted({round(k * (count - 1) / max(most - 1, 1)) for k in range(most)})
    whole = range(count) if count <= most else picked
    return [read(music, k * _CORE, min(_CORE, music.length - k * _CORE)) for k in whole]


@functools.lru_cache(maxsize=_KEPT)
def _window(music: Music, index: int) -> NDArray[np.int16]:
    """The samples at 24 kHz from ``index * 16 s``, 16 s or to the end [shape=(n, 2), int16]."""
    # Whole seconds, so that a window's edges fall on a sample at either rate. The margins take up
    # what the resampler, which treats its input as a circle, lets leak from one end to the other.
    rate, count = music.rate, (_CORE_S + 2 * _MARGIN_S) * music.rate
    first = (index * _CORE_S - _MARGIN_S) * rate
    frames = np.zeros((count, 2), dtype=np.float32)
    start, end = max(0, first), min(music.frames, first + count)
    with opened(music.path) as file:
        file.seek(start)
        found = read_stereo(file, end - start, music.path)
    if len(found) != end - start:
        raise SoundError(f"{music.path.name} is truncated", hint="export the file again")
    frames[start - first : end - first] = found
    core = resample(frames, len(frames) // rate * RATE)[_MARGIN : _MARGIN + _CORE]
    kept = core[: music.length - index * _CORE]
    whole = np.rint(np.clip(kept, -1, 1) * 32767).astype("<i2")
    # The cache gives the same array to everyone who asks.
    whole.setflags(write=False)
    return whole
