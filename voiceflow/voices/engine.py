"""One pyttsx3 engine in a worker: one voice, one rate, one utterance at a time."""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from io import BufferedRWPair
from pathlib import Path
from typing import Any

from voiceflow.core.errors import VoiceError, did_you_mean
from voiceflow.voices.failures import told

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
        self._errors: list[object] = []
        self._engine = start(driver)
        self._engine.connect("error", self._remember)
        if driver in _SYSTEM:
            voice_id = _match(self._engine, driver, voice_id)
        if voice_id is not None:
            self._engine.setProperty("voice", voice_id)
        self._engine.setProperty(
            "rate", round(rate / _ESPEAK_FASTER) if driver == "espeak" else rate
        )
        if driver not in _SYSTEM:
            self._engine.runAndWait()  # carries out what was set; a wrong voice shows now
            self._refuse_errors()
        self._copies = None
        if driver == "espeak" and hasattr(os, "fork"):
            # Connected before the process is copied, so that each copy ends by it.
            # pyttsx3 sleeps after each utterance; the file is whole by now.
            self._engine.connect("finished-utterance", lambda **_: os._exit(0))
            self._copies = _Copies(self._write, timeout_s)

    def save(self, text: str, path: Path) -> None:
        """Writes `text` as speech to `path`.

        Raises
        ------
        VoiceError
            The engine said so; whether it wrote what it should is for the reader to see.
        """
        if self._copies is not None:
            self._copies.save(text, path)
            return
        self._errors.clear()
        self._write(text, path)
        self._refuse_errors()

    def _write(self, text: str, path: Path) -> None:
        # An idle engine carries out the loop's end before its start, and some then wait for ever.
        self._engine.proxy.setBusy(True)
        self._engine.save_to_file(text, str(path))
        self._engine.runAndWait()

    def _remember(self, exception: object = None, **_: Any) -> None:
        self._errors.append(exception)

    def _refuse_errors(self) -> None:
        if self._errors:
            error = self._errors[0]
            self._errors.clear()
            why, hint = told(error)
            raise VoiceError(f"the voice failed: {why}", hint=hint) from None


class _Copies:
    """A process in which nothing was said yet, copied once more for each text.

    espeak's own state runs on from text to text, through a restart of the library too: the same
    text gives other samples after another. The process is made while this one is small: with
    numpy's arrays in it, a copy costs more than what it says, and every page written to after it.

    Parameters
    ----------
    write : function of a text and a path
        Ends the copy with 0 where all went well.
    timeout_s : float > 0
        For one text.
    """

    def __init__(self, write: Callable[[str, Path], None], timeout_s: float) -> None:
        ours, its = socket.socketpair()
        if os.fork() == 0:
            try:
                ours.close()
                self._copy(its.makefile("rwb"), write, max(1, round(timeout_s)))
            # This is a copy of the worker in the middle of its work: it must never return into it.
            finally:
                os._exit(0)
        its.close()
        self._line = ours.makefile("rwb")

    def save(self, text: str, path: Path) -> None:
        """Writes `text` as speech to `path`. Raises VoiceError where its copy crashed."""
        told = b""
        with suppress(OSError):
            self._line.write(json.dumps([text, str(path)]).encode() + b"\n")
            self._line.flush()
            told = self._line.readline()
        if told != b"0\n":
            raise VoiceError("the voice crashed")

    @staticmethod
    def _copy(line: BufferedRWPair, write: Callable[[str, Path], None], limit_s: int) -> None:
        """Until the other end is closed: a copy for each text, and how it ended."""
        for order in line:
            text, path = json.loads(order)
            child = os.fork()
            if child == 0:
                try:
                    # The kernel ends a copy that hangs, whoever of its parents may be gone.
                    signal.alarm(limit_s)
                    write(text, Path(path))
                # A copy that spoke well has left with 0 by now, when its utterance finished.
                finally:
                    os._exit(1)
            line.write(b"%d\n" % os.waitpid(child, 0)[1])
            line.flush()


def voices_of(driver: str) -> list[tuple[str, str, str]]:
    """Id, name and language of each voice that `driver` has here."""
    found = []
    for voice in start(driver).getProperty("voices"):
        languages = [
            one.decode("latin-1") if isinstance(one, bytes) else one for one in voice.languages
        ]
        language = str(languages[0]).strip("\x05 ").replace("_", "-") if languages else ""
        found.append((str(voice.id), str(voice.name), language))
    return found


def start(driver: str) -> Any:
    """The engine of `driver`, whatever it raises made one error."""
    from voiceflow.voices import install_drivers

    try:
        install_drivers()
        import pyttsx3

        if driver == "espeak":
            from voiceflow.voices import espeak

            # Before `init`, in which pyttsx3 loads the library.
            espeak.prepare()
        if "." in driver:
            # pyttsx3 looks for drivers in its own package only, by a name without dots.
            module = importlib.import_module(driver)
            driver = driver.replace(".", "_")
            sys.modules[f"pyttsx3.drivers.{driver}"] = module
        return pyttsx3.init(driver)
    except VoiceError:
        raise
    except Exception as error:  # a driver may raise anything at all
        why, hint = told(error)
        raise VoiceError(f"the voice could not be loaded: {why}", hint=hint) from error


def _match(engine: Any, driver: str, wanted: str | None) -> str | None:
    """The id of the system's voice that `wanted` names: wholly, or as a part of its name."""
    if wanted is None:
        return None
    voices = [(str(voice.id), str(voice.name)) for voice in engine.getProperty("voices")]
    key = wanted.casefold()
    # Whole names first: one that is also a part of another can still be chosen.
    for same in (
        lambda text: text.casefold() == key,
        lambda text: key in text.casefold(),
    ):
        for voice_id, name in voices:
            if same(voice_id) or same(name):
                return voice_id
    hint = did_you_mean(wanted, (name for _, name in voices))
    raise VoiceError(f"{driver} has no voice called {wanted!r}", hint=hint)
