"""What the tables of words for a listener who cannot look have in common; and words for breath.

A language without a table has no findings of that kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

LANGUAGES = ("en", "es")

_BLANK = re.compile(r"\(\?<[!=][^)]*\)|\[[^\]]*\]| ")

_BREATH: Mapping[str, str] = {
    "en": r"breath\w*|inhal\w*|exhal\w*|sigh\w*|sniff\w*|nostrils?|(?:in|out) through|"
    r"blow(?:ing)?|breeze|let (?:the|your|all the) air",
    "es": r"respir\w*|inhal\w*|exhal\w*|inspir\w*|espir\w*|suspir\w*|sopl\w*|aire|aliento",
}


def breathes(text: str, language: str) -> bool:
    """Whether `text` speaks of the breath; True in a language without a table."""
    pattern = _BREATH.get(language)
    return pattern is None or bool(whole(pattern).search(text))


def without(text: str, pattern: str) -> str:
    """`text` with what matches replaced by blanks: every other character keeps its place."""
    return whole(pattern).sub(lambda match: " " * len(match[0]), text)


@cache
def whole(pattern: str) -> re.Pattern[str]:
    """`pattern` for whole words; an empty one becomes a pattern that never matches."""
    # A text may break between two words; what looks back has to know how far.
    spaced = _BLANK.sub(lambda one: r"\s+" if one[0] == " " else one[0], pattern)
    return re.compile(rf"(?<!\w)(?:{spaced})(?!\w)" if pattern else r"(?!)", re.IGNORECASE)
