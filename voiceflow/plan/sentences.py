"""Sentences: where a text may be cut into clips, and where a full stop ends nothing.

In: a text as it is written, and its language's `Pronunciation`. Out: its sentences. A cut too few
is not heard, a cut too many is: what is in doubt stays together.
"""

from __future__ import annotations

import re
from functools import lru_cache

from voiceflow.script.pronunciation import NUMBER, PLAIN, Pronunciation, Sense, Senses

# The second way is for 。！？, which need no blank after them.
_END = re.compile(
    r"(?<=[.!?…])[\"'”’»)]*(\s+)(?=[\"'“‘«¿¡(]*[^\W\d_]|\d|[#*_•✓✗✅❌👉→↑↓-]+\s?\w)"
    r"|(?<=[。！？])[」』）】”’]*(?![」』）】”’])(\s*)(?=\S)"
)
# All of these are looked for in a window: a long text takes steps by its length, not its square.
_INITIAL = re.compile(r"(?<![^\W_])[^\W\d_]\.$")
_ORDINAL = re.compile(r"([^\W\d_]+)\s+[0-9]{1,2}\.$")
_LETTERS = re.compile(r"[^\W\d_]+")
_LAST = re.compile(r"[^\W\d_]*(?=\.$)")  # the letters right before a stop
# The number of a point in a list belongs to the point: 1. Kneel. 2. Rest. B1. Squat.
_POINT = re.compile(r"[A-Z]?[0-9]{1,2}\.")
_NUMBER_LAST = re.compile(r"[0-9][^\W\d_]{0,4}$")  # with a unit, or without
_LONGEST = 32  # characters in which an abbreviation is looked for
_SHORT = 4  # letters of an abbreviation that no table need know

WINDOW = 120
"""Characters around a sign in which what decides its meaning is looked for."""

_Table = tuple[re.Pattern[str], dict[str, tuple[Sense, ...]]]


def sentences(text: str, pronunciation: Pronunciation = PLAIN) -> tuple[str, ...]:
    """`text` as sentences, each a clip of its own; () for a text without any.

    Nothing but the white space between two sentences is lost.
    """
    text = text.strip()
    parts, begin = [], 0
    for found in _END.finditer(text):
        gap = found.start(1) if found[1] is not None else found.start(2)
        if not _goes_on(text, begin, gap, found.end(), pronunciation):
            parts.append(text[begin:gap])
            begin = found.end()
    parts.append(text[begin:])
    return tuple(part for part in parts if part)


def holds(sense: Sense, text: str, start: int, end: int, begin: int = 0) -> bool:
    """Whether what stands at ``text[start:end]``, in a sentence from `begin` on, has this sense."""
    before = text[max(begin, start - WINDOW) : start].rstrip()
    after = text[end : end + WINDOW].lstrip(" .")
    if sense.after and not any(_ends_with(before, one) for one in sense.after):
        return False
    if sense.before and not any(_begins_with(after, one) for one in sense.before):
        return False
    if any(_ends_with(before, one) for one in sense.unless):
        return False
    return not (sense.not_in and _any_word(sense.not_in).search(before))


def _ends_with(text: str, word: str) -> bool:
    if word == NUMBER:
        return bool(_NUMBER_LAST.search(text[-5:]))
    return text.casefold().endswith(word.casefold()) and not text[: -len(word)][-1:].isalnum()


def _begins_with(text: str, word: str) -> bool:
    if word == NUMBER:
        return text[:1].isdecimal()
    return text.casefold().startswith(word.casefold()) and not text[len(word) :][:1].isalnum()


@lru_cache(maxsize=64)
def _any_word(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE)


def _goes_on(text: str, begin: int, gap: int, after: int, pronunciation: Pronunciation) -> bool:
    """Whether the full stop before `gap` ends no sentence."""
    if text[gap - 1] != ".":
        return text[gap - 1] == ")" and text[after].islower()  # (li./re.) mind. 30 s
    if _POINT.fullmatch(text, begin, gap) or _initial(text, begin, gap, after):
        return True
    last = _LAST.search(text, max(begin, gap - _LONGEST), gap)
    # Before a small letter: whatever is as short as an abbreviation, known or not, as `lat. raise`.
    if last is not None and 0 < len(last[0]) <= _SHORT and text[after].islower():
        return True
    if last is None or last[0].casefold() not in _stopped_words(pronunciation):
        return False
    return _known_stop(text, begin, gap, after, pronunciation)


