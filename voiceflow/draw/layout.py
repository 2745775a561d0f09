"""The layout of the picture.

Takes a score and its plan (optional), and returns a drawing: all shapes with their places, for the
painters of SVG and PNG.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from voiceflow.core.units import clock
from voiceflow.draw import overview
from voiceflow.draw.chapters import ChapterView, chapter_views, summary
from voiceflow.draw.figures import body
from voiceflow.draw.overview import Page
from voiceflow.draw.rows import Row, row_length, rows
from voiceflow.draw.shapes import Drawing, Label, Line, Shape
from voiceflow.draw.staff import Staff, staff, staff_shapes
from voiceflow.draw.text import clean, print_cut, print_width, wrap
from voiceflow.plan.moments import Plan
from voiceflow.score.score import Score

WIDTH = 1600.0
_PAGE = Page(left=56.0, right=1544.0, staff=300.0)
_TOP, _BOTTOM, _BETWEEN = 44.0, 48.0, 20.0
# With more rows than this the words are left out and the rows are drawn low.
_MANY_ROWS = 160
_BOLD = 1.05  # width of bold letters, as a factor on `print_width`
_NAME_SIZE, _FACT_SIZE = 17.0, 12.5
_INDENT, _FIGURE = 28.0, 34.0
_NAME_LEADING, _LEAST_COMPACT = 20.0, 48.0


def layout(score: Score, plan: Plan | None = None) -> Drawing:
    """The whole session as a drawing.

    Parameters
    ----------
    plan : Plan, optional
        The plan that the score was arranged from. It adds positions, repetitions, sides and
        effort.

    Returns
    -------
    Drawing
        `WIDTH` wide and as high as it needs to be.
    """
    views = chapter_views(score, plan)
    numbers = _numbers(views)
    shapes: list[Shape] = [*overview.title(score, _PAGE, _TOP)]
    y = _TOP + (92 if score.about else 70)
    shapes += overview.skyline(score, views, numbers, _PAGE, y + 14)
    y += 14 + overview.skyline_height(views) + 24
    key, y = overview.legend(score, views, _PAGE, y)
    shapes += key
    y += 34
    body_shapes, y = _rows(views, numbers, y)
    title = clean(score.title) or "voiceflow"
    return Drawing(
        WIDTH,
        y + _BOTTOM,
        title,
        _about(score, views),
        clean(score.language),
        (*shapes, *body_shapes),
    )


def _numbers(views: Sequence[ChapterView]) -> tuple[str, ...]:
    """A number for each exercise, none for opening and close; without a plan one for all."""
    known = any(view.position for view in views)
    numbers, at = [], 0
    for view in views:
        counts = bool(view.position) or not known
        at += counts
        numbers.append(str(at) if counts else "")
    return tuple(numbers)


def _rows(
    views: Sequence[ChapterView], numbers: Sequence[str], y: float
) -> tuple[list[Shape], float]:
    broken = rows(views)
    compact = len(broken) > _MANY_ROWS
    # One scale for all rows: a second is as wide everywhere.
    scale = (_PAGE.right - _PAGE.staff) / row_length(broken)
    # By identity: the hash of a view would go through every event in it.
    number = dict(zip((id(view) for view in views), numbers, strict=True))
    shapes: list[Shape] = []
    for row in broken:
        shapes.append(Line(((_PAGE.left, y), (_PAGE.right, y)), "grid", 1.0, role="row"))
        one = staff(row, y + _BETWEEN / 2, _PAGE.staff, _PAGE.right, scale, compact=compact)
        names, low = _names(one, number[id(row.view)])
        shapes += names
        shapes += staff_shapes(one)
        # The names beside the first row of a chapter may be higher than its staff.
        least = _LEAST_COMPACT if compact else low + 6 - y if not row.number else 0
        y += max(one.bottom - y + _BETWEEN / 2, least)
    return shapes, y


def _names(one: Staff, number: str) -> tuple[list[Shape], float]:
    """Left of a staff: number, title, times, position, work; and y of their end."""
    row, y = one.row, one.top + 15
    room = _PAGE.staff - _PAGE.left - _INDENT - 20
    x = _PAGE.left + _INDENT
    if row.number:
        which = f" ({row.number + 1}/{row.count})"
        title = print_cut(row.view.title, _FACT_SIZE, room - print_width(which, _FACT_SIZE))
        return [Label(x, y, f"{title}{which}", _FACT_SIZE, "muted", role="more")], y
    lines = _broken(row.view.title, room, 1 if one.compact else 2)
    shapes: list[Shape] = []
    if number:
        shapes.append(Label(_PAGE.left, y, number, _FACT_SIZE, "muted", role="number"))
    for line in lines:
        shapes.append(Label(x, y, line, _NAME_SIZE, bold=True, role="chapter"))
        y += _NAME_LEADING
    times = f"{clock(row.view.start_ms)} – {clock(row.view.end_ms)}"
    shapes.append(Label(x, y, times, _FACT_SIZE, "muted", role="times"))
    if one.compact:
        return shapes, y
    shapes += overview.effort_dots(row.view.effort, x + print_width(times, _FACT_SIZE) + 14, y - 4)
    return shapes + list(_what(row, x, y + 8)), y + 8 + (_FIGURE if row.view.position else 0)


def _what(row: Row, x: float, y: float) -> Iterator[Shape]:
    """The position as a figure and in words, and the work."""
    view = row.view
    if view.position:
        yield from body(view.position, x, y + _FIGURE - 3, _FIGURE)
        x += _FIGURE + 10
    facts = list(filter(None, (view.place, view.work)))
    for n, fact in enumerate(facts, 2 - len(facts) if view.position else 0):
        room = _PAGE.staff - x - 16
        yield Label(
            x, y + 14 + n * 16, print_cut(fact, _FACT_SIZE, room), _FACT_SIZE, "words", role="place"
        )


def _broken(title: str, room: float, most: int) -> list[str]:
    """A title in at most so many lines, the last one cut."""
    lines = wrap(title, room / _BOLD, lambda text: print_width(text, _NAME_SIZE))
    # What is too much joins the last line, so that the ellipsis shows that it was cut.
    lines = (*lines[: most - 1], " ".join(lines[most - 1 :])) if len(lines) > most else lines
    return [print_cut(line, _NAME_SIZE, room) for line in lines]


def _about(score: Score, views: Sequence[ChapterView]) -> str:
    """The picture in words, for screen readers."""
    chapters = "; ".join(f"{clock(view.start_ms)} {view.title}" for view in views)
    return f"{summary(score)}. Chapters: {chapters}."
