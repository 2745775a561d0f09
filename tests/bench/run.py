"""The bench: one command, everything in one run on one machine.

    python tests/bench/run.py [--quick] [--json FILE] [--only PART ...]
    python tests/bench/run.py --only single     one session: cold, warm, changed, its first bytes

Whole processes, medians of several; a cold run has an empty cache directory. FFmpeg (for `naive`
and `encode-only`) is the system's or that of `pip install imageio-ffmpeg`. Let nothing else run
meanwhile: ratios bear a slow machine, not a busy one.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import signal
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from processes import Run, cores
from reach import judged, seconds, table
from scenarios import FULL, QUICK, Bench

PACKAGES = ("hibari-tts", "onnxruntime", "lameenc", "numpy", "pydub", "pyttsx3", "click")
NEEDS_WARM = ("encode_only", "naive", "floor", "tempo", "edited", "lengths", "looking")
PARTS = (
    "starts", "main_session", "encode_only", "naive", "floor", "tempo", "edited", "lengths",
    "three_hours", "repetitions", "looking", "first_bytes", "encode_only",
)  # fmt: skip
SINGLE = ("main_session", "encode_only", "tempo", "edited", "first_bytes")


def main() -> int:
    asked = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="voiceflow-bench-"))
    began = time.monotonic()
    bench = Bench(folder, QUICK if asked.quick else FULL, ffmpeg())
    try:
        walk(bench, chosen(asked.only))
    except KeyboardInterrupt:
        print("stopped: what follows is not all")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{seconds(bench)}\n\n{table(bench)}")
    for part, why in bench.failed.items():
        print(f"{part} failed: {why}")
    print(f"\n{time.monotonic() - began:.0f} s on {cores()} cores")
    if asked.json:
        everything = json.dumps(report(bench, asked.quick), ensure_ascii=False, indent=1)
        Path(asked.json).write_text(everything + "\n", encoding="utf-8")
    return 1 if bench.failed else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer runs, about three minutes")
    parser.add_argument("--json", metavar="FILE", help="write everything measured to FILE")
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="PART",
        choices=sorted({*PARTS, "single"}),
        help="these parts alone",
    )
    return parser.parse_args()


def chosen(only: list[str] | None) -> list[str]:
    """The parts to walk, in order; the main session comes along where others build on it."""
    if not only:
        return list(PARTS)
    wanted = {*only, *(SINGLE if "single" in only else ("starts",))}
    if wanted & {*NEEDS_WARM, "first_bytes"}:
        wanted.add("main_session")
    return [part for part in PARTS if part in wanted]


def walk(bench: Bench, parts: list[str]) -> None:
    with bench.part("begin"):
        bench.begin()
    for part in parts:
        print(part.replace("_", " "), flush=True)
        with bench.part(part):
            getattr(bench, part)()


def ffmpeg() -> str | None:
    if found := shutil.which("ffmpeg"):
        return found
    try:
        import imageio_ffmpeg
    except ImportError:
        return None
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def report(bench: Bench, quick: bool) -> dict[str, Any]:
    """Everything, for a program."""
    return {
        "machine": {
            "system": platform.platform(terse=True),
            "processor": platform.machine(),
            "cores": cores(),
            "python": platform.python_version(),
            "packages": {name: installed(name) for name in PACKAGES},
        },
        "quick": quick,
        "reach": judged(bench),
        "facts": bench.facts,
        "seconds": {name: bench.seconds(name) for name in bench.runs},
        "runs": {name: told(runs) for name, runs in bench.runs.items()},
        "failed": bench.failed,
    }


def told(runs: list[Run]) -> dict[str, Any]:
    """All runs of one scenario; what the last one said of itself, where it was a render."""
    said = runs[-1].said.splitlines()
    return {
        "seconds": [round(one.seconds, 4) for one in runs],
        "cpu": [one.cpu and round(one.cpu, 4) for one in runs],
        "peak_mb": [one.peak_mb and round(one.peak_mb, 1) for one in runs],
        "profile": [line.strip() for line in said] if any("LUFS" in line for line in said) else [],
    }


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
