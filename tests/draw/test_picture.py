"""The pictures of a session, by property: what is in the score is in the picture, and fits."""

from __future__ import annotations

import io
import itertools
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from voiceflow import draw
from voiceflow.core.cache import Cache
from voiceflow.core.errors import InputError
from voiceflow.draw.breath import breaths
from voiceflow.draw.chapters import chapter_views
from voiceflow.draw.layout import WIDTH, layout
from voiceflow.draw.rows import rows
from voiceflow.draw.shapes import DARK, LIGHT, Bar, Disc, Drawing, Label, Line
from voiceflow.draw.text import cells, clean, cut, print_cut, print_width, wrap
from voiceflow.score.decide import Decision
from voiceflow.score.options import Context, Options
from voiceflow.score.prepare import prepare
from voiceflow.score.score import Chapter, Event, Score

HOSTILE = "<script>&\"'\x1b[2J\u202e]]>\x00\n"
SVG = "{http://www.w3.org/2000/svg}"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def bridge() -> Decision:
    """A bundled session with both sides, holds, positions and rests."""
    options = Options(voice="silent")
    return prepare("hip-back-short", options, Context(cache=Cache(None))).decision


def phase(breath: str, start: int, length: int, rep: int, side: str | None = None) -> Event:
    return Event("tone", start, length - 72, breath, "", "phase", "x", side, rep, breath)


def speech(text: str, start: int, length: int = 1200, moment: str = "set-up") -> Event:
    return Event("speech", start, length, text, text, moment, "x")


def session(minutes: int, chapters: int, title: str = "Long") -> Score:
    """Breath and speech from end to end, in equal chapters."""
    events: list[Event] = []
    marks: list[Chapter] = []
    each = minutes * 60_000 // chapters // 24 * 24
    for number in range(chapters):
        start = number * each
        events.append(Event("tone", start, 720, "change", "", "name", "x"))
        events.append(speech(f"{title} {number}.", start + 960, moment="name"))
        at, rep = start + 4800, 1
        while at + 9600 <= start + each:
            for breath in ("inhale", "exhale"):
                events.append(phase(breath, at, 4800, rep, "left" if rep % 2 else "right"))
                said = speech(f"{breath} and {title}", at, moment="phase")
                events.append(replace(said, rep=rep, breath=breath, side=events[-1].side))
                at += 4800
            rep += 1
        marks.append(Chapter(f"{title} {number}", start, start + each))
    length = each * chapters
    return Score(title, title, "en", "silent", "calm", "bowl", tuple(events), tuple(marks), length)


EMPTY = Score("", "", "", "", "", "", (), (), 0)
TINY = replace(
    EMPTY,
    title="T",
    events=(speech("hi", 0, 480),),
    chapters=(Chapter("A", 0, 504),),
    length_ms=504,
)
SHAPES = [session(30, 12), session(180, 60), session(180, 1), session(3, 1), TINY, EMPTY]
NAMES = ["30", "180", "180 in one", "3", "tiny", "empty"]


def texts(drawing: Drawing, role: str) -> list[str]:
    return [one.text for one in drawing.shapes if isinstance(one, Label) and one.role == role]


