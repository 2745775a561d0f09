"""Units: the grid, samples, and times as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voiceflow.core.units import (
    FRAME,
    GRID_MS,
    RATE,
    clock,
    ms_to_samples,
    parse_seconds,
    samples_to_ms,
    snap,
    snap_up,
)

steady = settings(derandomize=True, max_examples=200)


def test_the_grid_is_one_mp3_frame() -> None:
    assert GRID_MS * RATE == FRAME * 1000
    assert ms_to_samples(GRID_MS) == FRAME


@steady
@given(st.floats(-1e9, 1e9))
def test_snapped_is_near_on_the_grid_and_stays(ms: float) -> None:
    near, up = snap(ms), snap_up(ms)
    assert near % GRID_MS == up % GRID_MS == 0
    assert abs(near - ms) <= GRID_MS / 2
    assert 0 <= up - ms < GRID_MS + 1e-6
    assert snap(near) == near
    assert snap_up(up) == up


@steady
@given(st.integers(0, 10**9))
def test_samples_and_milliseconds_are_each_others_reverse(ms: int) -> None:
    assert samples_to_ms(ms_to_samples(ms)) == ms
    # Any number of samples fits into the milliseconds given for it.
    assert ms_to_samples(samples_to_ms(ms)) >= ms


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("40", 40), ("40s", 40), (" 40 S ", 40), ("1.5", 1.5), (".5", 0.5), ("1.5 min", 90),
        ("2m", 120), ("500ms", 0.5), ("1 hour", 3600), ("12:30", 750), ("0:45", 45),
        ("1:02:03", 3723), ("1:02.5", 62.5), ("010", 10), ("0", 0), ("2 seconds", 2),
    ],
)  # fmt: skip
def test_times_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_seconds(text) == pytest.approx(seconds)


def test_a_bare_number_counts_what_it_is_told_to() -> None:
    assert parse_seconds("12.5", bare=60) == 750
    assert parse_seconds("12.5 s", bare=60) == 12.5


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "-4", "+4", "nan", "inf", "1e3", "4,5", "4 s s", "four", "1:60", "1:2:3:4", ":30",
        "1:", "12:3x", "0x10", "4\n5", "1_000", "s", "1:99:00" * 2, "9" * 400 + ":00", "1" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_time_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        parse_seconds(text)


@steady
@given(st.text(max_size=30))
def test_any_text_is_a_time_or_a_value_error(text: str) -> None:
    try:
        assert parse_seconds(text) >= 0
    except ValueError:
        pass


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "0:00"), (499, "0:00"), (500, "0:01"), (59_600, "1:00"), (750_000, "12:30"),
     (3_599_500, "1:00:00"), (3_723_000, "1:02:03")],
)  # fmt: skip
def test_clock(ms: int, text: str) -> None:
    assert clock(ms) == text


@steady
@given(st.integers(0, 10**8))
def test_the_clock_is_read_back_to_the_second(ms: int) -> None:
    assert abs(parse_seconds(clock(ms)) * 1000 - ms) <= 500