def _known_stop(text: str, begin: int, gap: int, after: int, pronunciation: Pronunciation) -> bool:
    """Whether the tables know the stop before `gap` as one that ends nothing."""
    abbreviations, shorthand, units, inner = _tables(pronunciation)
    if _abbreviated(text, begin, gap, abbreviations):
        return True
    # The stop may stand inside an abbreviation of several words.
    window = inner.finditer(text, max(begin, gap - _LONGEST), gap + _LONGEST)
    if any(found.start() < gap < found.end() for found in window):
        return True
    if pronunciation.ordinal_after and (found := _ORDINAL.search(text, max(begin, gap - 40), gap)):
        return found[1].casefold() in dict(pronunciation.ordinal_after)
    # Shorthand and units may well end a sentence. A small letter tells that it goes on; after
    # shorthand a number does, too: `izq. 30 seg.`
    small = text[after].islower()
    number = text[after].isdecimal() and text[gap - 3 : gap - 1].isalpha()  # R. is a side
    if (small or number) and _abbreviated(text, begin, gap, shorthand):
        return True
    return small and _abbreviated(text, begin, gap, units, number=True)


def _initial(text: str, begin: int, gap: int, after: int) -> bool:
    """A single capital, as in `Joseph H. Pilates`. "I" is a word."""
    letter = text[gap - 2 : gap - 1]
    if not letter.isupper() or letter == "I" or not text[after].isupper():
        return False
    return bool(_INITIAL.search(text, max(begin, gap - 3), gap))


def _abbreviated(text: str, begin: int, gap: int, table: _Table, number: bool = False) -> bool:
    """Whether ``text[:gap]`` ends with a sign of `table` that has one of its meanings here."""
    signs, senses = table
    found = signs.search(text, max(begin, gap - _LONGEST), gap)
    if found is None:
        return False
    if number and not text[begin : found.start(1)].rstrip()[-1:].isdecimal():
        return text[found.start(1) - 1 : found.start(1)] == "/"  # breaths/min.
    known = senses[found[1].casefold()]
    return any(holds(one, text, found.start(1), gap, begin) for one in known)


@lru_cache(maxsize=8)
def _stopped_words(pronunciation: Pronunciation) -> frozenset[str]:
    """The letters after which a stop may end nothing: most stops are told by these alone."""
    signs = (*pronunciation.abbreviations, *pronunciation.shorthand, *pronunciation.units)
    words = {word for sign, _ in signs for word in _LETTERS.findall(sign.casefold())}
    return frozenset(
        # Right before the stop of an ordinal stand no letters at all.
        words | ({""} if pronunciation.ordinal_after or pronunciation.units else set())
    )


@lru_cache(maxsize=8)
def _tables(pronunciation: Pronunciation) -> tuple[_Table, _Table, _Table, re.Pattern[str]]:
    """By what a stop is looked up: abbreviations, shorthand, units, and those of several words."""
    several = [sign for sign, _ in pronunciation.abbreviations if " " in sign]
    inner = "|".join(map(re.escape, several)) or "(?!)"
    return (
        _table(pronunciation.abbreviations),
        _table(pronunciation.shorthand),
        # A unit may follow its number without a blank: digits may stand before it.
        _table(pronunciation.units, r"(?<![^\W\d_])"),
        re.compile(rf"(?<!\w)(?:{inner})", re.IGNORECASE),
    )


def _table(senses: Senses, apart: str = r"(?<!\w)") -> _Table:
    known: dict[str, tuple[Sense, ...]] = {}
    for sign, meanings in senses:
        stopped = _stopped(sign).casefold()
        known[stopped] = (*known.get(stopped, ()), *meanings)
    longest = sorted(known, key=len, reverse=True)
    if not longest:
        return re.compile("((?!))"), {}
    either = "|".join(map(re.escape, longest))
    return re.compile(rf"{apart}({either})$", re.IGNORECASE), known


def _stopped(sign: str) -> str:
    return sign if sign.endswith(".") else f"{sign}."
