"""A bed under everything: pieces and bed mixed block by block, in flat memory.

With a bed no stretch is silent, so nothing can be spliced: the whole is encoded in one go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from voiceflow.core.units import ms_to_samples
from voiceflow.score.score import Score

if TYPE_CHECKING:
    from voiceflow.sounds.bed import Bed

BLOCK_MS = 4_800
_JOIN_MS = 700
_CEILING = 28_500  # of 32,767, as in stitching: true peaks stay under -1 dBTP


def underlaid(
    pieces: Iterable[tuple[int, bytes]], score: Score, bed: Bed, channels: int
) -> Iterator[tuple[int, bytes]]:
    """The whole session with `bed` under it, as blocks that follow on each other.

    Parameters
    ----------
    pieces : iterable of (int, bytes)
        Start in milliseconds and int16 little-endian samples at 24 kHz, in order.
    channels : {1, 2}

    Yields
    ------
    (int, bytes)
        Start in milliseconds and samples of each block: together the whole length.
    """
    spans = speech_spans(score)
    marks = [chapter.start_ms for chapter in score.chapters] + [score.length_ms]
    source = _Source(pieces, channels)
    for start in range(0, score.length_ms, BLOCK_MS):
        length = min(BLOCK_MS, score.length_ms - start)
        under = bed.under(start, length, spans, marks).set_channels(channels)
        yield start, mixed(source.take(start, length), under.raw_data)


def speech_spans(score: Score) -> list[tuple[int, int]]:
    """When someone speaks; pauses too short for a bed to rise in are filled."""
    spans: list[tuple[int, int]] = []
    for event in score.events:
        if event.kind != "speech":
            continue
        if spans and event.start_ms - spans[-1][1] < _JOIN_MS:
            spans[-1] = (spans[-1][0], max(spans[-1][1], event.end_ms))
        else:
            spans.append((event.start_ms, event.end_ms))
    return spans


def mixed(over: bytes, under: bytes) -> bytes:
    """`under` added to `over`, int16 samples, short of clipping."""
    import numpy as np

    total = np.frombuffer(over, "<i2").astype(np.int32) + np.frombuffer(under, "<i2")
    return bytes(np.clip(total, -_CEILING, _CEILING).astype("<i2").tobytes())


class _Source:
    """Pieces read on as time goes, silence between them."""

    def __init__(self, pieces: Iterable[tuple[int, bytes]], channels: int) -> None:
        self._pieces = iter(pieces)
        self._width = 2 * channels
        self._held: tuple[int, bytes] | None = None

    def take(self, start_ms: int, length_ms: int) -> bytes:
        """The samples of `[start_ms, start_ms + length_ms)`; to be asked for in order."""
        begin = ms_to_samples(start_ms) * self._width
        block = bytearray(ms_to_samples(length_ms) * self._width)
        while True:
            if self._held is None:
                found = next(self._pieces, None)
                if found is None:
                    return bytes(block)
                self._held = (ms_to_samples(found[0]) * self._width, found[1])
            at, data = self._held
            if at >= begin + len(block):
                return bytes(block)
            first, last = max(at, begin), min(at + len(data), begin + len(block))
            block[first - begin : last - begin] = data[first - at : last - at]
            if at + len(data) > begin + len(block):
                return bytes(block)
            self._held = None
