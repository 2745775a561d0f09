"""One channel for both ears: every decoder hears the same in each, as loud, at the same sample."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from voiceflow.core.units import FRAME, RATE
from voiceflow.formats import mp3
from voiceflow.formats.both_ears import in_both_ears

Samples = NDArray[np.float64]
HEAD = bytes.fromhex("fff3a464")


def libsndfile(data: bytes) -> Samples:
    """Its decoder is mpg123."""
    samples, rate = soundfile.read(io.BytesIO(data), dtype="float64", always_2d=True)
    assert rate == RATE
    return samples


def miniaudio_(data: bytes) -> Samples:
    """Its decoder is dr_mp3."""
    miniaudio = pytest.importorskip("miniaudio", reason="the extra `play` is not installed")
    found = miniaudio.mp3_get_info(data)
    assert found.sample_rate == RATE
    made = miniaudio.decode(data, miniaudio.SampleFormat.FLOAT32, found.nchannels, RATE)
    return np.array(made.samples, float).reshape(-1, made.nchannels)


def ffmpeg(data: bytes, codec: str) -> Samples:
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("no FFmpeg here")
    command = [program, "-v", "error", "-f", "mp3", "-c:a", codec, "-i", "-", "-f", "f64le", "-"]
    done = subprocess.run(command, input=data, capture_output=True, check=True)
    assert not done.stderr
    return np.frombuffer(done.stdout, "<f8").reshape(-1, 1 + (data[3] >> 6 != 3))


def ffmpeg_float(data: bytes) -> Samples:
    return ffmpeg(data, "mp3float")


def ffmpeg_fixed(data: bytes) -> Samples:
    """Whole numbers all through, as small devices decode."""
    return ffmpeg(data, "mp3")


DECODERS = [libsndfile, miniaudio_, ffmpeg_float, ffmpeg_fixed]
decoders = pytest.mark.parametrize("decoder", DECODERS, ids=lambda one: one.__name__)


def sound(seed: int, frames: int = 60, level: float = 0.3) -> bytes:
    """Clicks, tones and noise by turns, silent at both ends: windows of all kinds."""
    chance = np.random.default_rng(seed)
    count = FRAME * frames
    time_s = np.arange(count) / RATE
    x = np.sin(2 * np.pi * chance.uniform(80, 9_000) * time_s) * (np.sin(9 * time_s) > 0)
    x += chance.normal(0, 0.3, count) * (np.sin(23 * time_s + 1) > 0.3)
    x[chance.integers(0, count, 20)] += 2
    x *= level / np.abs(x).max()
    x[: 2 * FRAME], x[-FRAME:] = 0, 0
    return np.rint(x * 32767).astype("<i2").tobytes()


def alone(pcm: bytes) -> bytes:
    """The frames of the one channel, as they were before."""
    return mp3._frames(pcm, 1, 80)


@decoders
@pytest.mark.parametrize("seed", range(4))
def test_both_ears_hear_the_one_channel(decoder: Callable[[bytes], Samples], seed: int) -> None:
    pcm = sound(seed)
    heard, one = decoder(mp3.encode(pcm, 2, 1)), decoder(alone(pcm))
    assert heard.shape == (len(pcm) // 2, 2)
    # Whole numbers are rounded after left and right were made.
    slack = 2e-4 if decoder is ffmpeg_fixed else 2e-6
    assert np.abs(heard[:, 0] - heard[:, 1]).max() <= (slack if decoder is ffmpeg_fixed else 0)
    assert np.abs(heard - one).max() <= slack
    assert np.abs(heard).max() > 0.1


@pytest.mark.parametrize("level", [0.9, 0.3, 0.01])
def test_it_is_as_loud_and_as_clear_as_the_same_in_stereo(level: float) -> None:
    pcm = sound(5, 200, level)
    twice = np.repeat(np.frombuffer(pcm, "<i2"), 2).tobytes()
    wrapped, stereo = (libsndfile(mp3.encode(pcm, 2, 1)), libsndfile(mp3.encode(twice, 2)))
    assert len(wrapped) == len(stereo)
    power = [float((one**2).sum()) for one in (wrapped, stereo)]
    assert 10 * np.log10(power[0] / power[1]) == pytest.approx(0, abs=0.1)
    meant = np.frombuffer(pcm, "<i2")[:, None] / 32768
    noise = [float(((one - meant) ** 2).sum()) for one in (wrapped, stereo)]
    assert 10 * np.log10(noise[0] / noise[1]) < 1


@decoders
def test_pieces_of_either_kind_follow_one_another(decoder: Callable[[bytes], Samples]) -> None:
    """Each begins in itself, whatever was before it."""
    splice = mp3.Splice(2)
    leaning = np.stack([np.frombuffer(sound(7), "<i2"), np.frombuffer(sound(8), "<i2")], 1)
    made = [splice.piece(sound(1), 1), splice.piece(leaning.tobytes()), splice.piece(sound(2), 1)]
    starts = (0, 64 * 24, 140 * 24)
    heard = decoder(b"".join(splice.join(zip(starts, made, strict=True), 240 * 24)))
    assert len(heard) == 240 * FRAME
    for start, frames in zip(starts, made, strict=True):
        at = start * 24
        assert np.abs(heard[at : at + 60 * FRAME] - decoder(frames)).max() <= 1e-4


@given(st.integers(0, 1 << 30), st.integers(4, 40), st.floats(1e-4, 0.95))
def test_any_sound_has_room(seed: int, frames: int, level: float) -> None:
    pcm = sound(seed, frames, level)
    data = mp3.encode(pcm, 2, 1)
    assert len(data) == frames * mp3.frame_bytes(2)
    assert {data[at : at + 4] for at in range(0, len(data), mp3.frame_bytes(2))} == {HEAD}
    assert data[4] == 0
    assert np.abs(libsndfile(data)[:, :1] - libsndfile(alone(pcm))).max() <= 2e-6


def test_silence_stays_silence() -> None:
    assert not libsndfile(mp3.encode(bytes(2 * FRAME * 9), 2, 1)).any()


def test_what_cannot_be_rewritten_is_refused() -> None:
    frames = alone(sound(3))
    assert in_both_ears(b"", 240, HEAD, 288) == b""
    with pytest.raises(ValueError, match="no room"):
        in_both_ears(frames, 240, HEAD, 240)
    loud = bytearray(frames)
    at = 5 * 240 + 4 + 9 - 8
    channel = int.from_bytes(loud[at : at + 8], "big") | 0xFF << 34
    loud[at : at + 8] = channel.to_bytes(8, "big")
    with pytest.raises(ValueError, match="gain"):
        in_both_ears(bytes(loud), 240, HEAD, 288)
