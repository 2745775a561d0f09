"""Faults on purpose: a disk that is full, slow or broken, too few descriptors, a kill, a clock.

`touching(folder, fault)` puts a fault between this process and every file below a folder, where
Python touches files: so an operation can be failed, or killed, at each of its steps in turn. What
writes in C, past Python, meets a `small_disk` and the limits of a process instead.

As a program, it kills an operation of `writers.py` at each of its steps, in processes of their own.
"""

# Paths are as they are given: what a link leads to is another file.
# ruff: noqa: PTH100, PTH115

from __future__ import annotations

import builtins
import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

# What is done to a file. All but the first two change what is on the disk.
READS: Final = ("open", "read")
CHANGES: Final = ("make", "write", "sync", "rename", "link", "mkdir", "remove")


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that is about to be done; `size` is in bytes, of what is written."""

    kind: str
    path: str
    size: int = 0


class Fault:
    """What stands between the program and its files. This one lets all pass, and counts."""

    def __init__(self, kinds: Collection[str] = (*READS, *CHANGES)) -> None:
        self.kinds = kinds
        self.acts: list[Act] = []
        self._turn = threading.RLock()

    def before(self, act: Act) -> int:
        """How many of the bytes may be written. Raises OSError."""
        if act.kind not in self.kinds:
            return act.size
        with self._turn:
            self.acts.append(act)
            return self.strike(act, len(self.acts))

    def strike(self, act: Act, number: int) -> int:
        """The same; `number` counts from 1."""
        return act.size

    def after(self, act: Act) -> None:
        """What was allowed has been done."""


class Full(Fault):
    """A disk with room for so many more bytes."""

    def __init__(self, room: int) -> None:
        super().__init__(("write",))
        self.room = room

    def strike(self, act: Act, number: int) -> int:
        if act.size and not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), act.path)
        taken = min(act.size, self.room)
        self.room -= taken
        return taken


class Failing(Fault):
    """The system's error `number` at the `at`-th act of `kinds`, and at `times` in all."""

    def __init__(
        self, number: int, kinds: Collection[str], *, at: int = 1, times: float = 1
    ) -> None:
        super().__init__(kinds)
        self.number, self.at, self.times = number, at, times
        self.struck = 0

    def strike(self, act: Act, number: int) -> int:
        if self.at <= number < self.at + self.times:
            self.struck += 1
            raise OSError(self.number, os.strerror(self.number), act.path)
        return act.size


class Slow(Fault):
    """A disk that stands still at every change until it is told to `go` on."""

    def __init__(self, limit_s: float = 60) -> None:
        super().__init__(CHANGES)
        self.go, self.stands = threading.Event(), threading.Event()
        self._limit_s = limit_s

    def before(self, act: Act) -> int:
        if act.kind in self.kinds:
            self.stands.set()
            self.go.wait(self._limit_s)
        return act.size


class Killed(Fault):
    """The end of this process at its `at`-th change; of what is written, half is on the disk."""

    def __init__(self, at: int) -> None:
        super().__init__(CHANGES)
        self._at, self._dies = at, False

    def strike(self, act: Act, number: int) -> int:
        if number < self._at:
            return act.size
        if act.kind != "write":
            die()
        self._dies = True
        return act.size // 2

    def after(self, act: Act) -> None:
        if self._dies:
            die()


def die() -> None:
    """The end of this process, as by a power cut: nothing is tidied up."""
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def touching(folder: Path, fault: Fault) -> Iterator[Fault]:
    """While it lasts, `fault` is asked before anything below `folder` is touched."""
    seam = _Seam(str(folder), fault)
    with ExitStack() as stack:
        for where, name, new in seam.patches():
            stack.enter_context(patch.object(where, name, new))
        yield fault


