"""The byte at which a chapter begins: held against the real bytes, read without our own code."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest
import soundfile

import voiceflow
from voiceflow import Options

FRAME_MS = 24
# MPEG-2 layer III: kbit/s by the index in a frame's header (ISO/IEC 13818-3).
BIT_RATES = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def frames(data: bytes) -> list[int]:
    """Where each frame begins, by walking from header to header behind the ID3 tag."""
    assert data[:3] == b"ID3"
    at = 10 + sum(byte << (7 * (3 - n)) for n, byte in enumerate(data[6:10]))
    found = []
    while at < len(data):
        sync = (data[at] << 8 | data[at + 1]) & 0xFFF6
        assert sync == 0xFFF2, f"no frame at byte {at}"
        rate = BIT_RATES[data[at + 2] >> 4]
        assert data[at + 2] >> 2 & 3 == 1, "not 24 kHz"
        found.append(at)
        at += 72 * rate * 1000 // 24_000 + (data[at + 2] >> 1 & 1)
    assert at == len(data)
    return found


@pytest.mark.parametrize("mono", [False, True])
@pytest.mark.parametrize("again", [False, True], ids=["made", "from the cache"])
def test_each_chapter_begins_at_its_byte(mono: bool, again: bool) -> None:
    options = Options(voice="silent", mono=mono)
    if again:
        b"".join(voiceflow.stream("breathing", options))
    stream = voiceflow.stream("breathing", options)
    data = b"".join(stream)
    assert len(data) == stream.length
    begins = frames(data)
    chapters = voiceflow.arrange("breathing", options).score.chapters
    assert [title for title, _ in stream.chapters] == [one.title for one in chapters]
    for (_, byte), chapter in zip(stream.chapters, chapters, strict=True):
        assert begins.index(byte) * FRAME_MS == chapter.start_ms
    # A decoder that begins there plays what is left, to within its own start.
    rests = [len(soundfile.read(io.BytesIO(data[byte:]))[0]) for _, byte in stream.chapters]
    for (one, after), (first, second) in zip(pairwise(rests), pairwise(chapters), strict=True):
        assert one - after == pytest.approx((second.start_ms - first.start_ms) * 24, abs=3 * 576)
