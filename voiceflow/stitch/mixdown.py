"""One piece mixed down: its clips and tones laid over each other with pydub.

Comes in: a piece of the score, clips by text, a tone set. Goes out: the samples of the piece.
Breath tones duck under speech, signals do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from voiceflow.audio.pcm import PEAK, byte_count, segment_of
from voiceflow.core.errors import SoundError
from voiceflow.core.units import ms_to_samples
from voiceflow.score.score import Event
from voiceflow.sounds import BREATHS, ToneSet
from voiceflow.stitch.pieces import Piece, speech_spans

if TYPE_CHECKING:
    from pydub import AudioSegment

# Not further down: a breath tone leads, so it is heard under the words as well.
DUCK_DB: Final = 8
RAMP_MS: Final = 144
NEAR_MS: Final = 600
"""Between two clips closer than this a breath tone stays down: it would pump."""


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
    # Without a side both ears hear the same: one channel stands for both, at half the work.
    mono = mono or not any(event.side for event in piece.events)
    speech = [event for event in piece.events if event.kind == "speech"]
    spans = speech_spans(speech, NEAR_MS)
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
    # In this order: signals are laid over what is ducked already, so they do not duck.
    bed = _lay(_duck(breaths, spans), signals)
    clips = [(event, _checked(event, segment_of(clip(event.spoken)))) for event in speech]
    return _mix(bed, clips)


def _duck(bed: AudioSegment, spans: Iterable[tuple[int, int]]) -> AudioSegment:
    """`bed`, lowered within each span, with a ramp on either side."""
    # Without a breath tone there is nothing to lower, and nothing to cut up for it.
    if not bed.max:
        return bed
    length = len(bed)
    for start, end in spans:
        # Near a piece's edge a ramp is cut short and so steeper. Two ramps never meet: the pause
        # between spans is NEAR_MS at least.
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
    """A gain that moves linearly in decibels, sample by sample.

    pydub's own `fade` sets the gain once a millisecond in Python and takes ten times as long.
    """
    import numpy as np

    samples = np.frombuffer(segment.raw_data, "<i2").reshape(-1, segment.channels)
    gain = 10 ** (np.linspace(from_db, to_db, len(samples), dtype=np.float32) / 20)
    ramped = np.rint(samples * gain[:, None]).astype("<i2")
    return segment_of(ramped.tobytes(), segment.channels)


def _mix(bed: AudioSegment, clips: Sequence[tuple[Event, AudioSegment]]) -> AudioSegment:
    """Speech over tones. If the sum comes near full scale, the tones are lowered."""
    # pydub clips a sum at full scale, so the peak still shows that it was too much.
    for lower_db in (0, 6, 12, 18, 24):
        mixed = _lay(bed.apply_gain(-lower_db) if lower_db else bed, clips)
        if mixed.max <= PEAK:
            break
    return mixed


def _lay(bed: AudioSegment, over: Iterable[tuple[Event, AudioSegment]]) -> AudioSegment:
    for event, segment in over:
        bed = bed.overlay(segment, position=event.start_ms)
    return bed


def _join(first: AudioSegment, *rest: AudioSegment) -> AudioSegment:
    # Cuts at milliseconds lose nothing: at 24 kHz each is 24 samples.
    return segment_of(b"".join(one.raw_data for one in (first, *rest)), first.channels)


def _checked(event: Event, segment: AudioSegment) -> AudioSegment:
    """`segment`, after a check that it is no longer than its event in the score."""
    # In samples: the `len` of a segment is rounded to milliseconds.
    if segment.frame_count() > ms_to_samples(event.length_ms):
        raise SoundError(
            f"{event.name!r} lasts {len(segment)} ms, the score has {event.length_ms} ms for it",
            hint="try again; if that does not help, run `voiceflow cache clear`",
        )
    return segment


def _fold(segment: AudioSegment, mono: bool) -> AudioSegment:
    return segment.set_channels(1) if mono else segment


def _silence(length_ms: int, mono: bool) -> AudioSegment:
    channels = 1 if mono else 2
    return segment_of(bytes(byte_count(length_ms, channels)), channels)
