"""Characters that are shown and not said, and those that are letters and digits in fancy dress.

In: any text. Out: the same text as a voice can be given it: no emoji, no marks of direction, and
``①``, ``Ⅱ`` and ``２`` as plain digits. The same for every language.
"""

from __future__ import annotations

import re
import unicodedata

# Marks that have no look of their own. ZWJ and ZWNJ are not here: they join letters in Persian and
# Sinhala, so they go only with the emoji that they join.
_UNSEEN = (
    "\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f"
    "\ufeff\ufff9-\ufffb\u20d0-\u20f0\U000e0000-\U000e0fff\U0001d173-\U0001d17a"
)
_PICTURES = (
    "\u2190-\u21ff\u2300-\u23ff\u2500-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001f0ff\U0001f10d-\U0001f1ff\U0001f200-\U0001faff\U0001fb00-\U0001fbff"
    "®™℠©•‣▪◦●†‡※∙⁃"
)
# Arrows, bracketed digits and such stay where a language has words for them, or they are numbers.
# Arrows that turn around are not among them: they are drawn, never words.
_KEPT = "←-↖↗↘↙⇐-⇔➔-➾❶-➓⤴⤵"
_UNSEEN_RUN = re.compile(f"[{_UNSEEN}]+")
_PICTURE_RUN = re.compile(f"(?:(?![{_KEPT}])[{_PICTURES}][\u200c\u200d{_UNSEEN}]*)+")
_LEFT_ALONE = re.compile("[\u200c\u200d](?![^\\W\\d_])|(?<![^\\W\\d_])[\u200c\u200d]")
_SMILEY = re.compile(r"(?<!\S)[:;]-?[)(DP](?!\S)")
_STARS = re.compile(r"(?<![0-9])(?<![0-9] )\*+|\*+(?! ?[0-9])")  # of Markdown; 3*10 stays
# A list in one line: each point is a sentence of its own for the ear, and needs a stop before it.
_BULLET = r"(?:[•‣▪◦∙⁃✓✔✗✘☐☑✅❌👉►▶]\ufe0f?|(?<=\s)\*(?=\s))"
_POINT = re.compile(rf"(?<=[\w)\]”\"'’°%])\s*{_BULLET}\s*(?=[^\W\d_]|[“\"'(])")
# What begins a point of a list or a heading, and what frames a word, as forums and notes have it.
_LEAD = re.compile(r"^\s*(?:[→⇒➔➜➡►>*–—-]|->|#{1,6}(?=\s))[\s\ufe0f]+(?=[^\W\d_])")
# The sign of a hashtag goes, too.
_FRAME = re.compile(
    r"(?<![\w&#])#(?=[^\W\d_])"
    r"|(?<!\w)_{1,2}(?=[^\W_])|(?<=[^\W_])([.!?,]?)_{1,2}(?!\w)|~~"
)
# A heavy x between or before numbers multiplies; elsewhere it is a point of a list.
_TIMES = re.compile(
    "(?<=[0-9\u20e3])[✕✖]\ufe0f?|(?<=[^\\W_]|\u20e3)\\s[✕✖]\ufe0f?(?=\\s?[0-9])"
    "|(?<![^\\s(])[✕✖]\ufe0f?(?=[0-9])"
)
_GAP = re.compile(r" +([,.;!?]|:(?![0-9]))")
_SPACES = re.compile(r"  +")

# Letters and digits in another dress: full width, mathematical, in circles; ligatures.
_DRESSED = re.compile("[０-９Ａ-Ｚａ-ｚ＃％＆＋．／＝＠\U0001d400-\U0001d7ffⒶ-ⓩ⒜-⒵ﬀ-ﬆ₀-₉]")
_NUMBER = re.compile(r"[Ⅰ-ↈ①-⒛⓪-⓿❶-➓]")
_FIRST_NUMBER = re.compile(r"\s*([Ⅰ-ↈ①-⒛⓪-⓿❶-➓])\s*(?=[^\W\d_])")

# Signs that not every voice knows, and plain ones that are read alike.
_ALIKE = str.maketrans("‐‑﹣⁄∕", "---//")
# In a Latin text they were typed with a keyboard for Chinese or Japanese.
_WIDE = str.maketrans("，。、！？：；（）「」『』・", ",.,!?:;()“”“”·")
_EASTERN = re.compile("[\u3041-\u30fa\u3105-\u312f\u3400-\u9fff\uac00-\ud7af]")

RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
"""Digits of an exponent or a footnote, in order of their value."""


def undecorated(text: str) -> str:
    """`text` without what is only to be seen; as it is where there is nothing of that."""
    bare = _LEAD.sub("", text if text.isascii() else _TIMES.sub(_multiplied, text))
    bare = _POINT.sub(", ", bare)
    bare = _STARS.sub("", _SMILEY.sub(" ", bare))
    bare = _FRAME.sub(r"\1", bare)
    if not text.isascii():
        bare = _PICTURE_RUN.sub(" ", _UNSEEN_RUN.sub("", bare))
        bare = _LEFT_ALONE.sub("", bare)
    if bare == text:
        return text
    return _GAP.sub(r"\1", _SPACES.sub(" ", bare)).strip(" ")


def undressed(text: str) -> str:
    """`text` with letters and digits in fancy dress as plain ones."""
    if text.isascii():
        return text
    # A number in a circle that begins a text counts what follows: it is not part of the sentence.
    if first := _FIRST_NUMBER.match(text):
        text = f"{_value(first[1])}, {text[first.end() :]}"
    text = text.translate(_ALIKE)
    if not _EASTERN.search(text):
        text = text.translate(_WIDE)
    text = _NUMBER.sub(lambda found: _apart(found, _value(found[0])), text)
    return _DRESSED.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)


def apart(text: str, start: int, end: int, words: str) -> str:
    """`words` in the place of ``text[start:end]``, with spaces where they would touch a word."""
    before = " " if start and _word_end(text[start - 1]) and words[:1].isalnum() else ""
    after = " " if text[end : end + 1].isalnum() and words[-1:].isalnum() else ""
    return f"{before}{words}{after}"


def _multiplied(found: re.Match[str]) -> str:
    return " ×" if found[0][:1].isspace() else "×"


def _word_end(char: str) -> bool:
    return char.isalnum() or char in "°º%"


def _apart(found: re.Match[str], words: str) -> str:
    return apart(found.string, found.start(), found.end(), words)


def _value(char: str) -> str:
    return f"{unicodedata.numeric(char, 0):g}"
