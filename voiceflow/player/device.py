"""The sound device. Only this module knows miniaudio.

Out: blocks of samples that the device asks for, in its own thread.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from voiceflow.core.errors import InputError, SoundError
from voiceflow.core.units import RATE

_BUFFER_MS = 100
_HINT = "check that other programs can play sound; `voiceflow render` needs no device"


class Device:
    """A device that calls a function for the next frames.

    Parameters
    ----------
    channels : {1, 2}
    audio : str
        ``null`` plays silently, in real time; anything else is the system's device.

    Raises
    ------
    InputError
        miniaudio is not installed.
    SoundError
        There is no sound device.
    """

    def __init__(self, channels: int, audio: str = "") -> None:
        try:
            import miniaudio
        except ImportError:
            hint = "run pip install miniaudio, or install voiceflow with the extra `play`"
            raise InputError("`play` needs miniaudio, which is not installed", hint=hint) from None
        null = miniaudio.Backend.NULL
        # miniaudio falls back to a silent device: the user must be told that there is none instead.
        backends = [null] if audio == "null" else [one for one in miniaudio.Backend if one != null]
        self._failure = miniaudio.MiniaudioError
        try:
            with _hushed():
                self._device: Any = miniaudio.PlaybackDevice(
                    nchannels=channels,
                    sample_rate=RATE,
                    buffersize_msec=_BUFFER_MS,
                    backends=backends,
                    app_name="voiceflow",
                )
        except self._failure:
            raise SoundError("there is no sound device", hint=_HINT) from None

    def start(self, read: Callable[[int], bytes]) -> None:
        """Start to call `read` with a number of frames. Raises SoundError."""
        flow = _flow(read)
        # miniaudio sends it numbers of frames: a generator takes them once it waits at a yield.
        next(flow)
        try:
            self._device.start(flow)
        except self._failure:
            raise SoundError("the sound device could not be started", hint=_HINT) from None

    def close(self) -> None:
        with suppress(Exception):
            self._device.close()


def _flow(read: Callable[[int], bytes]) -> Generator[bytes, int, None]:
    data = b""
    while True:
        data = read((yield data))


@contextmanager
def _hushed() -> Iterator[None]:
    """Silence standard error: ALSA prints a line for every device that it does not find.

    It prints from C, so the file descriptor itself must be redirected.
    """
    try:
        number = sys.stderr.fileno()
        kept = os.dup(number)
    except (OSError, ValueError, AttributeError):
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        sys.stderr.flush()
        os.dup2(nowhere, number)
        yield
    finally:
        os.dup2(kept, number)
        os.close(nowhere)
        os.close(kept)
