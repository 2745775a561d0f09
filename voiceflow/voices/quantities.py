"""Quantities: numbers with what belongs to them, spoken out by a language's tables.

In: a text without decoration, and a `Pronunciation`. Out: the text with ranges, fractions, units,
`x` and strokes in words; each step is one pattern, and leaves what it does not know as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from voiceflow.plan.sentences import WINDOW, holds
from voiceflow.script.pronunciation import Pronunciation, Sense
from voiceflow.voices.decoration import RAISED, apart

_PLAIN = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?(?![0-9])|[0-9]+(?:[.,][0-9]+)?"
_DASH = "[-‐‑‒–—−~〜]"
# Where a number begins: not in L5, 3.5, 1/2 or 1-2-3.
_LEFT = r"(?<![\w.,:])(?<![0-9]/)(?<![\w.,:/][-‐‑‒–−+])"
# The stop of `10 sec. then`: it ends nothing, and goes with the unit.
STOP = r"(?-i:(?:\.(?=\s+[^\W\dA-Z_]|[,;:/)]))?)"
# Thousands parted by spaces: 10 000, but not "4 100 m sprints".
_THOUSANDS = re.compile(
    r"(?<![\w.,])(?:[0-9]{1,3}(?:[\u00a0\u202f\u2009][0-9]{3}){1,4}"
    r"|[1-9][0-9]{1,2}(?: [0-9]{3}){1,4}|[1-9](?: [0-9]{3}){0,3} 000)(?![\w.,]?[0-9])(?!\w)"
)
_CHAIN = re.compile(rf"(?<![\w.,/-])[0-9]{{1,3}}(?:{_DASH}[0-9]{{1,3}}){{2,}}(?![\w/]|[-.,][0-9])")
_WORD_STROKE = re.compile(r"(?<=[^\W\d_])\s?/\s?(?=[^\W_])|(?<=[0-9°])\s?/\s?(?=[^\W\d_])")
_WORD_BEFORE = re.compile(r"([^\W\d_]+)\s*$")
_INTRODUCED = re.compile(r"(?:\s?:|\s[-–—]|\s?\()\s*$")
# How a quotation opens that a mark of inches or feet could close.
_QUOTES = {
    closing: re.compile(rf"(?:^|(?<=[\s(])){opening}(?=\S)")
    for opening, closing in (('"', '"'), ("'", "'"), ("“", "”"), ("‘", "’"))
}


class Quantities:
    """The numbers of one language."""

    def __init__(self, pronunciation: Pronunciation) -> None:
        self._pronunciation = pronunciation
        self._units = dict(pronunciation.units)
        self._folded = {sign.casefold(): sign for sign, _ in pronunciation.units if len(sign) > 1}
        self._fractions = dict(pronunciation.fractions)
        self._numbers = dict(pronunciation.numbers)
        self._powers = dict(pronunciation.powers)
        self._compile()

    def _compile(self) -> None:
        pronunciation = self._pronunciation
        signs = _alternatives(self._fractions)
        amount = rf"(?:[0-9]+[ -]?)?(?:{signs})(?![0-9])|{_PLAIN}"
        words = _alternatives(word for word in self._numbers.values())
        units = "|".join(_unit(sign) for sign in _longest(self._units))
        long_units = "|".join(_unit(s) for s in _longest(self._units) if s.isalpha() and len(s) > 1)
        tail = rf"(?:(?P<gap>[ \u00a0\u202f-]?)(?P<unit>{units}){STOP})?"
        self._joint = re.compile(rf"(?<=[0-9])(?:{units})(?=[0-9]+\s?(?:{units}))")
        self._mixed = re.compile(rf"(?:([0-9]+)[ -]?)?({signs})$")
        self._quantity = re.compile(
            rf"{_LEFT}(?P<a>{amount})(?:\s?(?P<first>{units})(?=\s?{_DASH}\s?[0-9]))?"
            rf"(?:(?P<dash>\s?{_DASH}\s?)(?P<b>{amount}))?{tail}"
        )
        self._counted_in_words = re.compile(
            rf"(?<![\w-])(?P<a>{words})(?P<gap>[ -])(?P<unit>{long_units}){STOP}", re.IGNORECASE
        )
        self._compile_counts(pronunciation)
        self._compile_strokes(pronunciation, long_units)

    def _compile_counts(self, pronunciation: Pronunciation) -> None:
        after = _alternatives(word for word, _ in pronunciation.ordinal_after)
        self._ordinal = re.compile(
            rf"(?<!\w)({after})(\s+)([0-9]{{1,2}})\.(?=\s+[^\W\d_])", re.IGNORECASE
        )
        self._raised = re.compile(rf"(?<=[0-9])[{RAISED}]+")
        self._twice = re.compile(rf"(?P<a>{_LEFT}[0-9]+)\s?[xX×*]\s?(?=[0-9])")
        self._many = re.compile(
            rf"(?P<a>{_LEFT}[0-9]+(?:{_DASH}[0-9]+)?)(?:\s?[xX×])(?=\s*(?:[^\w\s-]|\s|$)|[A-Z]{{2}})"
        )
        # Not of a size, 1 x 2 m, nor of a sum, 1 x 2 x 3 or 1 x 4 = 4.
        self._one_set = re.compile(
            rf"{_LEFT}(?<![=×xX*÷+])(?<![=×xX*÷+] )1\s?[xX×]\s?"
            r"(?=[0-9])(?![0-9.,]+\s?(?:[cm]m|ft|in|[xX×*=])|[0-9](?:[.,][0-9]+)?\s?m\b)"
        )
        self._by = re.compile(r"(?<![^\s(])[xX×]\s?(?=[0-9])")

    def _compile_strokes(self, pronunciation: Pronunciation, long_units: str) -> None:
        self._parted = re.compile(
            rf"(?<![\w.,/])([0-9]{{1,4}})/([0-9]{{1,4}})"
            rf"(?:(?![\w/]|[.,][0-9])|(?=(?:{long_units})(?!\w)))"
        )
        self._rates = {sign.casefold(): word for sign, word in pronunciation.rates}
        things = _alternatives((*pronunciation.things, *self._rates))
        counted = _alternatives(pronunciation.counted)
        # After a word a single letter is more likely one of A/B/C/D than of `5 km/d`.
        rates = _alternatives(sign for sign in self._rates if len(sign) > 1)
        self._per = re.compile(
            rf"(?:(?P<what>[0-9€$£°%]|\b(?:{counted}))\s?/\s?(?P<thing>{things})"
            rf"|(?<=[^\W\d_])\s?/\s?(?P<rate>{rates})){STOP}(?!\w)",
            re.IGNORECASE,
        )

    def said(self, text: str) -> str:
        """`text` with its quantities in words."""
        pronunciation = self._pronunciation
        if not pronunciation.units:
            return text
        # Before the test for digits, since these amounts have none.
        text = self._counted_in_words.sub(self._in_words, text)
        if not any(map(str.isnumeric, text)):
            return text
        text = self._ordinal.sub(self._in_order, text)
        text = _THOUSANDS.sub(lambda found: re.sub(r"\s", "", found[0]), text)
        if pronunciation.to:
            # Before the quantities, which would read the start of 4-7-8 as a range.
            text = _CHAIN.sub(lambda found: _listed(re.split(_DASH, found[0])), text)
            text = self._parted.sub(self._stroke, text)
        if pronunciation.times:
            text = self._twice.sub(lambda found: f"{found['a']} {pronunciation.times[-1]} ", text)
            text = self._many.sub(self._often, text)
            text = self._by.sub(f"{pronunciation.times[-1]} ", text)
        text = self._joint.sub(lambda found: f"{found[0]} ", text)  # 1h30m
        text = self._quantity.sub(self._said, text)
        return self._raised.sub(self._power, text) if self._powers else text

    def sets(self, text: str) -> str:
        """`text` with ``1 x 10`` as one set of ten, before × becomes a word."""
        if not self._pronunciation.one_set:
            return text
        return self._one_set.sub(self._one_set_of, text)

    def strokes(self, text: str) -> str:
        """`text` with ``/`` between words as it is said."""
        if "/" not in text or not self._pronunciation.per:
            return text
        text = self._per.sub(self._each, text)
        return _WORD_STROKE.sub(_apart_or_list, text)

    def _one_set_of(self, found: re.Match[str]) -> str:
        before = _word_before(found)
        if before and before[1].casefold() in self._pronunciation.labels:
            return found[0]  # Set 1 x 10
        return f"1 {self._pronunciation.one_set} "

    def _in_order(self, found: re.Match[str]) -> str:
        word = dict(self._pronunciation.ordinals).get(found[3])
        if word is None:
            return found[0]
        ending = dict(self._pronunciation.ordinal_after)[found[1].casefold()]
        return f"{found[1]}{found[2]}{word}{'' if ending == '-' else ending}"

    def _in_words(self, found: re.Match[str]) -> str:
        one = found["a"].casefold() == self._numbers.get("1") or found["gap"] == "-"
        unit = self._unit(found, found.start("unit"), found.end("unit"), one, 0)
        return f"{found['a']}{found['gap']}{unit}" if unit else found[0]

    def _stroke(self, found: re.Match[str]) -> str:
        """Two numbers with a stroke: a part, a place in a row, or said one after the other."""
        before = _word_before(found)
        if before and before[1].casefold() in self._pronunciation.labels and self._pronunciation.of:
            return f"{found[1]} {self._pronunciation.of} {found[2]}"
        if found[0] in self._fractions or f"/{found[2]}" in self._units:
            return found[0]
        return _listed((found[1], found[2]))

    def _often(self, found: re.Match[str]) -> str:
        times = self._pronunciation.times
        words = f"{found['a']} {times[0] if found['a'] == '1' else times[-1]}"
        return apart(found.string, found.start(), found.end(), words)

    def _said(self, found: re.Match[str]) -> str:
        a, b, text = found["a"], found["b"], found.string
        dash, end = found["dash"], found.end()
        if found["unit"] is None and self._is_plain(found):
            return found[0]
        one = self._is_one(found)
        number = self._number(a, b is None and found["unit"] is not None)
        unit = ""
        if found["unit"] is not None:
            unit = self._unit(found, found.start("unit"), found.end("unit"), one, _value(b or a))
            if not unit:
                number = self._number(a, False)
                return self._joined(found, number, b, dash) + text[found.start("gap") : end]
        if found["first"] and found["first"] != found["unit"]:
            first = self._unit(found, found.start("first"), found.end("first"), _value(a) == 1, 0)
            number += f" {first or found['first']}"
        said = self._joined(found, number, b, dash)
        if not unit:
            return apart(text, found.start(), end, said)
        gap = "-" if found["gap"] == "-" else " "
        return apart(text, found.start(), end, f"{said}{gap}{unit}")

    def _is_plain(self, found: re.Match[str]) -> bool:
        """Whether numbers without a unit stay as they are."""
        a, b, after = found["a"], found["b"], found.string[found.end() : found.end() + 1]
        if b is None and not self._mixed.match(a):
            return True
        # Of a date or a telephone number; or stuck to what is no unit: 2nd, 5-10k.
        return bool(b and re.match("0[0-9]", b)) or after.isalnum()

    def _joined(self, found: re.Match[str], number: str, b: str | None, dash: str | None) -> str:
        """A number, or a range: `8 to 12`; two that are alike are said one after the other."""
        if b is None or dash is None:
            return number
        if found["a"] == b:
            return f"{number} {self._number(b, False)}"
        if " " in dash and self._labelled(found):
            return f"{number}{dash}{self._number(b, False)}"
        if not self._pronunciation.to:
            return f"{number}{dash}{b}"
        return f"{number} {self._pronunciation.to} {self._number(b, False)}"

    def _labelled(self, found: re.Match[str]) -> bool:
        """`Set 3 - 10 reps` is no range."""
        before = _word_before(found)
        return bool(before and before[1].casefold() in self._pronunciation.labels)

    def _is_one(self, found: re.Match[str]) -> bool:
        if found["b"] is not None:
            return False
        if found["gap"] == "-" or self._fraction(found["a"]) == "alone":
            return True
        before = _word_before(found)
        article = bool(before and before[1].casefold() in self._pronunciation.one_after)
        return article or (_value(found["a"]) == 1 and not self._fraction(found["a"]))

    def _fraction(self, amount: str) -> str:
        found = self._mixed.match(amount)
        return "" if found is None else "mixed" if found[1] else "alone"

    def _number(self, amount: str, of_unit: bool) -> str:
        found = self._mixed.match(amount)
        if found is None:
            return amount
        alone, of, added = (*self._fractions[found[2]], "", "")[:3]
        if found[1]:
            whole = self._numbers.get(found[1], found[1])
            # A leading + joins, as in `zweieinhalb`.
            return f"{whole}{added[1:]}" if added[:1] == "+" else f"{whole} {added or alone}"
        return of if of_unit and of else alone

    def _unit(self, found: re.Match[str], start: int, end: int, one: bool, value: float) -> str:
        """The words of the unit at `start`; "" where it has no meaning that holds."""
        sign, text = found.string[start:end], found.string
        if sign in _QUOTES and _QUOTES[sign].search(text, max(0, start - WINDOW), start):
            return ""  # it may close a quotation
        known = self._units.get(sign) or self._units.get(self._folded.get(sign.casefold(), ""), ())
        for sense in known:
            if self._fits(sense, found, start, end, value):
                words = sense.say[0] if one else sense.say[-1]
                return words + "." if sign.endswith(".") and _ends(text, end) else words
        return ""

    def _fits(self, sense: Sense, found: re.Match[str], start: int, end: int, value: float) -> bool:
        """Whether a unit has this sense: what stands before it stands before its number."""
        if value < sense.least:
            return False
        text = found.string
        # `Rest: 2'` and `Plank – 60"` as without the sign between.
        before = _INTRODUCED.sub(" ", text[max(0, found.start() - WINDOW) : found.start()])
        near = before + text[start : end + WINDOW]
        return holds(sense, near, len(before), len(before) + end - start)

    def _power(self, found: re.Match[str]) -> str:
        digits = "".join(str(RAISED.index(char)) for char in found[0])
        words = self._powers.get(digits)
        if words is None:
            other = self._powers.get("other")
            words = f"{other} {digits}" if other else digits
        return apart(found.string, found.start(), found.end(), words)

    def _each(self, found: re.Match[str]) -> str:
        thing = found["thing"] or found["rate"]
        low, before = thing.casefold(), _word_before(found)
        if found["rate"] and before and before[1].casefold() in self._rates:
            return found[0]  # day/week
        known = self._units.get(thing) or self._units.get(self._folded.get(low, ""))
        word = self._rates.get(low) or (known[0].say[0] if known else thing)
        return f"{found['what'] or ''} {self._pronunciation.per} {word}"


def _word_before(found: re.Match[str]) -> re.Match[str] | None:
    # Looked for in a window: a text may be long and full of numbers.
    return _WORD_BEFORE.search(found.string, max(0, found.start() - 30), found.start())


def _apart_or_list(found: re.Match[str]) -> str:
    """A stroke is a short stop before a number that something else precedes, else nothing."""
    text = found.string
    return ", " if text[found.end()].isdecimal() and text[found.start() - 1].islower() else " "


def _listed(numbers: Iterable[str]) -> str:
    """Numbers one after another; apart where they would look like thousands."""
    said = list(numbers)
    return (", " if any(len(one) == 3 for one in said[1:]) else " ").join(said)


def _value(amount: str) -> float:
    plain = re.sub(r"[^0-9.]", "", amount.replace(",", ""))
    try:
        return float(plain)
    except ValueError:
        return 0.0


def _ends(text: str, end: int) -> bool:
    """Whether the stop of a unit also ends the sentence."""
    rest = text[end:].lstrip(" \"'”’»)")
    return not rest or rest[:1].isupper()


def _unit(sign: str) -> str:
    if not sign[0].isalpha():
        return re.escape(sign) + r"(?![^\W\d_])"
    written = re.escape(sign) if len(sign) == 1 else f"(?i:{re.escape(sign)})"
    return written + (r"(?![^\W\d_])" if sign[-1].isalpha() else r"(?!\w)")


def _longest(words: Iterable[str]) -> list[str]:
    return sorted(words, key=len, reverse=True)


def _alternatives(words: Iterable[str]) -> str:
    # Without words a pattern that never fits: an empty one would fit everywhere.
    return "|".join(map(re.escape, _longest(words))) or "(?!)"
