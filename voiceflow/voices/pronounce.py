"""What a voice is given to say: pronunciations put in, and nothing it could not read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from voiceflow.core.errors import UnreadableError
from voiceflow.script.pronunciation import PLAIN, Pronunciation
from voiceflow.voices.reading import LINK, spoken_form
from voiceflow.voices.voice import Voice

_INLINE = re.compile(r"\[([^\[\]]+)\]\(/([^()]*)/\)")
_WORD = re.compile(r"\w+")
_INVISIBLE = dict.fromkeys((0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))

# What hibari's normaliser and tables read, beside letters, digits and white space.
_HIBARI_SIGNS = frozenset("!\"#$%&'()*+,-./:;<=>?@[]^_|~¡¿£€¥₹₩¢§±×÷°™®©•½¼¾²³µ–—‒―‘’‚“”„«»…·→′″")
_READABLE_SIGNS = frozenset("°©®™℃℉№→←↑↓✓")  # symbols with a name that espeak says

# The first word of a letter's Unicode name is its script. Voices read Latin beside their own.
_SCRIPTS: Mapping[str, frozenset[str]] = {
    code: frozenset(scripts.split())
    for codes, scripts in (
        ("am ti", "ETHIOPIC"),
        ("ar fa ku ps sd ug ur", "ARABIC"),
        ("bn as bpy", "BENGALI"),
        ("ru ba be bg cv kk ky mk mn nog sr tg tt uk", "CYRILLIC"),
        ("bs hr uz az", "CYRILLIC"),
        ("chr", "CHEROKEE"),
        ("cmn hak yue zh", "CJK BOPOMOFO"),
        ("el grc", "GREEK"),
        ("gu", "GUJARATI"),
        ("he", "HEBREW"),
        ("hi kok mr ne sa", "DEVANAGARI"),
        ("hy hyw", "ARMENIAN"),
        ("ja", "HIRAGANA KATAKANA CJK HALFWIDTH KATAKANA-HIRAGANA"),
        ("ka", "GEORGIAN"),
        ("kn", "KANNADA"),
        ("ko", "HANGUL CJK"),
        ("ml", "MALAYALAM"),
        ("my shn", "MYANMAR"),
        ("or", "ORIYA"),
        ("pa", "GURMUKHI"),
        ("piqd", "PRIVATE"),
        ("si", "SINHALA"),
        ("ta", "TAMIL"),
        ("te", "TELUGU"),
        ("th", "THAI"),
    )
    for code in codes.split()
}
_ANY_SCRIPT = frozenset({"LATIN", "MODIFIER", "COMBINING", "MICRO", "FEMININE", "MASCULINE"})

# Sounds as written in IPA, and in the alphabet of misaki that hibari's model was taught.
# Replaced in this order: pairs come before the letters that they are made of.
_MISAKI = (
    ("tʃ", "ʧ"), ("t͡ʃ", "ʧ"), ("dʒ", "ʤ"), ("d͡ʒ", "ʤ"), ("eɪ", "A"), ("aɪ", "I"), ("ɔɪ", "Y"),
    ("oʊ", "O"), ("əʊ", "O"), ("aʊ", "W"), ("ɝ", "ɜɹ"), ("ɚ", "əɹ"), ("əl", "ᵊl"), ("l̩", "ᵊl"),
    ("n̩", "ᵊn"), ("m̩", "ᵊm"), ("ɫ", "l"), ("r", "ɹ"), ("g", "ɡ"), ("ɒ", "ɑ"), ("ɐ", "ʌ"),
    ("e", "ɛ"), ("a", "ɑ"), ("o", "O"), ("ʍ", "w"), ("x", "k"), ("ʉ", "u"), ("'", "ˈ"),
    ("ː", ""), (":", ""), ("ˑ", ""), (".", ""), ("ʰ", ""), ("ʼ", ""), ("̩", ""), ("͡", ""), ("̯", ""),
)  # fmt: skip
_MISAKI_LETTERS = frozenset("AIOWYbdfhijklmnpstuvwzæðŋɑɔəɛɜɡɪɹɾʃʊʌʒʤʧθᵊᵻTˈˌ ")
_MISAKI_VOWELS = re.compile("[AIOWYæɑɔəɛɜɪʊʌᵊᵻiu]")


def spoken(
    text: str, pronounce: Mapping[str, str], voice: Voice, pronunciation: Pronunciation = PLAIN
) -> str:
    """`text` as the voice is given it: words as they are to be said, numbers and shorthand read.

    Parameters
    ----------
    pronounce : mapping of str to str
        Word (or words) to respelling, or to ``/IPA/``, or to ``/IPA/ | respelling``. Whole words,
        whatever their case. A voice that takes no IPA is given what is after the bar, or left the
        word as it is written. These win over the tables and pronunciations of `pronunciation`.

    Raises
    ------
    VoiceError
        The IPA has sounds that the voice does not know.
    """
    said = _INLINE.sub(lambda found: _sound(found[1], found[2], voice), text)
    # Before the text is read: reading could change the words by which these are found.
    own = _table(tuple(pronounce.items()))
    said = _pronounced(said, own, voice)
    # A text of nothing but decoration stays, to be told of as it is written.
    said = spoken_form(said, pronunciation) or said
    mine = {word for word, _ in own.said}
    return _pronounced(said, _table(pronunciation.pronounce), voice, mine)


@dataclass(frozen=True, slots=True)
class _Pronunciations:
    """A table of pronunciations and the pattern that finds its words."""

    pattern: re.Pattern[str] | None
    said: tuple[tuple[str, str], ...]
    first: frozenset[str] = frozenset()  # a text without one of these words has none of the table


@lru_cache(maxsize=64)
def _table(pairs: tuple[tuple[str, str], ...]) -> _Pronunciations:
    table = {word.casefold(): said for word, said in pairs if word.strip()}
    if not table:
        return _Pronunciations(None, ())
    # Longest first, because a pattern takes the first alternative that fits.
    words = "|".join(re.escape(word) for word in sorted(table, key=len, reverse=True))
    # A word that already has its sounds, `[word](/ipa/)` or `[[ ipa ]]`, is passed over.
    pattern = rf"{LINK.pattern}|(?<!\w)(?:{words})(?!\w)"
    first = frozenset((_WORD.findall(word) or [""])[0] for word in table)
    return _Pronunciations(re.compile(pattern, re.IGNORECASE), tuple(table.items()), first)


def _pronounced(text: str, table: _Pronunciations, voice: Voice, but: Collection[str] = ()) -> str:
    """`text` with the words of `table` as they are said, less those in `but`."""
    # An entry without any word, such as a sign, has "" as its first: then every text is searched.
    if table.pattern is None or table.first.isdisjoint((*_WORD.findall(text.casefold()), "")):
        return text
    said = {word: how for word, how in table.said if word not in but}
    return table.pattern.sub(lambda found: _said(found[0], said, voice), text)


def tidy(text: str) -> str:
    """`text` on one line, composed, without characters that have no look: soft hyphens and such."""
    return " ".join(unicodedata.normalize("NFC", text).translate(_INVISIBLE).split())


def unreadable(text: str, voice: Voice) -> tuple[str, ...]:
    """The characters of `text` that `voice` cannot read, each once, in order."""
    if text.isascii() or voice.driver not in ("hibari", "espeak", "piper"):
        return ()
    scripts = _ANY_SCRIPT | _SCRIPTS.get(voice.language.split("-")[0], frozenset())
    signs = _HIBARI_SIGNS if voice.driver == "hibari" else None
    bare = _INLINE.sub(r"\1", text) if voice.ipa else text
    bad = (char for char in tidy(bare) if not char.isascii() and not _reads(char, scripts, signs))
    return tuple(dict.fromkeys(bad))


def check(texts: Iterable[str], voice: Voice) -> None:
    """Nothing, if `voice` can say each of `texts`.

    Raises
    ------
    UnreadableError
        A text has nothing to say, or characters that the voice cannot read.
    """
    for text in texts:
        if not any(char.isalnum() for char in text):
            raise UnreadableError(f"there is nothing to say in {text!r}", text=text)
        if bad := unreadable(text, voice):
            raise UnreadableError(
                f"the voice {voice.name!r} cannot read {_named(bad)} in {shorten(text)!r}",
                hint=_other_voice(bad),
                text=text,
            )


def shorten(text: str, most: int = 60) -> str:
    """`text`, cut with an ellipsis where it is too long to name a cue by."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _said(word: str, table: Mapping[str, str], voice: Voice) -> str:
    said = table.get(word.casefold())
    if said is None:
        return word
    ipa, bar, plain = said.partition(" | ")
    if bar:
        said = ipa if voice.ipa or not plain.strip() else plain.strip()
    if len(said) > 2 and said.startswith("/") and said.endswith("/"):
        return _sound(word, said[1:-1], voice)
    return said


