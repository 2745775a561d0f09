"""The families of voices beside espeak's: what each needs, and which voice a name means."""

from __future__ import annotations

import os
import sys
from hashlib import blake2b
from pathlib import Path
from typing import Any

from voiceflow.core.errors import UnknownNameError, VoiceError
from voiceflow.core.opening import why
from voiceflow.core.packages import version_of
from voiceflow.core.places import expanded
from voiceflow.voices.voice import Voice, VoiceInfo

_HIBARI_DRIVER = "driver-2"  # raise it when the drivers' own work changes the samples
_PIPER_DRIVER = "driver-1"
_SAMPLES, _SAMPLE_BYTES = 16, 1 << 16


class Natural:
    """The family ``natural``: one voice, by hibari-tts; its model is in the wheel."""

    _about = "warm and clear, American English; made on this machine"

    def find(self, rest: str) -> Voice:
        if rest not in ("", "heart"):
            raise UnknownNameError("voice", f"natural:{rest}", ("natural",))
        hibari, runtime = self._versions()
        if not (hibari and runtime):
            hint = "pip install hibari-tts onnxruntime"
            raise VoiceError(f"the voice 'natural' does not work here: {self._why()}", hint=hint)
        # numpy's Fourier transforms make the sound, so its version belongs to the samples.
        numpy = version_of("numpy", "numpy")
        version = f"hibari-tts {hibari}, onnxruntime {runtime}, numpy {numpy}, {_HIBARI_DRIVER}"
        return Voice("natural", "hibari", "heart", version, "en", ipa=True)

    def available(self) -> tuple[VoiceInfo, ...]:
        return (VoiceInfo("natural", "en", self._about, not self._why(), self._why()),)

    def _versions(self) -> tuple[str | None, str | None]:
        return version_of("hibari", "hibari-tts"), version_of("onnxruntime", "onnxruntime")

    def _why(self) -> str:
        names = zip(("hibari-tts", "onnxruntime"), self._versions(), strict=True)
        missing = [name for name, version in names if not version]
        return f"the package {' and '.join(missing)} is not installed" if missing else ""


class Piper:
    """The family ``piper``: a Piper voice of the user's own, a model and its configuration."""

    _extra = "pip install piper-tts, which is the extra `piper`"

    def find(self, rest: str) -> Voice:
        if not rest:
            raise VoiceError("`piper` needs the path of a voice", hint="piper:/path/to/voice.onnx")
        model = Path(os.path.realpath(expanded(rest)))
        config = _piper_config(model)
        version = version_of("piper", "piper-tts")
        if version is None:
            raise VoiceError("Piper voices need the package piper-tts", hint=self._extra)
        runtime = version_of("onnxruntime", "onnxruntime")
        engine = f"piper-tts {version}, onnxruntime {runtime}, {_PIPER_DRIVER}"
        content = (
            f"model {_fingerprint(model)} {_fingerprint(model.with_name(model.name + '.json'))}"
        )
        language = _piper_language(config)
        return Voice(
            f"piper:{model}", "piper", str(model), f"{engine}, {content}", language, ipa=True
        )

    def available(self) -> tuple[VoiceInfo, ...]:
        works = version_of("piper", "piper-tts") is not None
        why = "" if works else f"the package piper-tts is not installed: {self._extra}"
        about = "a Piper voice of your own: a .onnx file with its .onnx.json beside it"
        return (VoiceInfo("piper:PATH", "any", about, works, why),)


class System:
    """Voices that the system brings: ``sapi5`` of Windows, ``nsss`` of macOS."""

    def __init__(self, driver: str, platform: str, system: str) -> None:
        self.driver, self.platform, self.system = driver, platform, system

    def find(self, rest: str) -> Voice:
        if sys.platform != self.platform:
            hint = "`natural` works everywhere; see `voiceflow list voices`"
            raise VoiceError(f"{self.driver} voices are there on {self.system} only", hint=hint)
        name = f"{self.driver}:{rest}" if rest else self.driver
        version = f"{_system_version()}, pyttsx3 {version_of('pyttsx3', 'pyttsx3')}"
        return Voice(name, self.driver, rest or None, version, "en")

    def available(self) -> tuple[VoiceInfo, ...]:
        works = sys.platform == self.platform
        why = "" if works else f"{self.system} only"
        about = f"the voices of {self.system}; {self.driver}:NAME is one of them"
        family = VoiceInfo(self.driver, "en", about, works, why)
        return (family, *self._named()) if works else (family,)

    def _named(self) -> tuple[VoiceInfo, ...]:
        from voiceflow.voices.pool import list_voices

        return tuple(
            VoiceInfo(f"{self.driver}:{name}", language, voice_id, True)
            for voice_id, name, language in list_voices(self.driver)
        )


