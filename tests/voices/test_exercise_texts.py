"""Texts as people write them: all of them read as the file says, and spoken in every voice.

`exercise_texts.txt` holds each text as written, its sentences as they are spoken (`>`), and what of
it nobody reads (`?`). A reading that is wrong can be seen there. After a change of the tables,
`VOICEFLOW_WRITE=1 pytest tests/voices/test_exercise_texts.py` writes it anew, to be looked through.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from making import BUNDLE

from voiceflow import voices
from voiceflow.core.cache import Cache
from voiceflow.core.errors import VoiceError
from voiceflow.plan.sentences import sentences
from voiceflow.script.pronunciation import Pronunciation, load_pronunciation
from voiceflow.voices.reading import spoken_form, unread

FILE = Path(__file__).with_name("exercise_texts.txt")
LANGUAGES = ("en", "es", "de", "fr", "it", "pt")
RATE = 140
SIXTY = Path(__file__).parents[3] / "shared" / "data" / "exercise-texts.json"


@dataclass(frozen=True, slots=True)
class Written:
    """One text of the file, and what the file says of it."""

    language: str
    source: str
    said: tuple[str, ...]
    listed: tuple[str, ...]

    @property
    def text(self) -> str:
        return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), self.source)


def texts() -> Iterator[Written]:
    """The texts of the file: what is not written, and the header, is left out."""
    language, lines = "", FILE.read_text(encoding="utf-8").split("\n")[1:]
    for number, line in enumerate(lines):
        if line.startswith("== "):
            language = line[3:]
        elif line and not line.startswith(("  > ", "  ? ")):
            below = lines[number + 1 :]
            said, listed = below[0][4:], below[1][4:] if below[1].startswith("  ? ") else ""
            yield Written(language, line, tuple(said.split(" // ")), tuple(listed.split()))


TEXTS = tuple(texts())
WORDS = {language: load_pronunciation(BUNDLE, language) for language in LANGUAGES}


def spoken(text: str, pronunciation: Pronunciation) -> tuple[str, ...]:
    """The sentences of `text`, as they are given to a voice."""
    return tuple(spoken_form(part, pronunciation) for part in sentences(text, pronunciation))


@pytest.mark.skipif(not os.environ.get("VOICEFLOW_WRITE"), reason="VOICEFLOW_WRITE=1 runs it")
def test_the_file_is_written_anew() -> None:
    lines = [FILE.read_text(encoding="utf-8").split("\n")[0]]
    for language in LANGUAGES:
        lines += ["", f"== {language}"]
        for one in (one for one in TEXTS if one.language == language):
            left = unread(one.text, WORDS[language])
            said = " // ".join(spoken(one.text, WORDS[language]))
            lines += [one.source, f"  > {said}", *([f"  ? {' '.join(left)}"] if left else [])]
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_there_are_two_hundred_in_six_languages() -> None:
    assert len({one.source for one in TEXTS}) >= 200
    assert {one.language for one in TEXTS} == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_is_read_as_the_file_says(language: str) -> None:
    for one in (one for one in TEXTS if one.language == language):
        said = spoken(one.text, WORDS[language])
        assert said == one.said
        assert [spoken_form(part, WORDS[language]) for part in said] == list(said)
        assert all(any(map(str.isalnum, part)) for part in said), said


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_nobody_reads_is_listed_and_nothing_else(language: str) -> None:
    for one in (one for one in TEXTS if one.language == language):
        assert unread(one.text, WORDS[language]) == one.listed, one.source


@pytest.mark.parametrize("name", ["natural", "espeak", "piper", "silent"])
def test_a_sign_that_a_voice_cannot_read_is_among_those_listed(name: str) -> None:
    for one in TEXTS:
        voice = voices.Voice(name, "hibari" if name == "natural" else name, "", "1", one.language)
        for part in one.said:
            bad = voices.unreadable(part, voice)
            assert set(bad) <= set("".join(one.listed)), (part, bad)


def test_no_sentence_is_a_splinter() -> None:
    """A number or an abbreviation alone is no sentence, but for counts and points of a list."""
    for one in TEXTS:
        for part in one.said:
            letters = re.sub(r"[\W\d_]", "", part)
            assert len(letters) > 2 or re.fullmatch(r"[\d .…]+", part), (one.source, part)


def _voice(name: str) -> voices.Voice:
    """The voice, or a skip that says why it is not here."""
    if name == "piper":
        model = os.environ.get("VOICEFLOW_PIPER", "")
        if not model:
            pytest.skip("no Piper voice: VOICEFLOW_PIPER=voice.onnx names one")
        name = f"piper:{model}"
    try:
        return voices.find(name)
    except VoiceError as error:
        pytest.skip(f"{name} is not on this machine: {error.message}")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["natural", "piper", "silent", "espeak:en-us", *(f"espeak:{x}" for x in LANGUAGES)]
)
def test_every_voice_says_each_of_its_language(name: str) -> None:
    voice = _voice(name)
    own = [one for one in TEXTS if voice.driver == "silent" or one.language == voice.language[:2]]
    said = {
        voices.spoken(part, {}, voice, WORDS[one.language])
        for one in own
        for part in sentences(one.text, WORDS[one.language])
    }
    with voices.Speaker(voice, RATE, Cache(None), jobs=2) as speaker:
        lengths = speaker.speak(said)
    assert len(lengths) == len(said) >= len(own) > 10
    # Each was looked at by itself; together they are as long as their words.
    ratio = sum(lengths.values()) / sum(voices.estimate(text, RATE) for text in said)
    assert 0.7 < ratio < 1.6


@pytest.mark.slow
@pytest.mark.skipif(not SIXTY.is_file(), reason="the instruction texts are not on this machine")
@pytest.mark.parametrize("name", ["natural", "piper", "silent", "espeak:en", "espeak:en-us"])
def test_every_voice_says_the_sixty_instructions(name: str) -> None:
    voice, words = _voice(name), WORDS["en"]
    found = json.loads(SIXTY.read_text(encoding="utf-8"))
    texts = [text for one in found for text in (one["name"], *one["instructions"])]
    said = {voices.spoken(p, {}, voice, words) for text in texts for p in sentences(text, words)}
    with voices.Speaker(voice, RATE, Cache(None), jobs=2) as speaker:
        lengths = speaker.speak(said)
    ratio = sum(lengths.values()) / sum(voices.estimate(text, RATE) for text in said)
    assert len(lengths) == len(said) > 60
    assert 0.7 < ratio < 1.6
