"""Beds: what sounds softly under everything, all session long.

A bed is read by absolute time, so that any stretch of the session can be made alone: what two
neighbouring blocks hold joins to the sample, whoever made them and in whatever order.
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
# Raise it whenever the same bed would sound different.
VERSION = 2
LEVEL = -34.0
DUCK_DB = 9.0
ATTACK_MS, RELEASE_MS = 150, 400
FADE_MS = 1_000
_CROSS = 2 * RATE
_MEASURED = 12
_KNEE, _CEILING = 0.1, 0.2

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Bed:
    """A sound without end.

    Attributes
    ----------
    name : str
        ``ocean``, ``rain``, or the file's name.
    music : Music or None
        The file; None where the bed is generated.
    level : float
        Its loudness in LUFS before it is ducked: well over 12 dB under speech at -15.
    """

    name: str
    music: Music | None = None
    level: float = LEVEL

    def key(self) -> str:
        """What its sound depends on, as a hex digest."""
        content = repr((VERSION, self.level, self.music or self.name))
        return hashlib.blake2b(content.encode(), digest_size=20).hexdigest()

    def block(self, start_ms: int, length_ms: int) -> Floats:
        """The bed from `start_ms` of the session on.

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
            The music breaks off, is silent, or cannot be read any more.
        """
        import numpy as np

        sound = _looped(self, ms_to_samples(start_ms), ms_to_samples(length_ms))
        sound *= np.float32(_gain(self))
        # The sudden blow in a quiet piece is rounded off, sample by sample, so blocks still join.
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
        """The same as it is heard: ducked under speech, faded at chapter ends; stereo, 16 bit.

        Parameters
        ----------
        spans : sequence of (start_ms, end_ms)
            When there is speech, in order and apart.
        chapters : sequence of int
            Where chapters begin and the last one ends (ms), in order.
        """
        import numpy as np

        sound = duck(self.block(start_ms, length_ms), start_ms, spans)
        sound = fade(sound, start_ms, chapters)
        data = np.rint(sound * 32767).astype("<i2").tobytes()
        return segment_of(data, 2)


def load_bed(name_or_path: str, *, level: float = LEVEL) -> Bed:
    """The bed of that name, or the music in that file.

    Raises
    ------
    InputError
        There is no such bed or file, or the file is not audio or under half a second.
    """
    names = [name for name, _ in BEDS]
    if name_or_path in names:
        return Bed(name_or_path, level=level)
    path = Path(os.path.expanduser(name_or_path))  # noqa: PTH111  `~nobody` must not raise
    if not path.suffix and len(path.parts) < 2 and not os.path.exists(path):  # noqa: PTH110
        raise UnknownNameError("bed", name_or_path, names)
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
    """`block`, which starts at `start_ms`, softer by `depth_db` wherever there is speech.

    It is down when a span begins and starts to come back when it ends. `spans` are in order and
    apart. Each gain depends on its own time only.

    Returns
    -------
    np.ndarray [shape as `block`, float32]
    """
    import numpy as np

    first, count = ms_to_samples(start_ms), len(block)
    attack, release = ms_to_samples(attack_ms), ms_to_samples(release_ms)
    down = np.zeros(count, dtype=np.float32)
    end_ms = start_ms + -(-count * 1000 // RATE)
    low = bisect_left(spans, start_ms - release_ms, key=lambda span: span[1])
    for span in spans[low:]:
        if span[0] - attack_ms > end_ms:
            break
        begin, end = ms_to_samples(span[0]) - first, ms_to_samples(span[1]) - first
        part = slice(max(0, begin - attack), max(0, min(count, end + release)))
        at = np.arange(part.start, part.stop, dtype=np.float32)
        ramp = np.minimum(1 + (at - begin) / max(attack, 1), 1 - (at - end) / max(release, 1))
        down[part] = np.maximum(down[part], np.clip(ramp, 0, 1))
    if not down.any():
        return block
    depth = np.float32(-depth_db * np.log(10) / 20)
    gain = np.exp(depth * (np.float32(0.5) - np.float32(0.5) * np.cos(down * np.float32(np.pi))))
    return np.asarray(block * gain[:, None], dtype=np.float32)


def fade(
    block: Floats, start_ms: int, chapters: Sequence[int], *, fade_ms: int = FADE_MS
) -> Floats:
    """`block`, which starts at `start_ms`, faded to nothing and back around each of `chapters`.

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
    gap = np.minimum(
        np.abs(at - edges[np.maximum(after - 1, 0)]),
        np.abs(edges[np.minimum(after, len(edges) - 1)] - at),
    )
    gain = np.sin(np.pi / 2 * np.minimum(gap / ms_to_samples(fade_ms), 1)) ** 2
    return np.asarray(block * gain[:, None], dtype=np.float32)


def _looped(bed: Bed, start: int, count: int) -> Floats:
    """The source over and over; music crosses over into its own beginning at equal power."""
    import numpy as np

    length, cross = _size(bed)
    period, out, done = length - cross, np.empty((count, 2), dtype=np.float32), 0
    while done < count:
        lap, place = divmod(start + done, period)
        part = _read(bed, place, min(period - place, count - done))
        if lap and place < cross:
            over = min(len(part), cross - place)
            turn = np.pi / 2 * (place + np.arange(over, dtype=np.float64)[:, None]) / cross
            last = _read(bed, period + place, over)
            part[:over] = part[:over] * np.sin(turn) + last * np.cos(turn)
        out[done : done + len(part)] = part
        done += len(part)
    return out


def _size(bed: Bed) -> tuple[int, int]:
    """Samples in one round of the source, and how many of them cross over."""
    if bed.music is not None:
        return bed.music.length, min(_CROSS, bed.music.length // 4)
    from voiceflow.sounds.waters import loop

    return len(loop(bed.name)), 0


def _read(bed: Bed, start: int, count: int) -> Floats:
    if bed.music is not None:
        from voiceflow.sounds.music import read

        return read(bed.music, start, count)
    from voiceflow.sounds.waters import loop

    return loop(bed.name)[start : start + count].copy()


@functools.lru_cache(maxsize=8)
def _gain(bed: Bed) -> float:
    """The factor to the bed's level; of long music a dozen places are measured, not all of it."""
    import numpy as np

    from voiceflow.audio.loudness import SILENT, integrated, step_powers

    if bed.music is not None:
        from voiceflow.sounds.music import spread

        parts = spread(bed.music, _MEASURED)
    else:
        parts = [_read(bed, 0, _size(bed)[0])]
    lufs = integrated(np.concatenate([step_powers(part, RATE // 10) for part in parts]))
    if lufs <= SILENT:
        raise SoundError(f"the bed {bed.name} is silent", hint="choose other music")
    return float(10 ** ((bed.level - lufs) / 20))
