"""Reads single keys without Enter, in POSIX terminals and in the Windows console.

with keys() as read:
    read(0.1)   # "left", "right", " ", "q" …, or "" after a tenth of a second
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

Read = Callable[[float], str]
"""Waits at most the given seconds for a key; "" if none was pressed."""

_ARROWS: Final = {b"D": "left", b"C": "right", b"A": "up", b"B": "down"}
_WINDOWS: Final = {"K": "left", "M": "right", "H": "up", "P": "down"}
_POLL_S: Final = 0.02


@contextmanager
def keys(wanted: bool = True) -> Iterator[Read]:
    """A function that reads keys. After the block, the terminal is as it was before.

    Parameters
    ----------
    wanted : bool
        False without a terminal: then the function only waits.
    """
    if not wanted:
        yield _none
    elif sys.platform == "win32":
        yield _windows
    else:
        with _posix() as read:
            yield read


def _none(seconds: float) -> str:
    time.sleep(seconds)
    return ""


def _windows(seconds: float) -> str:
    import msvcrt

    console: Any = msvcrt
    until = time.monotonic() + seconds
    while not console.kbhit():
        if time.monotonic() >= until:
            return ""
        time.sleep(_POLL_S)
    key = str(console.getwch())
    # `getwch` hands Ctrl-C over as a character, where a POSIX terminal sends a signal.
    if key == "\x03":
        raise KeyboardInterrupt
    # An arrow is two characters here: one of these marks, and then a letter.
    return _WINDOWS.get(str(console.getwch()), "") if key in "\x00\xe0" else key


@contextmanager
def _posix() -> Iterator[Read]:
    import termios

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)

    def enter(*_: object) -> None:
        mode = termios.tcgetattr(terminal)
        # Only line mode and echo are off: Ctrl-C and Ctrl-Z still work.
        mode[3] &= ~(termios.ICANON | termios.ECHO)
        # A read returns what there is, from one byte on: the waiting is left to `select`.
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        termios.tcsetattr(terminal, termios.TCSADRAIN, mode)

    # While Ctrl-Z stops the player, the shell may set its own mode: set ours again.
    old = signal.signal(signal.SIGCONT, enter)
    try:
        enter()
        yield _Terminal(terminal).read
    finally:
        signal.signal(signal.SIGCONT, old)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


class _Terminal:
    """Turns the bytes of a terminal into keys; an arrow is a sequence of three bytes."""

    def __init__(self, number: int) -> None:
        self._number, self._held = number, b""

    def read(self, seconds: float) -> str:
        if not self._held and not self._more(seconds):
            return ""
        if self._held[:1] != b"\x1b":
            key, self._held = self._held[:1], self._held[1:]
            return key.decode("ascii", "ignore")
        # The rest of an arrow follows at once; Esc pressed alone is followed by nothing.
        while len(self._held) < 3 and self._more(_POLL_S):
            pass
        sequence, self._held = self._held[:3], self._held[3:]
        # Terminals send O in place of [ while their cursor keys are in application mode.
        return _ARROWS.get(sequence[2:], "") if sequence[1:2] in (b"[", b"O") else ""

    def _more(self, seconds: float) -> bool:
        import select

        if not select.select([self._number], [], [], seconds)[0]:
            return False
        found = os.read(self._number, 64)
        if not found:
            raise KeyboardInterrupt  # the terminal has gone
        self._held += found
        return True
