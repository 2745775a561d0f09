"""Paired phones that use a server as people do, and how long each waited for its answers.

A phone looks at the list and at a session, presses Listen, hears it at the speed of playing, keeps
it, opens the settings and lets a podcast app ask for the feed; then again.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from strangers import TRUST

from voiceflow.server.auth.phones import Phones

BYTES_A_SECOND: Final = 12_000  # of an MP3 at 96 kbit/s
_RANGE: Final = 65_536
_CUT: Final = (httpx.ReadError, httpx.WriteError, httpx.ConnectError, httpx.RemoteProtocolError)
# What waits for a session to be decided: as long as that takes.
DECIDES: Final = frozenset({"listen", "keep"})


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: of which kind, how long it took to come, and its status; 0 where none came."""

    phone: int
    what: str
    seconds: float
    status: int


@dataclass(slots=True)
class Answers:
    """All answers that the phones got.

    Attributes
    ----------
    again : int
        Connections that were cut before an answer, so that the phone asked again, as browsers do.
    own_delay_s : float
        The longest that this process itself let anything wait: no time here is better than that.
    dry : int
        How often a listener had played all it had got.
    """

    all: list[Answer] = field(default_factory=list)
    again: int = 0
    own_delay_s: float = 0.0
    dry: int = 0

    def errors(self) -> list[Answer]:
        return [one for one in self.all if one.status == 0 or one.status == 500]

    def refused(self) -> list[Answer]:
        return [one for one in self.all if one.status in (429, 503, 507)]

    def unexpected(self) -> list[Answer]:
        """Neither as it should be, nor an error or refusal told above."""
        told = (0, 200, 201, 206, 304, 429, 500, 503, 507)
        return [one for one in self.all if one.status not in told]

    def quick(self) -> list[Answer]:
        """Those that wait for nothing but the server itself."""
        return [one for one in self.all if one.what not in DECIDES]

    def table(self) -> str:
        """Median, 95 % and worst in seconds, by kind of answer and then by phone."""
        kinds = sorted({one.what for one in self.all})
        phones = sorted({one.phone for one in self.all})
        rows = [(kind, [one for one in self.all if one.what == kind]) for kind in kinds]
        rows.append(("all but listen, keep", self.quick()))
        rows += [
            (f"phone {number}", [one for one in self.quick() if one.phone == number])
            for number in phones
        ]
        lines = [f"{'':22}{'answers':>8}{'median':>8}{'95 %':>8}{'worst':>8}"]
        lines += [row(name, [one.seconds for one in found]) for name, found in rows]
        return "\n".join(lines)

    def summary(self) -> str:
        return (
            f"{len(self.all)} answers, {len(self.refused())} refused, {len(self.errors())} errors,"
            f" {len(self.unexpected())} unexpected, {self.again} asked again after a cut,"
            f" {self.dry} times nothing left to play;"
            f" the measuring itself was late by {self.own_delay_s:.2f} s at most"
        )


