"""Pieces of samples as one stream, and what this project takes from pydub."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import voiceflow
from voiceflow.audio.pcm import byte_count, continuous, segment_of, window
from voiceflow.core.units import RATE

ROOT = Path(voiceflow.__file__).parents[1]


def pcm(length_ms: int, channels: int, seed: int = 1) -> bytes:
    """Samples that are nowhere zero."""
    count = byte_count(length_ms, channels) // 2
    return np.random.default_rng(seed).integers(1, 9_000, count, "<i2").tobytes()


def laid(pieces: list[tuple[int, bytes]], length_ms: int, channels: int) -> bytes:
    """The same by the plainest way: a whole of silence, pieces copied in."""
    whole = bytearray(byte_count(length_ms, channels))
    for start_ms, data in pieces:
        at = byte_count(start_ms, channels)
        whole[at : at + len(data)] = data
    return bytes(whole)


@st.composite
def sessions(draw: st.DrawFn) -> tuple[list[tuple[int, bytes]], int, int]:
    channels, at, pieces = draw(st.sampled_from([1, 2])), 0, []
    for gap, length_ms in draw(
        st.lists(st.tuples(st.integers(0, 90), st.integers(1, 90)), max_size=6)
    ):
        pieces.append((at + gap, pcm(length_ms, channels, len(pieces))))
        at += gap + length_ms
    return pieces, at + draw(st.integers(0, 90)), channels


@given(sessions(), st.integers(1, 200))
def test_pieces_and_silence_become_blocks_of_one_size(session, block_ms: int) -> None:
    pieces, length_ms, channels = session
    blocks = list(continuous(pieces, length_ms, channels, block_ms))
    assert b"".join(blocks) == laid(pieces, length_ms, channels)
    assert {len(one) for one in blocks[:-1]} <= {byte_count(block_ms, channels)}
    assert not blocks or 0 < len(blocks[-1]) <= byte_count(block_ms, channels)


@given(sessions(), st.data())
def test_a_window_holds_what_the_whole_holds_there(session, data: st.DataObject) -> None:
    pieces, length_ms, channels = session
    start_ms = data.draw(st.integers(0, length_ms))
    part_ms = data.draw(st.integers(0, length_ms - start_ms))
    seen = window(pieces, start_ms, part_ms, channels)
    first, last = byte_count(start_ms, channels), byte_count(start_ms + part_ms, channels)
    wanted = laid(pieces, length_ms, channels)[first:last]
    assert b"".join(continuous(seen, part_ms, channels)) == wanted


def test_a_piece_is_taken_when_its_turn_has_come() -> None:
    """A day of silence and a piece at its end: neither is held at once."""
    taken = []

    def pieces():
        for start_ms in (0, 3_600_000):
            taken.append(start_ms)
            yield start_ms, pcm(1_000, 1)

    blocks = continuous(pieces(), 7_200_000, 1, 500)
    assert len(next(blocks)) == byte_count(500, 1)
    assert taken == [0]
    assert max(map(len, blocks)) == byte_count(500, 1)


@pytest.mark.parametrize("starts", [(0, 99), (0, 950)])
def test_pieces_that_overlap_or_run_over_the_end_are_refused(starts: tuple[int, int]) -> None:
    pieces = [(start_ms, pcm(100, 2)) for start_ms in starts]
    with pytest.raises(ValueError, match=r"runs .* bytes into what follows"):
        list(continuous(pieces, 1_000, 2))


# pydub


def test_pydub_still_does_what_the_mixdown_relies_on() -> None:
    """Each line says what has changed, should a new pydub break it."""
    loud, soft = (np.full(2_400, value, "<i2").tobytes() for value in (8_000, 500))
    segment = segment_of(loud, 1)
    assert segment.raw_data == loud, "pydub's AudioSegment(data=…) no longer keeps raw samples"
    assert (segment.frame_rate, segment.sample_width) == (RATE, 2), "pydub resamples raw samples"
    assert segment.frame_count() == 2_400, "pydub counts frames in another way"
    assert segment[20:40].raw_data == loud[960:1_920], "pydub cuts elsewhere than at milliseconds"
    both = segment.set_channels(2).raw_data
    assert both == np.repeat(np.frombuffer(loud, "<i2"), 2).tobytes(), "set_channels(2) is no copy"
    over = np.frombuffer(segment.overlay(segment_of(soft), position=0).raw_data, "<i2")
    assert set(over.tolist()) == {8_500}, "pydub's overlay no longer adds samples"
    lower = np.frombuffer(segment.apply_gain(-6).raw_data, "<i2")
    assert set(lower.tolist()) <= {4_009, 4_010}, "pydub's apply_gain is no longer in decibels"
    assert segment.max == 8_000, "pydub's max is no longer the highest sample"
    assert len(segment_of(loud[:-48], 1)) == 99, "pydub's len is no longer in milliseconds"


def test_pydub_still_sums_clips_and_beds_as_the_mixdown_relies_on() -> None:
    """The mixdown lowers a bed while the sum is at full scale, and lays mono clips over stereo."""
    loud, soft = (np.full(2_400, value, "<i2").tobytes() for value in (20_000, -500))
    bed = segment_of(loud, 1).set_channels(2)
    over = bed.overlay(segment_of(loud, 1).set_channels(2), position=0)
    assert over.max == 32_767, "pydub's overlay no longer clips at full scale: a peak is not seen"
    late = bed.overlay(segment_of(soft, 1), position=50)
    assert late.channels == 2, "a mono clip makes pydub's stereo mono"
    samples = np.frombuffer(late.raw_data, "<i2").reshape(-1, 2)
    assert len(samples) == 2_400, "pydub's overlay grows where a clip runs over the end"
    assert set(samples[:1_200].ravel().tolist()) == {20_000}, "pydub's position is not exact"
    assert set(samples[1_200:].ravel().tolist()) == {19_500}, "a mono clip is not in both channels"
    apart = np.column_stack([np.full(2_400, 8_000), np.full(2_400, 2_000)]).astype("<i2")
    folded = np.frombuffer(segment_of(apart.tobytes(), 2).set_channels(1).raw_data, "<i2")
    assert set(folded.tolist()) == {5_000}, "pydub's set_channels(1) is no longer the mean"


def test_nothing_private_of_pydub_is_used() -> None:
    """A private name may go with any version; segments are made by the public constructor."""
    private = re.compile(r"\._(spawn|data|from_safe|sync)\b|pydub\.\w*\._")
    found = [
        f"{path.name}: {line.strip()}"
        for path in sorted((ROOT / "voiceflow").rglob("*.py"))
        if "pydub" in (text := path.read_text(encoding="utf-8"))
        for line in text.splitlines()
        if private.search(line)
    ]
    assert not found


SEAM = """
import sys
import voiceflow.audio.pcm, voiceflow.stitch.pieces, voiceflow.stitch.mixdown
assert "pydub" not in sys.modules and "numpy" not in sys.modules
segment = voiceflow.audio.pcm.segment_of(bytes(96), 2)
assert segment.frame_count() == 24
"""


def test_pydub_loads_late_and_without_its_warning() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", SEAM],
        capture_output=True,
        text=True,
        env={"PATH": "", "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stderr) == (0, "")
