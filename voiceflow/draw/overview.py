"""The head of the picture.

Takes a score and its chapters, and returns the shapes of the title, of the skyline that shows the
whole session, and of the legend.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from voiceflow.core.units import clock
from voiceflow.draw.breath import Breath, is_breath
from voiceflow.draw.chapters import ChapterView, summary
from voiceflow.draw.figures import HEIGHTS, body, signal
from voiceflow.draw.shapes import Bar, Disc, Label, Line, Shape
from voiceflow.draw.staff import BANDS, COLOURS
from voiceflow.draw.text import clean, print_cut, print_width
from voiceflow.score.score import Event, Score
from voiceflow.script.models import EFFORTS
from voiceflow.script.steps import BREATHS

TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 34.0, 15.0, 11.0
_SKY, _FIGURE, _LOW, _UNDER = 92.0, 32.0, 0.08, 40.0
_TICKS_MIN = (1, 2, 5, 10, 15, 30, 60)
_SIGNALS = ("start", "change", "switch", "wake", "bell", "end")


@dataclass(frozen=True, slots=True)
class Page:
    """x of the margins, and of the left of the staves."""

    left: float
    right: float
    staff: float

    @property
    def width(self) -> float:
        return self.right - self.left


def title(score: Score, page: Page, top: float) -> Iterator[Shape]:
    """Title, what the session is about, and the facts in a line; 84 high."""
    name, about = clean(score.title), clean(score.about)
    yield Label(
        page.left,
        top + 34,
        print_cut(name, TITLE_SIZE, page.width),
        TITLE_SIZE,
        bold=True,
        role="title",
    )
    y = top + 60
    if about:
        yield Label(
            page.left, y, print_cut(about, TEXT_SIZE, page.width), TEXT_SIZE, "words", role="about"
        )
        y += 22
    yield Label(
        page.left,
        y,
        print_cut(summary(score), TEXT_SIZE, page.width),
        TEXT_SIZE,
        "muted",
        role="facts",
    )


def skyline(
    score: Score, views: Sequence[ChapterView], numbers: Sequence[str], page: Page, top: float
) -> Iterator[Shape]:
    """Each chapter as a block: as wide as it lasts, as high as the body is, darker if harder."""
    scale = page.width / max(score.length_ms, 1)
    floor = top + skyline_height(views) - _UNDER
    for view, number in zip(views, numbers, strict=True):
        x, width = page.left + view.start_ms * scale, view.length_ms * scale
        height = _SKY * HEIGHTS.get(view.position, _LOW)
        # A share of it where it is short, or the gap would swallow the block.
        gap = min(1.5, width / 4)
        about = f"{clock(view.start_ms)} {view.title}"
        yield Bar(
            x,
            floor - height,
            width - gap,
            height,
            f"effort-{view.effort}",
            min(3, width / 3),
            "chapter",
            about,
        )
        if number and width > print_width(number, SMALL_SIZE) + 3 and height > 13:
            yield Label(
                x + (width - gap) / 2, floor - 4, number, SMALL_SIZE, "ink", "middle", role="number"
            )
    yield from _figures(views, page, floor, scale)
    yield from _density(views, page, floor + 6, scale)
    yield from _minutes(score, page, floor + 22, scale)


def skyline_height(views: Sequence[ChapterView]) -> float:
    """Room for the highest position, the figure over it, and the lanes under it."""
    highest = max((HEIGHTS.get(view.position, _LOW) for view in views), default=_LOW)
    return (_FIGURE if highest > _LOW else 0) + _SKY * highest + _UNDER


def _figures(
    views: Sequence[ChapterView], page: Page, floor: float, scale: float
) -> Iterator[Shape]:
    """A figure over each run of chapters in one position."""
    for position, group in groupby(views, key=lambda view: view.position):
        run = list(group)
        left, right = (page.left + ms * scale for ms in (run[0].start_ms, run[-1].end_ms))
        # Over shorter runs figures would stand one in another.
        if right - left >= _FIGURE * 0.9:
            ground = floor - _SKY * HEIGHTS.get(position, _LOW) - 1
            yield from body(position, (left + right - _FIGURE) / 2, ground, _FIGURE)


def _density(views: Sequence[ChapterView], page: Page, y: float, scale: float) -> Iterator[Shape]:
    """Two thin lanes under the skyline: the times of breath and of speech."""
    spans: list[tuple[Breath | Event, float, str]] = []
    for view in views:
        spans += [(one, y, COLOURS[one.kind]) for one in view.breaths]
        spans += [(event, y + 6, "speech") for event in view.events if event.kind == "speech"]
    for span, top, colour in spans:
        # In a session of six hours a second is 0.07 units wide, and would vanish.
        width = max((span.end_ms - span.start_ms) * scale, 0.3)
        yield Bar(page.left + span.start_ms * scale, top, width, 4, colour, role="density")


def _minutes(score: Score, page: Page, y: float, scale: float) -> Iterator[Shape]:
    minute = 60_000 * scale
    # Nearer to each other, times such as 1:05:00 would touch.
    step = next((n for n in _TICKS_MIN if n * minute >= 48), 120)
    for n in range(0, score.length_ms // 60_000 + 1, step):
        x = page.left + n * minute
        yield Line(((x, y - 2), (x, y + 3)), "line", 1.0)
        yield Label(
            x,
            y + 14,
            clock(n * 60_000),
            SMALL_SIZE,
            "muted",
            # Centred on its tick, the first time would stand in the margin.
            "start" if not n else "middle",
            role="time",
        )


def legend(
    score: Score, views: Sequence[ChapterView], page: Page, y: float
) -> tuple[list[Shape], float]:
    """What the marks in this picture mean; the shapes, and y of the last line."""
    shapes: list[Shape] = []
    x = page.left
    for kind, name, text in _entries(score, views):
        wide = 26 + print_width(text, SMALL_SIZE + 1)
        if x > page.left and x + wide > page.right:
            x, y = page.left, y + 20
        shapes += _swatch(kind, name, x, y - 4)
        shapes.append(Label(x + 26, y, text, SMALL_SIZE + 1, "words", role="legend"))
        x += wide + 24
    return shapes, y


def _entries(score: Score, views: Sequence[ChapterView]) -> Iterator[tuple[str, str, str]]:
    """Kind, name and text of each mark in the picture."""
    breath = {one.kind for view in views for one in view.breaths}
    signals = {
        event.name for event in score.events if event.kind != "speech" and not is_breath(event)
    }
    moments = {event.moment for event in score.events}
    for name in BREATHS:
        if name in breath:
            yield "breath", name, name
    yield "speech", "speech", "speech"
    for name in (*_SIGNALS, *sorted(signals.difference(_SIGNALS))):
        if name in signals:
            yield "signal", name, clean(name)
    tints: dict[str, str] = {}
    for moment, (tint, text) in BANDS.items():
        if moment in moments:
            # Kinds of moments share a tint; the first in BANDS that occurs gives its name.
            tints.setdefault(tint, text)
    for tint, text in tints.items():
        yield "band", tint, text
    for effort in sorted({view.effort for view in views} - {0}):
        yield "effort", f"effort-{effort}", EFFORTS[effort - 1]


def _swatch(kind: str, name: str, x: float, y: float) -> Iterator[Shape]:
    if kind == "breath":
        rise = {"inhale": 5, "exhale": -5}.get(name, 0)
        yield Line(((x + 1, y + rise), (x + 17, y - rise)), COLOURS[name], 2.4, name == "pause")
    elif kind == "signal":
        yield from signal(name, x + 9, y)
    elif kind == "speech":
        yield Bar(x, y - 4, 18, 8, "speech", 2.5)
    elif kind == "effort":
        yield from effort_dots(int(name[-1]), x + 3, y)
    else:
        yield Bar(x, y - 6, 18, 12, name, 3)


def effort_dots(effort: int, x: float, y: float) -> Iterator[Shape]:
    """One to three dots: how hard an exercise is."""
    for n in range(effort):
        yield Disc(x + n * 7, y, 2.6, "inhale", role="effort")