class _Seam:
    """The functions by which Python touches files, with a fault before each."""

    # The one of two paths that a change is told of is the last.
    _CALLS = (
        ("replace", "rename"), ("rename", "rename"), ("link", "link"), ("mkdir", "mkdir"),
        ("unlink", "remove"), ("remove", "remove"), ("rmdir", "remove"),
    )  # fmt: skip

    def __init__(self, root: str, fault: Fault) -> None:
        self.root, self.fault = root, fault
        self.real_open, self.real_handle = io.open, os.open
        self.real_sync, self.real_write = os.fsync, os.write

    def patches(self) -> Iterator[tuple[Any, str, Any]]:
        from voiceflow.core import files, opening

        for name, kind in self._CALLS:
            yield os, name, self._call(getattr(os, name), kind)
        yield os, "open", self._handle
        yield os, "fsync", self._sync
        yield os, "write", self._write
        yield io, "open", self._open
        yield builtins, "open", self._open
        for module in (files, opening):
            yield module, "FileIO", self._raw

    def path(self, file: object) -> str:
        """The path of a file below the folder, or of its descriptor; empty for any other."""
        try:
            if isinstance(file, int):
                path = os.readlink(f"/proc/self/fd/{file}")
            else:
                path = os.path.abspath(os.fsdecode(os.fspath(file)))  # type: ignore[call-overload]
        except (OSError, TypeError, ValueError):
            return ""
        return path if path.startswith(self.root + os.sep) else ""

    def _ask(self, kind: str, path: str) -> None:
        if path:
            self.fault.before(Act(kind, path))

    def _call(self, real: Callable[..., Any], kind: str) -> Callable[..., Any]:
        def call(*paths: Any, **more: Any) -> Any:
            if more.get("dir_fd") is None:  # as in rmtree: the folder itself is told of
                self._ask(kind, self.path(paths[-1] if kind != "mkdir" else paths[0]))
            return real(*paths, **more)

        return call

    def _handle(self, path: Any, flags: int, *more: Any, **named: Any) -> int:
        if named.get("dir_fd") is None:
            self._ask("make" if flags & os.O_CREAT else "open", self.path(path))
        return self.real_handle(path, flags, *more, **named)

    def _sync(self, handle: int) -> None:
        self._ask("sync", self.path(handle))
        self.real_sync(handle)

    def _write(self, handle: int, data: Any) -> int:
        if not (path := self.path(handle)):
            return self.real_write(handle, data)
        view = memoryview(data).cast("B")
        act = Act("write", path, len(view))
        written = self.real_write(handle, view[: self.fault.before(act)])
        self.fault.after(act)
        return written

    def _raw(self, file: Any, mode: str = "r", closefd: bool = True, opener: Any = None) -> Any:
        # With an opener or a descriptor, `_handle` has been asked.
        if opener is None and not isinstance(file, int):
            self._ask("make" if set(mode) & set("wxa") else "open", self.path(file))
        return _File(self, file, mode, closefd, opener)

    def _open(
        self, file: Any, mode: str = "r", buffering: int = -1, encoding: str | None = None,
        errors: str | None = None, newline: str | None = None, closefd: bool = True,
        opener: Any = None,
    ) -> Any:  # fmt: skip
        if not self.path(file):
            return self.real_open(file, mode, buffering, encoding, errors, newline, closefd, opener)
        raw = self._raw(file, mode.replace("b", "").replace("t", ""), closefd, opener)
        if buffering == 0:
            return raw
        kind: Any = io.BufferedReader
        if set(mode) & set("wxa+"):
            kind = io.BufferedRandom if "+" in mode else io.BufferedWriter
        whole = kind(raw)
        return whole if "b" in mode else io.TextIOWrapper(whole, encoding, errors, newline)


