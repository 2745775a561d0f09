"""One piece as the cache keeps it, and the tally of a whole render."""

from __future__ import annotations

import math
import struct
from array import array
from dataclasses import dataclass, field

from voiceflow.audio.true_peak import dbtp
from voiceflow.stitch.session_loudness import Levels, session_loudness

_HEAD = struct.Struct("<fI")
_SYNC = b"\xff"


@dataclass(frozen=True, slots=True)
class EncodedPiece:
    """One piece as MP3 frames, with what it adds to the loudness of the whole."""

    frames: bytes
    levels: Levels

    def pack(self) -> bytes:
        head = _HEAD.pack(self.levels.peak, len(self.levels.powers))
        return head + self.levels.powers.tobytes() + self.frames

    @staticmethod
    def unpack(value: bytes) -> EncodedPiece | None:
        """The piece that `pack` made into bytes; None where they are something else."""
        if len(value) < _HEAD.size:
            return None
        peak, count = _HEAD.unpack_from(value)
        end = _HEAD.size + 4 * count
        frames = value[end:]
        # One power to a frame, and all frames of one size, each with its mark.
        if not count or not frames or len(frames) % count or frames[:1] != _SYNC:
            return None
        powers: array[float] = array("f")
        powers.frombytes(value[_HEAD.size : end])
        if not all(map(math.isfinite, (peak, *powers))):
            return None
        return EncodedPiece(frames, Levels(powers, peak))


@dataclass(slots=True)
class Tally:
    """What a render did: for `--profile`, and for the loudness of the session."""

    speech: int = 0
    clips: int = 0
    pieces: int = 0
    different: int = 0
    made: int = 0
    hits: int = 0
    # The arrays are those of the pieces: one that returns adds a reference.
    powers: list[tuple[int, array[float]]] = field(default_factory=list)
    # A set, as a piece that returns has the same peak again.
    peaks: set[float] = field(default_factory=set)

    def loudness(self, length_ms: int) -> float:
        """Integrated loudness in LUFS of all that was written."""
        return session_loudness(self.powers, length_ms)

    def peak(self) -> float:
        """True peak in dBTP."""
        return dbtp(max(self.peaks, default=0.0))
