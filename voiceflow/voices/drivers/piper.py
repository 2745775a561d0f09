"""pyttsx3 driver for Piper voices, by the package piper-tts. The voice id is the model's path."""

from __future__ import annotations

import os
from typing import Any

from pyttsx3.voice import Voice

from voiceflow.voices.drivers.base import WaveDriver

WORDS_PER_MINUTE = 175.0
"""What Piper's usual English voices speak at a length scale of 1."""

_SCALES = (0.5, 2.0)


def buildDriver(proxy: Any) -> PiperDriver:  # noqa: N802
    return PiperDriver(proxy)


class PiperDriver(WaveDriver):
    """No voice until one is set: Piper brings none of its own."""

    def __init__(self, proxy: Any) -> None:
        super().__init__(proxy)
        self._model: Any = None

    def known_voices(self) -> list[Voice]:
        path = self._values["voice"]
        return [Voice(path, os.path.basename(path))] if path else []  # noqa: PTH119

    def use_voice(self, voice_id: str) -> None:
        self._model = _load(voice_id)
        self.sample_rate = int(self._model.config.sample_rate)

    def samples_of(self, text: str) -> bytes:
        if self._model is None:
            raise ValueError("no Piper voice is set")
        from piper import SynthesisConfig

        low, high = _SCALES
        scale = min(high, max(low, WORDS_PER_MINUTE / self._values["rate"]))
        # Without noise a text sounds the same every time.
        config = SynthesisConfig(length_scale=scale, noise_scale=0.0, noise_w_scale=0.0)
        chunks = self._model.synthesize(text, syn_config=config)
        return b"".join(chunk.audio_int16_bytes for chunk in chunks)


def _load(path: str) -> Any:
    import onnxruntime  # type: ignore[import-untyped]
    from piper import PiperVoice

    usual = onnxruntime.InferenceSession

    def one_thread(*args: Any, **named: Any) -> Any:
        """Workers share the cores by processes; threads within each would only get in their way."""
        options = named.get("sess_options") or onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return usual(*args, **{**named, "sess_options": options})

    onnxruntime.InferenceSession = one_thread
    try:
        return PiperVoice.load(path)
    finally:
        onnxruntime.InferenceSession = usual
