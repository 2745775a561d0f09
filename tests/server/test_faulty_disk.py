"""A full, broken or slow disk, too few descriptors, a clock that is set: the server goes on.

Whatever a phone asks for is answered: as always, or with a reason; and afterwards as always.
"""

from __future__ import annotations

import errno
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from faults import CHANGES, READS, Clock, Failing, Fault, Full, Slow, touching
from serving import InProcess, home_in, in_process, make

pytestmark = pytest.mark.slow

ALWAYS = float("inf")
FAULTS: dict[str, tuple[Callable[[], Fault], str]] = {
    "full": (lambda: Full(0), "no space left"),
    "broken": (lambda: Failing(errno.EIO, CHANGES, times=ALWAYS), "the disk reports an error"),
    "unreadable": (lambda: Failing(errno.EIO, READS, times=ALWAYS), "the disk reports an error"),
    "no descriptor": (
        lambda: Failing(errno.EMFILE, ("open", "make"), times=ALWAYS),
        "too many files are open at once",
    ),
}
HIDDEN = re.compile(r"internal error|please report|Traceback|Errno|/tmp/")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[InProcess]:
    with in_process(tmp_path) as home:
        yield home


def everything(home: InProcess, phone: httpx.Client, render: dict[str, Any]) -> Iterator[Any]:
    """One of every kind of request that touches files, and its answer."""
    for address in (
        "/", "/settings", "/session/two-breaths", "/api/v1/sessions", "/api/v1/kept",
        "/api/v1/phones", render["mp3"], render["score"], render["cover"], render["picture"],
        home.feed_address,  # type: ignore[attr-defined]
    ):  # fmt: skip
        yield address, phone.get(address)
    wanted = {"session": "two-breaths", "options": {"tempo": 1.25}}
    yield "render", phone.post("/api/v1/renders", json=wanted)
    kept = {"render": render["id"], "title": "Kept Two"}
    yield "keep", phone.post("/api/v1/kept", json=kept)
    yield "unkeep", phone.delete("/api/v1/kept/kept-one")
    address = phone.post("/api/v1/pairings", json={}).json()["address"]
    code = parse_qs(urlsplit(address).query)["code"][0]
    yield "pair", home.client().post("/pair", data={"code": code})
    yield "feed", phone.post("/api/v1/feed", json={})


@pytest.mark.parametrize("fault", FAULTS)
def test_every_request_is_answered_and_answered_again(home: InProcess, fault: str) -> None:
    phone = home.phone()
    render = make(phone)
    home.feed_address = home.feed(phone)  # type: ignore[attr-defined]
    first = phone.post("/api/v1/kept", json={"render": render["id"], "title": "Kept One"})
    assert first.status_code == 201
    paired = [one.id for one in home.studio.phones.all()]
    made, reason = FAULTS[fault]
    home.studio.renders._held.clear()
    told = 0
    with touching(home.folder, made()):
        for what, answer in everything(home, phone, render):
            assert not HIDDEN.search(answer.text), (what, answer.text)
            if answer.status_code >= 500:
                told += reason in answer.text
                assert answer.status_code in (500, 503, 507), (what, answer.text)
            # Nobody is sent away, and nothing is missing that is there.
            assert answer.status_code != 401, (what, answer.text)
    assert told, "no answer has said why"
    assert {one.id for one in home.studio.phones.all()} >= set(paired)
    kept = {one["slug"] for one in phone.get("/api/v1/kept").json()["kept"]}
    home.feed_address = home.feed(phone)  # type: ignore[attr-defined]
    for what, answer in everything(home, phone, render):
        assert answer.status_code < 400 or (what == "unkeep" and "kept-one" not in kept), what
    assert phone.get(render["mp3"]).content


@pytest.mark.parametrize("fault", ["unreadable", "no descriptor"])
def test_a_list_of_phones_that_cannot_be_read_sends_nobody_away(
    home: InProcess, fault: str
) -> None:
    phone = home.phone()
    made, reason = FAULTS[fault]
    home.studio.phones._stamp = None
    with touching(home.folder, made()):
        for address in ("/", "/api/v1/sessions"):
            answer = phone.get(address)
            assert answer.status_code == 500
            assert reason in answer.text
            assert not HIDDEN.search(answer.text)
    assert phone.get("/").status_code == 200


def test_a_stranger_is_answered_without_a_descriptor_for_the_page(home: InProcess) -> None:
    def refuse() -> str:
        raise OSError(errno.EMFILE, "")

    guard: Any = home.app
    while not hasattr(guard, "locked"):
        guard = guard.app
    guard.locked = refuse
    answer = home.client().get("/")
    assert answer.status_code == 401
    assert "not paired" in answer.text


