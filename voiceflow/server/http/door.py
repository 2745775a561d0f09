"""Lets connections in: each has its place from the moment it comes, before TLS has begun.

A listening socket comes in, and connections of uvicorn go out. uvicorn would have asyncio accept
them; then nobody could count or cut those that never finish their TLS handshake, and with no
descriptor left asyncio stops listening for a second. Here the server listens through uvicorn's
`Server`, whose `startup` and `shutdown` are extended; `connection.py` names all we use of uvicorn.
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import socket
from typing import Any, Final

import uvicorn

from voiceflow.server.http.connection import BoundedConnection
from voiceflow.server.http.connection_places import Places
from voiceflow.server.http.limits import Limits, here
from voiceflow.server.http.request_log import log
from voiceflow.server.http.turns import Turns

HANDSHAKE_S: Final = 10.0
GOODBYE_S: Final = 5.0
# How long to wait for the descriptor of a connection that was cut.
_SOON_S: Final = 0.05
_AT_ONCE: Final = 32  # a new phone stands behind all who came before it
_NONE_LEFT: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Server(uvicorn.Server):
    """uvicorn's server, which lets connections in by itself.

    Parameters
    ----------
    config : uvicorn.Config
    limits : Limits or None
        None for those of this process.
    """

    def __init__(self, config: uvicorn.Config, limits: Limits | None = None) -> None:
        super().__init__(config)
        self.places = Places(limits or here())
        self._turns = Turns()
        self._doors: list[asyncio.Task[None]] = []
        # asyncio itself holds on to no task.
        self._coming: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the door of each socket."""
        # Without a socket of its own uvicorn sets up all but the listening.
        await super().startup(sockets=[])
        self._doors = [asyncio.create_task(self._listen(one)) for one in sockets or []]

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the doors, then let uvicorn end what is open."""
        ending = (*self._doors, *self._coming)
        for task in ending:
            task.cancel()
        # Before uvicorn closes the sockets that they look at.
        await asyncio.gather(*ending, return_exceptions=True)
        await super().shutdown(sockets)

    async def _listen(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        for number in itertools.count(1):
            try:
                link, address = await loop.sock_accept(listening)
            except OSError as error:  # else whoever came has gone already
                if error.errno in _NONE_LEFT:
                    self.places.give_way()
                await asyncio.sleep(_SOON_S)
                continue
            task = loop.create_task(self._enter(link, str(address[0])))
            self._coming.add(task)
            task.add_done_callback(self._coming.discard)
            # `sock_accept` does not wait while somebody stands there: others have their turn, too.
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _enter(self, link: socket.socket, address: str) -> None:
        """Make a connection of a socket; whoever is cut before that is through has gone."""
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        before = self.places.displaced
        place = self.places.enter(address, task.cancel)
        if self.places.displaced > before:
            log.warning("too many connections: strangers who hold one for long are cut")
        secure: dict[str, Any] = {}
        if self.config.ssl is not None:
            secure = {"ssl": self.config.ssl, "ssl_handshake_timeout": HANDSHAKE_S}
            secure["ssl_shutdown_timeout"] = GOODBYE_S
        state = {"place": place, "turns": self._turns}
        made = BoundedConnection(self.config, self.server_state, state)
        try:
            transport, _ = await loop.connect_accepted_socket(lambda: made, link, **secure)
        # As a rule no TLS, or none in time. Whatever it is, the place must not stay taken.
        except (Exception, asyncio.CancelledError) as error:
            place.leave()
            link.close()
            log.debug("a connection was not set up: %s", type(error).__name__)
            return
        place.cut = transport.abort
