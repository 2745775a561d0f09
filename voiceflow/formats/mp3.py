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

import os
from collections.abc import Iterable, Iterator
from typing import Any, Final

from voiceflow.core.packages import version_of
from voiceflow.core.units import FRAME, GRID_MS, RATE

DELAY: Final = 1105
BIT_RATES: Final = {1: 56, 2: 96}
"""Kilobits per second by channels."""
_ALONE: Final = 80
"""Kilobits per second of one channel that is to be heard in both ears: as many as find room in the
stream's frames. Measured on a session: 0.2 dB more noise than as stereo, in 0.6 of the time."""

QUALITY: Final = 7
"""LAME's `-q`. From 7 on LAME shapes no noise and writes no scale factors. FFmpeg 5, still in many
players, reads the last scale factor wrong at 24 kHz (its table's band ends two lines early).
Measured on speech and tones: 0.5 dB less noise than quality 5, in three quarters of the time.
"""

GAIN: Final = 0.95
"""LAME multiplies all samples by this at our bit rates (its presets' `scale`); measured."""

_BOTH_EARS: Final = "both ears 1"  # counts up with every change of what `both_ears` writes
_CHUNK: Final = 512  # silent frames handed on at a time: 12 s
# MPEG-2 layer III, bit rate, 24 kHz; by bit rate.
_SYNC: Final = {56: b"\xff\xf3\x74", 80: b"\xff\xf3\x94", 96: b"\xff\xf3\xa4"}

# Header and side information of LAME's own frame of silence. Its main data is empty and begins in
# the frame itself, so it can be put anywhere and followed by any frame.
_SILENT: Final = {
    1: bytes.fromhex("fff374c4 000000034800000000"),
    2: bytes.fromhex("fff3a464 00000001a4000000000000034800000000"),
}


def frame_bytes(channels: int) -> int:
    """Bytes of one frame: 72 times bit rate over sampling rate in MPEG-2, not padded here."""
    return _size(BIT_RATES[channels])


def _size(kbps: int) -> int:
    return 72 * kbps * 1000 // RATE


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

    # lameenc does not report its version. With the size, as one that somebody built for himself can
    # have the same version; not with its times, which change when the same is installed again.
    version, size = version_of("lameenc", "lameenc"), os.stat(lameenc.__file__).st_size  # noqa: PTH116
    encoder = f"lame {version} {size} {QUALITY} {DELAY} {GAIN}"
    return encoder, channels, BIT_RATES[channels], *((_BOTH_EARS,) if channels == 2 else ())


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
    if not given or given == channels:
        return _frames(pcm, channels, BIT_RATES[channels])
    from voiceflow.formats.both_ears import in_both_ears

    head = _SILENT[channels][:4]
    return in_both_ears(_frames(pcm, given, _ALONE), _size(_ALONE), head, frame_bytes(channels))


def _frames(pcm: bytes, channels: int, kbps: int) -> bytes:
    """A piece's frames at a bit rate, by an encoder of its own."""
    width = 2 * channels
    count, rest = divmod(len(pcm), FRAME * width)
    if rest:
        raise ValueError(f"{len(pcm)} bytes are not a whole number of frames")
    encoder = _encoder(channels, kbps)
    # Silence after it: the encoder looks ahead into the silence that follows every piece.
    padded = _louder(pcm[DELAY * width :]) + bytes(width * (DELAY + 2 * FRAME))
    frames = bytes(encoder.encode(padded)) + bytes(encoder.flush())
    # The silence added above has frames of its own, which go again.
    frames = frames[: count * _size(kbps)]
    _check(frames, count, kbps)
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
    encoder = _encoder(channels, BIT_RATES[channels])
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


def _encoder(channels: int, kbps: int) -> Any:
    """A fresh encoder: its bit reservoir is empty."""
    import lameenc

    encoder = lameenc.Encoder()
    # This mutes LAME's messages and has nothing to do with the sound.
    encoder.silence()
    encoder.set_channels(channels)
    encoder.set_in_sample_rate(RATE)
    encoder.set_out_sample_rate(RATE)
    encoder.set_bit_rate(kbps)
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


def _louder(pcm: bytes) -> bytes:
    """`pcm` raised by LAME's own loss, so that the recording is as loud as its samples."""
    import numpy as np

    samples = np.rint(np.frombuffer(pcm, "<i2") * np.float32(1 / GAIN))
    # Mixes end at PEAK, which comes to 30,000 here: they are never clipped.
    return samples.clip(-32768, 32767).astype("<i2").tobytes()


def _check(frames: bytes, count: int, kbps: int) -> None:
    """Every header stands where a constant frame size puts it."""
    size = _size(kbps)
    for at, byte in enumerate(_SYNC[kbps]):
        # One step a frame: this compares the same byte of all headers at once.
        if frames[at::size] != bytes([byte]) * count:
            raise RuntimeError("the MP3 encoder wrote frames of different sizes")
