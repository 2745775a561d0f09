"""A remembered render is the render; whatever could change it makes it forgotten."""

from __future__ import annotations

import shutil

import pytest

import voiceflow
from voiceflow import Options
from voiceflow.score.options import Context
from voiceflow.stitch.rerender import memo_key

SESSION = "title: Mine\nexercises:\n  - own\n"
EXERCISE = """\
name: Own
position: supine
setup: Lie down.
reps: 2
rep:
  - inhale 4: Inhale.
  - exhale 4: Exhale.
"""
SILENT = Options(voice="silent")


@pytest.fixture
def session(put, tmp_path):
    put("exercises/own.yaml", EXERCISE)
    return put("sessions/mine.yaml", SESSION)


def key(reference="mine", options=SILENT):
    return memo_key(reference, options, Context().library)


def test_a_second_render_is_the_same_and_makes_nothing(session, tmp_path):
    first = voiceflow.render("mine", tmp_path / "1.mp3", options=SILENT)
    second = voiceflow.render("mine", tmp_path / "2.mp3", options=SILENT)
    assert (tmp_path / "1.mp3").read_bytes() == (tmp_path / "2.mp3").read_bytes()
    assert [stage for stage, _ in second.stages] == ["join"]
    assert (first.length_ms, first.chapters) == (second.length_ms, second.chapters)
    assert second.loudness == pytest.approx(first.loudness)
    assert second.tally.made == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("exercises/own.yaml", EXERCISE.replace("Lie down", "Sit down")),
        ("sessions/mine.yaml", SESSION.replace("Mine", "Ours")),
        ("settings.yaml", "tempo: 0.9\n"),
        ("paces/steady.yaml", "tempo: 0.8\n"),
        ("phrases/coach.j2", "{% macro ready() %}Go on.{% endmacro %}"),
        ("phrases/positions.yaml", "language: en\n"),
        ("sounds/bowl.yaml", "about: mine\nlike: pluck\n"),
        ("words/en.yaml", "pronounce: {lift: lyft}\n"),
    ],
)
def test_a_change_of_any_script_is_seen(session, put, name, text):
    before = key()
    put(name, text)
    assert key() != before


def test_options_and_an_exercise_beside_the_session_are_seen(session, tmp_path):
    assert key(options=Options(voice="silent", level=2)) != key()
    beside = tmp_path / "elsewhere"
    beside.mkdir()
    path = shutil.copy(session, beside / "mine.yaml")
    before = key(path)
    (beside / "own.yaml").write_text(EXERCISE)
    assert key(path) != before


def test_a_piece_that_has_gone_is_made_again(session, tmp_path):
    voiceflow.render("mine", tmp_path / "1.mp3", options=SILENT)
    for entry in (tmp_path / "cache").rglob("piece/*/*"):
        entry.unlink()
    again = voiceflow.render("mine", tmp_path / "2.mp3", options=SILENT)
    assert again.tally.made > 0
    assert (tmp_path / "1.mp3").read_bytes() == (tmp_path / "2.mp3").read_bytes()


def test_too_many_files_are_not_looked_through(session, tmp_path, monkeypatch):
    monkeypatch.setattr("voiceflow.stitch.rerender._MOST_FILES", 3)
    assert key() is None
    voiceflow.render("mine", tmp_path / "1.mp3", options=SILENT)


def test_what_was_rendered_beside_the_session_is_no_change(session, tmp_path):
    beside = tmp_path / "elsewhere"
    beside.mkdir()
    path = shutil.copy(session, beside / "mine.yaml")
    before = key(path)
    (beside / "mine.mp3").write_bytes(b"a render")
    assert key(path) == before


def test_a_stream_of_what_was_rendered_decides_nothing(session, tmp_path, monkeypatch):
    voiceflow.render("mine", tmp_path / "1.mp3", options=SILENT)
    monkeypatch.setattr("voiceflow.score.decide.decide", None)
    stream = voiceflow.stream("mine", SILENT)
    data = b"".join(stream)
    assert data == (tmp_path / "1.mp3").read_bytes()
    assert stream.length == len(data)


def test_a_stream_remembers_what_it_came_to(session, tmp_path):
    fresh = voiceflow.stream("mine", SILENT)
    data = b"".join(fresh)
    again = voiceflow.stream("mine", SILENT)
    assert (again.chapters, again.length) == (fresh.chapters, fresh.length)
    summary = voiceflow.render("mine", tmp_path / "1.mp3", options=SILENT)
    assert [stage for stage, _ in summary.stages] == ["join"]
    assert (tmp_path / "1.mp3").read_bytes() == data == b"".join(again)


def test_a_stream_goes_on_where_the_cache_ends(session, tmp_path):
    data = b"".join(voiceflow.stream("mine", SILENT))
    chunks = iter(voiceflow.stream("mine", SILENT))
    begun = next(chunks) + next(chunks)
    for entry in (tmp_path / "cache").rglob("piece/*/*"):
        entry.unlink()
    assert begun + b"".join(chunks) == data
