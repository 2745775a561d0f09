"""A process that tries cases, so that one that hangs or takes all memory is found and named.

Run as a program it reads cases from its standard input and writes what came of each; `Child` is
the other end. Only a processor's time counts, for each act anew: how
busy the machine is says nothing.
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from fuzz_cases import Case, Outcome

HANG_S = 10
MOST_MB = 1024
_SPACE = 4 << 30  # of addresses: what asks for more than that at once is refused, and found
_STUCK_S = 200.0  # on the wall: it waits for what never comes, without any work
_CASES = 400  # by then a new one: what one case leaves behind must not add up


class Child:
    """One process for many cases; a new one where it was lost."""

    def __init__(self, folder: Path, hang_s: float = HANG_S) -> None:
        self.folder, self.hang_s = folder, hang_s
        self._process: subprocess.Popen[bytes] | None = None
        self._tried = 0

    def run(self, case: Case, *, fresh: bool = False) -> Outcome:
        """What comes of `case`; `fresh` is for one that must not meet what others have left."""
        if fresh or self._tried >= _CASES:
            self.close()
        process = self._process or self._start()
        self._tried += 1
        assert process.stdin is not None
        assert process.stdout is not None
        pickle.dump(case, process.stdin)
        process.stdin.flush()
        if not select.select([process.stdout], [], [], _STUCK_S)[0]:
            self.close()
            return Outcome(ended="stuck")
        try:
            outcome = pickle.load(process.stdout)
        except (EOFError, pickle.UnpicklingError):
            return self._lost(process)
        assert isinstance(outcome, Outcome)
        return outcome

    def _lost(self, process: subprocess.Popen[bytes]) -> Outcome:
        number = -process.wait()
        ended = "hang" if number == signal.SIGPROF else f"ended with {-number}"
        trace = (self.folder / "trace").read_text(errors="replace")
        self.close()
        return Outcome(ended=ended, trace=trace)

    def _start(self) -> subprocess.Popen[bytes]:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(self.folder), str(self.hang_s)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
        )  # fmt: skip
        self._tried = 0
        return self._process

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    stream and stream.close()
        self._process = None


def serve(folder: Path, hang_s: float) -> None:
    """Try the cases that come in, each in a folder of its own, until there are no more."""
    import resource

    from fuzz_acts import Place

    cases, answers = _channel()
    resource.setrlimit(resource.RLIMIT_AS, (_SPACE, _SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    trace = (folder / "trace").open("w")
    faulthandler.enable(trace)
    # The signal ends the process even within C code, and says first where it was.
    faulthandler.register(signal.SIGPROF, trace, all_threads=True, chain=True)

    def limited(on: bool) -> None:
        signal.setitimer(signal.ITIMER_PROF, hang_s if on else 0)

    while (case := _next(cases)) is not None:
        # Deep enough that no `..` leads out of it.
        with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as made:
            place = Path(made, "a", "b", "c", "place")
            place.mkdir(parents=True)
            with Place(place, case) as at:
                said = tuple(at.done(number, limited) for number in range(len(case.acts)))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        pickle.dump(Outcome(said, memory_mb=memory), answers)
        answers.flush()


def _channel() -> tuple[IO[bytes], IO[bytes]]:
    """Where cases come from and answers go; what voiceflow prints goes elsewhere."""
    cases, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return cases, answers


def _next(cases: IO[bytes]) -> Any:
    try:
        return pickle.load(cases)
    except EOFError:
        return None


if __name__ == "__main__":
    # Pickle must know the classes by the same names at both ends.
    serve(Path(sys.argv[1]), float(sys.argv[2]))
