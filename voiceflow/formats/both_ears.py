"""Rewrites the MP3 frames of one channel as stereo frames, in which both ears hear that channel.

Mid and side instead of left and right: mid has the channel's own quantised values, untouched, side
is empty. A decoder makes left and right of them, each (mid + side) / √2 and (mid - side) / √2, so
the gain is raised by two of its steps of ⁴√2. To encode such a piece once, not twice, is 0.6 of the
work.

MPEG-2 layer III (ISO/IEC 13818-3) has one granule a frame: a header of 4 bytes, side information
(`main_data_begin` 8 bits, private 1 or 2, then 63 of each channel) of 9 bytes for one channel and
17 for two, and main data, which may begin up to 255 bytes of main data before its frame.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

_HEAD: Final = 4
_FROM: Final = _HEAD + 9  # where main data stands, with one channel
_TO: Final = _HEAD + 17  # and with two
_REACH: Final = 255
_LENGTH_AT: Final = 51  # bits from the end of a channel's 63
_GAIN_AT: Final = 34
_SQRT_2: Final = 2
# Window switching and all that follows it: decoders need the same kind of window in both channels.
_WINDOW: Final = np.uint64((1 << 25) - 1)

_Numbers = npt.NDArray[np.uint64]


def in_both_ears(frames: bytes, size: int, head: bytes, to_size: int) -> bytes:
    """The same sound as stereo frames.

    Parameters
    ----------
    frames : bytes
        Of one channel and of `size` bytes each; the first begins in itself.
    head : bytes
        Header of the stereo frames: constant, joint stereo with mid and side.
    to_size : int
        Bytes of a stereo frame, with room for at least as much main data as the others have: then
        there always is a place for it.

    Raises
    ------
    ValueError
        There is no room, or a gain cannot be raised any further.
    """
    if to_size - _TO < size - _FROM:
        raise ValueError(f"frames of {to_size} bytes have no room for those of {size}")
    given = np.frombuffer(frames, np.uint8).reshape(-1, size)
    channel = _channel(given)
    if not channel.size:
        return b""
    if int((channel >> np.uint64(_GAIN_AT) & np.uint64(255)).max()) > 255 - _SQRT_2:
        raise ValueError("the gain of a frame is as high as can be")
    made = np.zeros((len(given), to_size), np.uint8)
    made[:, :_HEAD] = np.frombuffer(head, np.uint8)
    lengths = (channel >> np.uint64(_LENGTH_AT)).astype(int) + 7 >> 3
    begins, main = _moved(given, lengths.tolist(), to_size - _TO)
    made[:, _HEAD:_TO] = _side_information(begins, channel + np.uint64(_SQRT_2 << _GAIN_AT))
    made[:, _TO:] = np.frombuffer(main, np.uint8).reshape(-1, to_size - _TO)
    return made.tobytes()


def _channel(frames: npt.NDArray[np.uint8]) -> _Numbers:
    """The 63 bits of each frame's one channel."""
    bits = np.ascontiguousarray(frames[:, _FROM - 8 : _FROM]).view(">u8")[:, 0]
    return bits.astype(np.uint64) & np.uint64((1 << 63) - 1)


def _moved(
    frames: npt.NDArray[np.uint8], lengths: list[int], room: int
) -> tuple[list[int], bytearray]:
    """Each frame's main data, as early as it may stand: how far before its frame, and all of it."""
    data, step = frames[:, _FROM:].tobytes(), frames.shape[1] - _FROM
    main, end = bytearray(len(frames) * room), 0
    begins = []
    for at, (back, length) in enumerate(zip(frames[:, _HEAD].tolist(), lengths, strict=True)):
        source, begin = at * step - back, max(at * room - _REACH, end)
        end = begin + length
        main[begin:end] = data[source : source + length]
        begins.append(at * room - begin)
    return begins, main


def _side_information(begins: list[int], channel: _Numbers) -> npt.NDArray[np.uint8]:
    """`main_data_begin`, two private bits, 63 of mid and 63 of side [shape=(frames, 17)]."""
    one = np.uint64(1)
    made: npt.NDArray[Any] = np.empty((len(channel), _TO - _HEAD), np.uint8)
    # 136 bits: the first 64, 8 more, the last 64.
    made[:, :8] = _bytes(channel >> np.uint64(9))
    made[:, 0] = begins
    made[:, 8] = channel >> one & np.uint64(255)
    made[:, 9:] = _bytes((channel & one) << np.uint64(63) | channel & _WINDOW)
    return made


def _bytes(numbers: _Numbers) -> npt.NDArray[np.uint8]:
    """Eight bytes of each number, the highest first."""
    return numbers.astype(">u8").view(np.uint8).reshape(-1, 8)
