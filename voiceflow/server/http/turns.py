"""Strangers are answered one after the other, so that a crowd of them holds up no phone.

Requests wait here, and go on in the order they came: a few in each round of the event loop. A
phone, which never waits here, has no more than those before it whenever its own turn comes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

_EACH_ROUND: Final = 2


class Turns:
    """Lets requests go on, so many in a round of the event loop. Used by one thread."""

    def __init__(self, each_round: int = _EACH_ROUND) -> None:
        self._each_round = each_round
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._called = False

    async def come(self) -> None:
        """Wait for one's turn."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._call()
        await turn

    def _call(self) -> None:
        if not self._called:
            self._called = True
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        self._called = False
        left = self._each_round
        while self._waiting and left:
            turn = self._waiting.popleft()
            if not turn.done():  # else whoever waited has gone away
                turn.set_result(None)
                left -= 1
        if self._waiting:
            self._call()
