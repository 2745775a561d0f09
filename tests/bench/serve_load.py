"""How `voiceflow serve` bears load: ranges a second, fifty listeners at once, time to first sound.

    python tests/bench/serve_load.py [--voice silent|natural] [--listeners 50] [--json]

A server of its own, on this computer alone, with a library and a cache that are thrown away.
Every stage is bounded by a number of requests, and the whole by a time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import httpx

from voiceflow.server.auth.phones import Phones

LIMIT_S = 900.0
BYTES_A_SECOND = 12_000  # of an MP3 at 96 kbit/s
SERVER = """
import sys
from voiceflow.server import main
main(port=int(sys.argv[1]), library=sys.argv[2], warm=False)
"""


class Bench:
    """A server in a process of its own, and phones that are paired with it."""

    def __init__(self, folder: Path, voice: str) -> None:
        self.folder, self.voice = folder, voice
        self.user = folder / "user"
        (self.user / "sessions").mkdir(parents=True)
        (self.user / "settings.yaml").write_text(f"voice: {voice}\n")
        phones = Phones(self.user / "serve" / "phones.json")
        self.tokens = [phones.pair(f"phone {number}")[1] for number in range(50)]
        self.base = ""
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = {**os.environ, "VOICEFLOW_CACHE": str(self.folder / "cache")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(port), str(self.user)],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self.base = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                httpx.get(f"{self.base}/healthz")
                break
            except httpx.HTTPError:
                time.sleep(0.05)
        else:
            raise SystemExit("the server does not start")
        # At its start the server looks at all sessions: that is not what is measured.
        headers = {"Authorization": f"Bearer {self.tokens[0]}"}
        httpx.get(f"{self.base}/api/v1/sessions", headers=headers, timeout=120)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)

    def client(self, number: int = 0) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.tokens[number % len(self.tokens)]}"}
        return httpx.AsyncClient(base_url=self.base, headers=headers, timeout=300)


async def decide(client: httpx.AsyncClient, session: str, **options: Any) -> dict[str, Any]:
    """A render; who is told to come back comes back."""
    wish = {"session": session, "options": options}
    while True:
        answer = await client.post("/api/v1/renders", json=wish)
        if answer.status_code != 503:
            answer.raise_for_status()
            found: dict[str, Any] = answer.json()
            return found
        await asyncio.sleep(float(answer.headers["retry-after"]))


async def first_byte(client: httpx.AsyncClient, session: str, **options: Any) -> dict[str, float]:
    """Seconds from `listen` to the first byte, and to the first ten seconds of sound."""
    began = time.monotonic()
    render = await decide(client, session, **options)
    decided = time.monotonic() - began
    first = ten = 0.0
    async with client.stream("GET", render["mp3"]) as answer:
        count = 0
        async for chunk in answer.aiter_bytes():
            first = first or time.monotonic() - began
            count += len(chunk)
            if count > 100_000 + 10 * BYTES_A_SECOND:
                ten = time.monotonic() - began
                break
    return {"decided": decided, "first_byte": first, "ten_seconds": ten}


async def listening(bench: Bench) -> dict[str, Any]:
    """From `listen` to sound: nothing known; words and pieces known; the same render again."""
    async with bench.client() as client:
        cold = await first_byte(client, "hip-back-short")
        other = await first_byte(client, "hip-back-short", tempo=0.97)
        again = await first_byte(client, "hip-back-short")
    bench.stop()
    for path in (bench.folder / "cache" / "serve-1" / "spool").iterdir():
        path.unlink()
    bench.start()
    async with bench.client() as client:
        warm = await first_byte(client, "hip-back-short")
    return {"cold": cold, "other_tempo": other, "warm_after_restart": warm, "again": again}


async def ranges(bench: Bench, count: int = 3_000, at_once: int = 16) -> dict[str, Any]:
    """Ranges of 64 KiB of a finished MP3, so many at once."""
    async with bench.client() as client:
        render = await decide(client, "hip-back-short")
        size = len((await client.get(render["mp3"])).content)
        spots = iter([(number * 7_919 * 1_009) % (size - 65_536) for number in range(count)])
        times: list[float] = []

        async def work() -> None:
            async with bench.client() as own:
                for spot in spots:
                    began = time.monotonic()
                    headers = {"Range": f"bytes={spot}-{spot + 65_535}"}
                    answer = await own.get(render["mp3"], headers=headers)
                    assert answer.status_code == 206
                    assert len(answer.content) == 65_536
                    times.append(time.monotonic() - began)

        began = time.monotonic()
        await asyncio.gather(*(work() for _ in range(at_once)))
        taken = time.monotonic() - began
    rate = count / taken
    return {"per_second": rate, "megabytes_per_second": rate * 65_536 / 1e6, **spread(times)}


async def listeners(bench: Bench, count: int, seconds: float = 20.0) -> dict[str, Any]:
    """So many phones press `listen` at once, each for a session of its own, and listen."""
    firsts: list[float] = []
    decided: list[float] = []
    dry: list[float] = []

    async def listen(number: int) -> None:
        async with bench.client(number) as client:
            began = time.monotonic()
            options = {"tempo": round(0.8 + number / 200, 3)}
            render = await decide(client, "hip-back-short", **options)
            decided.append(time.monotonic() - began)
            async with client.stream("GET", render["mp3"]) as answer:
                stream, heard, waited = answer.aiter_bytes(BYTES_A_SECOND), 0, 0.0
                start = 0.0
                while heard < seconds:
                    asked = time.monotonic()
                    await anext(stream)
                    if not start:
                        start = time.monotonic()
                        firsts.append(start - began)
                    elif time.monotonic() - asked > 1:
                        waited += time.monotonic() - asked - 1
                    heard += 1
                    await asyncio.sleep(max(0.0, start + heard - time.monotonic()))
                dry.append(waited)

    await asyncio.gather(*(listen(number) for number in range(count)))
    return {
        "listeners": count,
        "decided": spread(decided),
        "first_byte": spread(firsts),
        "ran_dry": sum(one > 0 for one in dry),
        "longest_dry": max(dry),
    }


def spread(times: Iterable[float]) -> dict[str, float]:
    """Median, 95th percentile and the longest, in seconds."""
    found = sorted(times)
    return {
        "median": statistics.median(found),
        "p95": found[int(len(found) * 0.95)],
        "longest": found[-1],
    }


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voice", default="silent")
    parser.add_argument("--listeners", type=int, default=50)
    parser.add_argument("--only", choices=("listening", "ranges", "listeners"))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    stages: dict[str, Callable[[Bench], Awaitable[dict[str, Any]]]] = {
        "listening": listening,
        "ranges": ranges,
        "listeners": lambda bench: listeners(bench, given.listeners),
    }
    results: dict[str, Any] = {"voice": given.voice, "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory(prefix="voiceflow-bench-") as folder:
        bench = Bench(Path(folder), given.voice)
        bench.start()
        try:
            for name, stage in stages.items():
                if given.only in (None, name):
                    results[name] = rounded(asyncio.run(asyncio.wait_for(stage(bench), LIMIT_S)))
                    if not given.json:
                        print(name, json.dumps(results[name], indent=1))
        finally:
            bench.stop()
    if given.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
