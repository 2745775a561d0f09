"""Plays a session: the loop between device, transport, keys and screen.

A session and options in; sound, a screen and a bookmark out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Final

from voiceflow.core.errors import SoundError
from voiceflow.formats.labels import plain
from voiceflow.player.bookmarks import Bookmarks, bookmark_at, time_of
from voiceflow.player.changes import Changes
from voiceflow.player.device import Device
from voiceflow.player.keys import Read, keys
from voiceflow.player.reel import Reel
from voiceflow.player.screen import Display, Show, interactive, screen
from voiceflow.player.transport import Player
from voiceflow.score.options import Context, Options, Report, quiet
from voiceflow.score.prepare import prepare

TICK_S: Final = 0.12
_KEEP_S: Final = 10.0
_STALLED_S: Final = 5.0
_SLEPT_S: Final = 2.0
_DRAIN_S: Final = 0.3

Progress = Callable[[], AbstractContextManager[Report]]
Told = Callable[[str], None]
"""Called with a line for each thing that happens; tests watch the player with it."""


def nothing() -> AbstractContextManager[Report]:
    """Progress that shows nothing."""
    return nullcontext(quiet)


def play(
    reference: str | Path,
    options: Options = Options(),
    context: Context | None = None,
    progress: Progress = nothing,
    *,
    from_start: bool = False,
    audio: str | None = None,
    told: Told = lambda _: None,
) -> bool:
    """Play a session in the terminal until it ends or the user quits.

    Parameters
    ----------
    progress : callable
        Returns a context with a report, which is open while the session is decided.
    from_start : bool
        Play from the start, not from the bookmark.
    audio : str or None
        ``null`` for a silent device; None for the value of ``$VOICEFLOW_AUDIO``.

    Returns
    -------
    bool
        Whether a bookmark was saved.

    Raises
    ------
    VoiceflowError
        The session has errors, or there is no sound device. The terminal is restored.
    """
    context = context or Context()
    with ExitStack() as stack:
        # The device comes first: without one, the user learns it before a long decision.
        device = Device(1 if options.mono else 2, audio or os.environ.get("VOICEFLOW_AUDIO", ""))
        stack.callback(device.close)
        with progress() as report:
            prepared = prepare(reference, options, context, report)
        decision = prepared.decision
        reel = Reel(prepared, context, mono=options.mono)
        bookmarks = Bookmarks(context.library)
        kept = None if from_start else bookmarks.get(decision.session.slug)
        player = Player(reel, time_of(kept, reel) if kept else 0)
        pacing = decision.plan.pacing
        changes = Changes(reference, options, context, pacing, player.change)
        if player.now.at_ms:
            changes.note = "continuing where you left off (--from-start plays from the start)"
        stack.callback(changes.close)
        stack.callback(player.close)
        loop = _Loop(player, changes, bookmarks, decision.session.slug, told)
        read = stack.enter_context(keys(interactive()))
        show = stack.enter_context(screen())
        player.start()
        device.start(player.read)
        # A second time, because what is registered last is done first: the device falls silent
        # before the threads are waited for.
        stack.callback(device.close)
        return loop.run(read, show)


class _Loop:
    """Reads keys and updates the screen, about eight times a second."""

    def __init__(
        self, player: Player, changes: Changes, bookmarks: Bookmarks, slug: str, told: Told
    ) -> None:
        self.player, self.changes = player, changes
        self.bookmarks, self.slug, self.told = bookmarks, slug, told
        self._part = -1
        self._shown: Display | None = None
        self._calls, self._moved = 0, time.monotonic()
        self._kept = self._watched = time.monotonic()

    def run(self, read: Read, show: Show) -> bool:
        """Run until the end or `q`. Returns whether a bookmark was saved."""
        try:
            while not self.player.finished:
                self._watch()
                if (display := self.display()) != self._shown:
                    self._shown = display
                    show(display)
                if not self._press(read(TICK_S)):
                    self.told("quit")
                    return self._keep()
            time.sleep(_DRAIN_S)  # the device still plays what it holds
            self.told("end")
            return False
        finally:
            # After Ctrl-C or an error, too, it continues from here.
            self._keep()

    def _press(self, key: str) -> bool:
        """Do what `key` asks for. Returns whether to go on."""
        player, changes = self.player, self.changes
        match key:
            case "":
                return True
            case "q" | "Q":
                return False
            case " ":
                player.paused = not player.paused
            case "right":
                player.step(1)
            case "left":
                player.step(-1)
            case "a":
                player.again()
            # On many keyboards = and _ are the keys of + and -, but for Shift.
            case "+" | "=":
                changes.faster(1)
            case "-" | "_":
                changes.faster(-1)
            case "d":
                changes.talk()
            case _:
                return True
        self.told(f"key {key!r} at {player.now.at_ms} paused {player.paused}")
        return True

    def _watch(self) -> None:
        player, now = self.player, time.monotonic()
        if player.problem is not None:
            raise player.problem
        # After Ctrl-Z or a closed lid, the device needs time to wake up: it has not failed.
        slept, self._watched = now - self._watched > _SLEPT_S, now
        if player.calls != self._calls or slept:
            self._calls, self._moved = player.calls, now
        elif now - self._moved > _STALLED_S:
            hint = "play again: it continues from here"
            raise SoundError("the sound device has stopped", hint=hint)
        if now - self._kept > _KEEP_S:
            self._keep()

    def _keep(self) -> bool:
        self._kept = time.monotonic()
        now = self.player.now
        # What was heard to its end starts anew the next time.
        bookmark = None if self.player.finished else bookmark_at(now.reel, now.at_ms)
        self.bookmarks.put(self.slug, bookmark)
        return bookmark is not None

    def display(self) -> Display:
        now = self.player.now
        reel, part = now.reel, now.part
        title = plain(reel.parts[part].title)
        if part != self._part:
            # The first exercise is no change: the note that it continues must stay to be read.
            if self._part >= 0:
                self.changes.settle()
            self._part = part
            pacing = reel.decision.plan.pacing
            self.told(f"exercise {part} {title} tempo {pacing.tempo} detail {pacing.detail}")
        length = max(reel.score.length_ms, 1)
        return Display(
            title=plain(reel.score.title),
            exercise=title,
            number=part + 1,
            count=len(reel.parts),
            words=reel.words_at(now.at_ms),
            breath=reel.breath_at(now.at_ms),
            left_ms=length - now.at_ms,
            share=now.at_ms / length,
            paused=self.player.paused,
            note=self.changes.note,
        )
