"""Whole sessions, from script to file, heard by libsndfile, mutagen and ffprobe."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import mutagen
import numpy as np
import pyloudnorm
import pytest
from listening import decode, onset_errors, true_peak, where_silent

import voiceflow
from voiceflow import Options, VoiceflowError
from voiceflow.core.errors import InputError
from voiceflow.core.units import GRID_MS
from voiceflow.score.option_table import checked
from voiceflow.score.score import as_dict

SPANISH = """\
title: Caderas en calma
language: es
exercises:
  - name: Puente
    position: supine
    setup: Túmbate boca arriba. Dobla las rodillas y apoya los pies.
    reps: 3
    rep:
      - inhale 4: Inhala y prepárate. | Inhala.
      - exhale 5: Exhala y sube la cadera. | Exhala, sube.
    caution: Para si te duele la espalda.
"""
OWN = """\
title: Two Good Things
pace: brisk
exercises:
  - name: Wall Slide
    position: standing
    setup: Stand with your back against a wall. Bend your elbows.
    reps: 4
    rep:
      - inhale 3.5: Inhale, slide your arms up. | Inhale, up.
      - exhale 4.5: Exhale, draw them down. | Exhale, down.
  - name: Ankle Rock
    position: standing
    sides: each
    setup: Step your {{ side }} foot forward.
    reps: 2
    rep:
      - exhale 4: Exhale, knee over toes. | Exhale, forward.
      - hold 4: Hold. | Hold.
      - inhale 3: Inhale, and back. | Inhale, back.
