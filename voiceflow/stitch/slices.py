"""A recording cut into parts as it is made: its MP3 frames, or its samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from voiceflow.core.units import GRID_MS, ms_to_samples
from voiceflow.formats.mp3 import Splice

_SIDE: Final = {1: 13, 2: 21}  # bytes of a frame's header and side information, by channels
_BACK: Final = 4  # where a frame says how far before it its data begins: 8 bits in MPEG-2


class Frames:
    """MP3 frames of one stream, handed out part by part, in order.

    Parameters
    ----------
    stream : iterable of bytes
        Frames of one size, from 0 ms on.
    channels : {1, 2}
    """

    def __init__(self, stream: Iterable[bytes], channels: int) -> None:
        splice = Splice(channels)
        self._stream, self._held = iter(stream), b""
        self._size, self._side = splice.frame_bytes, _SIDE[channels]
        self._silent = splice.silence(1)[: self._side]

    def take(self, length_ms: int) -> Iterator[bytes]:
        """The frames of the next `length_ms`, a stream that can be decoded by itself.

        Sounds begin with frames that need nothing before them. Where the cut goes through a sound
        all the same (a bed has no gaps), the first frame or two become silent: their data stays,
        for those that follow refer to it.
        """
        left = length_ms // GRID_MS
        there = 0
        while left:
            frame = self._bytes(self._size)
            left -= 1
            if frame[_BACK] <= there:
                yield frame
                break
            # It reaches back itself: some decoders keep no more than the frame before asks for.
            reach = bytes([min(there, 255)])
            yield self._silent[:_BACK] + reach + self._silent[_BACK + 1 :] + frame[self._side :]
            there += self._size - self._side
        while left:
            count = min(left, max(len(self._held) // self._size, 1))
            yield self._bytes(count * self._size)
            left -= count

    def _bytes(self, count: int) -> bytes:
        while len(self._held) < count:
            self._held += next(self._stream)
        data, self._held = self._held[:count], self._held[count:]
        return data


class Samples:
    """Pieces of samples, handed out part by part, in order; a piece may lie in two parts.

    Parameters
    ----------
    pieces : iterable of (int, bytes)
        Start in milliseconds and int16 samples at 24 kHz.
    channels : {1, 2}
    """

    def __init__(self, pieces: Iterable[tuple[int, bytes]], channels: int) -> None:
        self._pieces, self._width = iter(pieces), 2 * channels
        self._held: tuple[int, bytes] | None = None

    def take(self, start_ms: int, end_ms: int) -> Iterator[tuple[int, bytes]]:
        """The pieces from `start_ms` to `end_ms`, their starts counted from `start_ms`."""
        while (piece := self._held or next(self._pieces, None)) is not None:
            self._held = None
            at, data = piece
            if at >= end_ms:
                self._held = piece
                return
            room = ms_to_samples(end_ms - at) * self._width
            yield at - start_ms, data[:room]
            if len(data) > room:
                self._held = (end_ms, data[room:])
                return
