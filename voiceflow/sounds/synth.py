"""Synthesis: a recipe and a length in, samples out, always the same.

Every sample depends on its index or on noise seeded by the recipe. Long tones are made in chunks,
which bounds the memory and changes no sample.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from voiceflow.audio.loudness import loudness
from voiceflow.core.units import RATE
from voiceflow.sounds.recipe import HIGHEST, Course, Layer, Noise, Notes, Partials, Sample, Tone
from voiceflow.sounds.sample import read

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


_CHUNK = 1 << 13
_EDGE = RATE * 4 // 1000
_PEAK = 0.7
_LEAST = RATE * 4 // 10
_WINDOW, _HOP = 1024, 512
_TAU = np.float32(2 * np.pi)


def render(tone: Tone, length: int) -> Floats:
    """`tone` as one channel; copied to two channels it has the loudness of the recipe.

    Parameters
    ----------
    tone : Tone
    length : int > 0
        Samples at 24 kHz.

    Returns
    -------
    np.ndarray [shape=(length,), float32]
        The first and the last sample are exactly 0.

    Raises
    ------
    SoundError
        A recording can no longer be read.
    """
    mixed = np.zeros(length, dtype=np.float32)
    for index, layer in enumerate(tone.layers):
        sound = _sound(layer, length, _seed(layer, index))
        _shape(sound, layer)
        # Layers get equal power; loudness, as the ear hears it, is measured only for the sum.
        power = float(np.square(sound).mean())
        mixed += sound * np.float32(10 ** (layer.gain / 20) / np.sqrt(max(power, 1e-12)))
    # Before levelling, so that what is measured is what is heard.
    _edges(mixed)
    return _levelled(mixed, tone.level)


def _levelled(sound: Floats, lufs: float) -> Floats:
    """`sound` brought to `lufs` in both ears, in place, or as near to it as the peak allows."""
    peak = float(np.abs(sound).max())
    if peak:
        # With a peak of 1, the absolute gate of the measurement cannot take it for silence.
        sound /= np.float32(peak)
        # A short signal is measured with silence up to one block: to the ear it is softer than a
        # long sound of its power.
        measured = loudness(np.pad(sound, (0, max(0, _LEAST - len(sound)))))
        sound *= np.float32(min(10 ** ((lufs - measured) / 20), _PEAK))
    return sound


def _seed(layer: Layer, index: int) -> int:
    """A seed from the recipe of a layer, so that equal recipes make equal noise."""
    content = f"{index} {layer!r}".encode()
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big")


def _sound(layer: Layer, length: int, seed: int) -> Floats:
    match layer.sound:
        case Partials() as sound:
            return _partials(sound, length)
        case Noise() as sound:
            return _noise(sound, length, seed)
        case Notes() as sound:
            return _notes(sound, length)
        case Sample() as sound:
            return _sample(sound, length)


def _chunks(length: int) -> Iterator[slice]:
    for start in range(0, length, _CHUNK):
        yield slice(start, min(start + _CHUNK, length))


def _along(course: Course, place: NDArray[np.float64]) -> NDArray[np.float64]:
    return course.start + (course.end - course.start) * place


def _partials(sound: Partials, length: int) -> Floats:
    out = np.zeros(length, dtype=np.float32)
    highest = max(sound.pitch.start, sound.pitch.end)
    # By the highest pitch of the glide: a partial is there all the time or not at all.
    kept = [(k, r) for k, r in enumerate(sound.ratios) if r * highest < HIGHEST]
    for part in _chunks(length):
        index = np.arange(part.start, part.stop, dtype=np.float64)
        cycles = _cycles(sound.pitch, index, length)
        bright = np.log(_along(sound.bright, index / length)).astype(np.float32)
        for k, ratio in kept:
            voice = _voice(cycles * ratio, index, sound.beat, k)
            weight = np.float32(sound.weights[k])
            out[part] += voice * (weight * np.exp(bright * np.float32(k)) if k else weight)
    return out


def _voice(cycles: NDArray[np.float64], index: NDArray[np.float64], beat: float, k: int) -> Floats:
    """The k-th partial, with a twin that beats against it."""
    # Whole cycles go while it is still double precision: single has too few digits for a long tone.
    phase = (cycles - np.floor(cycles)).astype(np.float32)
    voice: Floats = np.sin(phase * _TAU)
    if beat:
        # Higher partials beat faster, in no whole ratio, so that the beats never coincide.
        phase += (index * (beat * (1 + 0.37 * k) / RATE)).astype(np.float32)
        voice += np.float32(0.4) * np.sin(phase * _TAU)
    return voice


def _cycles(pitch: Course, index: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """The number of cycles up to each sample: the integral of a pitch that glides evenly."""
    if pitch.level:
        return index * (pitch.start / RATE)
    steps = np.log(pitch.end / pitch.start)
    swept = np.expm1(index * (steps / length))
    return np.asarray(swept * (pitch.start * length / RATE / steps))


def _noise(sound: Noise, length: int, seed: int) -> Floats:
    """Noise from frames of random phase, filtered by the band, overlapped at constant power."""
    count = -(-length // _HOP) + 1
    out = np.zeros((count + 1) * _HOP, dtype=np.float32)
    random = np.random.Generator(np.random.PCG64(seed))
    bins = np.fft.rfftfreq(_WINDOW, 1 / RATE)
    # Frames of random phase add by power, and the squares of two half-overlapping sines make one.
    window = np.sin(np.pi * (np.arange(_WINDOW) + 0.5) / _WINDOW).astype(np.float32)
    for first in range(0, count, 128):
        frames = np.arange(first, min(first + 128, count))
        place = np.clip((frames - 0.5) / max(count - 2, 1), 0.0, 1.0)
        # Drawn frame by frame, so that the size of the groups changes no sample.
        phase = random.random((len(frames), len(bins)), dtype=np.float32) * _TAU
        shape = _band(_along(sound.low, place), _along(sound.high, place), bins)
        spectrum = shape * (np.cos(phase) + 1j * np.sin(phase))
        waves = np.fft.irfft(spectrum, _WINDOW, axis=1).astype(np.float32) * window
        halves = out[first * _HOP : (first + len(frames) + 1) * _HOP].reshape(-1, _HOP)
        halves[:-1] += waves[:, :_HOP]
        halves[1:] += waves[:, _HOP:]
    # The first half frame has nothing to overlap with: it is softer, and left out.
    return out[_HOP : _HOP + length]


def _band(
    low: NDArray[np.float64], high: NDArray[np.float64], bins: NDArray[np.floating[Any]]
) -> NDArray[np.float32]:
    """Amplitudes [shape=(frames, bins)]: pink between the edges, falling 24 dB/octave outside."""
    hertz = np.maximum(bins, 10.0).astype(np.float32)[None, :]
    below = np.square(np.square(low.astype(np.float32)[:, None] / hertz)) + 1
    above = np.square(np.square(hertz / high.astype(np.float32)[:, None])) + 1
    return np.asarray(1 / (below * above * np.sqrt(hertz)), dtype=np.float32)


def _notes(sound: Notes, length: int) -> Floats:
    out = np.zeros(length, dtype=np.float32)
    rung: dict[float, Floats] = {}
    for start, pitch in _strokes(sound, length):
        if pitch not in rung:
            rung[pitch] = _note(sound, pitch, length)
        wave = rung[pitch][: length - start]
        out[start : start + len(wave)] += wave
    return out


def _strokes(sound: Notes, length: int) -> Iterator[tuple[int, float]]:
    """The start (samples) and pitch of each note; notes that start after the end are left out."""
    pitches = sound.pitches
    if not sound.fill:
        starts = (round(k * sound.every * RATE) for k in range(len(pitches)))
        yield from ((at, pitch) for at, pitch in zip(starts, pitches, strict=True) if at < length)
        return
    # At least two, so that even in a short breath the notes rise or fall.
    count = max(round(length / RATE / sound.fill), 1 if len(set(pitches)) == 1 else 2)
    last = len(pitches) - 1
    for k in range(count):
        # The pitch nearest to k * last / (count - 1), halves up; `round` would send them to even.
        yield k * length // count, pitches[(2 * k * last + count - 1) // (2 * max(count - 1, 1))]


def _note(sound: Notes, pitch: float, most: int) -> Floats:
    length = min(round(sound.ring * RATE), most)
    index = np.arange(length, dtype=np.float64)
    cycles = index * (pitch / RATE)
    seconds = (index / RATE).astype(np.float32)
    out = np.zeros(length, dtype=np.float32)
    for k, (ratio, weight) in enumerate(zip(sound.ratios, sound.weights, strict=True)):
        if ratio * pitch >= HIGHEST or not weight:
            continue
        ring = sound.ring / max(ratio, 1.0) ** 0.6
        heard = slice(0, round(ring * 1.34 * RATE))  # down to -80 dB, where the cut is inaudible
        voice = _voice(cycles[heard] * ratio, index[heard], sound.beat, k)
        # exp(-6.9) is 60 dB down, which is what `ring` promises.
        out[heard] += voice * np.exp(seconds[heard] * np.float32(-6.9 / ring)) * np.float32(weight)
    return _faded(out, round(sound.onset * RATE), length // 8)


def _sample(sound: Sample, length: int) -> Floats:
    wave = read(sound)
    out = np.zeros(length, dtype=np.float32)
    if not sound.loop or len(wave) >= length:
        wave = _faded(wave[:length].copy(), _EDGE, _EDGE)
        out[: len(wave)] = wave
        return out
    # Fades in and out are raised cosines, which add up to an even level where two laps overlap.
    cross = len(wave) // 4
    wave = _faded(wave.copy(), cross, cross)
    for start in range(0, length, len(wave) - cross):
        part = wave[: length - start]
        out[start : start + len(part)] += part
    return out


def _shape(sound: Floats, layer: Layer) -> None:
    """Apply the layer's attack, release, swell and tremolo to `sound`, in place."""
    length = len(sound)
    for part in _chunks(length):
        index = np.arange(part.start, part.stop, dtype=np.float64)
        if not layer.swell.level:
            decibels = _along(layer.swell, index / length).astype(np.float32)
            sound[part] *= np.exp(decibels * np.float32(np.log(10) / 20))
        if layer.pulse:
            turns = (index * (layer.pulse / RATE)).astype(np.float32)
            sound[part] *= 1 - np.float32(layer.depth / 2) * (1 - np.cos(turns * _TAU))
    attack, release = layer.attack.samples(length, RATE), layer.release.samples(length, RATE)
    if attack + release > length:
        attack = length * attack // (attack + release)
        release = length - attack
    _faded(sound, attack, release)


def _edges(sound: Floats) -> None:
    """Prevent clicks: fade 4 ms at both ends, from and to exactly 0."""
    edge = min(_EDGE, len(sound) // 4)
    _faded(sound, edge, edge)
    sound[0] = sound[-1] = 0.0


def _faded(sound: Floats, attack: int, release: int) -> Floats:
    """`sound` faded in and out along a raised cosine, in place."""
    if attack := min(attack, len(sound)):
        sound[:attack] *= _rise(attack)
    if release := min(release, len(sound)):
        sound[-release:] *= _rise(release)[::-1]
    return sound


def _rise(length: int) -> Floats:
    turn = np.arange(length, dtype=np.float32) * np.float32(np.pi / length)
    return np.asarray(np.float32(0.5) - np.float32(0.5) * np.cos(turn))