def _sound(word: str, ipa: str, voice: Voice) -> str:
    """`word` with its sounds, in the form that the voice's engine takes."""
    if not voice.ipa:
        return word
    if voice.driver == "piper":
        return f"[[ {ipa.strip()} ]]"
    return f"[{word}](/{_misaki(ipa, word)}/)"


def _misaki(ipa: str, word: str) -> str:
    sounds = unicodedata.normalize("NFC", ipa).strip()
    for written, taught in _MISAKI:
        sounds = sounds.replace(written, taught)
    if bad := sorted(set(sounds) - _MISAKI_LETTERS):
        raise UnreadableError(
            f"the voice has no sound for {' '.join(bad)} in the pronunciation /{ipa}/ of {word!r}",
            hint="write it as English sounds, or respell the word without slashes",
        )
    if sounds and "ˈ" not in sounds:
        return _MISAKI_VOWELS.sub(lambda found: "ˈ" + found[0], sounds, count=1)
    return sounds


def _reads(char: str, scripts: frozenset[str], signs: frozenset[str] | None) -> bool:
    kind = unicodedata.category(char)
    if kind[0] in "LM":
        return unicodedata.name(char, "UNKNOWN").split()[0] in scripts
    if signs is not None:
        return char in signs or kind == "Zs"
    return kind[0] in "NPZ" or kind in ("Sc", "Sm") or char in _READABLE_SIGNS


def _named(chars: tuple[str, ...]) -> str:
    some = ", ".join(
        f"{char!r} ({unicodedata.name(char, 'unknown').lower()})" for char in chars[:3]
    )
    return some + (f" and {len(chars) - 3} more" if len(chars) > 3 else "")


def _other_voice(chars: tuple[str, ...]) -> str:
    if not any(char.isalpha() for char in chars):
        return "leave them out, or write them as words"
    for char in chars:
        script = unicodedata.name(char, "UNKNOWN").split()[0]
        for code, scripts in _SCRIPTS.items():
            if script in scripts:
                return f"a voice of that language can, such as espeak:{code}"
    return "see `voiceflow list voices` for one that can"
