"""Exported folders: every file is read back by someone else's code and held against the score."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import unicodedata
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from conftest import BUNDLED, SOUNDS
from hypothesis import given, settings
from hypothesis import strategies as st

from voiceflow import Options
from voiceflow.cli.main import cli
from voiceflow.core import files as output
from voiceflow.core.cache import Cache
from voiceflow.core.errors import (
    InputError,
    OutputError,
    UnfinishedError,
    VoiceError,
    VoiceflowError,
)
from voiceflow.formats import EXPORTED, sidecars
from voiceflow.formats.filenames import LIMIT, FileNames, safe
from voiceflow.score.decide import Decision
from voiceflow.score.options import Context
from voiceflow.score.prepare import prepare
from voiceflow.script.lookup import Library
from voiceflow.stitch.export import ExportOptions, Failure, Result, export
from voiceflow.stitch.pieces import cut
from voiceflow.stitch.tracks import tracks

TINY = """\
title: "{title}"
exercises:
  - name: "{first}"
    position: standing
    setup: Stand tall.
    reps: 2
    rep:
      - inhale 3: Inhale. | In.
      - exhale 3: Exhale. | Out.
  - name: Heel Raise
    position: standing
    setup: Hold on to the wall.
    reps: 2
    rep:
      - inhale 3: Inhale, rise. | Rise.
      - exhale 3: Exhale, lower. | Lower.
