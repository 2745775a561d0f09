"""Parts of a long list: which one a request asks for, and where the next begins.

A query and the names in a list come in; a `Part` goes out. It begins after a name, not at a number:
then nothing is left out or told twice because another session came in before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from voiceflow.server.http.refusals import Refusal, fault, unknown

WORDS: Final = ("limit", "after")
MOST: Final = 500  # as many sessions as could be kept until there were parts


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a list, from `start` up to `end`; `following` is the query of the next, or ""."""

    start: int
    end: int
    following: str


def part_of(names: Sequence[str], query: Mapping[str, str]) -> Part:
    """The part of a list of `names` that a query asks for.

    Raises
    ------
    Refusal
        422 if the limit is no number from 1 to `MOST`; 404 if the name is not, or no longer, there.
    """
    limit, start = _limit(query.get("limit", str(MOST))), 0
    if (after := query.get("after")) is not None:
        if after not in names:
            raise unknown("session in this list called", after, "begin again without `after`")
        start = names.index(after) + 1
    end = min(start + limit, len(names))
    more = {"limit": limit, "after": names[end - 1]} if end < len(names) else {}
    return Part(start, end, urlencode(more))


def _limit(text: str) -> int:
    if text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MOST:
        return int(text[:9])
    wrong = fault(f"`limit` must be a whole number from 1 to {MOST}", field="query.limit")
    raise Refusal(422, "input", "the request is not valid", faults=[wrong])
