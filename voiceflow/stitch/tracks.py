"""Where a session may be cut into its exercises: at the chapters, but through no sound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from voiceflow.score.score import Score
from voiceflow.stitch.pieces import Piece

_EARLIER_MS = 1_500  # a signal that calls for the exercise belongs to it


@dataclass(frozen=True, slots=True)
class Part:
    """One chapter as it is cut out: parts join without gaps, from 0 to the score's length."""

    title: str
    start_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms


def parts(score: Score, pieces: Iterable[Piece]) -> tuple[Part, ...]:
    """One part a chapter, on the grid.

    A chapter starts with its first word; a tone before it wakes headphones that sleep. So a part
    begins where the piece begins that the chapter's start lies in, unless that is long before.
    """
    if not score.chapters:
        return (Part(score.title, 0, score.length_ms),)
    sounding = list(pieces)
    starts = [0]
    for chapter in score.chapters[1:]:
        at = chapter.start_ms
        for piece in sounding:
            if at - _EARLIER_MS <= piece.start_ms < at < piece.end_ms:
                at = piece.start_ms
                break
        starts.append(max(at, starts[-1]))
    ends = [*starts[1:], score.length_ms]
    return tuple(
        Part(chapter.title, start, end)
        for chapter, start, end in zip(score.chapters, starts, ends, strict=True)
    )
