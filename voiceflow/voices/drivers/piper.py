"""pyttsx3 driver for Piper voices, which the package piper-tts speaks.

In come the path of a model (its voice id), texts and a rate in words a minute; out come samples at
the model's own rate. Voices differ in pace, so each is measured when it is loaded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from pyttsx3.voice import Voice

from voiceflow.core.errors import VoiceError
from voiceflow.voices.drivers.base import WaveDriver
from voiceflow.voices.estimates import estimate

_SAMPLE = "Breathe in slowly, and let your shoulders rest on the floor."
_SAMPLE_RATE = 140
_SCALES = (0.4, 2.5)
_SILENT = 0.02  # of full scale: Piper makes every sentence as loud as can be


def buildDriver(proxy: Any) -> PiperDriver:  # noqa: N802
    return PiperDriver(proxy)


class PiperDriver(WaveDriver):
    """No voice until one is set: Piper brings none of its own."""

    def __init__(self, proxy: Any) -> None:
        super().__init__(proxy)
        self._model: Any = None
        self._usual_rate = 200.0

    def known_voices(self) -> list[Voice]:
        path = self._values["voice"]
        return [Voice(path, Path(path).name)] if path else []

    def use_voice(self, voice_id: str) -> None:
        self._model = _load(voice_id)
        self.sample_rate = int(self._model.config.sample_rate)
        self._usual_rate = self._measured_rate()

    def samples_of(self, text: str) -> bytes:
        if self._model is None:
            raise VoiceError("no Piper voice is set")
        low, high = _SCALES
        return self._scaled(text, min(high, max(low, self._usual_rate / self._values["rate"])))

    def _measured_rate(self) -> float:
        """Words a minute at a length scale of 1. Voices differ by half, so each is measured."""
        sound = np.abs(np.frombuffer(self._scaled(_SAMPLE, 1.0), "<i2"))
        heard = np.flatnonzero(sound > _SILENT * 32768)
        if not heard.size:
            raise VoiceError("the Piper voice gives silence")
        length_ms = (heard[-1] - heard[0]) * 1000 / self.sample_rate
        return float(_SAMPLE_RATE * estimate(_SAMPLE, _SAMPLE_RATE) / length_ms)

    def _scaled(self, text: str, scale: float) -> bytes:
        from piper import SynthesisConfig

        # Without noise a text sounds the same every time.
        config = SynthesisConfig(length_scale=scale, noise_scale=0.0, noise_w_scale=0.0)
        chunks = self._model.synthesize(text, syn_config=config)
        return b"".join(chunk.audio_int16_bytes for chunk in chunks)


def _load(path: str) -> Any:
    """The seam with piper-tts: a voice whose model runs in one thread.

    `PiperVoice.load` takes no options for the model, so this makes the same voice from its parts:
    the dataclass `PiperVoice(session, config)`, `PiperConfig.from_dict` of the JSON file next to
    the model, and an onnxruntime session. Workers share the cores as processes; threads in each
    would only get in their way. Held by tests/voices/test_seams.py.
    """
    import onnxruntime  # type: ignore[import-untyped]
    from piper import PiperConfig, PiperVoice

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        path, sess_options=options, providers=["CPUExecutionProvider"]
    )
    config = json.loads(Path(f"{path}.json").read_text(encoding="utf-8"))
    return PiperVoice(session=session, config=PiperConfig.from_dict(config))
