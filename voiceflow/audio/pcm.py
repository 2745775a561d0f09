"""pydub, behind one seam: imported when the first sample sounds, and without its warnings."""

from __future__ import annotations

import functools
import threading
import warnings
from typing import TYPE_CHECKING, Any, Final

from voiceflow.core.units import RATE

if TYPE_CHECKING:
    from pydub import AudioSegment

_IMPORTING: Final = threading.Lock()


def segment_of(pcm: bytes, channels: int = 1) -> AudioSegment:
    """PCM (int16 little-endian, interleaved, 24 kHz) as pydub has it."""
    segment: AudioSegment = _pydub().AudioSegment(
        data=pcm, sample_width=2, frame_rate=RATE, channels=channels
    )
    return segment


@functools.cache
def _pydub() -> Any:
    with _IMPORTING, warnings.catch_warnings():  # the filters belong to all threads at once
        # It warns that there is no ffmpeg, which nothing here asks for, and of audioop, which
        # `audioop-lts` goes on to give where Python no longer does.
        warnings.filterwarnings("ignore", "Couldn't find ff", RuntimeWarning)
        warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
        import pydub
    return pydub
