"""Whole processes, measured: seconds from start to end, and the most memory any of them took.

This module stays small on purpose: what a process is said to have taken at most begins with what
its parent held when it started it.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


class FailedError(Exception):
    """A process that was to be measured did not end well."""


@dataclass(frozen=True, slots=True)
class Run:
    """One process and all that it started.

    Attributes
    ----------
    seconds : float
    cpu : float or None
        Processor seconds of it and of all that it waited for; None where the system does not tell.
    peak_mb : float or None
        Resident memory of the largest process; None where the system does not tell.
    said : str
        Its standard output.
    """

    seconds: float
    cpu: float | None
    peak_mb: float | None
    said: str


def run(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, timeout_s: float = 300
) -> Run:
    """Start `command`, wait for its end, and tell.

    Raises
    ------
    FailedError
        It ended with an exit code other than 0, or took longer than `timeout_s`.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            start_new_session=os.name == "posix",
        )  # fmt: skip
        clock = threading.Timer(timeout_s, _end, [process])
        clock.start()
        try:
            code, cpu, peak_mb = _wait(process)
        except BaseException:
            _end(process)
            raise
        finally:
            clock.cancel()
        seconds = time.perf_counter() - began
        if seconds >= timeout_s:
            raise FailedError(f"{' '.join(command[-6:])} takes more than {timeout_s:g} s")
        if code != 0:
            raise FailedError(f"{' '.join(command[-6:])}: exit code {code}: {_text(err)[-400:]}")
        return Run(seconds, cpu, peak_mb, _text(out))


def together(
    commands: Sequence[Sequence[str]],
    environment: Mapping[str, str],
    folder: Path,
    timeout_s: float = 300,
) -> tuple[float, list[str]]:
    """Seconds until all of `commands`, started at once, have ended; and what each said."""
    began = time.perf_counter()
    running = [
        subprocess.Popen(
            command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        for command in commands
    ]
    try:
        said = [process.communicate(timeout=timeout_s)[0].decode() for process in running]
    except subprocess.TimeoutExpired:
        raise FailedError(f"{' '.join(commands[0][-6:])} takes too long") from None
    finally:
        for process in running:
            process.kill()
    seconds = time.perf_counter() - began
    if any(process.returncode for process in running):
        raise FailedError(f"{' '.join(commands[0][-6:])} failed")
    return seconds, said


def cores() -> int:
    """How many processes can run at once here."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _wait(process: subprocess.Popen[bytes]) -> tuple[int, float | None, float | None]:
    """Exit code, processor seconds, and the most memory of any; with all that it waited for."""
    if not hasattr(os, "wait4"):
        return process.wait(), None, None
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    cpu = used.ru_utime + used.ru_stime
    return process.returncode, cpu, used.ru_maxrss * unit / 1e6


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it at once. What it started ends with it: workers look for their parent."""
    with suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _text(file: object) -> str:
    file.seek(0)  # type: ignore[attr-defined]
    return str(file.read().decode("utf-8", "replace"))  # type: ignore[attr-defined]
