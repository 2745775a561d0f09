"""Draws the player in the terminal: exercise, words, breath and the time left.

A `Display` in, lines on the terminal out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voiceflow.core.units import clock
from voiceflow.player.reel import Breath

if TYPE_CHECKING:
    from rich.text import Text

HELP = "space pause   ← → exercise   a again   + - tempo   d talk   q quit"
_MOST = 60


@dataclass(frozen=True, slots=True)
class Display:
    """Everything that the screen shows."""

    title: str
    exercise: str
    number: int
    count: int
    words: str
    breath: Breath | None
    left_ms: int
    share: float
    paused: bool
    note: str = ""


Show = Callable[[Display], None]


@contextmanager
def screen() -> Iterator[Show]:
    """A function that draws in place on a terminal; elsewhere it prints a line per exercise."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        yield _Lines().show
        return
    from rich.live import Live

    # No automatic refresh: a second thread must not write to the terminal.
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield lambda display: live.update(drawn(display, console.width), refresh=True)


def drawn(display: Display, width: int) -> Text:
    """The lines of `display`, cut to fit `width` columns."""
    from rich.text import Text

    room = max(min(width - 4, _MOST), 8)
    lines = (
        (f"{display.exercise}", "bold"),
        (f"{display.number} of {display.count}  {display.title}", "dim"),
        (display.words, ""),
        (_breath(display.breath, room), "cyan"),
        (_line(display, room), ""),
        (display.note, "yellow"),
        (HELP, "dim"),
    )
    text = Text()
    for number, (line, style) in enumerate(lines):
        part = Text(line, style=style)
        # By rich and not by slicing: a Chinese character takes two columns.
        part.truncate(max(width - 4, 8), overflow="ellipsis")
        text.append("\n  " if number else "  ").append_text(part)
    return text


def _breath(breath: Breath | None, room: int) -> str:
    if breath is None:
        return ""
    full = {"inhale": breath.share, "exhale": 1 - breath.share}.get(breath.name, 1.0)
    size = room - 8
    return f"{breath.name:<7} " + "━" * round(full * size)


def _line(display: Display, room: int) -> str:
    state = "paused" if display.paused else "playing"
    left = f"{clock(display.left_ms)} left"
    size = max(room - len(left) - 10, 2)
    done = round(display.share * size)
    return f"{state:<7} {'▓' * done}{'░' * (size - done)}  {left}"


class _Lines:
    def __init__(self) -> None:
        self._last = (0, "")

    def show(self, display: Display) -> None:
        if (display.number, display.exercise) != self._last:
            self._last = (display.number, display.exercise)
            print(f"{display.number} of {display.count}  {display.exercise}", flush=True)


def interactive() -> bool:
    """Whether input and output are a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()
