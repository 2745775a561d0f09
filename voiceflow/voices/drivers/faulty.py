"""pyttsx3 driver with a fault on purpose: what a voice can do wrong, done by a real process."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from pyttsx3.voice import Voice

from voiceflow.voices.drivers.base import WaveDriver
from voiceflow.voices.estimates import estimate
from voiceflow.voices.families import FAULTS


def buildDriver(proxy: Any) -> FaultyDriver:  # noqa: N802
    return FaultyDriver(proxy)


class FaultyDriver(WaveDriver):
    """Hums each text as long as speech would take, but for its fault, which is its voice."""

    def known_voices(self) -> list[Voice]:
        return [Voice(name, about, ["en"]) for name, about in FAULTS.items()]

    def use_voice(self, voice_id: str) -> None:
        fault = voice_id.partition(":")[0]
        super().use_voice(fault)
        if fault == "load":
            raise RuntimeError("cannot be loaded, on purpose")

    def save_to_file(self, text: str, filename: str) -> None:
        fault, _, mark = str(self._values["voice"]).partition(":")
        if fault == "once":
            _crash_once(Path(mark))
        elif fault == "crash":
            os._exit(11)
        elif fault == "hang":
            while True:
                time.sleep(1)
        elif fault == "empty":
            return
        elif fault == "noise":
            Path(filename).write_bytes(b"no sound at all" * 100)
            return
        super().save_to_file(text, filename)

    def samples_of(self, text: str) -> bytes:
        fault = str(self._values["voice"]).partition(":")[0]
        if fault == "error":
            raise RuntimeError("an error on purpose")
        factor = {"short": 0.05, "long": 20.0, "nothing": 0.0}.get(fault, 1.0)
        count = round(estimate(text, self._values["rate"]) * factor * self.sample_rate / 1000)
        times = np.arange(count) / self.sample_rate
        # A buzz with the beat of syllables, so that what is made of speech can be made of it.
        buzz = sum(np.sin(2 * np.pi * 120 * k * times) / k for k in range(1, 20))
        hum = buzz * (0.6 - 0.4 * np.cos(2 * np.pi * 4 * times))
        return np.asarray(hum * (0 if fault == "silence" else 6000)).astype("<i2").tobytes()


def _crash_once(mark: Path) -> None:
    if not mark.exists():
        mark.touch()
        os._exit(11)
