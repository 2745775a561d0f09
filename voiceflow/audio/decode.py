"""Reads audio files of the user: samples of a tone set, music for a bed.

Comes in: any file that libsndfile reads (WAV, FLAC, OGG, MP3, AIFF …). Goes out: stereo samples,
and from `resample` samples at 24 kHz. Files are read in parts of bounded size, and every error of
libsndfile becomes a SoundError.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from voiceflow.audio.foreign import HEAD, nature
from voiceflow.core.errors import SoundError
from voiceflow.core.opening import open_file, why
from voiceflow.core.units import RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

LEAST_RATE, MOST_RATE = 4_000, 192_000
MOST_CHANNELS = 64
_PART = 1 << 16
_HINT = "WAV, FLAC, OGG and MP3 can be played"
# How files begin that are surely no MP3.
_SILENT = frozenset((b"RIFF", b"RIFX", b"RF64", b"FORM", b"fLaC", b"OggS", b"caff", b".snd"))
# What libsndfile says of a file whose format it cannot tell; 7 is what it says of every bad MP3.
_UNKNOWN = frozenset((1, 7, 18))
# Weights to the left of one frame's channels, as WAV and FLAC order them; the right is its mirror
# image. Centre and surrounds at -3 dB, no bass effects (ITU-R BS.775-3, table 2).
_DOWNMIX = {
    4: ((1, 0, 0.7, 0), (0, 1, 0, 0.7)),
    5: ((1, 0, 0.7, 0.7, 0), (0, 1, 0.7, 0, 0.7)),
    6: ((1, 0, 0.7, 0, 0.7, 0), (0, 1, 0.7, 0, 0, 0.7)),
    8: ((1, 0, 0.7, 0, 0.7, 0, 0.7, 0), (0, 1, 0.7, 0, 0, 0.7, 0, 0.7)),
}


def digest(path: Path) -> str:
    """A hex digest of the content of the file at `path`. Raises SoundError."""
    try:
        with open_file(path) as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=20)).hexdigest()
    except FileNotFoundError:
        raise SoundError(f"{named(path)}: there is no such file", hint=_looked(path)) from None
    except (OSError, ValueError) as error:
        raise SoundError(f"{named(path)} cannot be played: {why(error)}") from None


def named(path: Path) -> str:
    """What to call a file in a message: its name, or all of a path that ends without one."""
    return path.name or str(path)


def _looked(path: Path) -> str:
    return f"looked for {path}" if path.name != str(path) else ""


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The file as a `soundfile.SoundFile`, its rate and channels within bounds.

    Raises
    ------
    SoundError
        It is not audio, is broken, has no frames, or a rate or channels out of bounds. Also when
        reading fails inside the `with` block.
    """
    import soundfile

    head = b""
    try:
        with open_file(path) as raw:
            head = raw.read(HEAD)
            raw.seek(0)
            # By a name that ends in .mp3, libsndfile takes any file for an MP3 and searches all
            # of it. What is known to be something else is given to it without its name.
            source = raw.fileno() if nature(head) else str(path)
            with _hushed(head), soundfile.SoundFile(source, closefd=False) as file:
                _check(file, path)
                yield file
    # A SoundError, of `_check` or of the block, is none of these and passes through.
    except soundfile.LibsndfileError as error:
        raise _unplayable(path, head, error.code) from None
    except (OSError, ValueError) as error:
        raise SoundError(f"{named(path)} cannot be played: {why(error)}") from None
    except (RuntimeError, TypeError):
        raise _unplayable(path, head) from None


def _unplayable(path: Path, head: bytes, code: int = 0) -> SoundError:
    """What is wrong with a file that libsndfile refuses: its own words are not for people."""
    if what := nature(head):
        return SoundError(f"{named(path)} cannot be played: it is {what}", hint=_HINT)
    if code in _UNKNOWN:
        message = f"{named(path)} cannot be played: it is damaged, or no sound file"
        return SoundError(message, hint=_HINT)
    return SoundError(f"{named(path)} is damaged", hint="export it again")


_SILENCED = threading.RLock()