class Silent:
    """The family ``silent``: no sound, lengths as speech would have them."""

    def find(self, rest: str) -> Voice:
        if rest:
            raise UnknownNameError("voice", f"silent:{rest}", ("silent",))
        return Voice("silent", "silent", None, "estimate-1", "en")

    def available(self) -> tuple[VoiceInfo, ...]:
        return (
            VoiceInfo("silent", "any", "no speech, only its time: for trying and checking", True),
        )


class Faulty:
    """The family ``faulty``: voices that fail in every way a voice can, to test what follows.

    ``faulty:hum`` is well; the others are named by their fault. ``faulty:once:PATH`` crashes
    until `PATH` exists, and makes it.
    """

    def find(self, rest: str) -> Voice:
        fault = rest.partition(":")[0]
        if fault not in FAULTS:
            raise UnknownNameError("voice", f"faulty:{rest}", (f"faulty:{one}" for one in FAULTS))
        return Voice(f"faulty:{rest}", "faulty", rest, "1", "en")

    def available(self) -> tuple[VoiceInfo, ...]:
        return tuple(
            VoiceInfo(f"faulty:{name}", "en", about, True) for name, about in FAULTS.items()
        )


FAULTS = {
    "hum": "hums as long as speech would take: a quick voice for tests",
    "hang": "never ends",
    "crash": "ends its process",
    "error": "raises an error",
    "empty": "writes no file",
    "nothing": "writes a file with no samples",
    "noise": "writes a file that is no sound",
    "silence": "writes silence",
    "short": "says a fraction of its words",
    "long": "says far too much",
    "load": "cannot be loaded",
    "once": "crashes the first time only",
}

natural = Natural()
piper = Piper()
sapi5 = System("sapi5", "win32", "Windows")
nsss = System("nsss", "darwin", "macOS")
silent = Silent()
faulty = Faulty()


def _piper_config(model: Path) -> dict[str, Any]:
    if not model.is_file():
        raise VoiceError(f"there is no Piper voice {model}", hint="piper:/path/to/voice.onnx")
    # Not `with_suffix`, which would take the .onnx away.
    path = model.with_name(model.name + ".json")
    if not path.is_file():
        hint = "a Piper voice is two files, NAME.onnx and NAME.onnx.json"
        raise VoiceError(f"the Piper voice {model} lacks its {path.name}", hint=hint)
    import json

    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise VoiceError(f"{path} cannot be read: {why(error)}") from error
    except ValueError as error:
        raise VoiceError(f"{path} is not the configuration of a Piper voice") from error
    if not isinstance(config, dict) or not isinstance(config.get("audio"), dict):
        raise VoiceError(f"{path} is not the configuration of a Piper voice")
    return config


def _piper_language(config: dict[str, Any]) -> str:
    for part, key in (("language", "code"), ("espeak", "voice")):
        value = config.get(part)
        if isinstance(value, dict) and isinstance(value.get(key), str):
            return str(value[key]).replace("_", "-").casefold()
    return "en"


def _fingerprint(path: Path) -> str:
    """Of a file's size and of pieces all through it: models are too large to read for a name."""
    size = path.stat().st_size
    digest = blake2b(str(size).encode(), digest_size=8)
    with path.open("rb") as file:
        for number in range(_SAMPLES):
            # One less than the pieces, so that the last one ends where the file does.
            file.seek(max(0, size - _SAMPLE_BYTES) * number // (_SAMPLES - 1))
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def _system_version() -> str:
    if sys.platform == "win32":
        return f"Windows build {sys.getwindowsversion().build}"
    return " ".join(os.uname()[:3:2])
