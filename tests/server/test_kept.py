"""Kept sessions: a script that reads well, and sounds the same when it is rendered by its name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra `serve` is not installed")

from conftest import BUNDLED, SOUNDS
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import BROKEN

from voiceflow.core.cache import Cache
from voiceflow.core.errors import ScriptError
from voiceflow.lint import check_path
from voiceflow.score.decide import Decision
from voiceflow.score.options import Context, Options
from voiceflow.score.prepare import prepare
from voiceflow.script.lookup import Library
from voiceflow.script.yaml import parse
from voiceflow.server.http.refusals import Refusal
from voiceflow.server.jobs.render_records import Render, render_of
from voiceflow.server.library.kept import read_title, slug_for
from voiceflow.server.library.kept_script import script_of
from voiceflow.server.library.requested_options import Offered, read_options
from voiceflow.stitch.stitcher import Stitcher

pytestmark = pytest.mark.slow

NAMES = Offered(
    pace=("calm", "steady", "brisk"),
    voice=("silent", "natural"),
    phrases=("coach", "plain"),
    tones=("bowl", "ocean", "pluck", "none"),
    bed=("none", "ocean", "rain"),
)


class Keeping:
    """Renders a session as a phone asks for it, keeps it, and renders what was kept."""

    def __init__(self, folder: Path) -> None:
        self.library = Library(folder / "user", BUNDLED, SOUNDS)
        self.context = Context(self.library, Cache(folder / "cache"), 1)
        self.sessions = self.library.user / "sessions"
        self.sessions.mkdir(parents=True)
        self.put("settings.yaml", "voice: silent\n")
        self.text = ""

    def put(self, name: str, text: str) -> Path:
        path = self.library.user / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def render(self, slug: str, **asked: Any) -> tuple[Decision, Render]:
        options, said = read_options({"voice": "silent", **asked}, NAMES)
        path = self.library.find("sessions", slug)
        decision, made = prepare(path, options, self.context)
        stitcher = Stitcher(decision.score, made, self.context.cache)
        return decision, render_of(decision, stitcher, slug, "", said)

    def kept(self, slug: str, title: str = "Kept", **asked: Any) -> tuple[Decision, Decision]:
        """What was heard, and what its kept script gives, by its name alone and its title's."""
        heard, render = self.render(slug, **asked)
        source = self.library.find("sessions", slug)
        self.text = script_of(render, source, title or heard.session.title, self.library)
        self.put("sessions/kept-one.yaml", self.text)
        return heard, prepare("kept-one", Options(), self.context).decision


@pytest.fixture
def keeping(tmp_path: Path) -> Keeping:
    return Keeping(tmp_path)


def same(one: Decision, two: Decision) -> bool:
    """Whether two decisions sound alike: every word, tone and time."""
    return replace(one.score) == replace(two.score)


ASKED: list[dict[str, Any]] = [
    {},
    {"tempo": 0.85, "detail": "brief"},
    {"pace": "brisk", "tones": "ocean", "phrases": "plain"},
    {"level": 3, "breath_in": 3.5, "breath_out": 5},
    {"equipment": ["ball"], "name": "Ana"},
    {"equipment": ["circle", "weight"], "level": 2, "teach": 0, "tips": False},
    {"rest": "12s", "count": "none", "switch_time": 15, "settle": 4, "speech": 120},
]


@pytest.mark.parametrize(
    ("slug", "asked"),
    [
        *(("hip-back-short", asked) for asked in ASKED),
        ("everyday", ASKED[4]),
        ("hiit-12", ASKED[6]),
    ],
    ids=str,
)
def test_what_is_kept_sounds_as_it_did(keeping: Keeping, slug: str, asked: dict[str, Any]) -> None:
    heard, kept = keeping.kept(slug, "", **asked)
    assert same(heard, kept)
    problems = check_path(keeping.sessions / "kept-one.yaml", keeping.library)
    assert [one for one in problems if one.severity == "error"] == []


def test_every_bundled_session_can_be_kept(keeping: Keeping) -> None:
    for slug in keeping.library.names("sessions"):
        if slug != "kept-one":
            heard, kept = keeping.kept(slug, "", tempo=1.1)
            assert same(heard, kept), slug


def test_it_reads_well(keeping: Keeping) -> None:
    keeping.kept("hip-back-short", "Morning: a start", tempo=0.85, level=2, equipment=["ball"])
    lines = keeping.text.splitlines()
    assert lines[0].startswith("# Kept on the phone: `hip-back-short` as it was heard on 20")
    assert "title: 'Morning: a start'" in lines
    assert "tempo: 0.85" in lines
    assert "level: 2" in lines
    assert "  - Hips:" in lines
    assert any(line.strip().startswith("- bridge: {reps: 4") for line in lines)
    assert max(map(len, lines)) <= 100
    assert "!!" not in keeping.text


def test_what_an_exercise_says_of_its_own_gives_way_to_what_was_chosen(keeping: Keeping) -> None:
    """`hiit-12` asks for brief words in some exercises: who chose full words hears them."""
    heard, kept = keeping.kept("hiit-12", "", detail="full", rest=9)
    assert same(heard, kept)
    usual, _ = keeping.render("hiit-12")
    assert not same(heard, usual)


