"""Reads audio files of the user: samples of a tone set, music for a bed.

Comes in: any file that libsndfile reads (WAV, FLAC, OGG, MP3, AIFF …). Goes out: stereo samples,
and from `resample` samples at 24 kHz. Files are read in parts of bounded size, and every error of
libsndfile becomes a SoundError.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from voiceflow.core.errors import SoundError
from voiceflow.core.units import RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

LEAST_RATE, MOST_RATE = 4_000, 192_000
MOST_CHANNELS = 64
_PART = 1 << 16
_HINT = "WAV, FLAC, OGG and MP3 can be read"
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
        if not path.exists():
            raise SoundError(f"{path.name}: there is no such file", hint=f"looked for {path}")
        if not path.is_file():
            raise SoundError(f"{path.name} is not a file")
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=20)).hexdigest()
    except OSError as error:
        raise SoundError(f"{path.name} cannot be read: {error.strerror}") from None


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

    try:
        with soundfile.SoundFile(path) as file:
            _check(file, path)
            yield file
    # A SoundError, of `_check` or of the block, is none of these and passes through.
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        reason = (
            getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
        )
        message = f"{path.name} cannot be read as audio: {str(reason).rstrip('.')}"
        raise SoundError(message, hint=_HINT) from None


def _check(file: Any, path: Path) -> None:
    if not LEAST_RATE <= file.samplerate <= MOST_RATE:
        hint = f"use one from {LEAST_RATE} to {MOST_RATE} Hz"
        raise SoundError(f"{path.name} has a sampling rate of {file.samplerate} Hz", hint=hint)
    if file.channels > MOST_CHANNELS:
        raise SoundError(
            f"{path.name} has {file.channels} channels", hint=f"at most {MOST_CHANNELS} can be read"
        )
    if file.frames <= 0:
        raise SoundError(f"{path.name} holds no sound", hint="export it again")


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
            raise SoundError(f"{path.name} has samples that are no numbers", hint="export it again")
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
