"""The sound of a decided session at any time: pieces are made when they are played.

A decision in; samples, words and breaths by absolute time out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

from voiceflow.core.units import ms_to_samples
from voiceflow.formats.labels import plain
from voiceflow.score.decide import Decision
from voiceflow.score.options import Context
from voiceflow.score.score import Event
from voiceflow.sounds import BREATHS
from voiceflow.stitch.bed_mix import speech_spans
from voiceflow.stitch.stitcher import Sounding
from voiceflow.stitch.tracks import parts

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

    def __init__(self, decision: Decision, context: Context, *, mono: bool = False) -> None:
        self.decision, self.score = decision, decision.score
        self._sounding = Sounding(decision, context.cache, mono=mono, jobs=1)
        self.width = 2 * self._sounding.channels
        self.pieces = self._sounding.pieces
        self.parts = parts(self.score, self.pieces)
        self._starts = [piece.start_ms for piece in self.pieces]
        self._kept: OrderedDict[int, bytes] = OrderedDict()
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
        block = bytearray(ms_to_samples(length_ms) * self.width)
        begin = ms_to_samples(start_ms) * self.width
        at = max(bisect_right(self._starts, start_ms) - 1, 0)
        while at < len(self.pieces) and self._starts[at] < start_ms + length_ms:
            if self.pieces[at].end_ms > start_ms:
                data = self._piece(at)
                place = ms_to_samples(self._starts[at]) * self.width
                first, last = max(place, begin), min(place + len(data), begin + len(block))
                block[first - begin : last - begin] = data[first - place : last - place]
            at += 1
        return self._underlaid(bytes(block), start_ms, length_ms)

    def _piece(self, at: int) -> bytes:
        if at not in self._kept:
            self._kept[at] = self._sounding.pcm(self.pieces[at])
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(at)
        return self._kept[at]

    def _underlaid(self, over: bytes, start_ms: int, length_ms: int) -> bytes:
        bed = self.decision.bed
        if bed is None:
            return over
        from voiceflow.stitch.bed_mix import mixed

        under = bed.under(start_ms, length_ms, self._spans, self._marks)
        return mixed(over, bytes(under.set_channels(self.width // 2).raw_data))

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        return speech_spans(self.score)

    @cached_property
    def _marks(self) -> list[int]:
        return [one.start_ms for one in self.score.chapters] + [self.score.length_ms]

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
