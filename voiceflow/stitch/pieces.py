"""The score cut into pieces, and a piece sounded: clips and tones laid over each other by pydub.

A piece is a stretch of the score between two silences. It stands for itself: its events are
counted from its own start and carry only what can be heard, so that equal stretches of a session
are equal pieces, sounded and encoded once however often they return. Levels are absolute, so
nothing in a piece depends on the rest of the session.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from voiceflow.audio.pcm import segment_of
from voiceflow.core.cache import Cache
from voiceflow.core.errors import SoundError
from voiceflow.core.units import GRID_MS, ms_to_samples, snap_up
from voiceflow.score.score import Event, Score
from voiceflow.sounds import BREATHS, ToneSet

if TYPE_CHECKING:
    from pydub import AudioSegment

HEAD_MS: Final = 48
"""Silence before a piece's first event: an encoder and its decoder together delay by 1,105
samples (46 ms), and so much of the head is given up to make them stand still."""

TAIL_MS: Final = 24
"""Silence after a piece's last event, before rounding up to the grid."""

DUCK_DB: Final = 8
RAMP_MS: Final = 144

_VERSION: Final = "stitch 1"  # counts up with every change that can be heard
_NEAR_MS: Final = 600  # between two clips closer than this a tone stays down: no pumping
_PEAK: Final = 28_500  # of 32,767: -1.2 dBFS, which leaves true peaks under -1 dBTP


@dataclass(frozen=True, slots=True)
class Piece:
    """A sounding stretch of the score.

    Attributes
    ----------
    start_ms, length_ms : int
        On the grid.
    events : tuple of Event
        What sounds, `start_ms` counted from the piece's start, without what is not heard
        (moment, exercise, repetition).
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
        The score does not keep its own rules: an event off the grid, too near its start or end.
    """
    pieces: list[Piece] = []
    group: list[Event] = []
    end = 0
    for event in score.events:
        if group and event.start_ms - end >= HEAD_MS + TAIL_MS:
            pieces.append(_piece(group, end))
            group = []
        group.append(event)
        end = max(end, event.end_ms)
    if group:
        pieces.append(_piece(group, end))
        if pieces[-1].end_ms > score.length_ms:
            raise ValueError(f"the last event ends at {end} ms, the score at {score.length_ms} ms")
    return tuple(pieces)


def stitch(
    piece: Piece, clip: Callable[[str], bytes], tones: ToneSet, mono: bool = False
) -> AudioSegment:
    """Sound one piece.

    Parameters
    ----------
    piece : Piece
    clip : callable
        Text as spoken to PCM, int16 little-endian, mono, 24 kHz.
    tones : ToneSet
    mono : bool
        One channel: sides fold together, a clip keeps its sample values.

    Returns
    -------
    AudioSegment
        24 kHz, 16 bit, 2 channels, or 1 where both ears hear the same; exactly
        ``ms_to_samples(piece.length_ms)`` frames, sample peak at most -1.2 dBFS, silent in its
        first 48 ms and its last 24 ms.

    Raises
    ------
    SoundError
        A clip or a tone is longer than the score says.
    """
    mono = mono or not any(event.side for event in piece.events)
    speech = [event for event in piece.events if event.kind == "speech"]
    spans = _spans(speech)
    breaths = _silence(piece.length_ms, mono)
    signals: list[tuple[Event, AudioSegment]] = []
    for event in piece.events:
        if event.kind == "speech":
            continue
        tone = _fold(_checked(event, tones.tone(event.name, event.length_ms, event.side)), mono)
        if event.name in BREATHS:
            breaths = breaths.overlay(tone, position=event.start_ms)
        else:
            signals.append((event, tone))
    bed = _lay(_duck(breaths, spans), signals)
    clips = [(event, _checked(event, segment_of(clip(event.spoken)))) for event in speech]
    return _mix(bed, clips)


