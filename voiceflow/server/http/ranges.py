"""HTTP range and conditional requests for one file (RFC 9110).

Request headers and the file's size, ETag and date come in; status, headers and the bytes to send go
out. One range is supported; a request for several is answered with the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime

# 18 digits are more than any file has, and never too many for `int`.
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send: a status, its headers, and bytes from `start` up to `end`."""

    status: int
    headers: dict[str, str]
    start: int = 0
    end: int = 0


def answer(asked: Mapping[str, str], size: int, etag: str, modified: int) -> Answer:
    """The answer to a GET or HEAD with headers `asked`.

    Parameters
    ----------
    size : int > 0
        Bytes of the whole file.
    etag : str
        A strong ETag, with its quotes.
    modified : int
        Seconds since the epoch.
    """
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Last-Modified": formatdate(modified, usegmt=True),
    }
    # The order of these checks is that of RFC 9110 (13.2.2).
    if not _matches(asked, etag, modified):
        return Answer(412, {**headers, "Content-Length": "0"})
    if unchanged(asked, etag, modified):
        return Answer(304, headers)
    wanted = asked.get("range", "")
    part = _part(wanted, size) if wanted and _same(asked, etag, modified) else None
    if part is None:
        return Answer(200, {**headers, "Content-Length": str(size)}, 0, size)
    start, end = part
    if start >= end:
        told = {"Content-Range": f"bytes */{size}", "Content-Length": "0"}
        return Answer(416, {**headers, **told})
    told = {"Content-Range": f"bytes {start}-{end - 1}/{size}", "Content-Length": str(end - start)}
    return Answer(206, {**headers, **told}, start, end)


def _part(wanted: str, size: int) -> tuple[int, int] | None:
    """First byte and end (exclusive) of a range; None for the whole file.

    An empty range means that it cannot be satisfied (416).
    """
    match = _RANGE.fullmatch(wanted.strip().replace(" ", ""))
    if match is None or match[1] == match[2] == "":
        return None
    if not match[1]:
        last = int(match[2])
        return (max(0, size - last), size) if last else (size, size)
    start = int(match[1])
    # Not valid, rather than not satisfiable: such a range is ignored.
    if match[2] and int(match[2]) < start:
        return None
    end = min(size, int(match[2]) + 1) if match[2] else size
    return (start, end) if start < size else (size, size)


def unchanged(asked: Mapping[str, str], etag: str, modified: int | None = None) -> bool:
    """Whether the client has this version already; without `modified` only the ETag counts."""
    if known := asked.get("if-none-match"):
        # Here a weak tag will do; If-Match and If-Range want a strong one.
        tags = {one.strip().removeprefix("W/") for one in known.split(",")}
        return "*" in tags or etag in tags
    since = _time(asked.get("if-modified-since", ""))
    return since is not None and modified is not None and modified <= since


def _matches(asked: Mapping[str, str], etag: str, modified: int) -> bool:
    """Whether If-Match and If-Unmodified-Since still hold (else 412)."""
    if wanted := asked.get("if-match"):
        tags = {one.strip() for one in wanted.split(",")}
        return "*" in tags or etag in tags
    since = _time(asked.get("if-unmodified-since", ""))
    return since is None or modified <= since


def _same(asked: Mapping[str, str], etag: str, modified: int) -> bool:
    """Whether If-Range allows a part: it must be a part of this version."""
    given = asked.get("if-range", "").strip()
    if not given:
        return True
    if given.startswith(('"', "W/")):
        return given == etag
    return _time(given) == modified


def _time(text: str) -> int | None:
    if not text or len(text) > 64:
        return None
    try:
        return int(parsedate_to_datetime(text).timestamp())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