def test_a_phone_is_answered_while_another_waits_for_a_slow_disk(tmp_path: Path) -> None:
    with home_in(tmp_path) as home:
        phone, other = home.phone(), home.phone()
        render = make(phone)
        answers: list[httpx.Response] = []
        slow = Slow()

        def keep() -> None:
            wanted = {"render": render["id"], "title": "Slow"}
            answers.append(phone.post("/api/v1/kept", json=wanted))

        keeping = threading.Thread(target=keep)
        with touching(home.library.user, slow):
            keeping.start()
            try:
                assert slow.stands.wait(60)
                for address in ("/healthz", "/", "/session/two-breaths", "/api/v1/sessions"):
                    assert other.get(address).status_code == 200
                assert len(other.get(render["mp3"]).content) == render["bytes"]
                assert answers == []
            finally:
                slow.go.set()
                keeping.join(60)
        assert [one.status_code for one in answers] == [201]


def test_a_phone_is_let_in_while_its_day_is_noted_on_a_slow_disk(tmp_path: Path) -> None:
    clock, slow = Clock(), Slow()
    with home_in(tmp_path) as home:
        phone, other = home.phone(), home.phone()
        home.studio.phones._clock = clock.wall
        clock.set_by = Clock.YEAR
        answers: list[httpx.Response] = []
        asking = threading.Thread(target=lambda: answers.append(phone.get("/settings")))
        with touching(home.library.user, slow):
            asking.start()
            try:
                assert slow.stands.wait(60)
                assert other.get("/healthz").status_code == 200
            finally:
                slow.go.set()
                asking.join(60)
        assert [one.status_code for one in answers] == [200]


# Clocks


JUMPS = [Clock.HOUR, -Clock.HOUR, Clock.YEAR, -Clock.YEAR]


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_is_set_locks_nobody_out(home: InProcess, jump: float) -> None:
    clock = Clock()
    home.studio.phones._clock = home.studio.pairing._clock = clock.wall
    home.studio.pairing._clock = clock.steady
    phone, render = home.phone(), None
    code = home.studio.pairing.new()
    with clock.everywhere():
        render = make(phone)
        feed = phone.get(home.feed(phone))
        clock.set_by = jump
        assert phone.get("/").status_code == 200
        assert phone.get(home.feed(phone)).content == feed.content
        assert make(phone)["id"] == render["id"]
        kept = phone.post("/api/v1/kept", json={"render": render["id"], "title": "Then"})
        assert kept.status_code == 201
        assert [one["slug"] for one in phone.get("/api/v1/kept").json()["kept"]] == ["then"]
        # A code lasts as long as was told, whatever the date says.
        assert home.client().post("/pair", data={"code": code}).status_code == 303
        (seen, *_) = home.studio.phones.all()
        assert abs(seen.seen - clock.wall()) < 2 * 86_400


@pytest.mark.parametrize("jump", JUMPS)
def test_a_code_lapses_in_its_time_though_the_clock_is_set(home: InProcess, jump: float) -> None:
    clock = Clock()
    home.studio.pairing._clock = clock.steady
    code = home.studio.pairing.new()
    with clock.everywhere():
        clock.set_by, clock.slept = jump, home.studio.pairing.lasts_s + 1
        assert home.client().post("/pair", data={"code": code}).status_code in (400, 401, 403)
        fresh = home.studio.pairing.new()
        assert home.client().post("/pair", data={"code": fresh}).status_code == 303


@pytest.mark.parametrize("jump", JUMPS)
def test_who_guessed_too_often_waits_though_the_clock_is_set(home: InProcess, jump: float) -> None:
    clock, failures = Clock(), home.studio.failures
    failures._clock = clock.steady
    for _ in range(10):
        failures.failed("192.168.1.50")
    waits = failures.wait_s("192.168.1.50")
    assert waits
    clock.set_by = jump
    assert 0 < failures.wait_s("192.168.1.50") <= waits
    clock.slept = 3_600
    assert failures.wait_s("192.168.1.50") == 0


@pytest.mark.parametrize("jump", JUMPS)
def test_a_session_that_is_asleep_goes_on(home: InProcess, jump: float) -> None:
    """Half of a recording is listened to before a night, and the rest after it."""
    clock = Clock()
    with clock.everywhere():
        phone = home.phone()
        render = make(phone)
        whole = phone.get(render["mp3"]).content
        clock.set_by, clock.slept = jump, 8 * 3_600
        head = {"Range": f"bytes={len(whole) // 2}-"}
        assert phone.get(render["mp3"], headers=head).content == whole[len(whole) // 2 :]
