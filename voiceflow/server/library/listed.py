"""A session as lists show it.

An entry as plain values comes in; a `Listed` goes out, small enough to hold thousands of.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from voiceflow.server.library.session_entry import Entry


@dataclass(frozen=True, slots=True)
class Listed:
    """One session of the listing.

    Attributes
    ----------
    told : bytes
        Its entry as JSON, not kept.
    words : str
        What a search looks through, casefolded.
    """

    slug: str
    title: str
    own: bool
    broken: bool
    told: bytes
    words: str

    @staticmethod
    def of(entry: Entry) -> Listed:
        title, moves = str(entry["title"]), (one["title"] for one in entry["exercises"])
        words = "\n".join(dict.fromkeys((title, entry["about"], *moves))).casefold()
        own, broken = bool(entry["own"]), bool(entry["errors"])
        return Listed(entry["slug"], title, own, broken, json_bytes(entry), words)

    def json(self, *, kept: bool) -> bytes:
        # In a text, the quotes would have backslashes.
        return self.told.replace(b'"kept":false', b'"kept":true', 1) if kept else self.told

    def answers(self, asked: str) -> bool:
        """Whether every word that is searched for stands in its title, text or exercises."""
        return all(word in self.words for word in asked.casefold().split())

    def order(self) -> tuple[bool, str, str]:
        return not self.own, self.title.casefold(), self.slug


def json_bytes(value: object) -> bytes:
    """JSON as the API sends it."""
    told = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return told.encode("utf-8", "replace")
