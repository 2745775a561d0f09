"""Sounds: breath tones, signals, and the background (bed) under a session.

A name in, a `ToneSet` or a `Bed` out, which give samples of any length at any time. Tones are
synthesised to the exact length of each breath, so they are never stretched; a bed can be read
from any time on. Importing this package loads neither numpy nor pydub; asking for sound does.
"""

from __future__ import annotations

from voiceflow.sounds.bed import BEDS, Bed, load_bed
from voiceflow.sounds.recipe import BREATHS, SIGNALS
from voiceflow.sounds.toneset import ToneSet, load, names, problems, schema

__all__ = [
    "BEDS",
    "BREATHS",
    "SIGNALS",
    "Bed",
    "ToneSet",
    "load",
    "load_bed",
    "names",
    "problems",
    "schema",
]
