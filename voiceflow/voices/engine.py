"""One pyttsx3 engine in a worker: one voice, one rate, one utterance at a time."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

from voiceflow.errors import VoiceError, did_you_mean

_ESPEAK_FASTER = 1.25
"""espeak-ng speaks our cues so much faster than the rate it is set to (measured, 90 to 220)."""

_SYSTEM = ("sapi5", "nsss")


class Engine:
    """An engine that writes WAV files.

    Parameters
    ----------
    driver : str
        A pyttsx3 driver's name, or the full name of a module that is one.
    voice_id : str or None
    rate : int > 0
        Words a minute as they are to be heard.
    timeout_s : float > 0
        For one utterance, where it has a process of its own.

    Raises
    ------
    VoiceError
        The engine cannot be loaded, or has no such voice.
    """

    def __init__(self, driver: str, voice_id: str | None, rate: int, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._errors: list[object] = []
        self._engine = _start(driver)
        self._engine.connect("error", self._remember)
        if driver in _SYSTEM:
            voice_id = _match(self._engine, driver, voice_id)
        if voice_id is not None:
            self._engine.setProperty("voice", voice_id)
        self._engine.setProperty(
            "rate", round(rate / _ESPEAK_FASTER) if driver == "espeak" else rate
        )
        # espeak's own state runs on from text to text, through a restart of the library too: the
        # same text gives other samples after another. Each is spoken by a copy of the process
        # in which nothing was said yet.
        self._apart = driver == "espeak" and hasattr(os, "fork")
        if driver not in _SYSTEM:
            self._engine.runAndWait()  # carries out what was set; a wrong voice shows now
            self._refuse_errors()

    def save(self, text: str, path: Path) -> None:
        """Writes `text` as speech to `path`.

        Raises
        ------
        VoiceError
            The engine said so; whether it wrote what it should is for the reader to see.
        """
        if self._apart:
            self._save_apart(text, path)
            return
        self._errors.clear()
        self._write(text, path)
        self._refuse_errors()

    def _write(self, text: str, path: Path) -> None:
        # An idle engine carries out the loop's end before its start, and some then wait for ever.
        self._engine.proxy.setBusy(True)
        self._engine.save_to_file(text, str(path))
        self._engine.runAndWait()

    def _save_apart(self, text: str, path: Path) -> None:
        child = os.fork()
        if child == 0:
            try:
                # The kernel ends a copy that hangs, whoever of its parents may be gone.
                signal.alarm(max(1, round(self._timeout_s)))
                # pyttsx3 sleeps after each utterance; the file is whole by now.
                self._engine.connect("finished-utterance", lambda **_: os._exit(0))
                self._write(text, path)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        if status:
            raise VoiceError("the voice crashed")

    def _remember(self, exception: object = None, **_: Any) -> None:
        self._errors.append(exception)

    def _refuse_errors(self) -> None:
        if self._errors:
            error = self._errors[0]
            self._errors.clear()
            raise VoiceError(f"the voice failed: {error}") from None


def voices_of(driver: str) -> list[tuple[str, str, str]]:
    """Id, name and language of each voice that `driver` has here."""
    found = []
    for voice in _start(driver).getProperty("voices"):
        languages = [
            one.decode("latin-1") if isinstance(one, bytes) else one for one in voice.languages
        ]
        language = str(languages[0]).strip("\x05 ").replace("_", "-") if languages else ""
        found.append((str(voice.id), str(voice.name), language))
    return found


def _start(driver: str) -> Any:
    """The engine of `driver`, whatever it raises made one error."""
    from voiceflow.voices import install_drivers

    try:
        install_drivers()
        import pyttsx3

        if driver == "espeak":
            from voiceflow.voices import espeak

            espeak.prepare()
        if "." in driver:
            module = importlib.import_module(driver)
            driver = driver.replace(".", "_")
            sys.modules[f"pyttsx3.drivers.{driver}"] = module
        return pyttsx3.init(driver)
    except VoiceError:
        raise
    except Exception as error:  # a driver may raise anything at all
        raise VoiceError(
            f"the voice could not be loaded: {error or type(error).__name__}"
        ) from error


def _match(engine: Any, driver: str, wanted: str | None) -> str | None:
    """The id of the system's voice that `wanted` names: wholly, or as a part of its name."""
    if wanted is None:
        return None
    voices = [(str(voice.id), str(voice.name)) for voice in engine.getProperty("voices")]
    key = wanted.casefold()
    for same in (
        lambda text: text.casefold() == key,
        lambda text: key in text.casefold(),
    ):
        for voice_id, name in voices:
            if same(voice_id) or same(name):
                return voice_id
    hint = did_you_mean(wanted, (name for _, name in voices))
    raise VoiceError(f"{driver} has no voice called {wanted!r}", hint=hint)
