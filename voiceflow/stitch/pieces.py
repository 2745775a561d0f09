"""The score cut into pieces, and the key of each piece.

A piece is a stretch of the score between two silences. It stands for itself: its events are
counted from its own start and carry only what can be heard, so that equal stretches of a session
are equal pieces, sounded and encoded once however often they return. Levels are absolute, so
nothing in a piece depends on the rest of the session.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from voiceflow.core.cache import Cache
from voiceflow.core.units import GRID_MS, snap_up
from voiceflow.score.score import Event, Score
from voiceflow.sounds import ToneSet

HEAD_MS: Final = 48
"""Silence before a piece's first event. An encoder and its decoder together delay by 1,105 samples
(46 ms); so many are cut from the head, and every event decodes where the score has it."""

TAIL_MS: Final = 24
"""Silence after a piece's last event, before rounding up to the grid."""

_VERSION: Final = "stitch 1"  # counts up with every change that can be heard


@dataclass(frozen=True, slots=True)
class Piece:
    """A sounding stretch of the score.

    Attributes
    ----------
    start_ms, length_ms : int
        On the grid.
    events : tuple of Event
        What sounds, with `start_ms` counted from the piece's start and without what cannot be
        heard (moment, exercise, repetition).
    """

    start_ms: int
    length_ms: int
    events: tuple[Event, ...]

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.length_ms


def cut(score: Score) -> tuple[Piece, ...]:
    """The sounding pieces of a score, in order; what lies between them is silence.

    Cuts wherever no event sounds for 72 ms or more, on the grid.

    Raises
    ------
    ValueError
        The score breaks its own rules: an event is off the grid, or too near the start or end.
    """
    pieces: list[Piece] = []
    group: list[Event] = []
    end = 0
    for event in score.events:
        # Room for the tail of one piece and the head of the next, so pieces never overlap.
        if group and event.start_ms - end >= HEAD_MS + TAIL_MS:
            pieces.append(_piece(group, end))
            group = []
        group.append(event)
        # Events overlap: the last one to begin need not be the last one to end.
        end = max(end, event.end_ms)
    if group:
        pieces.append(_piece(group, end))
        if pieces[-1].end_ms > score.length_ms:
            raise ValueError(f"the last event ends at {end} ms, the score at {score.length_ms} ms")
    return tuple(pieces)


def piece_keys(
    pieces: Iterable[Piece], clip_key: Callable[[str], str], tones: ToneSet, *settings: str | int
) -> list[str]:
    """A key for each piece, made of all that decides its samples, and of `settings`.

    `settings` is what the caller makes of the samples: channels, encoder, bit rate. Pieces that
    sound the same have the same key, wherever they are.
    """
    # The same words and tones come in many pieces.
    clip_key, tone_key = functools.cache(clip_key), functools.cache(tones.key)
    head = [_VERSION, *map(str, settings)]
    keys: dict[tuple[int, tuple[Event, ...]], str] = {}
    found = []
    for piece in pieces:
        heard = (piece.length_ms, piece.events)
        if heard not in keys:
            parts = [*head, str(piece.length_ms)]
            for event in piece.events:
                # A tone's name is part of the key too: it decides whether the tone ducks.
                speech = event.kind == "speech"
                source = clip_key(event.spoken) if speech else tone_key(event.name) + event.name
                parts.append(f"{event.start_ms} {event.length_ms} {event.side} {source}")
            keys[heard] = Cache.key(*parts)
        found.append(keys[heard])
    return found


def _piece(events: Sequence[Event], end: int) -> Piece:
    start = events[0].start_ms - HEAD_MS
    if start < 0:
        raise ValueError(f"an event at {events[0].start_ms} ms: it must begin 48 ms or later")
    heard = []
    for event in events:
        if event.start_ms % GRID_MS:
            raise ValueError(f"an event at {event.start_ms} ms is off the {GRID_MS} ms grid")
        # Without repetition, moment and exercise, which would make different pieces of equal
        # sounds.
        heard.append(
            Event(
                kind=event.kind,
                start_ms=event.start_ms - start,
                length_ms=event.length_ms,
                name=event.name,
                spoken=event.spoken,
                side=event.side,
            )
        )
    return Piece(start, snap_up(end + TAIL_MS) - start, tuple(heard))


def speech_spans(events: Iterable[Event], near_ms: int) -> list[tuple[int, int]]:
    """Start and end in milliseconds of each stretch of speech, in order.

    Parameters
    ----------
    events : iterable of Event
        In order of start; those that are not speech are passed over.
    near_ms : int
        Pauses shorter than this are part of the stretch.
    """
    spans: list[tuple[int, int]] = []
    for event in events:
        if event.kind != "speech":
            continue
        if spans and event.start_ms - spans[-1][1] < near_ms:
            spans[-1] = (spans[-1][0], max(spans[-1][1], event.end_ms))
        else:
            spans.append((event.start_ms, event.end_ms))
    return spans
