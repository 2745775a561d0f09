"""What the added drivers share: pyttsx3's driver protocol around a function from text to samples.

pyttsx3 queues commands and hands them out while the driver is not busy. These drivers do each
command at once, so the queue empties within `startLoop`; an error leaves the driver idle, and
reaches the engine's listeners under the topic ``error``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyttsx3.voice import Voice


class WaveDriver:
    """A driver that makes whole utterances.

    A subclass gives `samples_of`, `known_voices`, `sample_rate`, and may take `use_voice`.
    """

    sample_rate = 24_000

    def __init__(self, proxy: Any) -> None:
        self._proxy = proxy
        self._looping = False
        self._stopped = False
        self._ended = False
        self._values: dict[str, Any] = {"rate": 150, "volume": 1.0, "voice": None}

    # What a subclass gives.

    def samples_of(self, text: str) -> bytes:
        """`text` as mono int16 samples, little-endian."""
        raise NotImplementedError

    def known_voices(self) -> list[Voice]:
        raise NotImplementedError

    def use_voice(self, voice_id: str) -> None:
        """Makes `voice_id` the voice. Raises ValueError where there is none such."""
        if voice_id not in (voice.id for voice in self.known_voices()):
            raise ValueError(f"unknown voice {voice_id}")

    # What pyttsx3 calls, in its own spelling.

    def destroy(self) -> None:
        self._looping = False

    def say(self, text: str) -> None:
        self._utter(text, None)

    def save_to_file(self, text: str, filename: str) -> None:
        self._utter(text, filename)

    def stop(self) -> None:
        self._stopped = True

    def getProperty(self, name: str) -> Any:  # noqa: N802
        if name == "voices":
            return self.known_voices()
        try:
            return self._values[name]
        except KeyError:
            raise KeyError(f"unknown property {name}") from None

    def setProperty(self, name: str, value: Any) -> None:  # noqa: N802
        if name not in self._values:
            raise KeyError(f"unknown property {name}")
        if name == "voice":
            self.use_voice(str(value))
        elif name == "volume":
            value = min(1.0, max(0.0, float(value)))
        elif name == "rate":
            value = max(1, round(float(value)))
        self._values[name] = value

    def startLoop(self) -> None:  # noqa: N802
        if self._ended:  # an idle engine hands out at once, the loop's end before its start
            self._ended = False
            return
        self._looping = True
        self._proxy.setBusy(False)  # hands out all that is queued, the end of the loop too
        while self._looping:
            time.sleep(0.01)

    def endLoop(self) -> None:  # noqa: N802
        self._ended = not self._looping
        self._looping = False

    def iterate(self) -> Iterator[None]:
        while True:
            self._proxy.setBusy(False)
            yield

    def _utter(self, text: str, filename: str | None) -> None:
        self._proxy.setBusy(True)
        self._stopped = False
        try:
            self._proxy.notify("started-utterance")
            samples = self._loud(self.samples_of(text))
            if not self._stopped:
                _play(samples, self.sample_rate) if filename is None else _write(
                    filename, samples, self.sample_rate
                )
            self._proxy.notify("finished-utterance", completed=not self._stopped)
        finally:
            self._proxy.setBusy(False)

    def _loud(self, samples: bytes) -> bytes:
        volume = self._values["volume"]
        if volume == 1.0:
            return samples
        import numpy as np

        return bytes((np.frombuffer(samples, "<i2") * volume).astype("<i2"))


def _write(filename: str, samples: bytes, rate: int) -> None:
    with Path(filename).open("wb") as whole, wave.open(whole, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples)


def _play(samples: bytes, rate: int) -> None:
    """Plays by what the system brings, as pyttsx3's own drivers do."""
    handle, name = tempfile.mkstemp(suffix=".wav")
    os.close(handle)
    try:
        _write(name, samples, rate)
        if sys.platform == "win32":
            import winsound

            winsound.PlaySound(name, winsound.SND_FILENAME)
        else:
            player = ["afplay", name] if sys.platform == "darwin" else ["aplay", "-q", name]
            subprocess.run(player, check=True)
    finally:
        Path(name).unlink(missing_ok=True)
