"""Whether a clip can be what it should: as long as its words, give or take a lot."""

from __future__ import annotations

import re
import unicodedata

from voiceflow.core.errors import VoiceError
from voiceflow.core.units import samples_to_ms
from voiceflow.voices.estimates import estimate

# Wide on purpose: a language, a number or an abbreviation can double what letters promise. What is
# to be caught is the clip of another text, of no text, or of an engine that stopped halfway.
_LEAST, _MOST = 0.3, 3.5
_LEAST_MS, _MOST_MS = 100, 1500

# A voice names each letter that it cannot read: eSpeak's Japanese spells `Welcome`, and says
# "Chinese letter" for a kanji. At 140 words a minute that took up to 490 and 1,450 ms a letter.
_RATE = 140
_LATIN_MS, _OTHER_MS = 600, 1_750

# The scripts of languages that are not written in Latin letters, as Unicode names them.
_SCRIPTS = {
    language: tuple(scripts.split("+"))
    for scripts, languages in {
        "HIRAGANA+KATAKANA": "ja",
        "CJK+BOPOMOFO": "zh cmn yue hak nan wuu",
        "HANGUL": "ko",
        "THAI": "th",
        "LAO": "lo",
        "KHMER": "km",
        "MYANMAR": "my shn",
        "TIBETAN": "bo",
        "DEVANAGARI": "hi mr ne kok sd bho mai sa",
        "BENGALI": "bn as bpy",
        "GUJARATI": "gu",
        "GURMUKHI": "pa",
        "ORIYA": "or",
        "TAMIL": "ta",
        "TELUGU": "te",
        "KANNADA": "kn",
        "MALAYALAM": "ml",
        "SINHALA": "si",
        "ETHIOPIC": "am ti",
        "GEORGIAN": "ka",
        "ARMENIAN": "hy hyw",
        "GREEK": "el grc",
        "HEBREW": "he yi",
        "ARABIC": "ar fa ur ug ps",
        "CYRILLIC": "ru uk be bg mk sr kk ky tt ba cv mn tg",
        "CHEROKEE": "chr",
    }.items()
    for language in languages.split()
}


def check(text: str, rate: int, clip: bytes, language: str = "") -> None:
    """Nothing, if `clip` (int16 at 24 kHz, trimmed) can be `text` at `rate` words a minute.

    Parameters
    ----------
    language : str, optional
        What the voice speaks: it may spell the letters of other scripts.

    Raises
    ------
    VoiceError
        It is far too short or far too long.
    """
    length = samples_to_ms(len(clip) // 2)
    if length < max(_LEAST_MS, _LEAST * estimate(text, rate) - 200):
        wrong = "short"
    elif length > _most_ms(text, rate, language):
        wrong = "long"
    else:
        return
    raise VoiceError(f"the voice gave {length / 1000:.2f} s of sound, too {wrong} for its words")


def _most_ms(text: str, rate: int, language: str) -> float:
    """The longest that `text` can take, read as words or with foreign letters spelled."""
    read = _MOST * estimate(text, rate)
    if not language:
        return read + _MOST_MS
    own = _SCRIPTS.get(re.split("[-_]", language)[0].lower(), ("LATIN",))
    named, rest = 0, ""
    for char in text:
        script = unicodedata.name(char, "") if char.isalpha() else ""
        if not script or script.startswith(own):
            rest += char
        else:
            named += _LATIN_MS if script.startswith("LATIN") else _OTHER_MS
    spelled = named * _RATE / rate + _MOST * estimate(rest, rate)
    return max(read, spelled if named else 0) + _MOST_MS