class TestTerminal:
    @pytest.mark.parametrize("score", SHAPES, ids=NAMES)
    @pytest.mark.parametrize("width", [40, 80, 133])
    def test_it_fits_its_width(self, score: Score, width: int) -> None:
        text = draw.timeline_text(score, width=width)
        assert max(cells(line) for line in text.splitlines()) <= width

    def test_a_bundled_session_fits_and_names_every_chapter(self, bridge: Decision) -> None:
        text = draw.timeline_text(bridge.score, bridge.plan)
        assert max(cells(line) for line in text.splitlines()) <= 80
        for chapter in bridge.score.chapters:
            assert chapter.title in text
        assert "on your back" in text

    def test_colour_only_adds_colour(self, bridge: Decision) -> None:
        plain = draw.timeline_text(bridge.score, bridge.plan, colour=False)
        coloured = draw.timeline_text(bridge.score, bridge.plan, colour=True)
        assert "\x1b" not in plain
        assert "\x1b[36m" in coloured
        stripped = [line.rstrip() for line in ANSI.sub("", coloured).splitlines()]
        assert stripped == plain.splitlines()

    def test_bars_are_in_proportion(self) -> None:
        score = session(20, 2)
        half = Chapter("Half", 600_000, 900_000)
        score = replace(
            score,
            chapters=(score.chapters[0], half, replace(half, start_ms=900_000, end_ms=1_200_000)),
        )
        lines = draw.timeline_text(score).splitlines()
        bars = [
            len(line.strip()) for line in lines if line.strip() and set(line) <= set(" ▌╱╲─▂·≈")
        ]
        assert bars[0] == pytest.approx(2 * bars[1], abs=1)
        assert bars[1] == pytest.approx(bars[2], abs=1)

    def test_breath_turns_in_order(self) -> None:
        marks = (
            phase("inhale", 0, 6000, 1),
            phase("hold", 6000, 6000, 1),
            phase("exhale", 12_000, 6000, 1),
        )
        score = replace(TINY, events=marks, chapters=(Chapter("A", 0, 18_000),), length_ms=18_000)
        bar = draw.timeline_text(score).splitlines()[4].strip()
        assert re.fullmatch("╱+─+╲+", bar)

    def test_no_control_characters_reach_the_terminal(self) -> None:
        score = session(3, 2, HOSTILE)
        for text in (draw.timeline_text(score), draw.listing(score), draw.golden(score)):
            assert not set(text) & set("\x1b\x00\u202e\r")


class TestLines:
    def test_each_event_is_one_line(self, bridge: Decision) -> None:
        lines = draw.listing(bridge.score).splitlines()
        assert len(lines) == len(bridge.score.events) + 1

    def test_wrapping_keeps_every_word(self, bridge: Decision) -> None:
        narrow = draw.listing(bridge.score, width=80)
        assert max(cells(line) for line in narrow.splitlines()) <= 80
        assert sorted(narrow.split()) == sorted(draw.listing(bridge.score).split())

    def test_golden_states_every_event_under_its_chapter(self, bridge: Decision) -> None:
        blocks = draw.golden(bridge.score).split("\n\n")[1:]
        assert len(blocks) == len(bridge.score.chapters)
        assert sum(len(block.strip().splitlines()) - 1 for block in blocks) == len(
            bridge.score.events
        )
        assert all(
            chapter.title in block.splitlines()[0]
            for chapter, block in zip(bridge.score.chapters, blocks, strict=True)
        )

    def test_golden_keeps_later_chapters_when_an_earlier_one_grows(self) -> None:
        score = session(6, 3)
        late = tuple(
            replace(event, start_ms=event.start_ms + (24_000 if event.start_ms >= 120_000 else 0))
            for event in score.events
        )
        marks = tuple(
            replace(one, start_ms=one.start_ms + (24_000 if n else 0), end_ms=one.end_ms + 24_000)
            for n, one in enumerate(score.chapters)
        )
        grown = replace(score, events=late, chapters=marks, length_ms=score.length_ms + 24_000)
        before, after = draw.golden(score).splitlines(), draw.golden(grown).splitlines()
        changed = [one for one, other in zip(before, after, strict=True) if one != other]
        assert all(line.startswith(("[", "# length")) for line in changed)

    def test_golden_reads_plainly(self) -> None:
        assert draw.golden(TINY).splitlines() == [
            "# T",
            "# length: 0:00.504",
            "",
            "[0:00.000 + 0:00.504] A",
            '  0:00.000    0:00.480  set-up      "hi"',
        ]


