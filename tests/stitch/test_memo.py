"""A remembered render is the render; whatever could change it makes it forgotten."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

import voiceflow
from voiceflow import Options
from voiceflow.score.options import Context
from voiceflow.stitch import made_by
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
    return memo_key(reference, options, Context())


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
        ("pronunciation/en.yaml", "pronounce: {lift: lyft}\n"),
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


def test_a_remembered_render_tells_no_counts_that_nobody_made(session, tmp_path):
    first = voiceflow.render("mine", tmp_path / "1.mp3", options=SILENT)
    again = voiceflow.render("mine", tmp_path / "2.mp3", options=SILENT)
    assert f"{first.tally.speech} texts said" in first.profile()
    assert "texts said" not in again.profile()
    assert "0 made" in again.profile()


def test_a_library_of_any_size_is_remembered(session, put):
    before = key()
    assert before is not None
    for number in range(3_000):
        put(f"exercises/other-{number}.yaml", EXERCISE)
    assert key() == before, "none of these is in the session"
    put("exercises/own.yaml", EXERCISE.replace("Lie down", "Sit down"))
    assert key() != before


def test_a_session_that_is_not_there_has_no_key(tmp_path):
    assert key("no-such-session") is None
    assert key(tmp_path / "none.yaml") is None


def test_what_is_asked_for_by_name_is_looked_up_beside_the_session_too(session, tmp_path):
    beside = tmp_path / "elsewhere"
    beside.mkdir()
    path = shutil.copy(session, beside / "mine.yaml")
    quick, plain = Options(voice="silent", pace="quick"), key(path)
    tones = Options(voice="silent", tones=str(tmp_path / "tones" / "gong.yaml"))
    before, sounded = key(path, quick), key(path, tones)
    (beside / "quick.yaml").write_text("tempo: 1.2\n")
    assert key(path, quick) != before
    assert key(path) == plain, "nobody asked for it"
    (tmp_path / "tones").mkdir()
    (tmp_path / "tones" / "gong.yaml").write_text("about: mine\nlike: bell\n")
    assert key(path, tones) != sounded
    sounded = key(path, tones)
    (tmp_path / "tones" / "bell.yaml").write_text("about: mine\nlike: bowl\n")
    assert key(path, tones) != sounded


def test_a_key_is_had_without_loading_anything():
    code = (
        "import sys; from voiceflow.stitch.rerender import memo_key\n"
        "from voiceflow.score.options import Context, Options\n"
        "assert memo_key('hip-back', Options(), Context())\n"
        "print(*[m for m in 'numpy yaml jinja2 pydub'.split() if m in sys.modules])"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


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


# Code and packages


@pytest.fixture
def code(tmp_path, monkeypatch):
    """Modules and a folder of packages, in the place of ours."""
    root, packages = tmp_path / "code", tmp_path / "site-packages"
    for path, text in ((root / "one.py", "a = 1\n"), (root / "room" / "two.py", "b = 2\n")):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (root / "stitch").mkdir()
    (packages / "lameenc-1.9.0.dist-info").mkdir(parents=True)
    monkeypatch.setattr(made_by, "__file__", str(root / "stitch" / "made_by.py"))
    monkeypatch.setattr(sys, "path", [*sys.path, str(packages)])
    return root


def test_the_same_installed_again_keeps_what_was_remembered(session, code):
    before = key()
    for path in code.rglob("*.py"):
        path.write_bytes(path.read_bytes())
        os.utime(path, (1, 1))
    packages = code.parent / "site-packages"
    shutil.rmtree(packages)
    (packages / "lameenc-1.9.0.dist-info").mkdir(parents=True)
    assert key() == before


def test_an_edit_that_keeps_size_and_time_is_seen(session, code):
    before, path = key(), code / "room" / "two.py"
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_text("b = 3\n")
    os.utime(path, ns=times)
    assert key() != before


def test_another_module_or_version_is_seen(session, code):
    keys = [key()]
    (code / "room" / "three.py").write_text("")
    keys.append(key())
    (code / "room" / "three.py").rename(code / "room" / "four.py")
    keys.append(key())
    packages = code.parent / "site-packages"
    (packages / "lameenc-1.9.0.dist-info").rename(packages / "lameenc-1.9.1.dist-info")
    keys.append(key())
    assert len({*keys}) == 4


@pytest.mark.parametrize("rubbish", [b"", b"0" * 39, b"g" * 40, b"0" * 40 + b"\n"])
def test_code_that_the_cache_knows_wrongly_is_read_again(session, code, tmp_path, rubbish):
    before = key()
    cache = Context().cache
    for entry in (tmp_path / "cache").rglob("code/*/*"):
        assert cache.put("code", entry.name, rubbish)
    assert key() == before
