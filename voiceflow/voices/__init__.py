"""Voices: text becomes clips, by pyttsx3 in worker processes.

Nothing heavy is imported here: numpy and the engines live in the workers.
"""

from __future__ import annotations

from voiceflow.voices.estimates import estimate
from voiceflow.voices.pronounce import spoken, unreadable
from voiceflow.voices.reading import unread
from voiceflow.voices.speaker import Clip, Speaker, expecting
from voiceflow.voices.voice import Family, Voice, VoiceInfo, available, find


def install_drivers() -> None:
    """Lets `pyttsx3.init` find the drivers that voiceflow adds: ``hibari``, ``piper``."""
    from pathlib import Path

    import pyttsx3.drivers

    # pyttsx3 imports drivers from its own package only, so the package gets a second folder.
    folder = str(Path(__file__).parent / "drivers")
    if folder not in pyttsx3.drivers.__path__:
        pyttsx3.drivers.__path__.append(folder)


__all__ = [
    "Clip",
    "Family",
    "Speaker",
    "Voice",
    "VoiceInfo",
    "available",
    "estimate",
    "expecting",
    "find",
    "install_drivers",
    "spoken",
    "unread",
    "unreadable",
]
