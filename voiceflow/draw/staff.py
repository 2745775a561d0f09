"""The staff of one row.

Takes a row and its place on the page, and returns the shapes of breath, speech, words and signals
over a time axis.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from voiceflow.core.units import clock
from voiceflow.draw.breath import Breath, is_breath
from voiceflow.draw.chapters import ChapterView, moment_runs
from voiceflow.draw.figures import signal
from voiceflow.draw.rows import Row, Word, words
from voiceflow.draw.shapes import Area, Bar, Label, Line, Point, Shape
from voiceflow.draw.text import clean, print_width
from voiceflow.score.score import Event

WORD_SIZE, WORD_LINES, WORD_LEADING = 11.0, 5, 14.0
_SMALL = 10.0
# How far words may run into the margin.
_OVER = 40.0
_CURVE, _BLOCK = 42.0, 8.0
_SIDE_LANE, _REP_LANE = 17.0, 13.0
_TICKS_MS = (5_000, 10_000, 15_000, 30_000, 60_000, 120_000)
_LEAST_TICK = 80.0

# Moments without breath: the tint behind them, and the word for them.
BANDS = {
    "rest": ("rest-tint", "rest"),
    "silence": ("rest-tint", "silence"),
    "transition": ("move-tint", "moving"),
    "switch": ("move-tint", "other side"),
    "work": ("work-tint", "work"),
}
# A pause is drawn as a hold, dashed.
COLOURS = {"inhale": "inhale", "exhale": "exhale", "hold": "hold", "pause": "hold"}


@dataclass(frozen=True, slots=True)
class Staff:
    """One row, and the places of its lanes.

    Attributes
    ----------
    left : float
        x of the row's start.
    scale : float
        Units of the picture per millisecond.
    """

    row: Row
    top: float
    left: float
    scale: float
    words: tuple[Word, ...]
    breaths: tuple[Breath, ...]
    compact: bool = False

    def x(self, ms: int) -> float:
        """x of a time."""
        return self.left + (ms - self.row.start_ms) * self.scale

    @property
    def curve_top(self) -> float:
        if self.compact or not self.breaths:
            return self.top + 6
        return self.top + (_SIDE_LANE if self.row.view.sides else 0.0) + _REP_LANE

    @property
    def floor(self) -> float:
        """The level of empty lungs. Without breath or band no room is kept above it."""
        banded = self.breaths or any(one.moment in BANDS for one in moment_runs(self.row.view))
        return self.curve_top + (0.0 if not banded else _CURVE / 2 if self.compact else _CURVE)

    @property
    def blocks_top(self) -> float:
        return self.floor + 7

    @property
    def words_top(self) -> float:
        return self.blocks_top + _BLOCK + 5

    @property
    def axis(self) -> float:
        lines = max((word.line + 1 for word in self.words), default=0)
        return self.words_top + lines * WORD_LEADING + 5

    @property
    def bottom(self) -> float:
        return self.axis + 16


def staff(row: Row, top: float, left: float, right: float, scale: float, *, compact: bool) -> Staff:
    """The staff of `row` with its words placed; a compact one has no words."""
    within = row.breaths()
    # Without breath more is said, and there is room for it.
    lines = 0 if compact else WORD_LINES if within else WORD_LINES + 2
    placed = words(row, scale, right - left + _OVER, WORD_SIZE, lines)
    return Staff(row, top, left, scale, placed, within, compact)


def staff_shapes(one: Staff) -> Iterator[Shape]:
    """The shapes of a staff, back to front."""
    yield from _bands(one)
    yield from _axis(one)
    yield from _curves(one)
    if not one.compact:
        yield from _marks(one)
    yield from _sounds(one)
    yield from _set_words(one)


def _bands(one: Staff) -> Iterator[Shape]:
    row = one.row
    for run in moment_runs(row.view):
        start, end = row.clip(run.start_ms, run.end_ms)
        if run.moment not in BANDS or end <= start:
            continue
        tint, word = BANDS[run.moment]
        x, width = one.x(start), (end - start) * one.scale
        yield Bar(x, one.curve_top, width, one.floor - one.curve_top, tint, 4, "band", word)
        # A change of side begins with a signal, whose stem is drawn in the band.
        indent = 16 if run.moment == "switch" else 7
        if width > print_width(word, _SMALL) + indent + 5 and not one.compact:
            yield Label(x + indent, one.curve_top + 14, word, _SMALL, "muted", role="band")


def _axis(one: Staff) -> Iterator[Shape]:
    """The floor of the breath, and the time under the row."""
    row = one.row
    left, right = one.left, one.x(row.end_ms)
    tick = next((ms for ms in _TICKS_MS if ms * one.scale >= _LEAST_TICK), _TICKS_MS[-1])
    # Ticks stand at whole times of the session, wherever the row begins.
    for at in range(-(-row.start_ms // tick) * tick, row.end_ms + 1, tick):
        x = one.x(at)
        yield Line(((x, one.curve_top), (x, one.axis)), "grid", 1.0)
        yield Line(((x, one.axis), (x, one.axis + 4)), "line", 1.0)
        yield Label(x, one.axis + 14, clock(at), _SMALL, "muted", "middle", role="time")
    yield Line(((left, one.floor), (right, one.floor)), "line", 1.0)
    yield Line(((left, one.axis), (right, one.axis)), "line", 1.0, role="axis")


def _curves(one: Staff) -> Iterator[Shape]:
    lines = []
    for breath in one.breaths:
        points = tuple(_points(one, breath))
        colour = COLOURS[breath.kind]
        ground = ((points[-1][0], one.floor), (points[0][0], one.floor))
        yield Area(
            (*points, *ground), f"{colour}-tint", "breath-fill", _breath_about(one.row.view, breath)
        )
        # Lines come after all fills: the next breath's would cover the end of this one.
        lines.append(Line(points, colour, 2.2, breath.kind == "pause", f"breath {breath.kind}"))
    yield from lines


def _points(one: Staff, breath: Breath) -> Iterator[Point]:
    """The curve of a breath, as far as it is in the row."""
    start, end = one.row.clip(breath.start_ms, breath.end_ms)
    level = breath.before == breath.after
    # A level line needs its two ends; on a curve, points three units apart look smooth.
    steps = 1 if level else max(4, min(24, round((end - start) * one.scale / 3)))
    for step in range(steps + 1):
        at = start + (end - start) * step / steps
        share = (at - breath.start_ms) / max(breath.end_ms - breath.start_ms, 1)
        height = (one.floor - one.curve_top - 2) * breath.level(share)
        yield one.left + (at - one.row.start_ms) * one.scale, one.floor - 1 - height


def _breath_about(view: ChapterView, breath: Breath) -> str:
    seconds = f"{(breath.end_ms - breath.start_ms) / 1000:.1f} s"
    which = [breath.kind, seconds, view.side(breath.side), str(breath.rep or "")]
    return " ".join(filter(None, which))


def _marks(one: Staff) -> Iterator[Shape]:
    """The number of each repetition over the curve, and a bracket over each side."""
    last = -math.inf
    for breath in one.breaths:
        x = one.x(breath.start_ms)
        # Numbers of quick repetitions would run into each other.
        if breath.opens and breath.start_ms >= one.row.start_ms and x - last >= 14:
            yield Label(x + 2, one.curve_top - 3, str(breath.rep), _SMALL, "muted", role="rep")
            last = x
    yield from _brackets(one)


def _brackets(one: Staff) -> Iterator[Shape]:
    y = one.top + 11
    for side, start, end in _sides(one):
        left, right = map(one.x, one.row.clip(start, end))
        word = one.row.view.side(side)
        wide = print_width(word, _SMALL) + 6
        if right - left < wide:
            # A short turn of one side has room for a single letter.
            word, wide = word[:1].upper(), _SMALL
        yield Label(left, y, word, _SMALL, "ink", bold=True, role="side")
        if right - left - 3 > wide:
            line = ((left + wide, y - 3.5), (right - 3, y - 3.5), (right - 3, y))
            yield Line(line, "line", 1.0, role="side")


def _sides(one: Staff) -> Iterator[tuple[str, int, int]]:
    """Runs of breaths on one side: the side, its start and its end."""
    for side, run in groupby(one.breaths, key=lambda breath: breath.side):
        if side:
            first, *more = run
            yield side, first.start_ms, (more or [first])[-1].end_ms


def _sounds(one: Staff) -> Iterator[Shape]:
    """Speech as blocks and signals as marks. They share a lane, as they never sound together."""
    middle = one.blocks_top + _BLOCK / 2
    for event in one.row.events():
        if event.kind == "speech":
            yield _block(one, event)
        # One that rings on from the row before is drawn there.
        elif not is_breath(event) and event.start_ms >= one.row.start_ms:
            x = one.x(event.start_ms + event.length_ms // 2)
            if event.name != "wake":
                yield Line(((x, one.curve_top), (x, one.axis)), "line", 1.0)
            yield from signal(event.name, x, middle, f"{clock(event.start_ms)} {clean(event.name)}")


def _block(one: Staff, event: Event) -> Shape:
    first = event.start_ms >= one.row.start_ms
    start, end = one.row.clip(event.start_ms, event.end_ms)
    about = f"{clock(event.start_ms)} {clean(event.name)}"
    width = max((end - start) * one.scale, 0.8)
    return Bar(
        one.x(start), one.blocks_top, width, _BLOCK, "speech", min(2.5, width / 2),
        "speech" if first else "speech-on", about,
    )  # fmt: skip


def _set_words(one: Staff) -> Iterator[Shape]:
    # Two passes: the halo of a word covers the lines to other words that cross it.
    for word in one.words:
        x, y = one.left + word.x, one.words_top + word.line * WORD_LEADING + 10
        if word.line:
            yield Line(((x + 0.5, one.blocks_top + _BLOCK), (x + 0.5, y - 8)), "line", 0.8)
    for word in one.words:
        y = one.words_top + word.line * WORD_LEADING + 10
        yield Label(one.left + word.x, y, word.text, WORD_SIZE, "words", halo=True, role="words")
