"""The labels of a recording, whatever its format: names, chapters, the text as spoken."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from voiceflow.score.score import Chapter, Score

# ISO 639-1 to 639-2 (terminology codes, as ID3 asks for) for the languages that voices speak.
_CODES: Final[dict[str, str]] = dict(
    re.findall(
        r"(\w+)-(\w+)",
        """
    af-afr am-amh an-arg ar-ara as-asm az-aze ba-bak be-bel bg-bul bn-ben bs-bos ca-cat cs-ces
    cv-chv cy-cym da-dan de-deu el-ell en-eng eo-epo es-spa et-est eu-eus fa-fas fi-fin fr-fra
    ga-gle gd-gla gl-glg gn-grn gu-guj he-heb hi-hin hr-hrv ht-hat hu-hun hy-hye ia-ina id-ind
    io-ido is-isl it-ita ja-jpn ka-kat kk-kaz kl-kal kn-kan ko-kor ku-kur ky-kir la-lat lb-ltz
    lt-lit lv-lav mi-mri mk-mkd ml-mal mr-mar ms-msa mt-mlt my-mya nb-nob ne-nep nl-nld nn-nno
    no-nor om-orm or-ori pa-pan pl-pol pt-por qu-que ro-ron ru-rus sd-snd si-sin sk-slk sl-slv
    sq-sqi sr-srp sv-swe sw-swa ta-tam te-tel th-tha tk-tuk tn-tsn tr-tur tt-tat ug-uig uk-ukr
    ur-urd uz-uzb vi-vie zh-zho
    """,
    )
)


@dataclass(frozen=True, slots=True)
class Labels:
    """Names, chapters and text of one recording.

    Attributes
    ----------
    language : str
        Three letters, ISO 639-2; ``und`` if there is no code for it.
    lines : tuple of (int, str)
        Start in milliseconds and text of each thing said, in order.
    year : int
        The year of this version, not today's: the same input gives the same bytes next year too.
    track : (int, int) or None
        Number of this track and of all, if a session is split into files.
    """

    title: str
    length_ms: int
    language: str
    chapters: tuple[Chapter, ...] = ()
    lines: tuple[tuple[int, str], ...] = ()
    about: str = field(default="", kw_only=True)
    artist: str = field(default="voiceflow", kw_only=True)
    album: str = field(default="voiceflow sessions", kw_only=True)
    genre: str = field(default="Fitness", kw_only=True)
    year: int = field(default=2026, kw_only=True)
    track: tuple[int, int] | None = field(default=None, kw_only=True)

    @staticmethod
    def of(score: Score) -> Labels:
        """The labels of a score."""
        said = (event for event in score.events if event.kind == "speech")
        return Labels(
            title=plain(score.title),
            length_ms=score.length_ms,
            language=iso639_2(score.language),
            chapters=tuple(
                Chapter(plain(one.title), one.start_ms, one.end_ms) for one in score.chapters
            ),
            lines=tuple((event.start_ms, plain(event.name)) for event in said),
            about=plain(score.about),
        )


def iso639_2(language: str) -> str:
    """``eng`` for ``en``, ``en-gb`` or ``eng``; ``und`` for what has no code."""
    first = language.strip().lower().replace("_", "-").split("-")[0]
    if len(first) == 3 and first.isascii() and first.isalpha():
        return first
    return _CODES.get(first, "und")


def timestamp(ms: int) -> str:
    """``hh:mm:ss.mmm``."""
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def plain(text: str) -> str:
    """`text` on one line, without control characters and lone surrogates, which no tag can hold."""
    # First of all: a line break is not printable, and without it two words would become one.
    folded = " ".join(text.split())
    return "".join(char for char in folded if char.isprintable())
