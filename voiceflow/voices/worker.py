"""A worker process: one voice at one rate, from its first text to the end of its life.

    python -m voiceflow.voices.worker [DRIVER CACHE]

With a driver's name it begins to load that at once. Texts come in on standard input, a JSON line
each; the first line is the order (`Order`). Each
answer on standard output is a JSON line, ``ready``, ``clip`` with the number of bytes that follow,
or ``failed``. What engines print goes to standard error. The end of standard input is the end of
the worker, even while its engine hangs: a worker never outlives who started it.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import shutil
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

from voiceflow.core.errors import VoiceError
from voiceflow.voices.failures import told

_POLL_S = 2.0
_GRACE_S = 10.0
_SWEEP_AGE_S = 600


def main() -> None:
    """Serves until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to deal with
    answers = _take_output()
    lines: SimpleQueue[str] = SimpleQueue()
    scratch = _Scratch()
    # In a thread of its own: the end of the input must be seen even while an engine hangs.
    threading.Thread(target=_listen, args=(lines, scratch), daemon=True).start()
    _serve(lines, answers, scratch)


class _Scratch:
    """The worker's temporary folder, gone when the worker is.

    The parent names it (and removes it, should the worker be killed), the worker makes it: so
    there is no moment at which nobody knows of it.
    """

    def __init__(self) -> None:
        self.folder: Path | None = None
        self._turn = threading.Lock()

    def make(self, folder: str) -> Path:
        with self._turn:
            self.folder = Path(folder)
            self.folder.mkdir(mode=0o700)
        _sweep(self.folder.parent)
        return self.folder

    def remove(self) -> None:
        """For good: none can be made, and nothing written into it, any more."""
        # Never released: a thread that comes to make a folder now waits until the process is gone.
        self._turn.acquire()
        if self.folder is None:
            return
        gone = self.folder.with_name(f"{self.folder.name}-gone")
        with suppress(OSError):  # Windows: something in it is open
            # By another name first: who is writing, a copy that speaks, does not find it again.
            self.folder = self.folder.replace(gone)
        shutil.rmtree(self.folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Removes what is left of runs that were killed root and branch, a while ago."""
    if sys.platform == "win32":
        return
    for left in parent.glob("voiceflow-voice-*-*"):
        with suppress(OSError, ValueError):
            if time.time() - left.stat().st_mtime > _SWEEP_AGE_S:
                try:
                    os.kill(int(left.name.split("-")[2]), 0)
                except ProcessLookupError:
                    shutil.rmtree(left, ignore_errors=True)


def _serve(lines: SimpleQueue[str], answers: BinaryIO, scratch: _Scratch) -> None:
    gc.disable()  # the voice's tables are a million objects, none of them rubbish
    early = _begin(*sys.argv[1:])
    order = json.loads(lines.get())
    try:
        if order.get("list"):
            from voiceflow.voices.engine import voices_of

            _answer(answers, {"is": "ready", "voices": voices_of(order["driver"])})
            return
        speaker = _Speaker(order, scratch)
        # Not sooner: pyttsx3 gives the engine that was begun only as long as someone holds it.
        del early
    except VoiceError as error:
        _answer(answers, {"is": "unfit", "message": error.message, "hint": error.hint})
        return
    # Frozen before collecting starts again: the tables are never looked through.
    gc.freeze()
    gc.enable()
    _answer(answers, {"is": "ready"})
    while True:
        text = json.loads(lines.get())["text"]
        try:
            clip = speaker.clip(text)
        except VoiceError as error:
            _answer(answers, {"is": "failed", "message": error.message, "hint": error.hint})
        except Exception as error:  # whatever an engine raises, its text is to be named
            why, hint = told(error)
            _answer(answers, {"is": "failed", "message": f"the voice failed: {why}", "hint": hint})
        else:
            _answer(answers, {"is": "clip", "bytes": len(clip)}, clip)


def _begin(driver: str = "", cache: str = "") -> object:
    """The engine that an order is likely to ask for: as long as it is held, pyttsx3 gives it.

    What goes wrong here goes wrong again with the order, and is told then.
    """
    if not driver:
        return None
    from voiceflow.voices.engine import start

    os.environ["VOICEFLOW_TABLES"] = cache  # a driver takes no arguments
    with suppress(VoiceError):
        return start(driver)
    return None


class _Speaker:
    """Text in, clip out: engine, file, checks, levelling."""

    def __init__(self, order: dict[str, Any], scratch: _Scratch) -> None:
        from voiceflow.voices.engine import Engine

        self._rate, self._timeout_s = order["rate"], order["timeout_s"]
        self._language = order.get("language", "")
        os.environ["VOICEFLOW_TABLES"] = order.get("cache", "")
        self._engine = Engine(order["driver"], order["voice_id"], self._rate, self._timeout_s)
        self._path = scratch.make(order["folder"]) / "cue.wav"

    def clip(self, text: str) -> bytes:
        # Only now: the engine's process for copies was made before numpy, and so is cheap to copy.
        from voiceflow.audio import wav
        from voiceflow.voices import levelling as level
        from voiceflow.voices import sanity as plausible
        from voiceflow.voices.pronounce import tidy

        self._path.unlink(missing_ok=True)
        # Should the parent be gone and the engine hold every lock there is, this ends it all.
        faulthandler.dump_traceback_later(self._timeout_s + _GRACE_S, exit=True, file=sys.stderr)
        try:
            self._engine.save(tidy(text), self._path)
            clip = level.make_clip(wav.read(self._path))
        finally:
            faulthandler.cancel_dump_traceback_later()
            self._path.unlink(missing_ok=True)
        plausible.check(text, self._rate, clip, self._language)
        return clip


def _take_output() -> BinaryIO:
    """Standard output for answers alone; what else is printed goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _answer(answers: BinaryIO, head: dict[str, Any], body: bytes = b"") -> None:
    try:
        answers.write(json.dumps(head).encode() + b"\n" + body)
        answers.flush()
    except OSError:  # nobody listens any more: `_listen` is about to end the worker
        pass


def _listen(lines: SimpleQueue[str], scratch: _Scratch) -> None:
    """Hands on the lines of standard input; at its end, or the parent's, ends the worker."""
    parent, rest = os.getppid(), b""
    while True:
        if not _readable():
            if os.getppid() != parent:
                break
            continue
        # Past Python's buffer: `select` does not see the lines that wait in one.
        piece = os.read(0, 1 << 16)
        if not piece:
            break
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            lines.put(line.decode())
    # The folder first: what follows ends this process as well.
    scratch.remove()
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)  # a copy that speaks goes too
    os._exit(0)


def _readable() -> bool:
    """Whether standard input has something, or has ended, within the poll time.

    Another child of the parent may hold the pipe's other end open beyond the parent's life,
    hence the look at the parent itself.
    """
    if sys.platform == "win32":
        return True
    import select

    return bool(select.select([0], [], [], _POLL_S)[0])


if __name__ == "__main__":
    main()
