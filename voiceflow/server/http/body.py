"""Reads a request's body with limits on its length and its time.

ASGI's `receive` comes in, and the same goes out, which refuses what is too much.
"""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from voiceflow.server.http.refusals import Refusal

MOST_BODY: Final = 16 << 10
BODY_S: Final = 15.0


class Body:
    """`receive`, refusing bodies that are too long (announced or not) or too slow.

    Parameters
    ----------
    headers : Headers
        Of the request. Raises Refusal (413) if they announce too long a body.
    receive : callable
        As ASGI gives it.
    """

    def __init__(self, headers: Headers, receive: Receive) -> None:
        self._receive, self._left, self._whole = receive, MOST_BODY, False
        # For the whole body: one that comes byte by byte is late however steadily it comes.
        self._until = asyncio.get_running_loop().time() + BODY_S
        told = headers.get("content-length", "0")
        # Twelve digits show well enough that it is too long; what comes is counted anyway.
        if not told.isascii() or not told.isdigit() or int(told[:12]) > MOST_BODY:
            raise self._long()

    async def __call__(self) -> Message:
        # After the body this only waits for the client to leave, which may take any time.
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            slow = "the request body did not arrive in time"
            # Closed, or the rest of it would still be waited for.
            raise Refusal(408, "slow", slow, headers={"Connection": "close"}) from None
        self._left -= len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._left < 0:
            raise self._long()
        return message

    @staticmethod
    def _long() -> Refusal:
        return Refusal(413, "long", f"the request body is longer than {MOST_BODY} bytes")
