"""A session cut into tracks, one for each chapter, as it is made.

Comes in: a score with its pieces, and its stream of MP3 frames or of samples. Goes out: where each
track begins and ends, at the chapters but through no sound, and what sounds in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from voiceflow.audio.pcm import BLOCK_MS, Pieces, byte_count, continuous
from voiceflow.core.units import GRID_MS
from voiceflow.formats.mp3 import Splice
from voiceflow.score.score import Score
from voiceflow.stitch.pieces import Piece

_EARLIER_MS: Final = 1_500  # a signal that calls for the exercise belongs to it
_SIDE: Final = {1: 13, 2: 21}  # bytes of a frame's header and side information, by channels
_BACK: Final = 4  # where a frame says how far before it its data begins: 8 bits in MPEG-2


@dataclass(frozen=True, slots=True)
class Track:
    """One chapter cut out. Tracks join without gaps, from 0 to the score's length."""

    title: str
    start_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms


def tracks(score: Score, pieces: Iterable[Piece]) -> tuple[Track, ...]:
    """One track for each chapter, on the grid.

    A chapter starts with its first word, but the tone before that wakes sleeping headphones. So a
    track begins with the piece that holds the chapter's start, unless that began long before.
    """
    if not score.chapters:
        return (Track(score.title, 0, score.length_ms),)
    sounding = list(pieces)
    starts = [0]
    for chapter in score.chapters[1:]:
        at = chapter.start_ms
        for piece in sounding:
            if at - _EARLIER_MS <= piece.start_ms < at < piece.end_ms:
                at = piece.start_ms
                break
        # One piece can hold the starts of two chapters, but tracks never run back.
        starts.append(max(at, starts[-1]))
    ends = [*starts[1:], score.length_ms]
    return tuple(
        Track(chapter.title, start, end)
        for chapter, start, end in zip(score.chapters, starts, ends, strict=True)
    )


class Frames:
    """MP3 frames of one stream, handed out track by track, in order.

    Parameters
    ----------
    stream : iterable of bytes
        Frames of one size, from 0 ms on.
    channels : {1, 2}
    """

    def __init__(self, stream: Iterable[bytes], channels: int) -> None:
        splice = Splice(channels)
        self._stream = _Bytes(stream)
        self._size, self._side = splice.frame_bytes, _SIDE[channels]
        self._silent = splice.silence(1)[: self._side]

    def take(self, length_ms: int) -> Iterator[bytes]:
        """The frames of the next `length_ms`, a stream that can be decoded by itself.

        Each sound begins with frames that need nothing before them. If the cut goes through a
        sound all the same (a bed has no gaps), the first frame or two become silent; their data
        stays, because the frames after them refer to it.
        """
        left = length_ms // GRID_MS
        # Bytes of data in this track so far: a frame that reaches back no further can be decoded.
        there = 0
        while left:
            frame = self._stream.take(self._size)
            left -= 1
            if frame[_BACK] <= there:
                yield frame
                break
            # The silent frame reaches back too: some decoders keep only what a frame refers to.
            reach = bytes([min(there, 255)])
            yield self._silent[:_BACK] + reach + self._silent[_BACK + 1 :] + frame[self._side :]
            there += self._size - self._side
        while left:
            # Only what is there already: to ask for more is to wait for the next piece.
            count = min(left, max(self._stream.held // self._size, 1))
            yield self._stream.take(count * self._size)
            left -= count


class Samples:
    """Samples of one session, handed out track by track, in order.

    Parameters
    ----------
    pieces : iterable of (int, bytes)
        Start in milliseconds and int16 samples at 24 kHz.
    length_ms : int
        Of the whole.
    channels : {1, 2}
    """

    def __init__(self, pieces: Pieces, length_ms: int, channels: int) -> None:
        self._stream = _Bytes(continuous(pieces, length_ms, channels))
        self._channels = channels

    def take(self, length_ms: int) -> Iterator[tuple[int, bytes]]:
        """The next `length_ms` in blocks, their starts counted from the track's."""
        for start_ms in range(0, length_ms, BLOCK_MS):
            block_ms = min(BLOCK_MS, length_ms - start_ms)
            yield start_ms, self._stream.take(byte_count(block_ms, self._channels))


class _Bytes:
    """A stream read in portions of any size."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._held = iter(chunks), b""

    @property
    def held(self) -> int:
        """Bytes that are there without asking for the next chunk."""
        return len(self._held)

    def take(self, count: int) -> bytes:
        while len(self._held) < count:
            self._held += next(self._chunks)
        data, self._held = self._held[:count], self._held[count:]
        return data