def row(name: str, seconds: Sequence[float]) -> str:
    """A line of a table: how many, median, 95 % and worst."""
    found = sorted(seconds) or [0.0]
    shown = (found[len(found) // 2], found[int(len(found) * 0.95)], found[-1])
    return f"{name:22}{len(seconds):8}" + "".join(f"{one:8.3f}" for one in shown)


class Phone:
    """One phone; `number` says which sessions and options it takes."""

    def __init__(self, number: int, base: str, token: str, answers: Answers) -> None:
        self.number, self.answers = number, answers
        self.client = httpx.AsyncClient(
            base_url=base, verify=TRUST, timeout=60, cookies={"vf": token},
            headers={"Origin": base},
        )  # fmt: skip

    async def use(self, sessions: Sequence[str], until: float) -> None:
        """Listen to one session after the other."""
        turn = 0
        async with self.client:
            while time.monotonic() < until:
                slug = sessions[(self.number + turn) % len(sessions)]
                tempo = 0.8 + (self.number + turn) % 10 / 20
                turn += 1
                await self._look(slug)
                wish = {"session": slug, "options": {"tempo": round(tempo, 2)}}
                answer = await self.ask("listen", "POST", "/api/v1/renders", json=wish)
                if answer is None or answer.status_code != 201:
                    await asyncio.sleep(1)
                    continue
                await self._play(answer.json(), min(until, time.monotonic() + 20))

    async def _look(self, slug: str) -> None:
        await self.ask("list", "GET", "/")
        await self.ask("session", "GET", f"/session/{slug}")
        await self.ask("picture", "GET", f"/session/{slug}/picture.svg")

    async def _play(self, render: dict[str, Any], until: float) -> None:
        await self.ask("player", "GET", render["player"])
        await self.ask("score", "GET", render["score"])
        hear = self._hear_stream if self.number % 2 else self._hear_ranges
        await asyncio.gather(hear(render, until), self._meanwhile(render))

    async def _hear_stream(self, render: dict[str, Any], until: float) -> None:
        """One request for all, read as it is played: as most browsers do."""
        began = time.monotonic()
        try:
            async with self.client.stream(
                "GET", render["mp3"], headers={"Range": "bytes=0-"}
            ) as got:
                heard, start = 0, 0.0
                async for _ in got.aiter_bytes(BYTES_A_SECOND):
                    if not start:
                        start = time.monotonic()
                        self._note("mp3", start - began, got.status_code)
                    self.answers.dry += time.monotonic() > start + heard + 1
                    heard += 1
                    await asyncio.sleep(max(0.0, start + heard - time.monotonic()))
                    if time.monotonic() > until:
                        break
        except httpx.HTTPError:
            self._note("mp3", time.monotonic() - began, 0)

    async def _hear_ranges(self, render: dict[str, Any], until: float) -> None:
        """A range at a time, the next one while that is played."""
        for place in range(0, render["bytes"], _RANGE):
            last = min(place + _RANGE, render["bytes"]) - 1
            began = time.monotonic()
            await self.ask(
                "range", "GET", render["mp3"], headers={"Range": f"bytes={place}-{last}"}
            )
            self.answers.dry += time.monotonic() - began > _RANGE / BYTES_A_SECOND
            if time.monotonic() > until:
                return
            await asyncio.sleep(_RANGE / BYTES_A_SECOND)

    async def _meanwhile(self, render: dict[str, Any]) -> None:
        settings = await self.ask("settings", "GET", "/settings")
        feed = (
            re.search(r'value="https?://[^/]*(/feed/[^"]+)"', settings.text) if settings else None
        )
        await asyncio.sleep(2)
        wish = {"render": render["id"], "title": f"Kept by phone {self.number}"}
        kept = await self.ask("keep", "POST", "/api/v1/kept", json=wish)
        if feed is not None:
            await self.ask("feed", "GET", feed[1])
        await asyncio.sleep(2)
        if kept is not None and kept.status_code == 201:
            await self.ask("unkeep", "DELETE", f"/api/v1/kept/{kept.json()['slug']}")

    async def ask(self, what: str, method: str, url: str, **more: Any) -> httpx.Response | None:
        """The answer; None where none came. A request whose connection was cut is sent again."""
        began, answer = time.monotonic(), None
        for _ in range(3):
            try:
                answer = await self.client.request(method, url, **more)
                break
            except _CUT:
                self.answers.again += 1
            except httpx.HTTPError:
                break
        self._note(what, time.monotonic() - began, answer.status_code if answer else 0)
        return answer

    def _note(self, what: str, seconds: float, status: int) -> None:
        self.answers.all.append(Answer(self.number, what, seconds, status))


def pair(folder: Path, count: int) -> list[str]:
    """The tokens of phones that are paired before the server of `folder` starts."""
    phones = Phones(folder / "user" / "serve" / "phones.json")
    return [phones.pair(f"phone {number}")[1] for number in range(count)]


def use(base: str, tokens: Iterable[str], sessions: Sequence[str], seconds: float) -> Answers:
    """All the phones at once, for so long; each begins a moment after the other."""
    return asyncio.run(_use(base, list(tokens), sessions, seconds))


async def _use(base: str, tokens: list[str], sessions: Sequence[str], seconds: float) -> Answers:
    answers, until = Answers(), time.monotonic() + seconds

    async def one(number: int, token: str) -> None:
        await asyncio.sleep(number * 0.1)
        await Phone(number, base, token, answers).use(sessions, until)

    async with _watched(answers):
        await asyncio.gather(*(one(number, token) for number, token in enumerate(tokens)))
    return answers


@asynccontextmanager
async def _watched(answers: Answers) -> Any:
    async def look() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.01)
            answers.own_delay_s = max(answers.own_delay_s, time.monotonic() - began - 0.01)

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
