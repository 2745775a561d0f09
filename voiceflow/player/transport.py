"""The transport: moves samples from a reel to the device; pauses, jumps, and changes the reel.

One thread makes samples a little ahead. The device takes them in its own thread, which must never
wait: if nothing is ready it gets silence, and the time in the session stands still.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from voiceflow.core.units import GRID_MS, RATE
from voiceflow.player.reel import Reel, counterpart

_BLOCK_MS = 240
_AHEAD = 6  # blocks


@dataclass(frozen=True, slots=True)
class Now:
    """The reel that the device plays, and the time in it."""

    reel: Reel
    at_ms: int

    @property
    def part(self) -> int:
        return self.reel.part_at(self.at_ms)


@dataclass(frozen=True, slots=True)
class _Block:
    reel: Reel
    start_ms: int
    data: bytes


class Player:
    """Plays a reel, and after `change` another one from the next exercise on.

    Attributes
    ----------
    paused, finished : bool
    calls : int
        How often the device has asked for samples: it works as long as this grows.
    problem : Exception or None
        The error because of which no more samples are made.
    """

    def __init__(self, reel: Reel, at_ms: int = 0) -> None:
        self._changed = threading.Condition()
        self._ready: deque[_Block] = deque()
        self._used = 0  # bytes of the first block
        self._reel, self._next_ms = reel, at_ms // GRID_MS * GRID_MS
        self._now = Now(reel, self._next_ms)
        self._coming: Reel | None = None
        self._turn = 0  # counts jumps: blocks made for an earlier turn are dropped
        self._closed = self.paused = self.finished = False
        self.calls = 0
        self.problem: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="play", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        # It was never started if the terminal failed first, and then it cannot be joined.
        if self._thread.ident is not None:
            self._thread.join(5)

    @property
    def now(self) -> Now:
        with self._changed:
            return self._now

    def change(self, reel: Reel) -> None:
        """Change to `reel` when the next exercise starts."""
        with self._changed:
            self._coming = reel

    def again(self) -> None:
        """Jump to the start of this exercise."""
        with self._changed:
            self._jump(self._now.reel, self._now.part)

    def step(self, count: int) -> None:
        """Jump `count` exercises forward (or back), in the changed reel if there is one."""
        with self._changed:
            here, part = self._now.reel, self._now.part + count
            if part >= len(here.parts):
                return
            # The reel being made may be the changed one already, while the old one is still heard.
            there = self._coming or self._reel
            self._coming = None
            self._jump(there, counterpart(here, there, max(part, 0)))

    def read(self, frames: int) -> bytes:
        """The next samples for the device, filled up with silence; never waits for more."""
        with self._changed:
            self.calls += 1
            need = frames * self._now.reel.width
            out = bytearray()
            while not self.paused and len(out) < need and self._ready:
                block = self._ready[0]
                taken = block.data[self._used : self._used + need - len(out)]
                out += taken
                self._used += len(taken)
                done_ms = self._used // block.reel.width * 1000 // RATE
                # The time is that of what the device has taken, not of what is made ahead.
                self._now = Now(block.reel, block.start_ms + done_ms)
                if self._used == len(block.data):
                    self._ready.popleft()
                    self._used = 0
            # `_next_ms` moves only when a block is put: one still being made counts as to come.
            self.finished = not self._ready and self._next_ms >= self._reel.score.length_ms
            self._changed.notify_all()
        return bytes(out).ljust(need, b"\0")

    def _jump(self, reel: Reel, part: int) -> None:
        self._turn += 1
        self._ready.clear()
        self._used = 0
        self._reel, self._next_ms = reel, reel.parts[part].start_ms
        self._now = Now(reel, self._next_ms)
        self._changed.notify_all()

    def _run(self) -> None:
        try:
            while (wanted := self._wanted()) is not None:
                turn, reel, start_ms, length_ms = wanted
                # Outside the lock, so the device never waits; `turn` tells of a jump meanwhile.
                data = reel.block(start_ms, length_ms)
                self._put(turn, _Block(reel, start_ms, data), start_ms + length_ms)
        except Exception as error:  # the loop raises it in the main thread
            self.problem = error

    def _wanted(self) -> tuple[int, Reel, int, int] | None:
        with self._changed:
            while not self._closed:
                left = self._reel.score.length_ms - self._next_ms
                if left > 0 and len(self._ready) < _AHEAD:
                    end = self._reel.parts[self._reel.part_at(self._next_ms)].end_ms
                    # No block runs over an exercise's end: that is where a changed reel takes over.
                    length = min(_BLOCK_MS, end - self._next_ms)
                    return self._turn, self._reel, self._next_ms, length
                self._changed.wait()
        return None

    def _put(self, turn: int, block: _Block, end_ms: int) -> None:
        with self._changed:
            if turn != self._turn:
                return
            self._ready.append(block)
            self._next_ms = end_ms
            part = block.reel.part_at(block.start_ms)
            over = end_ms == block.reel.parts[part].end_ms and part + 1 < len(block.reel.parts)
            if over and self._coming is not None:
                there, self._coming = self._coming, None
                self._next_ms = there.parts[counterpart(block.reel, there, part + 1)].start_ms
                self._reel = there
