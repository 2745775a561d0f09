"""A bed under a session: its blocks of samples mixed with the bed, which ducks under speech.

With a bed no stretch is silent, so the recording cannot be joined from pieces: it is mixed block
by block, in flat memory, and encoded in one go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from voiceflow.audio.pcm import PEAK, Pieces, continuous
from voiceflow.core.units import samples_to_ms
from voiceflow.score.score import Score
from voiceflow.stitch.pieces import speech_spans

if TYPE_CHECKING:
    from voiceflow.sounds.bed import Bed

# 200 frames: what is measured and encoded has to be whole frames.
BLOCK_MS: Final = 4_800
NEAR_MS: Final = 700
"""A pause in speech shorter than this is too short for the bed to come up in."""


@dataclass(frozen=True, slots=True)
class BedMix:
    """A bed, and when it ducks and fades in one session.

    Attributes
    ----------
    channels : {1, 2}
    spans : tuple of (int, int)
        Start and end in milliseconds of each stretch of speech.
    marks : tuple of int
        Where chapters begin and the last one ends, in milliseconds.
    """

    bed: Bed
    channels: int
    spans: tuple[tuple[int, int], ...]
    marks: tuple[int, ...]

    @classmethod
    def of(cls, score: Score, bed: Bed, channels: int) -> Self:
        """`bed` as the score has it."""
        marks = (*(chapter.start_ms for chapter in score.chapters), score.length_ms)
        return cls(bed, channels, tuple(speech_spans(score.events, NEAR_MS)), marks)

    def mixed(self, pcm: bytes, start_ms: int) -> bytes:
        """`pcm`, which starts at `start_ms` of the session, with the bed under it.

        Any stretch can be mixed alone: what is mixed joins to the sample.

        Raises
        ------
        SoundError
            The music under it cannot be read any more.
        """
        import numpy as np

        length_ms = samples_to_ms(len(pcm) // (2 * self.channels))
        under = self.bed.under(start_ms, length_ms, self.spans, self.marks)
        low = np.frombuffer(under.set_channels(self.channels).raw_data, "<i2")
        # In 32 bits, because the sum of two 16-bit samples would wrap around before it is clipped.
        total = np.frombuffer(pcm, "<i2").astype(np.int32) + low
        return bytes(np.clip(total, -PEAK, PEAK).astype("<i2").tobytes())


def underlaid(pieces: Pieces, score: Score, bed: Bed, channels: int) -> Iterator[tuple[int, bytes]]:
    """The whole session with `bed` under it, in blocks without gaps.

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
    mix = BedMix.of(score, bed, channels)
    blocks = continuous(pieces, score.length_ms, channels, BLOCK_MS)
    for number, block in enumerate(blocks):
        start_ms = number * BLOCK_MS
        yield start_ms, mix.mixed(block, start_ms)
