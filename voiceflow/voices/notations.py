"""Notations: numbers that are joined by a sign, and mean one thing together.

In: a text without decoration, and a `Pronunciation`. Out: the text with ratios, times of a timer,
scores, tempos and counts as they are said. What is none of these stays, for `voices.quantities`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from voiceflow.script.pronunciation import Pronunciation
from voiceflow.voices.decoration import apart

_DASH = "[-‐‑‒–—−~〜]"
_LEFT = r"(?<![\w:.,/])"
# Of two numbers with a degree sign, both of a range: 0°–120°.
_FIRST_DEGREE = re.compile(rf"(?<=[0-9])\s?[°º](?=\s?{_DASH}\s?[0-9]+(?:[.,][0-9]+)?\s?[°º])")
_ORDINAL_STOP = re.compile(r"(?<=[0-9])\.(?=[ºª])")  # 1.º, as Spanish writes 1º
_RAISED_O = re.compile(r"(?<![\w.,])([0-9]{1,3})º(?=(\s*[^\W\d_])?)")
# Voices take 5,4,3,2,1 for one large number.
_COUNT = re.compile(rf"{_LEFT}[0-9]{{1,2}}(?:,[0-9]{{1,2}}){{2,}}(?![\w/]|[.,:][0-9])")
# With one digit after the colon it is no time of day.
_RATIO = re.compile(rf"{_LEFT}([0-9]{{1,2}}):([0-9])(?![\w/]|[.,:][0-9])")
_TIMER = rf"{_LEFT}([0-9]{{1,2}}):([0-5][0-9])(?![\w/]|[.,:][0-9])"
_SCORE = re.compile(
    rf"(?<![\w.,/])([0-9]{{1,2}}(?:{_DASH}[0-9]{{1,2}})?)/(10|100)(?![\w/]|[.,][0-9])"
)
_TEMPO = re.compile(
    r"(?i)(\b(?:tempo|cadence|cadencia|cadência|ritmo):?\s)([0-9X]{4}|[0-9X](?:/[0-9X]){2,3})(?![\w/])"
)
_SECONDS = re.compile(
    r"(?:(?<![^\s(/])|(?<=[0-9][xX×])):([0-5][0-9]|60|90)(?!\w|/[0-9]|[.,:][0-9])"  # :45
)
# Feet have no 30 inches: 2'30" is a time; 5'10" may be both.
_PRIMES = re.compile(rf"{_LEFT}([0-9]{{1,2}})['′’]\s?([0-5]?[0-9])(?:[\"″”]|'')(?!\w)")
_WORD_BEFORE = re.compile(r"([^\W\d_]+)\s*$")
_WORD_AFTER = re.compile(r"\s*([^\W\d_]+)")
_NEAR = 40  # characters before a score in which what is scored is named
_BESIDE = 30  # characters before a time in which the word stands that says so


def notations(text: str, pronunciation: Pronunciation) -> str:
    """`text` with what numbers mean together in words."""
    if not any(map(str.isdecimal, text)):
        return text
    text = _FIRST_DEGREE.sub("", text)
    text = _RAISED_O.sub(_degrees, _ORDINAL_STOP.sub("", text))
    text = _COUNT.sub(lambda found: found[0].replace(",", ", "), text)
    text = _TEMPO.sub(_tempo, text)
    if ratio := pronunciation.ratio or pronunciation.to:
        text = _RATIO.sub(rf"\1 {ratio} \2", text)
    text = _timer(pronunciation)(text)
    if pronunciation.scored:
        text = _SCORE.sub(_score(pronunciation), text)
    return text


def _degrees(found: re.Match[str]) -> str:
    """``45º`` is an angle that was typed with the sign of an ordinal, ``2º lado`` is a second."""
    angle = found[2] is None or (int(found[1]) >= 15 and int(found[1]) % 5 == 0)
    return f"{found[1]}{'°' if angle and len(found[1]) > 1 else 'º'}"


def _tempo(found: re.Match[str]) -> str:
    # An X is as fast as can be: apart from the number after it, it multiplies nothing.
    beats = found[2].upper().replace("/", "")
    return found[1] + (", " if "X" in beats else " ").join(beats)


@lru_cache(maxsize=8)
def _timer(pronunciation: Pronunciation) -> Callable[[str], str]:
    return _Timer(pronunciation) if {"s", "min"} <= dict(pronunciation.units).keys() else str


class _Timer:
    """Times of a timer: ``0:45`` is always seconds; ``1:30`` is minutes only beside a word that
    says so.
    """

    def __init__(self, pronunciation: Pronunciation) -> None:
        self._units = dict(pronunciation.units)
        minutes = self._units["min"]
        signs = "|".join(re.escape(sign) for sign, said in self._units.items() if said == minutes)
        either = "|".join(map(re.escape, pronunciation.lasting)) or "(?!)"
        self._before = re.compile(rf"(?<!\w)(?:{either}):?\s*$", re.IGNORECASE)
        self._after = re.compile(rf"\s*(?:{either})(?!\w)", re.IGNORECASE)
        self._times = re.compile(rf"{_TIMER}(\s?(?:{signs})(?!\w))?", re.IGNORECASE)
        self._counts = {*pronunciation.counted, *pronunciation.labels}

    def __call__(self, text: str) -> str:
        return _PRIMES.sub(
            self._primed, _SECONDS.sub(self._stated, self._times.sub(self._said, text))
        )

    def _lasts(self, found: re.Match[str]) -> bool:
        """Whether a word beside it says that it is a time."""
        text = found.string
        before = self._before.search(text, max(0, found.start() - _BESIDE), found.start())
        return bool(before or self._after.match(text, found.end()))

    def _counted(self, number: int, sign: str) -> str:
        words = self._units[sign][0].say
        return f"{number} {words[0] if number == 1 else words[-1]}" if number else ""

    def _length(self, found: re.Match[str]) -> str:
        """Its minutes and seconds in words; as it stands where it is nothing at all."""
        told = self._counted(int(found[1]), "min"), self._counted(int(found[2]), "s")
        return " ".join(filter(None, told)) or found[0]

    def _said(self, found: re.Match[str]) -> str:
        sure = found[3] or not int(found[1])
        return self._length(found) if sure or self._lasts(found) else found[0]

    def _stated(self, found: re.Match[str]) -> str:
        """``:45`` is 45 seconds, but not after `Reps`."""
        text = found.string
        words = (
            _WORD_BEFORE.search(text, max(0, found.start() - _BESIDE), found.start()),
            _WORD_AFTER.match(text, found.end()),
        )
        if any(word and word[1].casefold() in self._counts for word in words):
            return found[0]
        said = self._counted(int(found[1]), "s")
        return apart(text, found.start(), found.end(), said) if said else found[0]

    def _primed(self, found: re.Match[str]) -> str:
        """``2'30"`` is a time: feet have no 30 inches."""
        seconds = int(found[2])
        sure = len(found[2]) == 2 and (seconds >= 12 or seconds < 10)
        return self._length(found) if sure or self._lasts(found) else found[0]


@lru_cache(maxsize=8)
def _score(pronunciation: Pronunciation) -> Callable[[re.Match[str]], str]:
    """``7/10`` of what is scored is 7 out of 10; elsewhere it may be two numbers of a programme."""
    scored = "|".join(map(re.escape, pronunciation.scored))
    told = re.compile(rf"(?<!\w)(?:{scored})(?!\w)", re.IGNORECASE)
    of = pronunciation.out_of or pronunciation.of

    def said(found: re.Match[str]) -> str:
        near = told.search(found.string, max(0, found.start() - _NEAR), found.start())
        return f"{found[1]} {of} {found[2]}" if near and of else found[0]

    return said
