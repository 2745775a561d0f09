"""Whether a clip can be what it should: as long as its words, give or take a lot."""

from __future__ import annotations

from voiceflow.core.errors import VoiceError
from voiceflow.core.units import samples_to_ms
from voiceflow.voices.estimates import estimate

# Wide on purpose: a language, a number or an abbreviation can double what letters promise. What is
# to be caught is the clip of another text, of no text, or of an engine that stopped halfway.
_LEAST, _MOST = 0.3, 3.5
_LEAST_MS, _MOST_MS = 100, 1500


def check(text: str, rate: int, clip: bytes) -> None:
    """Nothing, if `clip` (int16 at 24 kHz, trimmed) can be `text` at `rate` words a minute.

    Raises
    ------
    VoiceError
        It is far too short or far too long.
    """
    length = samples_to_ms(len(clip) // 2)
    expected = estimate(text, rate)
    if length < max(_LEAST_MS, _LEAST * expected - 200):
        wrong = "short"
    elif length > _MOST * expected + _MOST_MS:
        wrong = "long"
    else:
        return
    raise VoiceError(f"the voice gave {length / 1000:.2f} s of sound, too {wrong} for its words")
