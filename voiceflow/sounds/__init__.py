"""Sounds: the tones that breathe, the signals, and the beds under everything.

A tone set is a YAML recipe. It is synthesised to the exact length of each breath, so a tone
never needs stretching; a bed is read at any place of the session, so it never needs the whole.
Importing this package loads neither numpy nor pydub; asking for sound does.
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
