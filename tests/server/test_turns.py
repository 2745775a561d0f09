"""Strangers who come in a crowd go on a few at a time, in their order."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("starlette", reason="the extra `serve` is not installed")

from voiceflow.server.http.turns import Turns


def test_so_many_go_on_in_a_round_and_the_first_come_first() -> None:
    async def crowd() -> None:
        turns, gone = Turns(each_round=2), list[int]()

        async def stranger(number: int) -> None:
            await turns.come()
            gone.append(number)

        coming = [asyncio.create_task(stranger(number)) for number in range(100)]
        before = 0
        while len(gone) < 100:
            await asyncio.sleep(0)  # a round, as a phone has one
            assert len(gone) - before <= 2
            before = len(gone)
        assert gone == list(range(100))
        await asyncio.gather(*coming)

    asyncio.run(asyncio.wait_for(crowd(), 60))


def test_who_goes_away_holds_up_nobody_and_a_later_one_has_a_turn() -> None:
    async def some_leave() -> None:
        turns = Turns(each_round=1)
        coming = [asyncio.create_task(turns.come()) for _ in range(10)]
        await asyncio.sleep(0)
        for one in coming[:9]:
            one.cancel()
        await coming[9]
        await turns.come()

    asyncio.run(asyncio.wait_for(some_leave(), 60))