class TestBreath:
    def test_exhales_in_a_row_share_the_way_down(self) -> None:
        kinds = ("inhale", "exhale", "hold", "exhale")
        curve = breaths([phase(kind, n * 2400, 2400, 1) for n, kind in enumerate(kinds)])
        assert [(one.before, one.after) for one in curve] == [
            (0, 1),
            (1, 0.5),
            (0.5, 0.5),
            (0.5, 0),
        ]

    def test_phases_join_and_silent_pauses_are_seen(self) -> None:
        curve = breaths(
            [
                phase("inhale", 0, 2400, 1),
                phase("exhale", 2400, 2400, 1),
                phase("inhale", 7200, 2400, 2),
            ]
        )
        assert [one.kind for one in curve] == ["inhale", "exhale", "pause", "inhale"]
        assert all(
            one.end_ms == after.start_ms
            for one, after in itertools.pairwise(curve)
            if after.kind != "pause"
        )
        assert [one.opens for one in curve] == [True, False, False, True]

    def test_without_tones_the_words_tell_the_breath(self, bridge: Decision) -> None:
        score = bridge.score
        quiet = replace(score, events=tuple(e for e in score.events if e.kind == "speech"))
        toned = [one.kind for view in chapter_views(score) for one in view.breaths]
        told = [one.kind for view in chapter_views(quiet) for one in view.breaths]
        assert {"inhale", "exhale"} <= set(told)
        assert len(told) >= 0.7 * len(toned)

    @given(
        st.lists(st.sampled_from(("inhale", "exhale", "hold", "pause")), min_size=1, max_size=30)
    )
    def test_the_level_never_jumps(self, kinds: list[str]) -> None:
        curve = breaths([phase(kind, n * 2400, 2400, n) for n, kind in enumerate(kinds)])
        assert [one.kind for one in curve] == kinds
        for one, after in itertools.pairwise(curve):
            assert after.before == pytest.approx(one.after)
        for one in curve:
            assert 0 <= min(one.before, one.after) <= max(one.before, one.after) <= 1
            way = {"inhale": 1, "exhale": -1}.get(one.kind, 0)
            assert (one.after > one.before) - (one.after < one.before) == way


class TestLayout:
    @pytest.mark.parametrize("score", SHAPES, ids=NAMES)
    def test_every_chapter_and_every_word_has_a_shape(self, score: Score) -> None:
        drawing = layout(score)
        said = [event for event in score.events if event.kind == "speech"]
        bars = [one for one in drawing.shapes if isinstance(one, Bar) and one.role == "speech"]
        assert len(bars) == len(said)
        assert [bar.about.split(" ", 1)[1] for bar in bars] == [clean(event.name) for event in said]
        sky = [one for one in drawing.shapes if isinstance(one, Bar) and one.role == "chapter"]
        assert len(sky) == max(len(score.chapters), 1)

    @pytest.mark.parametrize("score", SHAPES, ids=NAMES)
    def test_all_is_on_the_page(self, score: Score) -> None:
        drawing = layout(score)
        for shape in drawing.shapes:
            for x, y in _places(shape):
                assert -1 <= x <= WIDTH + 1
                assert -1 <= y <= drawing.height

    def test_time_runs_to_the_right(self, bridge: Decision) -> None:
        drawing = layout(bridge.score, bridge.plan)
        marks = [s for s in drawing.shapes if isinstance(s, Bar) and s.role == "speech"]
        for y in {mark.y for mark in marks}:
            row = [mark for mark in marks if mark.y == y]
            for one, after in itertools.pairwise(row):
                assert one.x + one.width <= after.x
        tops = [mark.y for mark in marks]
        assert tops == sorted(tops)

    def test_words_do_not_meet(self, bridge: Decision) -> None:
        drawing = layout(bridge.score, bridge.plan)
        words = [s for s in drawing.shapes if isinstance(s, Label) and s.role == "words"]
        assert len(words) > 100
        lines = sorted(words, key=lambda one: (one.y, one.x))
        for one, after in itertools.pairwise(lines):
            if one.y == after.y:
                assert one.x + 0.45 * one.size * len(one.text) < after.x

    def test_the_plan_adds_positions_and_sides(self, bridge: Decision) -> None:
        drawing = layout(bridge.score, bridge.plan)
        assert any(isinstance(one, Disc) and one.role == "body" for one in drawing.shapes)
        assert "on your back" in texts(drawing, "place")
        assert {"right", "left"} <= set(texts(drawing, "side"))
        plain = layout(bridge.score)
        assert not any(isinstance(one, Disc) and one.role == "body" for one in plain.shapes)

    @pytest.mark.parametrize("score", SHAPES[:4], ids=NAMES[:4])
    def test_rows_cover_the_session_without_gaps(self, score: Score) -> None:
        found = rows(chapter_views(score))
        assert (found[0].start_ms, found[-1].end_ms) == (0, score.length_ms)
        assert all(one.end_ms == after.start_ms for one, after in itertools.pairwise(found))
        assert max(row.length_ms for row in found) <= 300_000

    def test_rows_break_before_a_repetition(self) -> None:
        score = session(20, 1)
        starts = {event.start_ms for event in score.events if event.breath == "inhale"}
        assert all(row.start_ms in starts for row in rows(chapter_views(score)) if row.number)

    @pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
    def test_colours_can_be_told_apart(self, palette: dict[str, str]) -> None:
        for name in ("ink", "words", "muted"):
            assert _contrast(palette[name], palette["paper"]) >= 4.5
        for name in ("inhale", "exhale", "hold", "speech"):
            assert _contrast(palette[name], palette["paper"]) >= 3
        for name in ("rest-tint", "move-tint", "work-tint"):
            assert _contrast(palette["muted"], palette[name]) >= 4.5
        for name in ("effort-0", "effort-1", "effort-2", "effort-3"):
            assert _contrast(palette["ink"], palette[name]) >= 3


