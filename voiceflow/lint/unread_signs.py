"""Warns of signs and shorthand that no voice and no table reads.

In: the texts of a script and their language's pronunciation. Out: a warning at each `¶`, `30q`,
`s/l` or address. Emoji, bullets and marks of direction are shown and not said: they are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from voiceflow.core.errors import Problem
from voiceflow.lint.markup import MANY, UNHEARD_KEYS, markup
from voiceflow.lint.script_texts import Written, plain
from voiceflow.script.fields import locate, split_versions
from voiceflow.script.pronunciation import Pronunciation
from voiceflow.voices import unread

# What is filled in may be a number: `set #{{ set }}` is read as `set #1`.
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_ADDRESS_HINT = "leave it out: nobody can write it down by ear"


def unread_warnings(
    texts: Iterable[Written], pronunciation: Pronunciation, own: Iterable[str] = ()
) -> Iterator[Problem]:
    """A warning at each sign in a spoken text that is not read.

    Parameters
    ----------
    own : words that the script or the settings say how to pronounce: they are read.
    """
    known = _any_of((*own, *(word for word, _ in pronunciation.pronounce)))
    placed = 0
    for one in texts:
        if one.key in UNHEARD_KEYS:
            continue
        for sign in _unread(one.node.text, pronunciation, known):
            mark = locate(one.node.mark, sign) if placed < MANY else one.node.mark
            placed += 1
            message = f"`{sign[:60]}` is not read: a listener gets no meaning from it"
            yield Problem(mark, message, _hint(sign, pronunciation.language), "warning")


def _unread(text: str, pronunciation: Pronunciation, known: re.Pattern[str]) -> Iterator[str]:
    # Markup is told by a check of its own, with what to write instead.
    for found in (*markup(text),):
        text = text.replace(found.source, " ")
    shown = plain(text)
    filled = plain(_EXPRESSION.sub("1", text))
    for version in split_versions(filled):
        for sign in unread(known.sub(" ", version), pronunciation):
            if sign in shown:
                yield sign


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    either = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)" if either else "(?!)", re.IGNORECASE)


def _hint(sign: str, language: str) -> str:
    if "." in sign and any(char in sign for char in "/@w"):
        return _ADDRESS_HINT
    return f"write it in words, or add it to pronunciation/{language}.yaml in your library"
