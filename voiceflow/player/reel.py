"""The sound of a decided session at any time: pieces are made when they are played.

A decision in; samples, words and breaths by absolute time out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from voiceflow.audio.pcm import continuous, window
from voiceflow.formats.labels import plain
from voiceflow.score.options import Context
from voiceflow.score.prepare import Prepared
from voiceflow.score.score import Event
from voiceflow.sounds import BREATHS
from voiceflow.stitch.bed_mix import BedMix
from voiceflow.stitch.stitcher import Stitcher
from voiceflow.stitch.tracks import tracks

_KEPT = 12  # pieces, so that going back a little makes nothing again


@dataclass(frozen=True, slots=True)
class Breath:
    """The present breath: ``inhale``, ``exhale`` or ``hold``, and the share that is over."""

    name: str
    share: float


class Reel:
    """The sound and the score of one decision, by absolute time.

    Parameters
    ----------
    mono : bool
        Whether there is one channel.
    """

    def __init__(self, prepared: Prepared, context: Context, *, mono: bool = False) -> None:
        self.decision, self.instruments = prepared
        self.score = self.decision.score
        self._stitcher = Stitcher(self.score, self.instruments, context.cache, mono=mono, jobs=1)
        self._channels = self._stitcher.channels
        self.width = 2 * self._channels
        self.pieces = self._stitcher.pieces
        self.parts = tracks(self.score, self.pieces)
        self._starts = [piece.start_ms for piece in self.pieces]
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        bed = self.instruments.bed
        self._bed = None if bed is None else BedMix.of(self.score, bed, self._channels)
        # Apart from the start: the screen asks about eight times a second, and only has to bisect.
        self._speech = [one for one in self.score.events if one.kind == "speech"]
        self._breaths = [
            one for one in self.score.events if one.kind != "speech" and one.name in BREATHS
        ]

    def block(self, start_ms: int, length_ms: int) -> bytes:
        """The samples of `[start_ms, start_ms + length_ms)`, with bed, int16 and interleaved.

        Raises
        ------
        VoiceflowError
            A piece cannot be made.
        """
        near = self._between(start_ms, start_ms + length_ms)
        pieces = window(near, start_ms, length_ms, self._channels)
        block = b"".join(continuous(pieces, length_ms, self._channels))
        return block if self._bed is None else self._bed.mixed(block, start_ms)

    def _between(self, start_ms: int, end_ms: int) -> Iterator[tuple[int, bytes]]:
        """Start and samples of each piece that sounds from `start_ms` to `end_ms`."""
        # The piece that began before `start_ms` may still sound.
        first = max(bisect_right(self._starts, start_ms) - 1, 0)
        for at in range(first, len(self.pieces)):
            if self._starts[at] >= end_ms:
                return
            if self.pieces[at].end_ms > start_ms:
                yield self._starts[at], self._piece(at)

    def _piece(self, at: int) -> bytes:
        if at not in self._kept:
            self._kept[at] = self._stitcher.pcm(self.pieces[at])
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(at)
        return self._kept[at]

    def part_at(self, at_ms: int) -> int:
        """The index of the part at `at_ms`."""
        return max(bisect_right(self.parts, at_ms, key=lambda one: one.start_ms) - 1, 0)

    def words_at(self, at_ms: int) -> str:
        """The words that are said at `at_ms`, or were said last."""
        event = _last(self._speech, at_ms)
        return plain(event.name) if event else ""

    def breath_at(self, at_ms: int) -> Breath | None:
        """The breath at `at_ms`; None between breaths."""
        event = _last(self._breaths, at_ms)
        if event is None or at_ms >= event.end_ms:
            return None
        return Breath(event.name, (at_ms - event.start_ms) / event.length_ms)


def counterpart(here: Reel, there: Reel, number: int) -> int:
    """The part of `there` that matches part `number` of `here`, even if exercises were dropped.

    If that one was dropped, it is the next one that was not.
    """
    # Where nothing was dropped numbers are surer than titles, which may stand more than once.
    if len(here.parts) == len(there.parts) or number >= len(here.parts):
        return min(number, len(there.parts) - 1)
    for part in here.parts[number:]:
        for at, other in enumerate(there.parts):
            if other.title == part.title:
                return at
    return len(there.parts) - 1


def _last(events: list[Event], at_ms: int) -> Event | None:
    at = bisect_right(events, at_ms, key=lambda one: one.start_ms)
    return events[at - 1] if at else None
