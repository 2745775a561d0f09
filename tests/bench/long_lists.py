"""What a life's library costs `voiceflow serve`: processor time a request, fifty phones at once.

    python tests/bench/long_lists.py [--sessions 5000] [--phones 50] [--seconds 20]

A library that is thrown away, every session in it kept. Its first look, which decides each session
once, is told by itself; what follows is measured when all is known, as on any other day.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from serving import free_port, in_process, make, wait_for

from voiceflow.server.auth.phones import fingerprint
from voiceflow.server.library.kept import Kept

TEXT = "title: Morning {}\nexercises:\n  - bridge: {{reps: 3}}\n  - hip-hinge: {{reps: 3}}\n"
# As `main`, but without the work of a start: these renders are copies, which it would make anew.
SERVER = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from serving import InProcess
from voiceflow.server.http.listener import bind, server_of
home = InProcess(Path({folder!r}))
home.studio.listing.all()
server_of(home.app).run(sockets=[bind("127.0.0.1", {port})])
"""


def build(folder: Path, count: int) -> None:
    """So many kept sessions, each with the record of a render."""
    with in_process(folder) as home:
        render = home.studio.find_render(make(home.phone(), "hip-back-short")["id"])
        kept = []
        for number in range(count):
            slug, text = f"morning-{number}", TEXT.format(number).encode()
            (home.library.user / "sessions" / f"{slug}.yaml").write_bytes(text)
            score, digest = replace(render.score, title=f"Morning {number}"), fingerprint(text)
            one = replace(render, id=f"{number:040x}", slug=slug, source=digest, score=score)
            home.studio.renders.put(one)
            when = int(time.time()) - 3_600 * number
            kept.append(Kept(slug, f"urn:uuid:{number}", when, when, digest, digest, one.id))
        told = {"version": 1, "kept": [asdict(one) for one in kept]}
        home.studio.folders.state.mkdir(parents=True, exist_ok=True)
        (home.studio.folders.state / "kept.json").write_text(json.dumps(told))


def alone(folder: Path, times: int) -> list[str]:
    """Processor time a request, in this process; the first token and the feed of a phone."""
    with in_process(folder) as home:
        phone, began = home.phone(), time.process_time()
        home.studio.listing.all()
        print(f"first look: {time.process_time() - began:.1f} s")
        paths = ["/", "/?q=morning", "/api/v1/sessions", "/api/v1/kept", home.feed(phone)]
        print(f"{'':24}{'all':>9}{'304':>9}{'looked':>9}   ms, median of {times}")
        for path in paths:
            tag = {"If-None-Match": phone.get(path).headers["etag"]}
            told = [(path, {}, False), (path, tag, False), (path, tag, True)]
            medians = []
            for address, headers, looked in told:
                taken = []
                for _ in range(times):
                    if looked:  # after a second of quiet
                        home.studio.listing.expect()
                    began = time.process_time()
                    phone.get(address, headers=headers)
                    taken.append(time.process_time() - began)
                medians.append(statistics.median(taken) * 1_000)
            shown = "/feed/….xml" if path.startswith("/feed") else path
            print(f"{shown:24}" + "".join(f"{one:9.2f}" for one in medians))
        return [phone.cookies["vf"], *paths]


async def together(base: str, token: str, paths: list[str], phones: int, seconds: float) -> None:
    """Phones that ask for one list after the other, each with a pause of a second between."""
    firsts: list[float] = []
    answers = [0] * phones
    until = time.monotonic() + seconds

    async def use(number: int) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=base, headers=headers, timeout=60) as client:
            await asyncio.sleep(number / phones)
            while time.monotonic() < until:
                began = time.monotonic()
                async with client.stream("GET", paths[answers[number] % len(paths)]) as answer:
                    assert answer.status_code == 200, answer.status_code
                    firsts.append(time.monotonic() - began)
                    await answer.aread()
                answers[number] += 1
                await asyncio.sleep(1)

    await asyncio.gather(*(use(number) for number in range(phones)))
    firsts.sort()
    print(
        f"{phones} phones, {len(firsts)} answers: first byte median"
        f" {statistics.median(firsts) * 1_000:.0f} ms, p95"
        f" {firsts[int(len(firsts) * 0.95)] * 1_000:.0f} ms, longest {firsts[-1] * 1_000:.0f} ms;"
        f" fewest answers to a phone {min(answers)}, most {max(answers)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=5_000)
    parser.add_argument("--phones", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="voiceflow-bench-") as place:
        folder = Path(place)
        build(folder, asked.sessions)
        token, *paths = alone(folder, 15)
        port = free_port()
        here = str(Path(__file__).resolve().parents[1])
        code = SERVER.format(tests=here, folder=place, port=port)
        server = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.DEVNULL)
        try:
            base = f"http://127.0.0.1:{port}"
            wait_for(lambda: _is_there(base))
            for path in paths:  # the first of each is made; it is not what is measured
                httpx.get(base + path, cookies={"vf": token}, timeout=60)
            print(f"on {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
            asyncio.run(together(base, token, paths, asked.phones, asked.seconds))
        finally:
            server.terminate()
            server.wait(60)


def _is_there(base: str) -> bool:
    try:
        return httpx.get(f"{base}/healthz").status_code == 200
    except httpx.HTTPError:
        return False


if __name__ == "__main__":
    main()
