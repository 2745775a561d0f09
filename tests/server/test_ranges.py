"""Range and conditional requests, as RFC 9110 defines them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("starlette", reason="the extra `serve` is not installed")

from voiceflow.server.http.ranges import answer

SIZE, ETAG, MODIFIED = 1_000, '"abc"', 1_700_000_000
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


def asked(**headers: str) -> tuple[int, int, int]:
    found = answer({k.replace("_", "-"): v for k, v in headers.items()}, SIZE, ETAG, MODIFIED)
    return found.status, found.start, found.end


@pytest.mark.parametrize(
    ("wanted", "status", "start", "end"),
    [
        ("bytes=0-0", 206, 0, 1),
        ("bytes=0-999", 206, 0, 1000),
        ("bytes=0-", 206, 0, 1000),
        ("bytes=999-", 206, 999, 1000),
        ("bytes=10-5000", 206, 10, 1000),
        ("bytes=-1", 206, 999, 1000),
        ("bytes=-5000", 206, 0, 1000),
        ("bytes = 5 - 6", 206, 5, 7),
        ("bytes=1000-", 416, 0, 0),
        ("bytes=1000-2000", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
        # What is no range, or several, is answered with the whole.
        ("bytes=5-4", 200, 0, 1000),
        ("bytes=-", 200, 0, 1000),
        ("bytes=a-b", 200, 0, 1000),
        ("bytes=0-1,5-6", 200, 0, 1000),
        ("lines=0-5", 200, 0, 1000),
        ("bytes=0-" + "9" * 400, 200, 0, 1000),
        ("bytes=--5", 200, 0, 1000),
        ("bytes=0x10-", 200, 0, 1000),
        ("bytes=٣-٥", 200, 0, 1000),
    ],
)
def test_ranges(wanted: str, status: int, start: int, end: int) -> None:
    assert asked(range=wanted) == (status, start, end)


def test_no_range_is_the_whole() -> None:
    found = answer({}, SIZE, ETAG, MODIFIED)
    assert found.status == 200
    assert found.headers["Content-Length"] == "1000"
    assert found.headers["Accept-Ranges"] == "bytes"
    assert found.headers["ETag"] == ETAG
    assert found.headers["Last-Modified"] == DATE


def test_a_part_says_which_it_is() -> None:
    found = answer({"range": "bytes=10-19"}, SIZE, ETAG, MODIFIED)
    assert found.headers["Content-Range"] == "bytes 10-19/1000"
    assert found.headers["Content-Length"] == "10"


def test_a_part_that_cannot_be_says_how_long_the_whole_is() -> None:
    found = answer({"range": "bytes=4000-"}, SIZE, ETAG, MODIFIED)
    assert found.headers["Content-Range"] == "bytes */1000"


@given(st.integers(0, 1200), st.integers(0, 1200))
def test_every_part_is_what_a_slice_is(first: int, last: int) -> None:
    status, start, end = asked(range=f"bytes={first}-{last}")
    whole = bytes(SIZE)
    if last < first:
        assert status == 200
    elif first >= SIZE:
        assert status == 416
    else:
        assert status == 206
        assert len(whole[start:end]) == len(whole[first : last + 1])


@given(st.text(max_size=40))
def test_no_text_is_too_much(wanted: str) -> None:
    status, start, end = asked(range=wanted)
    assert status in (200, 206, 416)
    assert 0 <= start <= end <= SIZE


@pytest.mark.parametrize(
    ("given_", "status"),
    [
        (ETAG, 206),
        ('"other"', 200),
        ('W/"abc"', 200),  # a weak tag is no promise of the same bytes
        (DATE, 206),
        ("Tue, 14 Nov 2023 22:13:19 GMT", 200),
        ("nonsense", 200),
    ],
)
def test_a_part_of_something_else_is_not_given(given_: str, status: int) -> None:
    assert asked(range="bytes=5-9", if_range=given_)[0] == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_none_match": ETAG}, 304),
        ({"if_none_match": f'"x", {ETAG}'}, 304),
        ({"if_none_match": 'W/"abc"'}, 304),
        ({"if_none_match": "*"}, 304),
        ({"if_none_match": '"x"'}, 200),
        ({"if_none_match": '"x"', "if_modified_since": DATE}, 200),  # the tag goes first
        ({"if_modified_since": DATE}, 304),
        ({"if_modified_since": "Tue, 14 Nov 2023 22:13:19 GMT"}, 200),
        ({"if_modified_since": "x" * 500}, 200),
        ({"if_match": ETAG}, 200),
        ({"if_match": '"x"'}, 412),
        ({"if_unmodified_since": DATE}, 200),
        ({"if_unmodified_since": "Tue, 14 Nov 2023 22:13:19 GMT"}, 412),
    ],
)
def test_conditions(headers: dict[str, str], status: int) -> None:
    assert asked(**headers)[0] == status
