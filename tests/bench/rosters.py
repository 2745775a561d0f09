"""The bench of rosters: what a client costs, all in.

    python tests/bench/rosters.py [--clients 1000] [--cluster]

A studio of so many clients of `hip-back-short`, each with a name, a pace, a level and a length of
their own (4 tempi, 3 levels, 3 lengths), made with nothing known; then a second night, with one
change in ten clients. CPU seconds are those of every process that was started, as the system
accounts for them; memory is the sum of proportional shares (PSS). Linux only.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_SUBREAPER = 36  # prctl: orphans of what is started here become children of this process
TEMPI, LEVELS, LENGTHS = ("0.9", "1", "1.1", "1.2"), ("1", "2", "3"), ("", "14", "16")


@dataclass(frozen=True, slots=True)
class Night:
    """One run of a roster: seconds on the wall and of processors, most memory in MB."""

    wall_s: float
    cpu_s: float
    pss_mb: float
    said: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--cluster", action="store_true", help="Dask with 2 workers, too")
    asked = parser.parse_args()
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    folder = Path(tempfile.mkdtemp(prefix="voiceflow-bench-"))
    try:
        nights(folder, asked.clients, cluster=asked.cluster)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def nights(folder: Path, clients: int, *, cluster: bool) -> None:
    table(folder, clients, changed=False)
    tell("cold", clients, made(folder, "out"))
    table(folder, clients, changed=True)
    tell("second night", clients, made(folder, "out"))
    tell("nothing new", clients, made(folder, "out"))
    if cluster:
        # Everything that is spoken is known: what is compared is the handing out of work.
        few = min(clients, 200)
        table(folder, few, changed=True)
        pool = made(folder, "pool")
        tell("pool, clips known", few, pool)
        dask = made(folder, "dask", "--workers", "2")
        tell("Dask, clips known", few, dask)
        print(f"{'':>20}  Dask / pool: {dask.wall_s / pool.wall_s:.2f} wall, "
              f"{dask.cpu_s / pool.cpu_s:.2f} CPU")  # fmt: skip


def table(folder: Path, clients: int, *, changed: bool) -> None:
    rows = ["id,session,name,tempo,level,minutes"]
    for n in range(clients):
        name = f"{'Anna Ben Cleo Dora Emil Fay Gus Hana Ivo Jule'.split()[n % 10]} {spelled(n)}"
        if changed and n % 10 == 3:
            name = f"Mia {spelled(n)}"
        level, length = LEVELS[n // 4 % 3], LENGTHS[n // 12 % 3]
        rows.append(f"c{n:05},hip-back-short,{name},{TEMPI[n % 4]},{level},{length}")
    (folder / "clients.csv").write_text("\n".join(rows) + "\n")


def spelled(number: int) -> str:
    """A family name for each number: no two clients are called the same."""
    syllables = "ba ce di fo gu la me ni po ru".split()
    return "".join(syllables[int(digit)] for digit in f"{number:04}").capitalize()


def made(folder: Path, out: str, *more: str) -> Night:
    environment = os.environ | {
        "VOICEFLOW_CACHE": str(folder / "cache"), "VOICEFLOW_HOME": str(folder / "home"),
    }  # fmt: skip
    command = [sys.executable, "-m", "voiceflow", "roster", "clients.csv", "--to", out, *more]
    before, began = cpu(), time.monotonic()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    )
    most = [0.0]
    watch = threading.Thread(target=look, args=(process, str(folder), most))
    watch.start()
    said = process.communicate()[0]
    watch.join()
    wall = time.monotonic() - began
    # What is left of it, such as the server of its forks, ends by itself.
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    return Night(wall, cpu() - before, most[0], said.strip().splitlines()[-1])


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def look(process: subprocess.Popen[str], mark: str, most: list[float]) -> None:
    """The most memory of all processes of a run at once, looked at each second."""
    while process.poll() is None:
        total = 0.0
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if mark.encode() in (place / "environ").read_bytes():
                    lines = (place / "smaps_rollup").read_text().splitlines()
                    total += sum(int(one.split()[1]) for one in lines if one.startswith("Pss:"))
        most[0] = max(most[0], total / 1000)
        time.sleep(1)


def tell(what: str, clients: int, night: Night) -> None:
    print(
        f"{what:>20}  {night.wall_s:8.1f} s  {night.cpu_s:8.1f} CPU-s  "
        f"{night.cpu_s / clients:6.3f} CPU-s a client  {night.pss_mb:5.0f} MB  {night.said}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