class TestSvg:
    def test_it_is_valid_and_told_in_words(self, bridge: Decision) -> None:
        text = draw.svg(bridge.score, bridge.plan)
        root = ET.fromstring(text)
        title, about = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
        assert title is not None
        assert title.text == bridge.score.title
        assert about is not None
        assert all(chapter.title in (about.text or "") for chapter in bridge.score.chapters)
        assert "prefers-color-scheme:dark" in text

    def test_every_class_has_a_colour(self, bridge: Decision) -> None:
        text = draw.svg(bridge.score, bridge.plan)
        used = set(" ".join(re.findall(r'class="([^"]*)"', text)).split())
        style = text[text.index("<style>") : text.index("</style>")]
        assert all(re.search(rf"\.{re.escape(name)}\{{", style) for name in used)

    def test_hostile_text_stays_text(self) -> None:
        text = draw.svg(replace(session(3, 2, HOSTILE), language='"><x y="'))
        root = ET.fromstring(text)
        assert "<script" not in text
        names = {element.tag.removeprefix(SVG) for element in root.iter()}
        assert names <= {
            "svg",
            "title",
            "desc",
            "style",
            "rect",
            "polygon",
            "polyline",
            "circle",
            "text",
        }

    @settings(max_examples=40)
    @given(st.text(max_size=40))
    def test_any_text_makes_valid_xml(self, title: str) -> None:
        score = replace(TINY, title=title, about=title, chapters=(Chapter(title, 0, 504),))
        ET.fromstring(draw.svg(replace(score, events=(speech(title, 0, 480),))).encode())

    @pytest.mark.parametrize("score", SHAPES[2:], ids=NAMES[2:])
    def test_the_same_score_gives_the_same_text(self, score: Score) -> None:
        assert draw.svg(score) == draw.svg(score)


