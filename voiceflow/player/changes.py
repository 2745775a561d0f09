"""Decides a session again while it plays, with another tempo or with more or less talk.

A wish in, and when the decision is ready, a new reel out, through a callback.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from voiceflow.core.errors import VoiceflowError
from voiceflow.player.reel import Reel
from voiceflow.score.options import Context, Options
from voiceflow.score.prepare import prepare
from voiceflow.script.pacing import Pacing

STEP: Final = 0.05
# The bounds that `tempo` has in every script, see `script.pacing`.
SLOWEST, FASTEST = 0.25, 4.0
_TALK: Final = ("full", "brief", "tones")


class _GivenUp(BaseException):
    """Stops a decision that is no longer wanted.

    A BaseException, so that no `except Exception` on its way catches it.
    """


class Changes:
    """The wishes for another pacing, and the thread that decides the session for the latest.

    Parameters
    ----------
    pacing : Pacing
        The pacing of the session.
    ready : callable
        Called with the reel for the latest wish.
    """

    def __init__(
        self,
        reference: str | Path,
        options: Options,
        context: Context,
        pacing: Pacing,
        ready: Callable[[Reel], None],
    ) -> None:
        self._reference, self._options, self._context = reference, options, context
        self._ready = ready
        self.tempo, self.detail = pacing.tempo, str(pacing.detail)
        self.note = ""
        # All wishes so far: each decision starts again from the options given at first.
        self._told: dict[str, Any] = {}
        self._turn = 0
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def faster(self, steps: int) -> None:
        """Change the tempo by `steps` from the next exercise on."""
        self.tempo = min(max(round(self.tempo + steps * STEP, 2), SLOWEST), FASTEST)
        self._wish("tempo", self.tempo)

    def talk(self) -> None:
        """Less talk from the next exercise on; after the least, full talk again."""
        self.detail = _TALK[(_TALK.index(self.detail) + 1) % len(_TALK)]
        self._wish("detail", self.detail)

    def settle(self) -> None:
        """An exercise has started: remove the note, unless a change is still under way."""
        if not self.note.endswith("…"):
            self.note = ""

    def close(self) -> None:
        """Give up the decision that is under way."""
        # A decision of an earlier turn gives up when it next reports.
        self._turn += 1
        for thread in self._threads:
            thread.join(2)

    def _wish(self, key: str, value: object) -> None:
        self._told[key] = value
        self._turn += 1
        # The … says that it is under way: `settle` leaves such a note, `_decide` removes the ….
        self.note = f"{key} {value} from the next exercise on …"
        options = replace(self._options, pacing=(*self._options.pacing, *self._told.items()))
        thread = threading.Thread(
            target=self._decide, args=(self._turn, options), name="change", daemon=True
        )
        self._threads = [one for one in self._threads if one.is_alive()] + [thread]
        thread.start()

    def _decide(self, turn: int, options: Options) -> None:
        def report(*_: object) -> None:
            if turn != self._turn:
                raise _GivenUp

        try:
            with self._lock:  # one at a time: two decisions must not share the voice's workers
                # A later wish may have come while this one waited for the lock.
                report()
                prepared = prepare(self._reference, options, self._context, report, ahead=False)
                reel = Reel(prepared, self._context, mono=options.mono)
                # A reel is made without reports, so whether it is still wanted is asked once more.
                report()
        except _GivenUp:
            return
        except VoiceflowError as error:
            self.note = str(error)
            return
        self._ready(reel)
        self.note = self.note.removesuffix(" …")
