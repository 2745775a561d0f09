"""The score as lines of text.

Takes a score and returns a listing for people to read, or a golden for tests to compare.
"""

from __future__ import annotations

from collections.abc import Iterator

from voiceflow.draw.breath import is_breath
from voiceflow.draw.chapters import ChapterView, chapter_views
from voiceflow.draw.text import cells, clean, exact, pad, wrap
from voiceflow.score.score import Event, Score

# Where the terminal is narrow, a line too long is better than words in strips.
_LEAST_WORDS = 16
_HEADS = ("start", "length", "kind", "breath", "side", "rep")


def listing(score: Score, *, width: int | None = None) -> str:
    """A table of all events: start, length, kind, breath, side, repetition, and words or name.

    Parameters
    ----------
    width : int > 0, optional
        Columns of the terminal; longer words continue on the next line, under their beginning.
        Without it each event is one line, however long.
    """
    rows = [_columns(event) for event in score.events]
    # By `cells`: `len` would miscount wide letters and combining marks.
    wide = [max(cells(row[n]) for row in (_HEADS, *rows)) for n in range(len(_HEADS))]
    lines = [_row(_HEADS, wide, "words")]
    for event, row in zip(score.events, rows, strict=True):
        lead = _row(row, wide, "")
        room = None if width is None else max(width - cells(lead), _LEAST_WORDS)
        first, *more = (clean(event.name),) if room is None else wrap(clean(event.name), room)
        lines.append(f"{lead}{first}".rstrip())
        lines.extend(" " * cells(lead) + line for line in more)
    return "\n".join(lines) + "\n"


def _columns(event: Event) -> tuple[str, ...]:
    return (
        exact(event.start_ms),
        exact(event.length_ms),
        event.kind,
        clean(event.breath or ""),
        clean(event.side or ""),
        str(event.rep or ""),
    )


def _row(columns: tuple[str, ...], wide: list[int], words: str) -> str:
    """One line of the table: times aligned right, the rest left."""
    times = [" " * (wide[n] - cells(columns[n])) + columns[n] for n in (0, 1)]
    rest = [pad(columns[n], wide[n]) for n in range(2, len(columns))]
    return "  ".join((*times, *rest, words))


def golden(score: Score) -> str:
    """The score as ``start  end  label`` lines, with a header for each chapter.

    Times of events count from the start of their chapter: a change in one chapter leaves the
    lines of the others as they were. The headers say when each chapter starts. A breath is marked
    ``~``, a signal ``*``; speech is in quotation marks.
    """
    facts = {
        "length": exact(score.length_ms),
        "language": score.language,
        "pace": score.pace,
        "tones": score.tones,
    }
    lines = [f"# {clean(score.title)}"]
    lines += [f"# {name}: {clean(value)}" for name, value in facts.items() if value]
    for view in chapter_views(score):
        lines += ["", f"[{exact(view.start_ms)} + {exact(view.length_ms)}] {view.title}"]
        lines += _golden_lines(view)
    return "\n".join(lines) + "\n"


def _golden_lines(view: ChapterView) -> Iterator[str]:
    for event in view.events:
        start, end = exact(event.start_ms - view.start_ms), exact(event.end_ms - view.start_ms)
        yield f"{start:>10}  {end:>10}  {_label(event)}"


def _label(event: Event) -> str:
    name = clean(event.name)
    if event.kind == "speech":
        said = f'"{name}"'
    else:
        said = f"~ {name}" if is_breath(event) else f"* {name}"
    where = [clean(event.side or ""), f"rep {event.rep}" if event.rep else ""]
    return "  ".join(
        filter(None, (f"{clean(event.moment):<10}", " ".join(filter(None, where)), said))
    )
