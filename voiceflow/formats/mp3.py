"""Encodes pieces one by one and joins their MP3 frames, byte by byte, into one stream.

MPEG-2 layer III at 24 kHz holds 576 samples a frame: 24 ms, the grid of the score. At a constant
bit rate every frame has the same number of bytes, so the length of the stream and the place of
every chapter are known before anything is encoded.

A fresh encoder has an empty bit reservoir: its frames depend on nothing before them. Encoder and
decoder together delay by 1,105 samples (576 in LAME, 529 in any layer III decoder). So many
samples of the silence at a piece's head are left out, and every event decodes where the score
has it. Between pieces one silent frame is repeated.

The stream has no Xing or Info header; tests decided that. With a header, mpg123 skips the first
529 samples and FFmpeg skips none, or 529 too if LAME's extension is there: every event would sound
22 ms early in some players. FFmpeg and mutagen find the same duration either way, to the
millisecond, and seeking by a header's table of 100 places is less exact than by a constant bit
rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from voiceflow.core.units import FRAME, GRID_MS, RATE

DELAY: Final = 1105
BIT_RATES: Final = {1: 56, 2: 96}
"""Kilobits per second by channels."""

QUALITY: Final = 7
"""LAME's `-q`. From 7 on LAME shapes no noise and writes no scale factors. FFmpeg 5, still in many
players, reads the last scale factor wrong at 24 kHz (its table's band ends two lines early).
Measured on speech and tones: 0.5 dB less noise than quality 5, in three quarters of the time.
"""

GAIN: Final = 0.95
"""LAME multiplies all samples by this at our bit rates (its presets' `scale`); measured."""

_CHUNK: Final = 512  # silent frames handed on at a time: 12 s
_SYNC: Final = {1: b"\xff\xf3\x74", 2: b"\xff\xf3\xa4"}  # MPEG-2 layer III, bit rate, 24 kHz

# Header and side information of LAME's own frame of silence. Its main data is empty and begins in
# the frame itself, so it can be put anywhere and followed by any frame.
_SILENT: Final = {
    1: bytes.fromhex("fff374c4 000000034800000000"),
    2: bytes.fromhex("fff3a464 00000001a4000000000000034800000000"),
}


def frame_bytes(channels: int) -> int:
    """Bytes of one frame: 72 times bit rate over sampling rate in MPEG-2, not padded here."""
    return 72 * BIT_RATES[channels] * 1000 // RATE


def stream_length(length_ms: int, channels: int) -> int:
    """Bytes of the whole stream, without tags.

    Parameters
    ----------
    length_ms : int >= 0
        On the grid; rounded up to it otherwise.
    channels : {1, 2}
    """
    return -(-length_ms // GRID_MS) * frame_bytes(channels)


def settings(channels: int) -> tuple[str | int, ...]:
    """What decides the encoder's bytes besides the samples; part of a piece's key."""
    import lameenc

    # lameenc does not report its version, and reading the package's metadata takes longer than
    # adding up a warm render. The file itself changes with every version.
    built = Path(lameenc.__file__).stat()
    encoder = f"lame {built.st_size} {built.st_mtime_ns} {QUALITY} {DELAY} {GAIN}"
    return encoder, channels, BIT_RATES[channels]


def encode(pcm: bytes, channels: int, given: int = 0) -> bytes:
    """Frames of one piece.

    Parameters
    ----------
    pcm : bytes
        int16 little-endian, interleaved, 24 kHz; a whole number of frames that begins with
        silence of 1,105 samples or more and ends with silence.
    channels : {1, 2}
        Of the stream.
    given : {0, 1, 2}
        Channels of `pcm`: 1 where one channel stands for both ears. 0 is `channels`.

    Returns
    -------
    bytes
        As many frames of 576 samples as came in.
    """
    width = 2 * (given or channels)
    count, rest = divmod(len(pcm), FRAME * width)
    if rest:
        raise ValueError(f"{len(pcm)} bytes are not a whole number of frames")
    encoder = _encoder(channels)
    # One channel for both ears is doubled as late as here: until now it was half the work.
    sound = _louder(pcm[DELAY * width :], 2 * channels // width)
    # Silence after it: the encoder looks ahead into the silence that follows every piece.
    padded = sound + bytes(2 * channels * (DELAY + 2 * FRAME))
    frames = bytes(encoder.encode(padded)) + bytes(encoder.flush())
    # The silence added above has frames of its own, which go again.
    frames = frames[: count * frame_bytes(channels)]
    _check(frames, count, channels)
    return frames


def encode_stream(blocks: Iterable[bytes], channels: int) -> Iterator[bytes]:
    """One stream from samples that are never silent, encoded in one go, block by block.

    Parameters
    ----------
    blocks : iterable of bytes
        int16 little-endian, interleaved, 24 kHz; whole frames in all. The first begins with
        1,105 samples that can be spared.
    channels : {1, 2}

    Yields
    ------
    bytes
        As many frames of 576 samples as came in, together.
    """
    width, size = 2 * channels, frame_bytes(channels)
    encoder = _encoder(channels)
    spare, came, gone = DELAY * width, 0, 0
    for block in blocks:
        came += len(block)
        # What is left out at the head may be longer than the first block.
        begin = min(spare, len(block))
        spare -= begin
        data = bytes(encoder.encode(_louder(block[begin:])))
        gone += len(data)
        yield data
    count, rest = divmod(came, FRAME * width)
    if rest:
        raise ValueError(f"{came} bytes are not a whole number of frames")
    tail = bytes(encoder.encode(bytes(width * (DELAY + 2 * FRAME)))) + bytes(encoder.flush())
    # LAME hands frames out late: the tail has those still owed, then those of the padding.
    yield tail[: count * size - gone]


def _encoder(channels: int) -> Any:
    """A fresh encoder: its bit reservoir is empty."""
    import lameenc

    encoder = lameenc.Encoder()
    # This mutes LAME's messages and has nothing to do with the sound.
    encoder.silence()
    encoder.set_channels(channels)
    encoder.set_in_sample_rate(RATE)
    encoder.set_out_sample_rate(RATE)
    encoder.set_bit_rate(BIT_RATES[channels])
    encoder.set_quality(QUALITY)
    return encoder


class Splice:
    """One stream made of pieces, in order, with silence between them.

    Parameters
    ----------
    channels : {1, 2}
    """

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self.frame_bytes = frame_bytes(channels)
        self._silent = _SILENT[channels].ljust(self.frame_bytes, b"\0")

    def piece(self, pcm: bytes, given: int = 0) -> bytes:
        """Frames of one piece; see `encode`. May be called from several threads at once."""
        return encode(pcm, self.channels, given)

    def silence(self, frames: int) -> bytes:
        """`frames` frames of silence."""
        return self._silent * frames

    def join(self, pieces: Iterable[tuple[int, bytes]], length_ms: int) -> Iterator[bytes]:
        """The whole stream, chunk by chunk; takes each piece when its turn has come.

        Parameters
        ----------
        pieces : iterable of (int, bytes)
            Start in milliseconds on the grid, and frames; in order of start.
        length_ms : int
            Of the whole.

        Yields
        ------
        bytes
            Together ``stream_length(length_ms, channels)`` bytes.

        Raises
        ------
        ValueError
            Pieces overlap or run over the end.
        """
        done = 0
        for start_ms, frames in pieces:
            yield from self._silence_to(start_ms // GRID_MS - done)
            yield frames
            done = start_ms // GRID_MS + len(frames) // self.frame_bytes
        yield from self._silence_to(-(-length_ms // GRID_MS) - done)

    def _silence_to(self, frames: int) -> Iterator[bytes]:
        if frames < 0:
            raise ValueError(f"a piece runs {-frames} frames into what follows")
        for at in range(0, frames, _CHUNK):
            yield self.silence(min(_CHUNK, frames - at))


def _louder(pcm: bytes, times: int = 1) -> bytes:
    """`pcm` raised by LAME's own loss, so that the recording is as loud as its samples.

    Each sample comes `times` in a row.
    """
    import numpy as np

    samples = np.rint(np.frombuffer(pcm, "<i2") * np.float32(1 / GAIN))
    # Mixes end at PEAK, which comes to 30,000 here: they are never clipped.
    return samples.clip(-32768, 32767).astype("<i2").repeat(times).tobytes()


def _check(frames: bytes, count: int, channels: int) -> None:
    """Every header stands where a constant frame size puts it."""
    size = frame_bytes(channels)
    for at, byte in enumerate(_SYNC[channels]):
        # One step a frame: this compares the same byte of all headers at once.
        if frames[at::size] != bytes([byte]) * count:
            raise RuntimeError("the MP3 encoder wrote frames of different sizes")
