"""Reading: a text as it is written becomes the text that a voice is given.

In: a text and the `Pronunciation` of its language. Out: the text without decoration, its numbers
and shorthand spoken out: ``20-30s`` is `20 to 30 seconds`. Plain digits stay digits, since voices
read them well; what may mean several things stays as it is. A language without tables has only its
decoration and fancy digits taken away.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cached_property, lru_cache

from voiceflow.plan.sentences import holds
from voiceflow.script.pronunciation import PLAIN, Pronunciation, Sense
from voiceflow.voices.decoration import RAISED, apart, undecorated, undressed
from voiceflow.voices.notations import notations
from voiceflow.voices.quantities import STOP, Quantities

LINK = re.compile(r"(\[[^\[\]]+\]\(/[^()]*/\)|\[\[ [^\[\]]* \]\])")
"""A word with its sounds, as the natural voice and Piper take it: never touched."""

# An address is for the eyes: no word or number in it is one of the text.
_ADDRESS = (
    r"(?:https?://|www\.)\S{0,400}[\w/]"
    r"|(?<![\w@])[^\W\d_][\w.+-]{0,60}@[\w-]{1,60}\.[\w.-]{0,60}\w"
)
_ADDRESSES = re.compile(_ADDRESS)
_WHOLE = re.compile(rf"({LINK.pattern[1:-1]}|{_ADDRESS})")
# Shorthand of single letters, such as s/l: whoever does not know it hears two letters.
_LETTER_STROKE = re.compile(r"(?<![\w/])[a-z]/[a-z](?![\w/])")
_RAISED_RUN = re.compile(rf"(?<=[^\W_])[{RAISED}]+|[{RAISED}]+")
_PLAIN_DIGITS = str.maketrans(RAISED, "0123456789")
_PASSES = 8
# Punctuation and signs that every voice reads, or rightly passes over.
_READ = frozenset(" \t\n!\"'(),-.:;?[]{}%°$€£¥&/…‘’‚“”„«»–—¡¿、。・！？「」『』（）：，‐‑‒―·′″½¼¾")
_LETTERS = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏ ,.!?;:'’…\"“”()—-]*")
_TOKEN = re.compile(r"[^ ,!?;:'’…\"“”()—-]+")
_STUCK = re.compile(
    r"(?<![\w.,])[0-9]+(?:[.,][0-9]+)?(?!(?:st|nd|rd|th|er|re|e|ème|º|ª|[ap]m|[a-d])\b)[A-Za-z]{1,3}\b"
)


def spoken_form(text: str, pronunciation: Pronunciation = PLAIN) -> str:
    """What a voice is given of `text`.

    Doing it twice changes nothing more. A text of decoration alone gives "".
    """
    for _ in range(_PASSES):  # what one step uncovers, such as the 3s in `³s`, is read in the next
        said, text = text, _once(text, pronunciation)
        if said == text:
            break
    return text


def _once(text: str, pronunciation: Pronunciation) -> str:
    parts = _WHOLE.split(text)
    if len(parts) == 1:
        return _read(text, pronunciation)
    # `split` puts what the group caught, the words with their sounds, at the odd places.
    return "".join(
        part if n % 2 else _read(part, pronunciation, " ") for n, part in enumerate(parts)
    )


def unread(text: str, pronunciation: Pronunciation = PLAIN) -> tuple[str, ...]:
    """The signs and shorthand in `text` that neither the tables nor a voice reads, each once.

    Examples: ``30q``, ``10 ¶``, ``s/l``, and addresses. In a language without tables only signs
    and addresses are told.
    """
    left = LINK.sub(" ", spoken_form(text, pronunciation))
    addresses, left = _ADDRESSES.findall(left), _ADDRESSES.sub(" ", left)
    signs = (c for c in left if not (c.isalnum() or c in _READ or c.isspace() or _known(c)))
    stuck = (one for one in _STUCK.findall(left) if pronunciation.units and not one.endswith("0s"))
    letters: list[str] = []
    if pronunciation.units:
        shown = _rules(pronunciation).without_signs(_WHOLE.sub(" ", text))
        units = dict(pronunciation.units)
        letters = [one for one in _LETTER_STROKE.findall(shown) if one not in units]
    return tuple(dict.fromkeys((*addresses, *signs, *stuck, *letters)))


def _known(char: str) -> bool:
    """Whether it belongs to letters (vowel points, accents, joiners), or is a currency or the
    punctuation of another script, which its voices know."""
    kind = unicodedata.category(char)
    if kind[0] == "M" or kind == "Sc" or char in "\u200c\u200d":
        return True
    return kind[0] == "P" and ("\u0370" <= char < "\u2000" or char >= "\u3000")


def _read(text: str, pronunciation: Pronunciation, edge: str = "") -> str:
    """One stretch of `text`; with `edge`, the spaces at its ends are kept."""
    bare = undressed(undecorated(text))
    if edge and bare != text:
        left, right = text[:1] == edge, text[-1:] == edge
        bare = f"{edge * left}{bare.strip(edge)}{edge * right}" if bare.strip() else edge
    return _RAISED_RUN.sub(_flat, _rules(pronunciation).said(bare))


def _flat(found: re.Match[str]) -> str:
    """Raised digits that no table reads, as digits of their own: ``10²`` is never 102."""
    return apart(found.string, found.start(), found.end(), found[0].translate(_PLAIN_DIGITS))


@lru_cache(maxsize=8)
def _rules(pronunciation: Pronunciation) -> _Rules:
    return _Rules(pronunciation)


class _Rules:
    """The tables of a pronunciation as patterns, made when a text first needs them."""

    def __init__(self, pronunciation: Pronunciation) -> None:
        self._pronunciation = pronunciation
        # Words that a text without numbers or signs must have to be changed at all.
        tables = (*pronunciation.abbreviations, *pronunciation.shorthand, *pronunciation.units)
        self._telling = {sign.split()[0].casefold().rstrip(".") for sign, _ in tables}

    @cached_property
    def _quantities(self) -> Quantities:
        return Quantities(self._pronunciation)

    @cached_property
    def _signs(self) -> re.Pattern[str]:
        signs = [
            sign for sign, _ in (*self._pronunciation.abbreviations, *self._pronunciation.shorthand)
        ]
        return re.compile("|".join(map(_whole, sorted(signs, key=len, reverse=True))) or "(?!)")

    @cached_property
    def _senses(self) -> dict[str, tuple[Sense, ...]]:
        # A sign of both ends no sentence in its first meanings, and may end one in the others.
        found: dict[str, tuple[Sense, ...]] = {}
        for sign, meanings in (*self._pronunciation.abbreviations, *self._pronunciation.shorthand):
            found[sign.casefold()] = (*found.get(sign.casefold(), ()), *meanings)
        return found

    @cached_property
    def _never_last(self) -> set[str]:
        return {sign.casefold() for sign, _ in self._pronunciation.abbreviations}

    def said(self, text: str) -> str:
        if _LETTERS.fullmatch(text):  # most texts are told at a glance: a twentieth of the time
            words = (word.rstrip(".") for word in _TOKEN.findall(text.casefold()))
            if self._telling.isdisjoint(words):
                return text
        text = self.without_signs(self._quantities.sets(text))
        if self._pronunciation.units:
            text = notations(text, self._pronunciation)
        return self._quantities.strokes(self._quantities.said(text))

    def without_signs(self, text: str) -> str:
        """`text` with abbreviations and shorthand in words."""
        return self._signs.sub(self._sign, text)

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


def _whole(sign: str) -> str:
    """The pattern of a sign; of a word, where it stands alone, with a capital or as written."""
    left = r"(?<![\w/])" if sign[0].isalnum() else r"(?<![-+<>=])" if sign[0] in "-+<>=" else ""
    right = r"(?![\w/])" if sign[-1].isalnum() else r"(?![<>=])" if sign[-1] in "<>=" else ""
    written = re.escape(sign)
    if sign[-1].isalnum():
        right = STOP + right
    if sign.islower() and len(sign) > 1:
        written = f"(?:{written}|{re.escape(sign[0].upper() + sign[1:])})"
    return f"{left}{written}{right}"
