"""The queue of decisions: bounded and fair; equal requests done once, unwanted ones not at all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra `serve` is not installed")

from serving import wait_for

from voiceflow.server.http.refusals import Refusal
from voiceflow.server.jobs.job_queue import Dropped, JobQueue, Report

Act = Callable[[JobQueue], Coroutine[Any, Any, None]]


@pytest.fixture
def queues() -> Iterator[Callable[..., JobQueue]]:
    made: list[JobQueue] = []

    def make(**more: Any) -> JobQueue:
        made.append(JobQueue(**more))
        return made[-1]

    yield make
    for queue in made:
        queue.close()


class Gate:
    """Work that waits until it is let through, and notes its order."""

    def __init__(self) -> None:
        self.open, self.order = threading.Event(), list[str]()
        self.begun = threading.Semaphore(0)

    def work(self, name: str) -> Callable[[Report], str]:
        def do(report: Report) -> str:
            self.begun.release()
            assert self.open.wait(120)
            report("speaking", 1, 2)
            self.order.append(name)
            return name

        return do


def test_what_is_done_is_given_back(queues: Callable[..., JobQueue]) -> None:
    assert asyncio.run(queues().do("a", 1, lambda report: 42)) == 42


def test_what_goes_wrong_is_told(queues: Callable[..., JobQueue]) -> None:
    def wrong(report: Report) -> None:
        raise ValueError("so")

    with pytest.raises(ValueError, match="so"):
        asyncio.run(queues().do("a", 1, wrong))


def test_phones_take_turns(queues: Callable[..., JobQueue]) -> None:
    queue, gate = queues(at_once=1), Gate()

    async def ask() -> None:
        first = asyncio.create_task(queue.do("a", "a0", gate.work("a0")))
        await asyncio.to_thread(gate.begun.acquire)
        rest = [
            asyncio.create_task(queue.do(client, f"{client}{n}", gate.work(f"{client}{n}")))
            for client, count in (("a", 4), ("b", 2), ("c", 1))
            for n in range(1, count + 1)
        ]
        while queue.waiting < 8:
            await asyncio.sleep(0)
        gate.open.set()
        await asyncio.gather(first, *rest)

    asyncio.run(ask())
    # b and c came after all of a, and none of them waits for all of it.
    assert gate.order == ["a0", "a1", "b1", "c1", "a2", "b2", "a3", "a4"]


def test_fifty_phones_are_all_served(queues: Callable[..., JobQueue]) -> None:
    queue = queues()

    async def ask() -> list[int]:
        wishes = (queue.do(f"phone {n}", n, lambda report, n=n: n) for n in range(50))
        return await asyncio.gather(*wishes)

    assert asyncio.run(ask()) == list(range(50))


def test_the_same_wish_is_done_once(queues: Callable[..., JobQueue]) -> None:
    queue, gate = queues(), Gate()

    async def ask() -> list[str]:
        tasks = [
            asyncio.create_task(queue.do(f"phone {n}", "same", gate.work("it"))) for n in range(20)
        ]
        await asyncio.to_thread(gate.begun.acquire)
        assert queue.waiting == 1
        gate.open.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(ask()) == ["it"] * 20
    assert gate.order == ["it"]


def test_too_many_are_told_to_come_back(queues: Callable[..., JobQueue]) -> None:
    queue, gate = queues(at_once=1, most=3, most_of_one=2), Gate()

    async def ask() -> None:
        tasks = [asyncio.create_task(queue.do("z", "z", gate.work("z")))]
        await asyncio.to_thread(gate.begun.acquire)
        for client, key in (("a", 1), ("a", 2), ("b", 3)):
            tasks.append(asyncio.create_task(queue.do(client, key, gate.work(str(key)))))
        while queue.waiting < 4:
            await asyncio.sleep(0)
        with pytest.raises(Refusal) as of_one:
            await queue.do("a", 4, gate.work("4"))
        with pytest.raises(Refusal) as of_all:
            await queue.do("c", 5, gate.work("5"))
        for refusal in (of_one.value, of_all.value):
            assert refusal.status == 503
            assert refusal.error == "busy"
            assert refusal.retry_after is not None
            assert refusal.retry_after >= 1
            assert refusal.headers["Retry-After"] == str(refusal.retry_after)
        gate.open.set()
        await asyncio.gather(*tasks)
        assert await queue.do("c", 6, lambda report: 6) == 6  # later there is room again

    asyncio.run(ask())


def test_who_goes_away_while_waiting_leaves_nothing(queues: Callable[..., JobQueue]) -> None:
    queue, gate = queues(at_once=1), Gate()

    async def ask() -> None:
        first = asyncio.create_task(queue.do("a", 1, gate.work("1")))
        await asyncio.to_thread(gate.begun.acquire)
        second = asyncio.create_task(queue.do("b", 2, gate.work("2")))
        while queue.waiting < 2:
            await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert queue.waiting == 1
        gate.open.set()
        await first

    asyncio.run(ask())
    assert gate.order == ["1"]


def test_what_nobody_waits_for_any_more_stops_at_its_next_word(
    queues: Callable[..., JobQueue],
) -> None:
    queue, gate = queues(at_once=1), Gate()

    async def ask() -> None:
        task = asyncio.create_task(queue.do("a", 1, gate.work("1")))
        await asyncio.to_thread(gate.begun.acquire)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.open.set()

    asyncio.run(ask())
    wait_for(lambda: queue.waiting == 0)
    assert gate.order == []


def test_one_who_goes_away_takes_nothing_from_the_other(queues: Callable[..., JobQueue]) -> None:
    queue, gate = queues(), Gate()

    async def ask() -> str:
        one = asyncio.create_task(queue.do("a", "same", gate.work("it")))
        two = asyncio.create_task(queue.do("b", "same", gate.work("it")))
        await asyncio.to_thread(gate.begun.acquire)
        one.cancel()
        with pytest.raises(asyncio.CancelledError):
            await one
        gate.open.set()
        return await two

    assert asyncio.run(ask()) == "it"


def test_a_guess_gives_way_to_a_wish(queues: Callable[..., JobQueue]) -> None:
    queue, gate, ended = queues(at_once=1), Gate(), threading.Event()

    def guess(report: Report) -> None:
        gate.begun.release()
        try:
            while not gate.open.wait(0.001):
                report("speaking", 1, 2)
        except Dropped:
            ended.set()
            raise

    async def ask() -> int:
        queue.begin("guess", guess)
        await asyncio.to_thread(gate.begun.acquire)
        return await queue.do("a", 1, lambda report: 1)

    assert asyncio.run(ask()) == 1
    assert ended.is_set()


def test_a_guess_that_becomes_a_wish_is_done_once(queues: Callable[..., JobQueue]) -> None:
    queue, gate = queues(at_once=1), Gate()

    async def ask() -> str:
        queue.begin("it", gate.work("it"))
        await asyncio.to_thread(gate.begun.acquire)
        wish = asyncio.create_task(queue.do("a", "it", gate.work("again")))
        while queue.waiting < 1:
            await asyncio.sleep(0)
        gate.open.set()
        return await wish

    assert asyncio.run(ask()) == "it"
    assert gate.order == ["it"]


def test_what_takes_too_long_is_given_up(queues: Callable[..., JobQueue]) -> None:
    now = [0.0]
    queue = queues(longest_s=5, clock=lambda: now[0])

    def slow(report: Report) -> None:
        now[0] += 6
        report("speaking", 1, 2)

    with pytest.raises(Refusal) as refusal:
        asyncio.run(queue.do("a", 1, slow))
    assert refusal.value.status == 503


def test_a_desk_that_is_closed_takes_nothing(queues: Callable[..., JobQueue]) -> None:
    queue = queues()
    queue.close()
    with pytest.raises(Refusal):
        asyncio.run(queue.do("a", 1, lambda report: 1))