"""
OPTIONS = Options(voice="silent", tones="bowl")
HOSTILE = 'CON: "50 % <rest>" / a\\\\b | *? ☯ ...'


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Context:
    room = tmp_path_factory.mktemp("export")
    return Context(Library(room / "user", BUNDLED, SOUNDS), Cache(room / "cache"), jobs=1)


def session(folder: Path, title: str = "Two Things", first: str = "Wall Slide") -> Path:
    path = folder / "tiny.yaml"
    escaped = (title.replace('"', '\\"'), first.replace('"', '\\"'))
    path.write_text(TINY.format(title=escaped[0], first=escaped[1]), encoding="utf-8")
    return path


def exported(
    path: Path, into: Path, context: Context, form: str = "mp3", **more: object
) -> list[Result]:
    split = bool(more.pop("split", False))
    options = Options(**{"voice": "silent", "tones": "bowl", **more})  # type: ignore[arg-type]
    return list(export([path], into, ExportOptions(form, split), options, context))


def decided(path: Path, context: Context, options: Options = OPTIONS) -> Decision:
    return prepare(path, options, context).decision


def decoded(path: Path) -> np.ndarray:
    samples, _ = soundfile.read(path, dtype="float32", always_2d=True)
    return samples


def numbered(folder: Path, ending: str) -> list[Path]:
    return sorted(folder.glob(f"[0-9]*.{ending}"))


# Whole


def test_a_folder_holds_what_players_read(tmp_path, context):
    path, into = session(tmp_path), tmp_path / "a" / "b"
    results = exported(path, into, context)
    assert {one.path.name for one in results} == {
        "Two Things.mp3", "Two Things.jpg", "Two Things.lrc", "Two Things.vtt",
        "Two Things.chapters.json", "Two Things.m3u8",
    }  # fmt: skip
    assert {one.path.name for one in results} == {one.name for one in into.iterdir()}
    assert all(one.state == "written" and one.size == one.path.stat().st_size for one in results)
    assert (into / "Two Things.jpg").read_bytes()[:2] == b"\xff\xd8"


def test_words_and_chapters_agree_with_the_score(tmp_path, context):
    path, into = session(tmp_path), tmp_path / "out"
    exported(path, into, context)
    score = decided(path, context).score
    said = [event for event in score.events if event.kind == "speech"]

    lines = (into / "Two Things.lrc").read_text(encoding="utf-8").splitlines()
    timed = [re.fullmatch(r"\[(\d+):(\d\d)\.(\d\d)\](.*)", line) for line in lines]
    found = [(int(m[1]) * 60000 + int(m[2]) * 1000 + int(m[3]) * 10, m[4]) for m in timed if m]
    assert found == [(one.start_ms // 10 * 10, one.name) for one in said]

    vtt = (into / "Two Things.vtt").read_text(encoding="utf-8")
    assert vtt.startswith("WEBVTT\nLanguage: en\n\n")
    starts = re.findall(r"(\d\d):(\d\d):(\d\d)\.(\d\d\d) -->.*\n(.+)", vtt)
    times = [((int(h) * 60 + int(m)) * 60 + int(s)) * 1000 + int(ms) for h, m, s, ms, _ in starts]
    assert times == [one.start_ms for one in said]
    assert [text for *_, text in starts] == [one.name for one in said]

    told = json.loads((into / "Two Things.chapters.json").read_text(encoding="utf-8"))
    assert told["version"] == "1.2.0"
    assert [(c["title"], c["startTime"], c["endTime"]) for c in told["chapters"]] == [
        (c.title, c.start_ms / 1000, c.end_ms / 1000) for c in score.chapters
    ]


@pytest.mark.parametrize("form", [one for one in EXPORTED if one not in ("mp3", "m4b")])
def test_other_formats_last_as_long_as_the_score(form, tmp_path, context):
    path, into = session(tmp_path), tmp_path / "out"
    exported(path, into, context, form)
    score = decided(path, context).score
    rate = soundfile.info(into / f"Two Things.{form}").samplerate
    samples = decoded(into / f"Two Things.{form}")
    assert len(samples) * 1000 == score.length_ms * rate
    again = exported(path, into, context, form)
    assert {one.state for one in again} == {"unchanged"}


def test_an_m4b_has_chapters_names_and_sound(tmp_path, context):
    av = pytest.importorskip("av", reason="the extra `m4b` is not installed")
    path, into = session(tmp_path), tmp_path / "out"
    exported(path, into, context, "m4b")
    score = decided(path, context).score
    target = into / "Two Things.m4b"
    with av.open(str(target)) as file:
        times = [
            (c["metadata"]["title"], round(c["start"] * c["time_base"] * 1000))
            for c in file.chapters()
        ]
        length = sum(frame.samples for frame in file.decode(audio=0)) / 24
    assert times == [(c.title, c.start_ms) for c in score.chapters]
    assert length == pytest.approx(score.length_ms, abs=90)  # AAC's own frames at both ends
    tags = mutagen.File(target).tags
    assert tags["\xa9nam"] == [score.title]
    assert tags["covr"]
    assert {one.state for one in exported(path, into, context, "m4b")} == {"unchanged"}


def test_an_m4b_without_its_extra_says_what_to_install(tmp_path, context, monkeypatch):
    monkeypatch.setattr("voiceflow.formats.m4b.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"pip install av"):
        exported(session(tmp_path), tmp_path / "out", context, "m4b")
    assert not (tmp_path / "out").exists()


# Split


@pytest.mark.parametrize("mono", [False, True])
def test_parts_played_in_sequence_are_the_whole(tmp_path, context, mono):
    path, into = session(tmp_path), tmp_path / "out"
    exported(path, into, context, mono=mono)
    exported(path, into, context, split=True, mono=mono)
    decision = decided(path, context)
    split = tracks(decision.score, cut(decision.score))
    files = numbered(into / "Two Things", "mp3")
    sounds = [decoded(file) for file in files]
    assert [len(sound) // 24 for sound in sounds] == [part.length_ms for part in split]
    joined, whole = np.concatenate(sounds), decoded(into / "Two Things.mp3")
    assert joined.shape == whole.shape
    assert np.abs(joined - whole).max() < 1e-3


@pytest.mark.parametrize("mono", [False, True])
def test_a_cut_through_a_bed_costs_no_more_than_a_blink(tmp_path, context, mono):
    path, into = session(tmp_path), tmp_path / "out"
    exported(path, into, context, bed="ocean", mono=mono)
    exported(path, into, context, bed="ocean", split=True, mono=mono)
    sounds = [decoded(file) for file in numbered(into / "Two Things", "mp3")]
    joined, whole = np.concatenate(sounds), decoded(into / "Two Things.mp3")
    assert joined.shape == whole.shape
    differs = np.abs(joined - whole).max(axis=1) > 2e-3
    starts = np.cumsum([0, *(len(sound) for sound in sounds[:-1])])
    for start in starts:
        differs[start : start + 4 * 576] = False  # two frames, and what the filters hold
    assert not differs.any()


def test_lossless_parts_join_to_the_sample(tmp_path, context):
    path, into = session(tmp_path), tmp_path / "out"
    exported(path, into, context, "flac", bed="rain")
    exported(path, into, context, "flac", bed="rain", split=True)
    sounds = [decoded(file) for file in numbered(into / "Two Things", "flac")]
    assert np.array_equal(np.concatenate(sounds), decoded(into / "Two Things.flac"))


@pytest.mark.parametrize(("form", "track"), [("mp3", "TRCK"), ("ogg", "tracknumber")])
def test_parts_are_tracks_of_an_album(form, track, tmp_path, context):
    path, into = session(tmp_path), tmp_path / "out"
    exported(path, into, context, form, split=True)
    score = decided(path, context).score
    files = numbered(into / "Two Things", form)
    assert len(files) == len(score.chapters)
    easy = [mutagen.File(file, easy=True) for file in files]
    assert [one["title"][0] for one in easy] == [chapter.title for chapter in score.chapters]
    assert {one["album"][0] for one in easy} == {"Two Things"}
    tracks = [str(mutagen.File(file).tags[track]).strip("[']") for file in files]
    assert [int(one.split("/")[0]) for one in tracks] == list(range(1, len(files) + 1))
    assert form != "mp3" or {one.split("/")[1] for one in tracks} == {str(len(files))}


def test_parts_words_are_the_scores(tmp_path, context):
    path, into = session(tmp_path), tmp_path / "out"
    exported(path, into, context, split=True)
    score = decided(path, context).score
    said = []
    for lyrics in numbered(into / "Two Things", "lrc"):
        said += re.findall(r"\[\d+:\d\d\.\d\d\](.*)", lyrics.read_text(encoding="utf-8"))
    assert said == [event.name for event in score.events if event.kind == "speech"]


def test_no_part_begins_or_ends_in_a_sound(context):
    for name in ("hip-back-short", "hiit-12", "body-scan"):
        score = decided(name, context).score
        pieces = cut(score)
        edges = [part.start_ms for part in tracks(score, pieces)] + [score.length_ms]
        assert edges == sorted(edges)
        for chapter, edge in zip(score.chapters, edges, strict=False):
            assert 0 <= chapter.start_ms - edge <= 1500
        for piece in pieces:
            assert not any(piece.start_ms < edge < piece.end_ms for edge in edges)


def test_what_an_earlier_split_left_is_told_of_and_stays(tmp_path, context):
    path, into = session(tmp_path), tmp_path / "out"
    exported(path, into, context, split=True)
    session(tmp_path, first="Another Name")
    results = exported(path, into, context, split=True)
    (left,) = [one.path for one in results if one.state == "left over"]
    assert left.name == "02 Wall Slide.mp3"
    assert left.exists()
    assert left.name not in (into / "Two Things.m3u8").read_text(encoding="utf-8")


# Playlist and names


@pytest.mark.parametrize("split", [False, True])
def test_a_playlist_leads_to_the_files_from_anywhere(split, tmp_path, context):
    path = session(tmp_path, title=HOSTILE, first="#1 // NUL. ")
    results = exported(path, tmp_path / "out", context, split=split)
    playlist = results[-1].path
    assert results[-1].path.suffix == ".m3u8"
    moved = tmp_path / "moved"
    shutil.move(tmp_path / "out", moved)
    lines = (moved / playlist.name).read_bytes().decode().splitlines()
    assert lines[0] == "#EXTM3U"
    listed = [line for line in lines if not line.startswith("#")]
    sounds = sorted(str(one.relative_to(moved)) for one in moved.rglob("*.mp3"))
    assert sorted(listed) == sounds
    assert len(listed) == (4 if split else 1)
    for one in moved.rglob("*"):
        assert_safe(one.name)


def assert_safe(name: str) -> None:
    assert not set(name) & set('<>:"/\\|?*')
    assert all(char.isprintable() for char in name)
    assert name == unicodedata.normalize("NFC", name)
    assert len(name.encode()) <= LIMIT
    assert name == name.strip(" ")
    assert not name.endswith(".")
    assert not name.startswith((".", "#", "~"))
    stem = name.split(".")[0].rstrip().lower()
    assert stem not in ("con", "prn", "aux", "nul", "conin$", "conout$")
    assert not re.fullmatch(r"(com|lpt)[0-9¹²³]", stem)


TITLES = st.one_of(
    st.text(max_size=150),
    st.sampled_from(["", ".", "..", "CON", "nul.txt", "Com1 ", "...", "é" * 200, "e\u0301" * 90]),
    st.sampled_from(["a\u202eb", "\ud800x", "lpt¹.mp3", " - ", "x" * 119 + ". .", "🧘" * 60]),
)


@given(title=TITLES)
@settings(max_examples=150)
def test_any_title_gives_a_safe_name(title):
    for ending in (".mp3", ".opus", ".chapters.json"):
        assert_safe(safe(title, ending=ending))
        assert_safe(safe(title, prefix="01 ", ending=ending))


@given(titles=st.lists(TITLES, max_size=6))
@settings(max_examples=60)
def test_no_two_names_differ_in_case_alone(titles):
    names = FileNames()
    given_ = [names.give(title) for one in titles for title in (one, one.upper(), one)]
    assert len({name.casefold() for name in given_}) == len(given_)
    for name in given_:
        assert_safe(name + ".chapters.json")


def test_sessions_of_one_title_do_not_overwrite_each_other(tmp_path, context):
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    second.mkdir()
    paths = [session(first, "Calm"), session(second, "CALM", first="Other"), first / "tiny.yaml"]
    results = list(export(paths, tmp_path / "out", ExportOptions(), OPTIONS, context))
    sounds = [one.path.name for one in results if one.path.suffix == ".mp3"]
    assert sounds == ["Calm.mp3", "CALM (2).mp3"]
    assert results[-1].path.name == "voiceflow sessions.m3u8"


# Left alone, and trouble


@pytest.mark.parametrize("split", [False, True])
def test_what_is_unchanged_is_not_touched(split, tmp_path, context, monkeypatch):
    path, into = session(tmp_path), tmp_path / "out"
    exported(path, into, context, split=split)
    files = [one for one in into.rglob("*") if one.is_file()]
    for one in files:
        os.utime(one, (1_000_000_000, 1_000_000_000))
    monkeypatch.setattr("voiceflow.stitch.sync.writing", None)  # not even a draft is begun
    assert {one.state for one in exported(path, into, context, split=split)} == {"unchanged"}
    assert {one.stat().st_mtime for one in files} == {1_000_000_000}


@pytest.mark.parametrize("harm", ["cut", "longer", "changed", "empty", "gone"])
def test_what_is_not_right_is_written_anew(harm, tmp_path, context):
    path, into = session(tmp_path), tmp_path / "out"
    exported(path, into, context)
    sound = into / "Two Things.mp3"
    right = sound.read_bytes()
    wrong = bytearray(right)
    wrong[len(wrong) // 2] ^= 255
    if harm == "gone":
        sound.unlink()
    else:
        harms = {"cut": right[:-100], "longer": right + b"x", "changed": bytes(wrong), "empty": b""}
        sound.write_bytes(harms[harm])
    states = {one.path.name: one.state for one in exported(path, into, context)}
    assert sound.read_bytes() == right
    assert [name for name, state in states.items() if state == "written"] == [sound.name]


def test_a_file_in_the_folders_place_is_refused(tmp_path, context):
    taken = tmp_path / "taken"
    taken.write_text("mine")
    for into in (taken, taken / "below"):
        with pytest.raises(OutputError, match="--to"):
            exported(session(tmp_path), into, context)
    assert taken.read_text() == "mine"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_folder_that_may_not_be_written_to_is_refused(tmp_path, context):
    into = tmp_path / "out"
    into.mkdir(mode=0o500)
    with pytest.raises(OutputError, match="--to"):
        exported(session(tmp_path), into, context)


def test_a_full_disk_leaves_what_was_there(tmp_path, context, monkeypatch):
    path, into = session(tmp_path), tmp_path / "out"
    exported(path, into, context)
    sound = into / "Two Things.mp3"
    sound.write_bytes(b"older")

    def full(self: output.Draft, data: bytes) -> None:
        raise output.explained(OSError(errno.ENOSPC, "full"), self.target)

    monkeypatch.setattr(output.Draft, "write", full)
    with pytest.raises(OutputError, match="no space left"):
        exported(path, into, context)
    assert sound.read_bytes() == b"older"
    assert not list(into.glob(".*"))


def test_the_command_says_what_became_of_each_file(tmp_path):
    arguments = ["export", str(session(tmp_path)), "--to", str(tmp_path / "out"), "--voice"]
    arguments += ["silent", "--jobs", "1", "--split"]
    for state in ("written", "unchanged"):
        done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert done.exit_code == 0
        lines = done.output.splitlines()
        assert len(lines) == 2 * 4 + 2
        assert all(line.startswith(state) for line in lines)


def batch(folder: Path) -> list[str]:
    """Five sessions, of which the first, the third and the fourth are good."""
    written = []
    for number, name in enumerate(("one", "wrong", "three", "four", "endless")):
        path = folder / f"{name}.yaml"
        text = TINY.format(title=name.capitalize(), first="Wall Slide")
        if name == "wrong":
            text = text.replace("reps: 2", "repz: 2", 1)
        if name == "endless":  # twelve hours: seen only when it is planned
            text = text.replace("reps: 2", "reps: 5000", 1)
        path.write_text(text, encoding="utf-8")
        written.insert(number, str(path))
    return written


def command(sessions: list[str], out: Path) -> list[str]:
    return ["export", *sessions, "--to", str(out), "--voice", "silent", "--tones", "none"]


def test_one_bad_session_does_not_stop_the_others(tmp_path):
    """What stood after a bad one was not written, and exit code 2 said nothing of what was."""
    out = tmp_path / "out"
    done = CliRunner().invoke(cli, command([*batch(tmp_path), "brething"], out))
    assert isinstance(done.exception, UnfinishedError)
    assert done.exception.exit_code == 1
    assert str(done.exception) == "3 of 6 sessions could not be exported"
    assert {path.stem for path in out.glob("*.mp3")} == {"One", "Three", "Four"}
    # What needs no work to be seen is told before the work.
    first, second, *_, last = done.output.splitlines()[0:2] + done.stderr.splitlines()
    assert "wrong.yaml:" in first
    assert "brething: error: there is no session called" in second
    assert "`breathing`" in second
    assert "endless.yaml:1:1: error: " in last
    listed = (out / "voiceflow sessions.m3u8").read_text(encoding="utf-8").splitlines()
    assert [line for line in listed if line.endswith(".mp3")] == [
        "One.mp3",
        "Three.mp3",
        "Four.mp3",
    ]


@pytest.mark.parametrize("split", [False, True])
def test_a_session_that_fails_on_the_way_is_on_no_playlist(split, tmp_path, context, monkeypatch):
    sessions = batch(tmp_path)[:1] + batch(tmp_path)[2:4]
    right, into = sidecars.lyrics, tmp_path / "out"

    def fails(labels):
        if "Three" in (labels.title, labels.album):
            raise VoiceError("the voice crashed")
        return right(labels)

    monkeypatch.setattr(sidecars, "lyrics", fails)
    results = []
    with pytest.raises(UnfinishedError, match="1 of 3"):
        results.extend(export(sessions, into, ExportOptions(split=split), OPTIONS, context))
    assert [one.line() for one in results if isinstance(one, Failure)] == [
        f"{sessions[1]}: error: the voice crashed"
    ]
    playlist = (into / "voiceflow sessions.m3u8").read_text(encoding="utf-8")
    assert "Four" in playlist
    assert "Three" not in playlist


@pytest.mark.parametrize(
    ("sessions", "code"), [(["wrong.yaml"], 2), (["wrong.yaml", "nowhere"], 2)]
)
def test_where_nothing_is_right_it_is_wrong_input(sessions, code, tmp_path):
    batch(tmp_path)
    given = [str(tmp_path / one) if one.endswith("yaml") else one for one in sessions]
    done = CliRunner().invoke(cli, command(given, tmp_path / "out"))
    assert isinstance(done.exception, VoiceflowError)
    assert done.exception.exit_code == code
    assert not list((tmp_path / "out").glob("*"))


def test_a_full_disk_ends_the_batch(tmp_path, context, monkeypatch):
    begun = []

    def full(self: output.Draft, data: bytes) -> None:
        begun.append(self.target.name)
        raise output.explained(OSError(errno.ENOSPC, "full"), self.target)

    monkeypatch.setattr(output.Draft, "write", full)
    sessions = batch(tmp_path)[:1] + batch(tmp_path)[2:4]
    with pytest.raises(OutputError, match="no space left"):
        list(export(sessions, tmp_path / "out", ExportOptions(), OPTIONS, context))
    assert begun == ["One.mp3"]
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("step", ["_encode", "_label"])
def test_an_m4b_that_a_library_cannot_write_is_told_in_our_words(
    tmp_path, context, monkeypatch, step
):
    av = pytest.importorskip("av", reason="the extra `m4b` is not installed")
    kinds = {"_encode": av.error.InvalidDataError, "_label": mutagen.MutagenError}

    def fail(*_):
        raise kinds[step](-1094995529, "Invalid data found when processing input")

    monkeypatch.setattr(f"voiceflow.formats.m4b.{step}", fail)
    with pytest.raises(OutputError, match="could not be written completely") as caught:
        exported(session(tmp_path), tmp_path / "out", context, "m4b")
    assert "Two Things.m4b" in str(caught.value)
    assert "Invalid data" not in str(caught.value)
    assert list((tmp_path / "out").iterdir()) == []
