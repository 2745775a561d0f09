"""Beds: the soft background of a session, generated or from a music file.

In: a name or a file, and a time in the session. Out: samples, ducked under speech and faded at
chapter ends. Every sample depends on its absolute time alone, so blocks that are made separately,
in any order, join without a click.
"""

from __future__ import annotations

import functools
import hashlib
import os
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from voiceflow.audio.pcm import segment_of
from voiceflow.core.errors import InputError, SoundError, UnknownNameError
from voiceflow.core.units import RATE, ms_to_samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pydub import AudioSegment

    from voiceflow.sounds.music import Music

    Floats = NDArray[np.float32]

BEDS = (
    ("ocean", "Slow waves, generated."),
    ("rain", "Steady rain, generated."),
)
# Raise this when the same bed would sound different: it is part of the cache key.
VERSION = 2
_MUSIC_VERSION = 3
LEVEL = -34.0
DUCK_DB = 9.0
ATTACK_MS, RELEASE_MS = 150, 400
FADE_MS = 1_000
_CROSS = 2 * RATE
_MEASURED = 12
# How far the channels' sum must lie under their difference to be taken for a fault.
_LEAST_CANCELLED_DB = 6.0
_KNEE, _CEILING = 0.1, 0.2

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Bed:
    """A background sound without an end.

    Attributes
    ----------
    name : str
        ``ocean``, ``rain``, or the file's name.
    music : Music or None
        The music file; None if the bed is generated.
    level : float
        Loudness in LUFS before ducking: far more than 12 dB below speech at -15.
    """

    name: str
    music: Music | None = None
    level: float = LEVEL

    def key(self) -> str:
        """A hex digest of everything that its sound depends on."""
        # The repr of `Music` has a digest and no path: a file that is moved keeps its key.
        version = VERSION if self.music is None else _MUSIC_VERSION
        content = repr((version, self.level, self.music or self.name))
        return hashlib.blake2b(content.encode(), digest_size=20).hexdigest()

    def warning(self) -> str:
        """What is done to the music so that it is heard everywhere; mostly nothing: empty."""
        if not _measured(self).turned:
            return ""
        return (
            f"the two channels of {self.name} cancel each other: in mono and from a phone's "
            "loudspeaker it could not be heard, so one of them is turned over"
        )

    def block(self, start_ms: int, length_ms: int) -> Floats:
        """The bed from `start_ms` of the session on, neither ducked nor faded.

        Parameters
        ----------
        start_ms, length_ms : int >= 0

        Returns
        -------
        np.ndarray [shape=(ms_to_samples(length_ms), 2), float32]
            Full scale is 1.

        Raises
        ------
        SoundError
            The music file is truncated, silent, or can no longer be read.
        """
        import numpy as np

        sound = _looped(self, ms_to_samples(start_ms), ms_to_samples(length_ms))
        what = _measured(self)
        if what.turned:
            sound[:, 1] *= -1
        sound *= np.float32(what.gain)
        # Sudden peaks in quiet music are limited, each sample by itself, so that blocks still join.
        over = np.abs(sound) - np.float32(_KNEE)
        if over.max(initial=0) > 0:
            soft = _KNEE + (_CEILING - _KNEE) * np.tanh(over / (_CEILING - _KNEE))
            sound = np.where(over > 0, np.copysign(soft, sound), sound)
        return np.asarray(sound, dtype=np.float32)

    def under(
        self,
        start_ms: int,
        length_ms: int,
        spans: Sequence[Span] = (),
        chapters: Sequence[int] = (),
    ) -> AudioSegment:
        """The bed as it is heard: ducked under speech, faded at chapter ends; stereo, 16 bit.

        Parameters
        ----------
        spans : sequence of (start_ms, end_ms)
            When there is speech, sorted, not overlapping.
        chapters : sequence of int
            The times (ms) at which chapters start, and at which the last one ends, sorted.
        """
        import numpy as np

        sound = duck(self.block(start_ms, length_ms), start_ms, spans)
        sound = fade(sound, start_ms, chapters)
        # Nothing to clip: `block` keeps every sample under the ceiling, and gains only lower it.
        data = np.rint(sound * 32767).astype("<i2").tobytes()
        return segment_of(data, 2)


def load_bed(name_or_path: str, *, level: float = LEVEL) -> Bed:
    """The generated bed of that name, or the music in that file.

    Raises
    ------
    InputError
        There is no such bed or file, or the file is not audio or shorter than half a second.
    """
    names = [name for name, _ in BEDS]
    if name_or_path in names:
        return Bed(name_or_path, level=level)
    path = Path(os.path.expanduser(name_or_path))  # noqa: PTH111  `~nobody` must not raise
    # A bare word is a misspelt bed, unless a file has that name; anything else is a path.
    if not path.suffix and len(path.parts) < 2 and not os.path.exists(path):  # noqa: PTH110
        raise UnknownNameError("bed", name_or_path, names)
    # Not at the top: it brings numpy, which importing this package must not load.
    from voiceflow.sounds.music import open_music

    try:
        return Bed(path.name, open_music(path), level)
    except SoundError as error:
        raise InputError(error.message, hint=error.hint) from None