"""


def write(folder: Path, text: str, name: str = "own") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def held_against_score(path: Path, score: dict, *, voiced: bool = True) -> None:
    """Length, onsets, silence: the file is what the score says."""
    samples, rate = decode(path)
    assert abs(len(samples) * 1000 / rate - score["length_ms"]) <= 50
    speech = [event for event in score["events"] if event["kind"] == "speech"]
    if voiced:
        errors = np.array(onset_errors(samples, rate, speech))
        late = [(round(e), s["text"]) for e, s in zip(errors, speech, strict=True) if abs(e) > 40]
        assert not late
    quiet = samples[where_silent(score, rate, len(samples))]
    assert np.abs(quiet).max(initial=0) < 10 ** (-60 / 20)


@pytest.mark.parametrize("voice", ["natural", "espeak"])
def test_a_session_of_ones_own_is_heard_where_the_score_says(tmp_path, voice):
    path, out = write(tmp_path, OWN), tmp_path / "own.mp3"
    options = Options(voice=voice, tones="none")
    score = as_dict(voiceflow.arrange(path, options).score)
    summary = voiceflow.render(path, out, options=options)
    held_against_score(out, score)
    assert summary.length_ms == score["length_ms"]


def test_spanish_speaks_spanish_throughout(tmp_path):
    path, out = write(tmp_path, SPANISH), tmp_path / "es.mp3"
    options = Options(voice="espeak:es", tones="none")
    decision = voiceflow.arrange(path, options)
    voiceflow.render(path, out, options=options)
    held_against_score(out, as_dict(decision.score))
    said = " ".join(event.name for event in decision.score.events if event.kind == "speech")
    assert "sesión" in said.lower()
    for english in ("Welcome", "Inhale", "Next", "Ready", "complete"):
        assert english not in said
    assert decision.voice.language == "es"
    assert voiceflow.arrange(path).voice.name.startswith("espeak:es")


def test_loudness_and_peak_of_the_main_session(tmp_path):
    out = tmp_path / "short.mp3"
    summary = voiceflow.render("hip-back-short", out)
    samples, rate = decode(out)
    loudness = pyloudnorm.Meter(rate).integrated_loudness(samples.astype(np.float64))
    assert loudness == pytest.approx(-16, abs=1)
    assert summary.loudness == pytest.approx(loudness, abs=0.3)
    assert true_peak(samples) <= -1.0


def test_chapters_read_back(tmp_path):
    out = tmp_path / "own.mp3"
    path = write(tmp_path, OWN)
    options = Options(voice="silent")
    score = voiceflow.arrange(path, options).score
    voiceflow.render(path, out, options=options)
    tags = mutagen.File(out).tags
    (contents,) = tags.getall("CTOC")
    found = [tags[f"CHAP:{name}"] for name in contents.child_element_ids]
    told = [(c.sub_frames["TIT2"].text[0], c.start_time, c.end_time) for c in found]
    assert told == [(c.title, c.start_ms, c.end_ms) for c in score.chapters]
    assert mutagen.File(out).info.length * 1000 == pytest.approx(score.length_ms, abs=1)
    lines = [text for text, _ in tags.getall("SYLT")[0].text]
    assert len(lines) == sum(event.kind == "speech" for event in score.events)


@pytest.mark.skipif(not shutil.which("ffprobe"), reason="ffprobe is not installed")
def test_chapters_read_back_by_ffprobe(tmp_path):
    out = tmp_path / "own.mp3"
    path = write(tmp_path, OWN)
    options = Options(voice="silent")
    score = voiceflow.arrange(path, options).score
    voiceflow.render(path, out, options=options)
    ask = ["ffprobe", "-v", "error", "-show_chapters", "-show_format", "-of", "json", str(out)]
    told = json.loads(subprocess.run(ask, capture_output=True, check=True).stdout)
    chapters = [(c["tags"]["title"], float(c["start_time"]) * 1000) for c in told["chapters"]]
    assert [title for title, _ in chapters] == [c.title for c in score.chapters]
    for (_, start), chapter in zip(chapters, score.chapters, strict=True):
        assert start == pytest.approx(chapter.start_ms, abs=1)
    assert float(told["format"]["duration"]) * 1000 == pytest.approx(score.length_ms, abs=50)


@pytest.mark.parametrize("count", [1, 60])
def test_one_exercise_and_sixty(tmp_path, count):
    names = "\n".join(
        "  - bridge: {reps: 2}" if n % 2 else "  - hip-hinge: {reps: 2}" for n in range(count)
    )
    path = write(tmp_path, f"title: Many\nexercises:\n{names}\n")
    out = tmp_path / "many.mp3"
    options = Options(voice="silent")
    score = as_dict(voiceflow.arrange(path, options).score)
    voiceflow.render(path, out, options=options)
    held_against_score(out, score, voiced=False)
    assert len(score["chapters"]) == count + 2


@pytest.mark.parametrize("form", ["wav", "flac", "ogg"])
def test_other_formats_hold_the_same(tmp_path, form):
    path = write(tmp_path, OWN)
    out = tmp_path / f"own.{form}"
    options = Options(voice="espeak", tones="none")
    score = as_dict(voiceflow.arrange(path, options).score)
    voiceflow.render(path, out, form, options=options)
    held_against_score(out, score)


def test_mono_folds(tmp_path):
    out = tmp_path / "own.mp3"
    voiceflow.render(write(tmp_path, OWN), out, options=Options(voice="espeak", mono=True))
    samples, rate = decode(out)
    assert samples.shape[1] == 1
    loudness = pyloudnorm.Meter(rate).integrated_loudness(samples.astype(np.float64))
    assert loudness == pytest.approx(-19, abs=1.2)


def test_same_input_gives_the_same_bytes_cold_and_warm(tmp_path, monkeypatch):
    path = write(tmp_path, OWN)
    made = []
    for turn, cache in enumerate(("one", "two", "two")):
        monkeypatch.setenv("VOICEFLOW_CACHE", str(tmp_path / cache))
        out = tmp_path / f"{turn}.mp3"
        voiceflow.render(path, out, options=Options(voice="espeak"))
        made.append(out.read_bytes())
    assert made[0] == made[1] == made[2]


def test_a_segment_for_pydub(tmp_path):
    path = write(tmp_path, OWN)
    options = Options(voice="silent")
    segment = voiceflow.segment(path, options)
    score = voiceflow.arrange(path, options).score
    assert len(segment) == score.length_ms
    assert (segment.frame_rate, segment.channels, segment.sample_width) == (24_000, 2, 2)


def test_the_stream_knows_its_length_beforehand(tmp_path):
    stream = voiceflow.stream(write(tmp_path, OWN), Options(voice="silent"))
    assert sum(map(len, stream)) == stream.length
    assert stream.chapters[0][1] < stream.chapters[1][1] < stream.length


def test_a_session_larger_than_what_memory_keeps(tmp_path, monkeypatch):
    path, options = write(tmp_path, OWN), Options(voice="silent")
    first = b"".join(voiceflow.stream(path, options))
    monkeypatch.setattr("voiceflow.stitch.stitcher._STORE_BYTES", 1)
    assert b"".join(voiceflow.stream(path, options)) == first


def test_a_session_says_how_long_it_lasts_and_what_lies_under_it(tmp_path):
    text = OWN.replace("title:", "minutes: 4\nbed: rain\ntitle:", 1)
    decision = voiceflow.arrange(write(tmp_path, text), Options(voice="silent"))
    assert decision.score.length_ms == pytest.approx(240_000, abs=GRID_MS)
    assert decision.bed == "rain"
    asked = Options(voice="silent", minutes_ms=300_000, bed="none")
    other = voiceflow.arrange(tmp_path / "own.yaml", asked)
    assert other.score.length_ms == pytest.approx(300_000, abs=GRID_MS)
    assert other.bed is None
    # What lies on a bed is never taken for what was rendered without.
    plain, under = tmp_path / "plain.mp3", tmp_path / "under.mp3"
    for target in (under, under):
        voiceflow.render(tmp_path / "own.yaml", target, options=Options(voice="silent"))
    voiceflow.render(tmp_path / "own.yaml", plain, options=Options(voice="silent", bed="none"))
    assert plain.read_bytes() != under.read_bytes()


# What a wrong word comes to.


def test_the_ending_says_the_format_and_nothing_lies_about_it(tmp_path):
    path = write(tmp_path, OWN)
    quick = Options(voice="silent")
    for form, magic in (("wav", b"RIFF"), ("flac", b"fLaC"), ("mp3", b"ID3")):
        voiceflow.render(path, tmp_path / f"a.{form}", options=quick)
        assert (tmp_path / f"a.{form}").read_bytes().startswith(magic)
    for name, form, why in (
        ("b.mp3", "wav", "would not be what it says"),
        ("b.xyz", None, "does not write .xyz"),
        ("b", "midi", "no format 'midi'"),
    ):
        with pytest.raises(InputError, match=why):
            voiceflow.render(path, tmp_path / name, form, options=quick)
        assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ("title: Smile \u4e2d", "cannot read"),
        ("title: Own\npronounce: {lift: /qq!/}", "has no sound for"),
        ("title: Own\nlanguage: xx", "own.yaml:1:1: no voice speaks the language 'xx'"),
    ],
)
def test_what_cannot_be_read_is_wrong_input(tmp_path, head, why):
    path = write(tmp_path, f"{head}\nexercises: [bridge]\n")
    with pytest.raises(VoiceflowError, match=why) as found:
        voiceflow.arrange(path)
    assert found.value.exit_code == 2


def test_voices_are_there_without_being_imported():
    code = "import voiceflow; voiceflow.voices.install_drivers()"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"level": 99}, r"level: 99 .*from 1 to 3"),
        ({"level": "two"}, "level: .*'two'"),
        ({"level": True}, "level: .*'true'"),
        ({"equipment": ("zzz",)}, "equipment: 'zzz' .*circle"),
        ({"equipment": ({},)}, "equipment: expected text or a number, found tuple"),
        ({"minutes_ms": "20"}, "minutes_ms: expected milliseconds, found str"),
        ({"minutes_ms": 4}, "minutes_ms: 4 is out of range"),
        ({"shuffle": "a"}, "shuffle: .*'a'"),
        ({"shuffle": float("nan")}, "shuffle: .*'nan'"),
        ({"shuffle": 10**31}, "shuffle: .*out of range"),
        ({"pacing": (("tempo", float("inf")),)}, "pacing tempo=inf: "),
        ({"minutes_ms": -5}, "minutes_ms: -5 is out of range .*5000"),
        ({"name": b"Ana"}, "name: expected text or a number, found bytes"),
        ({"pacing": (("tempo", 99),)}, "pacing tempo=99: "),
        ({"pacing": (("tempo", "fast"),)}, "pacing tempo=fast: "),
        ({"pacing": (("nope", 1),)}, "pacing nope: unknown pacing key"),
        ({"pacing": ("tempo",)}, "pacing: expected pairs of a name"),
        ({"level": 0, "shuffle": 1.5}, "level: 0 .*\nshuffle: .*1.5"),
    ],
    ids=str,
)
def test_a_program_may_hand_over_anything(options, why):
    with pytest.raises(InputError, match=why):
        voiceflow.arrange("breathing", Options(**{"voice": "silent", **options}))


def test_a_value_may_be_given_as_text_or_alone():
    given = {"level": "2", "equipment": "ball", "name": 7, "only": "breath-and-floor"}
    assert checked(Options(**given)) == Options(
        level=2, equipment=("ball",), name="7", only=("breath-and-floor",)
    )


def test_a_decision_is_plain_data(tmp_path):
    """It can be pickled, sent to another machine, and is the same there."""
    decision = voiceflow.arrange(write(tmp_path, OWN), Options(voice="silent", bed="rain"))
    assert pickle.loads(pickle.dumps(decision)) == decision


def test_options_are_options():
    with pytest.raises(InputError, match=r"expected voiceflow.Options, found dict"):
        voiceflow.arrange("breathing", {"pace": "calm"})


def test_pacing_is_said_in_the_command_lines_words_too():
    said = [
        voiceflow.arrange("breathing", Options(voice="silent", pacing=pacing)).score
        for pacing in (
            (("breath.inhale", 5), ("tips", False)),
            (("breath_in", 5.0), ("tips", "no")),
        )
    ]
    assert said[0] == said[1]


@pytest.mark.parametrize("seed", [10**14, -(10**29), 0])
def test_a_seed_is_any_number(seed: int) -> None:
    assert checked(Options(shuffle=seed)).shuffle == seed


def test_one_channel_may_be_said_as_a_number() -> None:
    assert checked(Options(mono=1)).mono is True
    assert checked(Options(mono=0)).mono is False
