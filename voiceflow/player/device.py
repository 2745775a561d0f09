"""The sound device: miniaudio, at one seam."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from voiceflow.core.errors import InputError, SoundError
from voiceflow.core.units import RATE

_BUFFER_MS = 100
_HINT = "is one plugged in, and does other sound play? `voiceflow render` needs none"


class Device:
    """A device that asks `read` for so many frames at a time.

    Parameters
    ----------
    channels : {1, 2}
    audio : str
        ``null`` plays to nobody, in real time; anything else is the system's own device.

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
            hint = "pip install miniaudio, which is the extra `play`"
            raise InputError("`play` needs miniaudio, which is not here", hint=hint) from None
        null = miniaudio.Backend.NULL
        # miniaudio's own last resort is the device that plays to nobody: to be told of, not taken.
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
        """Begin to ask. Raises SoundError."""
        flow = _flow(read)
        next(flow)
        try:
            self._device.start(flow)
        except self._failure:
            raise SoundError("the sound device does not start", hint=_HINT) from None

    def close(self) -> None:
        with suppress(Exception):
            self._device.close()


def _flow(read: Callable[[int], bytes]) -> Generator[bytes, int, None]:
    data = b""
    while True:
        data = read((yield data))


@contextmanager
def _hushed() -> Iterator[None]:
    """ALSA tells of every device that it does not find, on the standard error of the process."""
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
