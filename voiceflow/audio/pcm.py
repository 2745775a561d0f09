"""Raw samples (PCM): int16 little-endian, interleaved, 24 kHz, and pydub's segments of them.

Pieces of samples with silence between them become one stream here, in blocks of one size. pydub is
imported when the first segment is made, and without its warnings; only its public constructor is
used.
"""

from __future__ import annotations

import functools
import threading
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from voiceflow.core.units import RATE, ms_to_samples

if TYPE_CHECKING:
    from pydub import AudioSegment

PEAK: Final = 28_500
"""The highest sample of a mix, of 32,767: -1.2 dBFS, which keeps true peaks under -1 dBTP."""

BLOCK_MS: Final = 960

_IMPORTING: Final = threading.Lock()

Pieces = Iterable[tuple[int, bytes]]
"""Start in milliseconds and samples of each piece, in order and apart."""


def byte_count(length_ms: int, channels: int) -> int:
    """Bytes of the samples in `length_ms`."""
    return 2 * channels * ms_to_samples(length_ms)


def continuous(
    pieces: Pieces, length_ms: int, channels: int, block_ms: int = BLOCK_MS
) -> Iterator[bytes]:
    """All samples from 0 to `length_ms`, with silence where there is no piece.

    A piece is taken when its turn has come, so memory holds one piece and one block.

    Parameters
    ----------
    pieces : iterable of (int, bytes)
        Start in milliseconds and samples, in order.
    channels : {1, 2}
    block_ms : int > 0

    Yields
    ------
    bytes
        Blocks of `block_ms`; the last one may be shorter.

    Raises
    ------
    ValueError
        A piece overlaps the one before it, or runs over the end.
    """
    size = byte_count(block_ms, channels)
    block = bytearray()
    for chunk in _filled(pieces, length_ms, channels, size):
        block += chunk
        while len(block) >= size:
            yield bytes(block[:size])
            del block[:size]
    if block:
        yield bytes(block)


def window(
    pieces: Pieces, start_ms: int, length_ms: int, channels: int
) -> Iterator[tuple[int, bytes]]:
    """What of `pieces` lies in the `length_ms` from `start_ms` on, counted from there."""
    for at_ms, pcm in pieces:
        first = byte_count(max(start_ms - at_ms, 0), channels)
        last = byte_count(max(start_ms + length_ms - at_ms, 0), channels)
        if part := pcm[first:last]:
            yield max(at_ms - start_ms, 0), part


def segment_of(pcm: bytes, channels: int = 1) -> AudioSegment:
    """PCM (int16 little-endian, interleaved, 24 kHz) as pydub has it."""
    segment: AudioSegment = _pydub().AudioSegment(
        data=pcm, sample_width=2, frame_rate=RATE, channels=channels
    )
    return segment


def _filled(pieces: Pieces, length_ms: int, channels: int, most: int) -> Iterator[bytes]:
    """The pieces, and the silence around them in chunks of at most `most` bytes."""
    done, end = 0, byte_count(length_ms, channels)
    for start_ms, pcm in pieces:
        start = byte_count(start_ms, channels)
        yield from _silence(start - done, most)
        yield pcm
        done = start + len(pcm)
    yield from _silence(end - done, most)


def _silence(size: int, most: int) -> Iterator[bytes]:
    if size < 0:
        raise ValueError(f"a piece runs {-size} bytes into what follows")
    for done in range(0, size, most):
        yield bytes(min(most, size - done))


@functools.cache
def _pydub() -> Any:
    with _IMPORTING, warnings.catch_warnings():  # the filters belong to all threads at once
        # It warns that there is no ffmpeg, which nothing here asks for, and of audioop, which
        # `audioop-lts` still provides where Python no longer does.
        warnings.filterwarnings("ignore", "Couldn't find ff", RuntimeWarning)
        warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
        import pydub
    return pydub
