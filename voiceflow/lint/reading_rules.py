"""Rules about reading: nothing is said that a listener gets no meaning from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from voiceflow.lint.evidence import Evidence, Finding, once
from voiceflow.voices import unread


def not_read(evidence: Evidence) -> Iterator[Finding]:
    """Signs that are left in what a voice is given, from exercises in files of their own.

    What stands in the session's file is told where that is checked, with its shorthand too.
    """
    found: list[tuple[Any, Finding]] = []
    for said in evidence.said:
        for sign in unread(said.event.spoken):
            mark = evidence.mark_of(said, sign)
            if mark is not None and mark.file == evidence.session.mark.file:
                continue
            message = f"`{sign[:60]}` is not read: a listener gets no meaning from it"
            hint = "write it in words, or add it to pronunciation/ in your library"
            finding = evidence.finding(
                "warning", "not-read", message, hint, at=said.index, mark=mark,
                start_ms=said.event.start_ms,
            )  # fmt: skip
            found.append(((sign, mark), finding))
    yield from once(found)


RULES = (not_read,)
