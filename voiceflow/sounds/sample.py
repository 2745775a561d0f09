"""A short recording in a tone set: checked when the set is loaded, read when it is sounded."""

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
_SILENT = 1e-4
_BLOCK = 1 << 16


def inspect(path: Path) -> tuple[str, int]:
    """The digest and the length in milliseconds of the recording at `path`.

    Raises
    ------
    SoundError
        It is missing, broken, not audio, silent, or not 10 ms to 30 s long.
    """
    from voiceflow.audio.decode import digest

    found = digest(path)
    if path.stat().st_size > MAX_BYTES:
        raise SoundError(f"{path.name} is larger than 64 MiB", hint="10 ms to 30 s are enough")
    return found, samples_to_ms(len(_read(path)))


def read(sample: Sample) -> NDArray[np.float32]:
    """The recording as mono at 24 kHz.

    Returns
    -------
    np.ndarray [shape=(n,), float32]

    Raises
    ------
    SoundError
        It cannot be read any more, or is another than when the set was loaded.
    """
    from voiceflow.audio.decode import digest

    if digest(sample.path) != sample.digest:
        raise SoundError(f"{sample.path.name} changed while it was in use", hint="start again")
    return _read(sample.path)


def _read(path: Path) -> NDArray[np.float32]:
    import numpy as np

    from voiceflow.audio.decode import opened, read_stereo, resample, resampled_length

    with opened(path) as file:
        rate, length_ms = file.samplerate, file.frames * 1000 / file.samplerate
        if not LEAST_MS <= length_ms <= MOST_MS:
            message = f"{path.name} is {length_ms / 1000:.3g} s long"
            raise SoundError(message, hint="a sample is 10 ms to 30 s long")
        blocks = [read_stereo(file, _BLOCK, path).mean(axis=1)]
        while len(blocks[-1]) == _BLOCK:
            blocks.append(read_stereo(file, _BLOCK, path).mean(axis=1))
    mono = np.concatenate(blocks)
    if len(mono) < rate * LEAST_MS // 1000:
        raise SoundError(f"{path.name} breaks off", hint="export it again")
    if float(np.abs(mono).max()) < _SILENT:
        raise SoundError(f"{path.name} is silent", hint="or its channels cancel each other")
    # A second of silence at the end keeps the resampler's circle open.
    whole = -(-len(mono) // rate) + 1
    padded = np.zeros((whole * rate, 1), dtype=np.float32)
    padded[: len(mono), 0] = mono
    return resample(padded, whole * RATE)[: resampled_length(len(mono), rate), 0]
