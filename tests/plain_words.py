"""What no message may hold, whatever was given: a word of a library's, a sign that nobody sees."""

from __future__ import annotations

import re
from collections.abc import Iterator

from voiceflow.core.plain import MOST, printable

JARGON = re.compile(
    r"Traceback|internal error|has a fault|NoneType|Errno|\w+Error\b|\bLibsndfile|object is not"
    r"|not subscriptable|<class '|object at 0x|or is not a regular file|\bcodec\b|jinja2?\."
)
# A message, a hint and the path of a file, each as long as they may be.
LONGEST_LINE = 2 * MOST + 4_096


def plain(said: str) -> None:
    """No traceback, no fault, no word of Python's."""
    assert not JARGON.search(said), said


def not_plain(said: str) -> Iterator[str]:
    """What is wrong with the words of a message: jargon, signs that nobody sees, its length."""
    if found := JARGON.search(said):
        yield f"a word that is not for people, {found[0]!r}"
    if said != printable(said):
        odd = next(one for one in said if one != printable(one))
        yield f"a sign that is not printable, {odd!r}"
    if any(len(line) > LONGEST_LINE for line in said.splitlines()):
        yield "a line without an end"