def test_an_exercise_written_in_place_is_taken_over(keeping: Keeping) -> None:
    keeping.put(
        "sessions/mine.yaml",
        """\
title: Mine
about: "Yes: it's {{ minutes }} min."
pronounce: {psoas: so-as}
needs: [mat, "a: chair"]
exercises:
  - bridge
  - name: "No"
    position: seated
    setup: >
      Sit tall, {{ name or 'you' }};
      # not a comment
      hands on your knees: softly.
    reps: 3
    sides: each
    tempo: 0.9
    rep:
      - inhale 3.5: "Inhale #1. | Inhale."
      - exhale 4.5: 'Exhale, {{ side }}. | Exhale.'
    tips: ["One: two", "- three"]
    levels: {2: {reps: 5}}
""",
    )
    for asked in ({}, {"level": 2, "tempo": 1.2}):
        heard, kept = keeping.kept("mine", "", **asked)
        assert same(heard, kept)


def test_what_only_the_settings_said_is_said_in_the_script(keeping: Keeping) -> None:
    keeping.put("settings.yaml", "voice: silent\nlevel: 2\nwith: [ball]\npace: brisk\n")
    for asked in ({}, {"level": 1}, {"equipment": []}, {"level": 3, "equipment": ["circle"]}):
        heard, kept = keeping.kept("hip-back", "", **asked)
        assert same(heard, kept), asked


def test_the_pace_that_was_chosen_stays_above_the_settings(keeping: Keeping) -> None:
    keeping.put("settings.yaml", "voice: silent\ntempo: 0.8\nrest: 20\ndetail: brief\n")
    for asked in ({}, {"pace": "brisk"}, {"pace": "brisk", "tempo": 0.9}):
        heard, kept = keeping.kept("hip-back-short", "", **asked)
        assert same(heard, kept), asked
        assert heard.plan.pacing.tempo == asked.get("tempo", 1.15 if asked else 0.8)


def test_an_exercise_of_ones_own_does_not_slip_in(keeping: Keeping) -> None:
    """The bundled session has the bundled bridge; from the user's folder the name means another."""
    keeping.put(
        "exercises/bridge.yaml",
        "name: Other Bridge\nposition: supine\nsetup: Lie.\nrep: [inhale 3: In, exhale 3: Out]\n",
    )
    heard, kept = keeping.kept("hip-back-short", "", tempo=0.9)
    assert [e.name for e in heard.session.exercises] == [e.name for e in kept.session.exercises]
    assert same(heard, kept)


def test_minutes_keep_what_was_heard(keeping: Keeping) -> None:
    heard, kept = keeping.kept("hip-back", "", minutes=20)
    assert "minutes: 20\n" in keeping.text
    assert [(b.exercise.name, b.reps) for b in heard.plan.bouts] == [
        (b.exercise.name, b.reps) for b in kept.plan.bouts
    ]
    assert kept.score.length_ms == heard.score.length_ms


def test_minutes_that_left_something_out_leave_it_out(keeping: Keeping) -> None:
    heard, kept = keeping.kept("hip-back", "", minutes=8)
    assert len(heard.session.exercises) < 17
    assert [e.slug for e in kept.session.exercises] == [e.slug for e in heard.session.exercises]


def test_a_bed_is_kept(keeping: Keeping) -> None:
    _, kept = keeping.kept("breathing", bed="rain")
    assert "bed: rain\n" in keeping.text
    assert kept.bed == "rain"
    _, kept = keeping.kept("breathing", bed="none")
    assert kept.bed is None


def test_a_source_with_errors_is_not_kept(keeping: Keeping) -> None:
    _, render = keeping.render("breathing")
    broken = keeping.put("sessions/broken.yaml", BROKEN)
    with pytest.raises(ScriptError):
        script_of(render, broken, "T", keeping.library)


HOSTILE = (
    "null", "~", "yes", "1:30", "010", "- x", "# x", "a: b", "{{ 9 }}", "{a", "[", "'", '"', "|",
    ">", "%", "@", "`", "!!python/object:os.system", "&a", "*a", "--- x", "...", "a #b", "é ß 日本",
    "\u202e", "x" * 120, "{% for x in y %}", "?", "? a", ": a", "=", "<<", "\\n", "\U0001f600",
)  # fmt: skip


@pytest.mark.parametrize("title", HOSTILE)
def test_no_title_is_more_than_a_title(keeping: Keeping, title: str) -> None:
    if not title.isprintable():
        with pytest.raises(Refusal, match="the title is not valid"):
            read_title(title, "")
        return
    _, render = keeping.render("breathing")
    source = keeping.library.find("sessions", "breathing")
    composed = script_of(render, source, read_title(title, ""), keeping.library)
    node = parse(composed, "kept.yaml")
    found = node.get("title")
    assert found is not None
    assert found.text == title
    before = {key.text for key, _ in parse(source.read_text(), "source.yaml").pairs}
    assert {key.text for key, _ in node.pairs} == before | {"voice"}


@settings(max_examples=60)
@given(st.text(max_size=150))
def test_every_title_is_one_or_is_refused(title: str) -> None:
    try:
        text = read_title(title, "")
    except Refusal:
        return
    assert text.isprintable()
    assert 0 < len(text) <= 120
    slug = slug_for(text)
    assert 0 < len(slug) <= 63
    assert all(c.isascii() and (c.isalnum() or c == "-") for c in slug)
    assert not slug.startswith("-")


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("My Morning", "my-morning"),
        ("../../etc/passwd", "etc-passwd"),
        ("CON", "my-con"),
        ("com1", "my-com1"),
        ("Straße", "strae"),
        ("Über uns", "uber-uns"),
        ("日本語", "session"),
        ("...", "session"),
        ("settings", "my-settings"),
        ("a" * 200, "a" * 60),
    ],
)
def test_names_are_safe_everywhere(title: str, slug: str) -> None:
    assert slug_for(title) == slug
