"""The session drawn in a terminal.

Takes a score and its plan (optional), and returns text: for each chapter a bar as long as its time,
with a mark for what sounds in each column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from voiceflow.core.units import clock
from voiceflow.draw.breath import Breath, is_breath
from voiceflow.draw.chapters import ChapterView, MomentRun, chapter_views, moment_runs, summary
from voiceflow.draw.text import cells, clean, cut, lettered, pad
from voiceflow.plan.moments import Plan
from voiceflow.score.score import Event, Score

LEAST_WIDTH = 32
_LEAST_WORD = 5

# What a column shows: its mark, what it means, and its colour. The colours are the eight SGR codes
# that every terminal has, so they follow its theme.
MARKS = {
    "signal": ("▌", "signal", "35"),
    "inhale": ("╱", "inhale", "36"),
    "exhale": ("╲", "exhale", "34"),
    "hold": ("─", "hold", "33"),
    "pause": ("┄", "pause", "33"),
    "many": ("≈", "breaths", "36"),
    "work": ("▒", "work", "33"),
    "speech": ("▂", "speech", "32"),
    "quiet": ("·", "quiet", "2"),
}
_TITLE, _DIM = "1", "2"


@dataclass(frozen=True, slots=True)
class _Frame:
    """The columns of the drawing: the bars begin after `lead` of `width` columns."""

    width: int
    lead: int
    column_ms: float
    colour: bool

    def paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text.strip() else text


def timeline_text(
    score: Score, plan: Plan | None = None, *, width: int = 80, colour: bool = False
) -> str:
    """The session as text: for each chapter its title, a bar of its time, and words said in it.

    Parameters
    ----------
    width : int
        Columns of the terminal; 32 at least. No line is longer.
    colour : bool
        Whether to use ANSI colours.
    """
    width = max(width, LEAST_WIDTH)
    views = chapter_views(score, plan)
    # One scale for all chapters, so that their bars can be compared.
    longest = max(max(view.length_ms for view in views), 1)
    lead = max(len(clock(view.start_ms)) for view in views) + 2
    frame = _Frame(width, lead, longest / (width - lead), colour)
    shown: set[str] = set()
    lines = [*_head(score, frame), ""]
    for view in views:
        marks = _marks(view, frame)
        shown.update(marks)
        lines += [_title(view, frame), " " * lead + _bar(marks, frame)]
        if words := _words(view, frame):
            lines.append(" " * lead + frame.paint(words, _DIM))
        lines.append("")
    lines += _legend(shown, frame)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _head(score: Score, frame: _Frame) -> Iterator[str]:
    yield frame.paint(cut(clean(score.title), frame.width), _TITLE)
    yield frame.paint(cut(summary(score), frame.width), _DIM)
    for line in score.length_changes:
        yield frame.paint(cut(clean(line), frame.width), _DIM)


def _title(view: ChapterView, frame: _Frame) -> str:
    """Start, title and work of a chapter, and its length at the right."""
    length = clock(view.length_ms)
    facts = " · ".join(filter(None, (view.place, view.work)))
    room = frame.width - frame.lead - cells(length) - 1
    title = cut(view.title, room)
    facts = cut(f"  {facts}", room - cells(title)) if facts and room - cells(title) > 8 else ""
    gap = " " * (room + 1 - cells(title) - cells(facts))
    start = pad(clock(view.start_ms), frame.lead)
    return (
        frame.paint(start, _DIM)
        + frame.paint(title, _TITLE)
        + frame.paint(facts + gap + length, _DIM)
    )


def _marks(view: ChapterView, frame: _Frame) -> list[str]:
    """What each column of a chapter shows, as keys of `MARKS`."""
    count = min(max(round(view.length_ms / frame.column_ms), 1), frame.width - frame.lead)
    # A chapter without length still has a column, and it is divided by.
    column_ms = max(view.length_ms / count, 1e-9)
    breath, speech, work = ([Counter[str]() for _ in range(count)] for _ in range(3))
    begun, signals = [0] * count, set()
    for one in view.breaths:
        begun[_column(one.start_ms, view, column_ms, count)] += 1
        _spread(breath, one.kind, one, view, column_ms)
    for run in moment_runs(view):
        if run.moment == "work":
            _spread(work, "work", run, view, column_ms)
    for event in view.events:
        if event.kind == "speech":
            _spread(speech, "speech", event, view, column_ms)
        elif not is_breath(event) and event.name != "wake":
            signals.add(_column(event.start_ms, view, column_ms, count))
    return [
        # A signal is shorter than a column and would never have the most of it.
        "signal" if n in signals else _mark(breath[n], begun[n], speech[n], work[n], column_ms)
        for n in range(count)
    ]


def _mark(
    breath: Counter[str], begun: int, speech: Counter[str], work: Counter[str], column_ms: float
) -> str:
    if breath.total() >= column_ms * 0.4:
        # Breaths shorter than a column would show at random: one column hits an inhale, the next
        # an exhale.
        return "many" if begun > 2 else breath.most_common(1)[0][0]
    if speech.total() >= column_ms * 0.3:
        return "speech"
    return "work" if work.total() >= column_ms * 0.4 else "quiet"


def _column(ms: int, view: ChapterView, column_ms: float, count: int) -> int:
    return min(max(int((ms - view.start_ms) / column_ms), 0), count - 1)


def _spread(
    columns: Sequence[Counter[str]],
    key: str,
    span: Breath | Event | MomentRun,
    view: ChapterView,
    column_ms: float,
) -> None:
    """Add the milliseconds of `span` to each column that it touches."""
    count = len(columns)
    first = _column(span.start_ms, view, column_ms, count)
    for n in range(first, _column(span.end_ms, view, column_ms, count) + 1):
        start = view.start_ms + n * column_ms
        shared = min(span.end_ms, start + column_ms) - max(span.start_ms, start)
        if shared > 0:
            columns[n][key] += round(shared)


def _bar(marks: Iterable[str], frame: _Frame) -> str:
    """The marks, with one colour code for each run of equal ones."""
    runs = ((MARKS[key], len(list(run))) for key, run in groupby(marks))
    return "".join(frame.paint(mark * count, colour) for (mark, _, colour), count in runs)


def _words(view: ChapterView, frame: _Frame) -> str:
    """What is said: each text under its time, if there is room after the one before."""
    room, line = frame.width - frame.lead, ""
    for event in view.events:
        text = clean(event.name)
        # The title already stands above, and counts say little.
        if event.kind != "speech" or not lettered(text) or view.title.startswith(text.rstrip(".")):
            continue
        at = int((event.start_ms - view.start_ms) / frame.column_ms)
        if line and at < cells(line) + 2:
            continue
        # What follows begins later and has even less room.
        if room - at < min(cells(text), _LEAST_WORD):
            break
        line = pad(line, at) + cut(text, room - at)
    return line


def _legend(shown: set[str], frame: _Frame) -> Iterator[str]:
    """What the marks shown mean, and how long a column is; as many lines as needed."""
    each = f"a column is {frame.column_ms / 1000:.3g} s"
    entries = [(mark, text, code) for key, (mark, text, code) in MARKS.items() if key in shown]
    # The width is counted apart: colour codes in the line take no columns.
    line, used = "", 0
    for mark, text, code in [*entries, ("", each, _DIM)]:
        wide = cells(f"{mark} {text}".strip())
        if used and used + 3 + wide > frame.width:
            yield line
            line, used = "", 0
        gap = 3 if used else 0
        line += (
            " " * gap + (f"{frame.paint(mark, code)} " if mark else "") + frame.paint(text, _DIM)
        )
        used += gap + wide
    yield line
