"""Reads the short recordings of a tone set.

A path in, mono samples at 24 kHz out. A recording is checked when its set is loaded, and read
again when a tone is made.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from voiceflow.core.errors import SoundError
from voiceflow.core.units import RATE, samples_to_ms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from voiceflow.sounds.recipe import Sample

LEAST_MS, MOST_MS = 10, 30_000
MAX_BYTES = 64 << 20
# -80 dBFS, three steps of 16 bits: a recording that is only dithered is silent.
_SILENT = 1e-4
_BLOCK = 1 << 16


def inspect(path: Path) -> tuple[str, int]:
    """The digest and the length in milliseconds of the recording at `path`.

    Raises
    ------
    SoundError
        It is missing, damaged, not audio, silent, or not 10 ms to 30 s long.
    """
    from voiceflow.audio.decode import digest

    found = digest(path)
    if path.stat().st_size > MAX_BYTES:
        raise SoundError(
            f"{path.name} is larger than 64 MiB", hint="a recording is at most 30 s long"
        )
    return found, samples_to_ms(len(_read(path)))


def read(sample: Sample) -> NDArray[np.float32]:
    """The recording as mono at 24 kHz.

    Returns
    -------
    np.ndarray [shape=(n,), float32]

    Raises
    ------
    SoundError
        It can no longer be read, or has changed since the set was loaded.
    """
    from voiceflow.audio.decode import digest

    if digest(sample.path) != sample.digest:
        raise SoundError(
            f"{sample.path.name} changed while it was in use", hint="run the command again"
        )
    return _read(sample.path)


def _read(path: Path) -> NDArray[np.float32]:
    import numpy as np

    from voiceflow.audio.decode import opened, read_stereo, resample, resampled_length

    with opened(path) as file:
        # By the header, before anything is decoded; how much is really there is seen further down.
        rate, length_ms = file.samplerate, file.frames * 1000 / file.samplerate
        if not LEAST_MS <= length_ms <= MOST_MS:
            message = f"{path.name} is {length_ms / 1000:.3g} s long"
            raise SoundError(message, hint="use a recording of 10 ms to 30 s")
        blocks = [read_stereo(file, _BLOCK, path).mean(axis=1)]
        while len(blocks[-1]) == _BLOCK:
            blocks.append(read_stereo(file, _BLOCK, path).mean(axis=1))
    mono = np.concatenate(blocks)
    if len(mono) < rate * LEAST_MS // 1000:
        raise SoundError(f"{path.name} is truncated", hint="export the file again")
    if float(np.abs(mono).max()) < _SILENT:
        raise SoundError(
            f"{path.name} is silent",
            hint="use another recording; if it is not silent, its channels cancel each other",
        )
    # The resampler treats its input as a circle: a second of silence keeps the end off the start.
    whole = -(-len(mono) // rate) + 1
    padded = np.zeros((whole * rate, 1), dtype=np.float32)
    padded[: len(mono), 0] = mono
    return resample(padded, whole * RATE)[: resampled_length(len(mono), rate), 0]