@contextmanager
def _hushed(head: bytes) -> Iterator[None]:
    """Keep the terminal free of the notes that libmpg123 writes there about an MP3.

    It writes to the process's own standard error, past Python: that is turned away meanwhile, for
    one thread at a time. Other formats are read by libraries that are silent.
    """
    if head[:4] in _SILENT:
        yield
        return
    with _SILENCED:
        # Closed: there is nothing to hush, and its number may be that of a file by now.
        if sys.__stderr__ is None:
            yield
            return
        kept = os.dup(2)
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            os.close(nowhere)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _check(file: Any, path: Path) -> None:
    if not LEAST_RATE <= file.samplerate <= MOST_RATE:
        hint = f"use one from {LEAST_RATE} to {MOST_RATE} Hz"
        raise SoundError(f"{named(path)} has a sampling rate of {file.samplerate} Hz", hint=hint)
    if file.channels > MOST_CHANNELS:
        raise SoundError(
            f"{named(path)} has {file.channels} channels",
            hint=f"at most {MOST_CHANNELS} can be read",
        )
    if file.frames <= 0:
        raise SoundError(f"{named(path)} holds no sound", hint="export it again")


def read_stereo(file: Any, frames: int, path: Path) -> Floats:
    """The next `frames` frames folded to stereo, fewer at the end of the file.

    Returns
    -------
    np.ndarray [shape=(n, 2), float32]

    Raises
    ------
    SoundError
        The file holds samples that are NaN or infinite.
    """
    parts, left = [], frames
    while left > 0:
        # In parts: a minute of 64 channels would not fit into memory.
        data = file.read(min(left, _PART), dtype="float32", always_2d=True)
        if not np.isfinite(data).all():
            raise SoundError(
                f"{named(path)} has samples that are no numbers", hint="export it again"
            )
        parts.append(fold(data))
        # Fewer frames than asked for are the end, whatever the header promised.
        left = left - len(data) if len(data) == min(left, _PART) else 0
    return np.concatenate(parts) if parts else np.zeros((0, 2), dtype=np.float32)


def fold(frames: Floats) -> Floats:
    """Any number of channels mixed down to two, no louder than the loudest of them.

    Parameters
    ----------
    frames : np.ndarray [shape=(n, channels), float32]

    Returns
    -------
    np.ndarray [shape=(n, 2), float32]
    """
    channels = frames.shape[1]
    if channels <= 2:
        return np.ascontiguousarray(np.broadcast_to(frames, (len(frames), 2)))
    if channels in _DOWNMIX:
        mix = np.array(_DOWNMIX[channels], dtype=np.float32)
    else:
        # No order is known for this many: they are taken as left and right in turn.
        mix = np.ones((2, channels), dtype=np.float32)
        mix[0, 1::2] = mix[1, 0::2] = 0.0
    mix /= mix.sum(axis=1, keepdims=True)
    return np.asarray(np.einsum("nc,ec->ne", frames, mix), dtype=np.float32)


def resample(frames: Floats, length: int) -> Floats:
    """`frames` resampled to `length` samples by way of its spectrum.

    The spectrum is periodic, so the end leaks into the beginning: leave a margin of silence. The
    band is tapered over its last twelfth, so that an edge rings for only about a millisecond.

    Parameters
    ----------
    frames : np.ndarray [shape=(n, channels), float32]

    Returns
    -------
    np.ndarray [shape=(length, channels), float32]
    """
    count = len(frames)
    if count == length:
        return frames
    spectrum = np.fft.rfft(frames, axis=0)[: length // 2 + 1]
    edge = min(count, length) // 2 + 1
    low = round(edge * 0.92)
    taper = 0.5 + 0.5 * np.cos(np.pi * np.arange(edge - low) / (edge - low))
    spectrum[low:edge] *= taper.astype(np.float32)[:, None]
    spectrum[edge:] = 0
    # `irfft` divides by the new length, but the sum was over the old one.
    out = np.fft.irfft(spectrum, length, axis=0) * (length / count)
    return np.asarray(out, dtype=np.float32)


def resampled_length(frames: int, rate: int) -> int:
    """Samples at 24 kHz in `frames` frames at `rate`, rounded up."""
    return -(-frames * RATE // rate)