def piece_keys(
    pieces: Iterable[Piece], clip_key: Callable[[str], str], tones: ToneSet, *settings: str | int
) -> list[str]:
    """A content key for each piece: all that decides its samples, and `settings`.

    `settings` is what the caller makes of the samples: channels, encoder, bit rate. Pieces that
    sound alike have one key, wherever they stand.
    """
    clip_key, tone_key = functools.cache(clip_key), functools.cache(tones.key)
    head = [_VERSION, *map(str, settings)]
    keys: dict[tuple[int, tuple[Event, ...]], str] = {}
    found = []
    for piece in pieces:
        heard = (piece.length_ms, piece.events)
        if heard not in keys:
            parts = [*head, str(piece.length_ms)]
            for event in piece.events:
                # A tone's name goes in beside its key: it decides whether the tone ducks.
                speech = event.kind == "speech"
                source = clip_key(event.spoken) if speech else tone_key(event.name) + event.name
                parts.append(f"{event.start_ms} {event.length_ms} {event.side} {source}")
            keys[heard] = Cache.key(*parts)
        found.append(keys[heard])
    return found


def _piece(events: Sequence[Event], end: int) -> Piece:
    start = events[0].start_ms - HEAD_MS
    if start < 0:
        raise ValueError(f"an event at {events[0].start_ms} ms: a score begins with 48 ms silence")
    heard = []
    for event in events:
        if event.start_ms % GRID_MS:
            raise ValueError(f"an event at {event.start_ms} ms is off the {GRID_MS} ms grid")
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


def _spans(speech: Iterable[Event]) -> list[tuple[int, int]]:
    """Where someone speaks, short pauses filled."""
    spans: list[tuple[int, int]] = []
    for event in speech:
        if spans and event.start_ms - spans[-1][1] < _NEAR_MS:
            spans[-1] = (spans[-1][0], max(spans[-1][1], event.end_ms))
        else:
            spans.append((event.start_ms, event.end_ms))
    return spans


def _duck(bed: AudioSegment, spans: Iterable[tuple[int, int]]) -> AudioSegment:
    """`bed`, lower within each span, with a ramp on either side of it."""
    if not bed.max:
        return bed
    length = len(bed)
    for start, end in spans:
        fall, rise = max(start - RAMP_MS, 0), min(end + RAMP_MS, length)
        bed = _join(
            bed[:fall],
            _ramp(bed[fall:start], 0, -DUCK_DB),
            bed[start:end].apply_gain(-DUCK_DB),
            _ramp(bed[end:rise], -DUCK_DB, 0),
            bed[rise:],
        )
    return bed


def _ramp(segment: AudioSegment, from_db: float, to_db: float) -> AudioSegment:
    """A gain that glides linearly in decibels, sample by sample.

    pydub's own `fade` sets the gain once a millisecond in Python and takes ten times as long.
    """
    import numpy as np

    samples = np.frombuffer(segment.raw_data, "<i2").reshape(-1, segment.channels)
    gain = 10 ** (np.linspace(from_db, to_db, len(samples), dtype=np.float32) / 20)
    return segment._spawn(np.rint(samples * gain[:, None]).astype("<i2").tobytes())


def _mix(bed: AudioSegment, clips: Sequence[tuple[Event, AudioSegment]]) -> AudioSegment:
    """Speech over tones. Should a hot sample bring the sum near full scale, tones give way."""
    for lower_db in (0, 6, 12, 18, 24):
        mixed = _lay(bed.apply_gain(-lower_db) if lower_db else bed, clips)
        if mixed.max <= _PEAK:
            break
    return mixed


def _lay(bed: AudioSegment, over: Iterable[tuple[Event, AudioSegment]]) -> AudioSegment:
    for event, segment in over:
        bed = bed.overlay(segment, position=event.start_ms)
    return bed


def _join(first: AudioSegment, *rest: AudioSegment) -> AudioSegment:
    return first._spawn(b"".join(one.raw_data for one in (first, *rest)))


def _checked(event: Event, segment: AudioSegment) -> AudioSegment:
    """`segment`, if it is no longer than the score has room for."""
    if segment.frame_count() > ms_to_samples(event.length_ms):
        raise SoundError(
            f"{event.name!r} lasts {len(segment)} ms, the score has {event.length_ms} ms for it",
            hint="if it stays so, run `voiceflow cache clear`",
        )
    return segment


def _fold(segment: AudioSegment, mono: bool) -> AudioSegment:
    return segment.set_channels(1) if mono else segment


def _silence(length_ms: int, mono: bool) -> AudioSegment:
    channels = 1 if mono else 2
    return segment_of(bytes(2 * channels * ms_to_samples(length_ms)), channels)
