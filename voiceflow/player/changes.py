"""A session decided anew while it plays: another tempo, more or less talk."""

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
SLOWEST, FASTEST = 0.25, 4.0
_TALK: Final = ("full", "brief", "tones")


class _GivenUp(BaseException):
    """Another wish has come, or the end: raised through the pipeline, past all it catches."""


class Changes:
    """What is wished for of the pacing, and a thread that decides the session for it.

    Parameters
    ----------
    pacing : Pacing
        As the session has it.
    ready : callable
        Given the reel of the latest wish.
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
        self._told: dict[str, Any] = {}
        self._turn = 0
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def faster(self, steps: int) -> None:
        """Another tempo from the next exercise on."""
        self.tempo = min(max(round(self.tempo + steps * STEP, 2), SLOWEST), FASTEST)
        self._wish("tempo", self.tempo)

    def talk(self) -> None:
        """Less talk from the next exercise on; after the least, all of it again."""
        self.detail = _TALK[(_TALK.index(self.detail) + 1) % len(_TALK)]
        self._wish("detail", self.detail)

    def settle(self) -> None:
        """An exercise has begun: what was noted of it is past, what is under way is not."""
        if not self.note.endswith("…"):
            self.note = ""

    def close(self) -> None:
        """Gives up what is being decided."""
        self._turn += 1
        for thread in self._threads:
            thread.join(2)

    def _wish(self, key: str, value: object) -> None:
        self._told[key] = value
        self._turn += 1
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
            with self._lock:  # one at a time: the voice's workers are shared by none
                report()
                prepared = prepare(self._reference, options, self._context, report, ahead=False)
                reel = Reel(prepared, self._context, mono=options.mono)
                report()
        except _GivenUp:
            return
        except VoiceflowError as error:
            self.note = str(error)
            return
        self._ready(reel)
        self.note = self.note.removesuffix(" …")
