"""pyttsx3 driver for hibari-tts: natural English, offline, the same samples every time.

    install_drivers()
    engine = pyttsx3.init("hibari")

In come texts and a rate in words a minute, which is matched to the model's speed by measurement
(`PACES`); out come samples. The model itself is in `hibari_model`.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import numpy as np
from pyttsx3.voice import Voice

from voiceflow.core.errors import VoiceError
from voiceflow.voices.drivers.base import WaveDriver
from voiceflow.voices.drivers.hibari_model import SEED, Floats, is_here, known, load

PACES = (
    (114.0, 0.50), (117.4, 0.54), (120.9, 0.56), (135.0, 0.58), (136.4, 0.60), (138.2, 0.62),
    (140.1, 0.64), (144.5, 0.66), (160.4, 0.68), (162.9, 0.70), (167.5, 0.74), (172.2, 0.78),
    (186.6, 0.80), (204.5, 0.82), (206.7, 0.84), (213.3, 0.86), (218.3, 0.88), (224.2, 0.92),
    (228.4, 0.96), (231.7, 1.00), (235.1, 1.05), (238.7, 1.10), (243.5, 1.15), (252.2, 1.20),
    (260.7, 1.25), (265.4, 1.30), (338.6, 1.35), (343.6, 1.40), (348.3, 1.45), (354.8, 1.55),
    (360.4, 1.60),
)  # fmt: skip
"""Words a minute of 29 cues of 6 to 17 words (trimmed, pauses counted), and the model's speed.

The model counts each sound in whole frames of 12.5 ms, so the rate climbs in steps."""

_PAUSE_S = 0.42  # between sentences at speed 1; the model itself leaves 0.7 s
_SILENT = 0.001
_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
# Letters that have no accent to drop, and are not in the model's alphabet.
_FOLDED = {
    "Ð": "D",
    "Ħ": "H",
    "ħ": "h",
    "Ĳ": "IJ",
    "ĳ": "ij",
    "ĸ": "k",
    "Ŋ": "Ng",
    "Ŧ": "T",
    "ŧ": "t",
}
_LINK = re.compile(r"(\[[^\]]+\]\([^)]*\))")


def buildDriver(proxy: Any) -> HibariDriver:  # noqa: N802
    return HibariDriver(proxy)


class HibariDriver(WaveDriver):
    """One loaded model. Its voice is `heart` until another that is on this machine is set."""

    def __init__(self, proxy: Any) -> None:
        super().__init__(proxy)
        self._values["voice"] = "heart"
        self._model = load("heart")

    def known_voices(self) -> list[Voice]:
        return [
            Voice(name, name.title(), [facts["language"]], facts["gender"])
            for name, facts in known().items()
            if is_here(name)
        ]

    def use_voice(self, voice_id: str) -> None:
        super().use_voice(voice_id)
        if voice_id != self._values["voice"]:
            self._model = load(voice_id)

    def samples_of(self, text: str) -> bytes:
        speed = speed_of(self._values["rate"])
        sentences = [*self._model.stream(fold(text), speed=speed, seed=SEED)]
        sound = _joined(sentences, round(_PAUSE_S / speed * self.sample_rate))
        if not sound.size:
            raise VoiceError(f"there is nothing to pronounce in {text!r}")
        return (np.clip(sound, -1.0, 1.0) * 32767).astype("<i2").tobytes()


def speed_of(rate: float) -> float:
    """The model's speed whose measured rate is nearest to `rate` words a minute."""
    return min(PACES, key=lambda pace: abs(pace[0] - rate))[1]


def fold(text: str) -> str:
    """`text` with letters that the model's alphabet lacks as their nearest in it.

    Accented letters of Western Europe stay: the model reads `plié` better than `plie`.
    """
    parts = _LINK.split(" ".join(unicodedata.normalize("NFC", text).split()))
    return "".join(part if _LINK.fullmatch(part) else "".join(map(_fold, part)) for part in parts)


def _fold(char: str) -> str:
    if char in _LIGATURES:
        return _LIGATURES[char]
    if char <= "\xff" and char != "Ð":
        return char
    if char in _FOLDED:
        return _FOLDED[char]
    base = unicodedata.normalize("NFKD", char)[0]
    return base if base.isascii() and base.isalpha() else char


def _joined(sentences: list[Floats], pause: int) -> Floats:
    """The sentences with a pause of `pause` samples between what is heard of them."""
    parts: list[Floats] = []
    for sentence in sentences:
        heard = np.flatnonzero(np.abs(sentence) > _SILENT)
        if not heard.size:
            continue
        if parts:
            parts.append(np.zeros(pause, np.float32))
        parts.append(sentence[heard[0] : heard[-1] + 1])
    if len(parts) == 1:
        return sentences[0]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