class _File(io.FileIO):
    """A file whose reads and writes ask first."""

    def __init__(self, seam: _Seam, file: Any, mode: str, closefd: bool, opener: Any) -> None:
        super().__init__(file, mode, closefd, opener)
        self._fault, self._path = seam.fault, seam.path(file)

    def write(self, data: Any) -> int:
        if not self._path:
            return super().write(data)
        view = memoryview(data).cast("B")
        act = Act("write", self._path, len(view))
        written = super().write(view[: self._fault.before(act)])
        self._fault.after(act)
        return written

    def _read(self) -> None:
        if self._path:
            self._fault.before(Act("read", self._path))

    def read(self, size: Any = -1) -> Any:
        self._read()
        return super().read(size)

    def readall(self) -> Any:
        self._read()
        return super().readall()

    def readinto(self, buffer: Any) -> Any:
        self._read()
        return super().readinto(buffer)


# Of the machine itself


@contextmanager
def small_disk(folder: Path, size: str = "512k") -> Iterator[Path | None]:
    """A file system of its own, of so many bytes; None where none can be made."""
    folder.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if not (root and mount and subprocess.run(command, capture_output=True).returncode == 0):
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


class Clock:
    """The system's clocks, which can be set: `wall` is the date, `steady` never ran back.

    It stands in for `time.time` and `time.monotonic`, and both go on by themselves.
    """

    HOUR, YEAR = 3_600.0, 365 * 86_400.0

    def __init__(self) -> None:
        self._wall, self._steady = time.time, time.monotonic
        self.set_by = self.slept = 0.0

    def wall(self) -> float:
        """Seconds since the epoch. Whoever sets the clock changes this alone."""
        return self._wall() + self.set_by + self.slept

    def steady(self) -> float:
        """Seconds since some moment. On some systems it runs on while the computer sleeps."""
        return self._steady() + self.slept

    @contextmanager
    def everywhere(self) -> Iterator[Clock]:
        """For whatever asks the system itself."""
        with patch.object(time, "time", self.wall), patch.object(time, "monotonic", self.steady):
            yield self


# Killed at each step


def killed_at_each_step(writer: str, folder: Path, most: int = 1_000) -> int:
    """Do an operation again and again, killed at its first change, its second, and so on.

    Each is done in a folder of its own below `folder`, called by its number; `most` of them are
    tried, evenly over all. Returns how many changes there are.
    """
    done = subprocess.run(
        [sys.executable, __file__, writer, str(folder), str(most)],
        capture_output=True, text=True, timeout=600,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return int(json.loads(done.stdout.splitlines()[-1]))


def _main(name: str, folder: str, most: str) -> None:
    # Imported here: the tests take faults from this file without them.
    from writers import WRITERS

    writer, root = WRITERS[name], Path(folder)
    # Once unharmed, to count; in a process of its own, as all are: no thread of one is in another.
    whole = root / "whole"
    fault = Fault(CHANGES)
    if _in_a_copy(lambda: writer.prepare(root / "prepared")) != 0:
        sys.exit("what was there before cannot be made")
    shutil.copytree(root / "prepared", whole)
    if _in_a_copy(lambda: _counted(writer, whole, fault, root / "count")) != 0:
        sys.exit("the operation fails unharmed")
    count = int((root / "count").read_text())
    for step in evenly(count, int(most)):
        place = root / str(step)
        shutil.copytree(root / "prepared", place)

        def harmed(place: Path = place, step: int = step) -> None:
            with touching(place, Killed(step)):
                writer.act(place)

        if (ended := _in_a_copy(harmed)) not in (0, -signal.SIGKILL):
            sys.exit(f"step {step} ended with {ended}")
    print(count)


def _counted(writer: Any, place: Path, fault: Fault, told: Path) -> None:
    with touching(place, fault):
        writer.act(place)
    told.write_text(str(len(fault.acts)))


def _in_a_copy(act: Callable[[], None]) -> int:
    """How a copy of this process ends that does `act`: 0, or the negative of a signal."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        act()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def evenly(count: int, most: int) -> list[int]:
    """At most `most` of the numbers from 1 to `count`, the first and the last among them."""
    if count <= most:
        return list(range(1, count + 1))
    return sorted({1 + round(n * (count - 1) / (most - 1)) for n in range(most)})


if __name__ == "__main__":
    _main(*sys.argv[1:])
