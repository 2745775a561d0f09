"""Reading: a text as it is written becomes the text that a voice is given.

In: a text and the `Wording` of its language. Out: the text without decoration, its numbers and
shorthand spoken out: ``20-30s`` is `20 to 30 seconds`. Plain digits stay digits, since voices read
them well; what may mean several things stays as it is. A language without tables has only its
decoration and fancy digits taken away.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from voiceflow.plan.sentences import holds
from voiceflow.script.wording import PLAIN, Sense, Senses, Wording
from voiceflow.voices.decoration import RAISED, apart, undecorated, undressed
from voiceflow.voices.quantities import STOP, Quantities

LINK = re.compile(r"(\[[^\[\]]+\]\(/[^()]*/\)|\[\[ [^\[\]]* \]\])")
"""A word with its sounds, as the natural voice and Piper take it: never touched."""

_RAISED_RUN = re.compile(rf"(?<=[^\W_])[{RAISED}]+|[{RAISED}]+")
_PLAIN_DIGITS = str.maketrans(RAISED, "0123456789")
# Punctuation and signs that every voice reads, or rightly passes over.
_READ = frozenset(" \t\n!\"'(),-.:;?[]{}%°$€£¥&/…‘’‚“”„«»–—¡¿、。・！？「」『』（）：，‐‑‒―·′″½¼¾")
_STUCK = re.compile(
    r"(?<![\w.,])[0-9]+(?:[.,][0-9]+)?(?!(?:st|nd|rd|th|er|re|e|ème|º|ª)\b)[A-Za-z]{1,3}\b"
)


def spoken_form(text: str, wording: Wording = PLAIN) -> str:
    """What a voice is given of `text`.

    Doing it twice changes nothing more. A text of decoration alone gives "".
    """
    parts = LINK.split(text)
    if len(parts) == 1:
        return _read(text, wording)
    return "".join(part if n % 2 else _read(part, wording, " ") for n, part in enumerate(parts))


def unread(text: str, wording: Wording = PLAIN) -> tuple[str, ...]:
    """The signs and shorthand in `text` that neither the tables nor a voice reads, each once.

    Examples: ``30q``, ``10 ¶``. In a language without tables only signs are told.
    """
    left = LINK.sub(" ", spoken_form(text, wording))
    signs = (c for c in left if not (c.isalnum() or c in _READ or c.isspace() or _joins(c)))
    stuck = (one for one in _STUCK.findall(left) if wording.units and not one.endswith("0s"))
    return tuple(dict.fromkeys((*signs, *stuck)))


def _joins(char: str) -> bool:
    """Whether it belongs to letters: vowel points, accents, joiners."""
    return unicodedata.category(char)[0] == "M" or char in "\u200c\u200d"


def _read(text: str, wording: Wording, edge: str = "") -> str:
    """One stretch of `text`; with `edge`, the spaces at its ends are kept."""
    bare = undressed(undecorated(text))
    if edge and bare != text:
        left, right = text[:1] == edge, text[-1:] == edge
        bare = f"{edge * left}{bare.strip(edge)}{edge * right}" if bare.strip() else edge
    return _RAISED_RUN.sub(_flat, _rules(wording).said(bare))


def _flat(found: re.Match[str]) -> str:
    """Raised digits that no table reads, as digits of their own: ``10²`` is never 102."""
    return apart(found.string, found.start(), found.end(), found[0].translate(_PLAIN_DIGITS))


@lru_cache(maxsize=8)
def _rules(wording: Wording) -> _Rules:
    return _Rules(wording)


class _Rules:
    """The tables of a wording as patterns."""

    def __init__(self, wording: Wording) -> None:
        self._wording = wording
        self._quantities = Quantities(wording)
        self._signs, self._senses = _either((*wording.abbreviations, *wording.shorthand))
        self._never_last = {sign.casefold() for sign, _ in wording.abbreviations}

    def said(self, text: str) -> str:
        text = self._signs.sub(self._sign, text)
        return self._quantities.strokes(self._quantities.said(text))

    def _sign(self, found: re.Match[str]) -> str:
        text, (start, end) = found.string, found.span()
        sign = found[0].casefold()
        if sign not in self._senses:
            sign = sign.removesuffix(".")  # the stop that goes with it
        sense = next((s for s in self._senses[sign] if holds(s, text, start, end)), None)
        if sense is None:
            return found[0]
        words = sense.say[0]
        if found[0][:1].isupper() and words[:1].islower() and found[0][1:2].islower():
            words = words[:1].upper() + words[1:]
        if sign.endswith(".") and self._closes(text, end, sign):
            words += "."
        if words == ",":
            return words
        return apart(text, start, end, words)

    def _closes(self, text: str, end: int, sign: str) -> bool:
        """Whether the stop of an abbreviation also ends the sentence."""
        rest = text[end:].lstrip(" \"'”’»)")
        return not rest or (sign not in self._never_last and rest[:1].isupper())


def _either(senses: Senses) -> tuple[re.Pattern[str], dict[str, tuple[Sense, ...]]]:
    """A pattern of all signs, whole words where they are words, and what each means.

    Signs in capitals and single letters are meant as written; others in any case.
    """
    known = {sign.casefold(): meanings for sign, meanings in reversed(senses)}
    longest = sorted((sign for sign, _ in senses), key=len, reverse=True)
    either = "|".join(_whole(sign) for sign in longest)
    return re.compile(either or "(?!)"), known


def _whole(sign: str) -> str:
    left = r"(?<![\w/])" if sign[0].isalnum() else r"(?<![-+<>=])" if sign[0] in "-+<>=" else ""
    right = r"(?![\w/])" if sign[-1].isalnum() else r"(?![<>=])" if sign[-1] in "<>=" else ""
    written = re.escape(sign)
    if sign[-1].isalnum():
        right = STOP + right
    if sign.islower() and len(sign) > 1:
        written = f"(?:{written}|{re.escape(sign[0].upper() + sign[1:])})"
    return f"{left}{written}{right}"