class TestPng:
    @pytest.mark.parametrize("score", [SHAPES[3], TINY, EMPTY], ids=["3", "tiny", "empty"])
    def test_it_is_as_wide_as_asked_and_not_blank(self, score: Score) -> None:
        image = Image.open(io.BytesIO(draw.png(score, width=800)))
        assert image.format == "PNG"
        assert image.width == 800
        assert image.height == pytest.approx(layout(score).height / 2, abs=1)
        colours = image.convert("RGB").getcolors(1 << 24) or []
        assert len(colours) > 8

    def test_shapes_are_where_the_layout_says(self) -> None:
        score = SHAPES[3]
        image = Image.open(io.BytesIO(draw.png(score, width=1600))).convert("RGB")
        bars = [s for s in layout(score).shapes if isinstance(s, Bar) and s.role == "speech"]
        for bar in bars:
            seen = image.getpixel((round(bar.x + bar.width / 2), round(bar.y + bar.height / 2)))
            assert seen == _rgb(LIGHT["speech"])

    def test_the_same_score_gives_the_same_bytes(self) -> None:
        assert draw.png(SHAPES[3], width=640) == draw.png(SHAPES[3], width=640)

    @pytest.mark.parametrize(
        "title", ["Respiración, ñandú", "呼吸と骨盤底", "تنفس", "🫁 🧘", HOSTILE]
    )
    def test_any_letters_can_be_asked_for(self, title: str) -> None:
        assert draw.png(session(1, 1, title), width=400).startswith(b"\x89PNG")

    def test_a_very_long_session_stays_within_bounds(self) -> None:
        score = session(360, 400)
        image = Image.open(io.BytesIO(draw.png(score, width=400)))
        assert image.height <= 32_000

    @pytest.mark.parametrize("width", [0, -5, 199, 10_001, 10**9])
    def test_a_width_out_of_range_is_told(self, width: int) -> None:
        with pytest.raises(InputError, match="pixels wide"):
            draw.png(TINY, width=width)


def test_no_module_hides_behind_a_function_of_the_package() -> None:
    folder = Path(draw.__file__).parent
    assert [name for name in draw.__all__ if (folder / f"{name}.py").exists()] == []


class TestLetters:
    @given(st.text(max_size=60), st.integers(1, 40))
    def test_a_cut_fits(self, text: str, columns: int) -> None:
        assert cells(cut(clean(text), columns)) <= columns

    @given(st.text(max_size=60), st.integers(2, 40))
    def test_wrapped_lines_fit_and_keep_all(self, text: str, columns: int) -> None:
        lines = wrap(clean(text), columns)
        assert all(cells(line) <= columns for line in lines)
        assert "".join(lines).replace(" ", "") == "".join(clean(text).split())

    @given(st.text(max_size=60), st.floats(1, 400))
    def test_a_text_wraps_in_print_as_in_a_terminal(self, text: str, width: float) -> None:
        lines = wrap(clean(text), width, lambda line: print_width(line, 10))
        assert all(print_width(line, 10) <= width for line in lines if len(line) > 1)
        assert "".join(lines).replace(" ", "") == "".join(clean(text).split())

    def test_only_a_word_longer_than_a_line_is_broken(self) -> None:
        assert wrap("one two abcdefghij", 7) == ("one two", "abcdefg", "hij")
        assert wrap("ab abcdefghi x", 7) == ("ab", "abcdefg", "hi x")
        assert wrap("", 7) == ("",)

    @given(st.text(max_size=40), st.floats(0, 300))
    def test_a_cut_fits_in_print(self, text: str, width: float) -> None:
        assert print_width(print_cut(text, 10, width), 10) <= width + 1e-6

    def test_pillow_is_not_loaded_before_it_is_needed(self) -> None:
        code = "import sys, voiceflow.draw; print('PIL' in sys.modules, 'numpy' in sys.modules)"
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert run.stdout.split() == ["False", "False"]


def _places(shape: object) -> Iterator[tuple[float, float]]:
    if isinstance(shape, Bar):
        yield from ((shape.x, shape.y), (shape.x + shape.width, shape.y + shape.height))
    elif isinstance(shape, (Disc, Label)):
        yield shape.x, shape.y
    elif isinstance(shape, Line):
        yield from shape.points


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def _contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2, from 1 to 21."""
    lights = sorted(_luminance(colour) + 0.05 for colour in (one, other))
    return lights[1] / lights[0]


def _luminance(colour: str) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in _rgb(colour))
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