def duck(
    block: Floats,
    start_ms: int,
    spans: Sequence[Span],
    *,
    depth_db: float = DUCK_DB,
    attack_ms: int = ATTACK_MS,
    release_ms: int = RELEASE_MS,
) -> Floats:
    """`block`, which starts at `start_ms`, made softer by `depth_db` during speech.

    It is fully down when a span starts, and starts to come back when the span ends. `spans` are
    sorted and do not overlap. The gain of a sample depends on its time alone.

    Returns
    -------
    np.ndarray [shape as `block`, float32]
    """
    import numpy as np

    first, count = ms_to_samples(start_ms), len(block)
    attack, release = ms_to_samples(attack_ms), ms_to_samples(release_ms)
    down = np.zeros(count, dtype=np.float32)
    # Rounded up: a span may begin in the last, incomplete millisecond of the block.
    end_ms = start_ms + -(-count * 1000 // RATE)
    # Spans do not overlap, so their ends are sorted too: this is the first still heard here.
    low = bisect_left(spans, start_ms - release_ms, key=lambda span: span[1])
    for span in spans[low:]:
        if span[0] - attack_ms > end_ms:
            break
        begin, end = ms_to_samples(span[0]) - first, ms_to_samples(span[1]) - first
        part = slice(max(0, begin - attack), max(0, min(count, end + release)))
        at = np.arange(part.start, part.stop, dtype=np.float32)
        ramp = np.minimum(1 + (at - begin) / max(attack, 1), 1 - (at - end) / max(release, 1))
        # One span's release may run into the next one's attack: the deeper of the two counts.
        down[part] = np.maximum(down[part], np.clip(ramp, 0, 1))
    if not down.any():
        return block
    depth = np.float32(-depth_db * np.log(10) / 20)
    # A half cosine in dB: unlike a straight ramp it has no corner at either end.
    gain = np.exp(depth * (np.float32(0.5) - np.float32(0.5) * np.cos(down * np.float32(np.pi))))
    return np.asarray(block * gain[:, None], dtype=np.float32)


def fade(
    block: Floats, start_ms: int, chapters: Sequence[int], *, fade_ms: int = FADE_MS
) -> Floats:
    """`block`, which starts at `start_ms`, faded out and in again around each of `chapters` (ms).

    Returns
    -------
    np.ndarray [shape as `block`, float32]
    """
    import numpy as np

    end_ms = start_ms + -(-len(block) * 1000 // RATE)
    low = bisect_left(chapters, start_ms - fade_ms)
    if low == len(chapters) or chapters[low] > end_ms + fade_ms or not fade_ms:
        return block
    at = np.arange(len(block)) + ms_to_samples(start_ms)
    edges = np.array([ms_to_samples(one) for one in chapters])
    after = np.searchsorted(edges, at)
    # Before the first edge and after the last there is only one neighbour, which stands for both.
    gap = np.minimum(
        np.abs(at - edges[np.maximum(after - 1, 0)]),
        np.abs(edges[np.minimum(after, len(edges) - 1)] - at),
    )
    gain = np.sin(np.pi / 2 * np.minimum(gap / ms_to_samples(fade_ms), 1)) ** 2
    return np.asarray(block * gain[:, None], dtype=np.float32)


def _looped(bed: Bed, start: int, count: int) -> Floats:
    """`count` samples of the repeated source; music crossfades into its start at equal power."""
    import numpy as np

    length, cross = _size(bed)
    # The faded end lies over the next lap's start, so a lap is shorter than the source.
    period, out, done = length - cross, np.empty((count, 2), dtype=np.float32), 0
    while done < count:
        lap, place = divmod(start + done, period)
        part = _read(bed, place, min(period - place, count - done))
        # The first lap starts the session: no end of an earlier one fades into it.
        if lap and place < cross:
            over = min(len(part), cross - place)
            turn = np.pi / 2 * (place + np.arange(over, dtype=np.float64)[:, None]) / cross
            last = _read(bed, period + place, over)
            part[:over] = part[:over] * np.sin(turn) + last * np.cos(turn)
        out[done : done + len(part)] = part
        done += len(part)
    return out


def _size(bed: Bed) -> tuple[int, int]:
    """The number of samples in the source, and how many of them are crossfaded."""
    if bed.music is not None:
        return bed.music.length, min(_CROSS, bed.music.length // 4)
    from voiceflow.sounds.waters import loop

    return len(loop(bed.name)), 0


def _read(bed: Bed, start: int, count: int) -> Floats:
    if bed.music is not None:
        from voiceflow.sounds.music import read

        return read(bed.music, start, count)
    from voiceflow.sounds.waters import loop

    # The loop is cached and read-only; the caller gets an array of its own, as from a music file.
    return loop(bed.name)[start : start + count].copy()


@dataclass(frozen=True, slots=True)
class _Measured:
    """What is done to a bed: the factor that brings it to its level; a channel turned over."""

    gain: float
    turned: bool


@functools.lru_cache(maxsize=8)
def _measured(bed: Bed) -> _Measured:
    """What there is to do, from all of a bed, or from a dozen windows of long music.

    Raises
    ------
    SoundError
        It is silent, or its file can no longer be read.
    """
    import numpy as np

    from voiceflow.audio.loudness import SILENT, integrated, step_powers

    parts = _samples(bed)
    lufs = integrated(np.concatenate([step_powers(part, RATE // 10) for part in parts]))
    if lufs <= SILENT:
        raise SoundError(f"the bed {bed.name} is silent", hint="choose other music")
    return _Measured(
        float(10 ** ((bed.level - lufs) / 20)), bed.music is not None and _cancel(parts)
    )


def _cancel(parts: Sequence[Floats]) -> bool:
    """Whether the sum of the two channels, as one loudspeaker plays them, is far below both.

    So it is where a recording was wired the wrong way round. What is merely wide stays as it is.
    """
    import numpy as np

    both = sum(float(np.square(part.sum(axis=1)).sum()) for part in parts)
    apart = sum(float(np.square(part[:, 0] - part[:, 1]).sum()) for part in parts)
    return both < apart / 10 ** (_LEAST_CANCELLED_DB / 10)


def _samples(bed: Bed) -> list[Floats]:
    if bed.music is None:
        return [_read(bed, 0, _size(bed)[0])]
    from voiceflow.sounds.music import spread

    return spread(bed.music, _MEASURED)
