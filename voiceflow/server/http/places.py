"""Who has a connection, and who has to go when there is no place for one more.

Addresses come in as they connect; a `Place` goes out, and another one is cut if all are taken. A
connection that has shown a phone's token is never cut for a stranger's. Strangers displace each
other, the longest there first, so that whoever comes now is heard: a stranger who holds on to
hundreds of connections shuts out nobody but himself.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from typing import Final

from voiceflow.server.auth.attempt_limiter import network
from voiceflow.server.http.limits import Limits
from voiceflow.server.terminal import is_local

SEEN_LATELY_S: Final = 86_400.0
_MOST_ADDRESSES: Final = 256


class Place:
    """A connection's place: a stranger's, until a request on it has shown a phone's token.

    Attributes
    ----------
    address : str
        What counts as one address, as `network` says.
    cut : callable
        Ends the connection at once.
    phone : str
        The id of the phone; "" for a stranger.
    """

    __slots__ = ("_places", "address", "cut", "phone")

    def __init__(self, places: Places, address: str, cut: Callable[[], object]) -> None:
        self._places, self.address, self.cut, self.phone = places, address, cut, ""

    def let_in(self, phone: str) -> None:
        """A request on this connection has shown the token of `phone`."""
        self.phone = phone
        self._places.seen(self.address)

    def leave(self) -> None:
        """The connection has ended."""
        self._places.leave(self)


class Places:
    """All open connections, those being set up among them. Used by one thread.

    Parameters
    ----------
    limits : Limits
    clock : callable
        Seconds, from any start.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits, self._clock = limits, clock
        # In the order they came: the first one has been there longest.
        self._open: OrderedDict[Place, None] = OrderedDict()
        self._seen: OrderedDict[str, float] = OrderedDict()
        self.displaced = 0

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, address: str, cut: Callable[[], object]) -> Place:
        """A place for a new connection. Whoever has to go for it is cut."""
        place = Place(self, network(address), cut)
        for one in self._in_the_way(place, is_local(address)):
            self._displace(one)
        self._open[place] = None
        return place

    def leave(self, place: Place) -> None:
        self._open.pop(place, None)

    def seen(self, address: str) -> None:
        """Remember that a paired phone is at this address."""
        self._seen.pop(address, None)
        self._seen[address] = self._clock()
        while len(self._seen) > _MOST_ADDRESSES:
            self._seen.popitem(last=False)

    def knows(self, address: str) -> bool:
        """Whether a paired phone was seen at this address lately."""
        then = self._seen.get(address)
        return then is not None and self._clock() - then < SEEN_LATELY_S

    def give_way(self) -> None:
        """Cut one connection: there is no descriptor left for anything."""
        if (one := self._least_missed()) is not None:
            self._displace(one)

    def _displace(self, place: Place) -> None:
        # Its place is free at once; the socket itself is closed a little later.
        self.leave(place)
        self.displaced += 1
        place.cut()

    def _in_the_way(self, new: Place, local: bool) -> Iterator[Place]:
        """Who has to go for `new`, looked at again after each."""
        mine = [one for one in self._strangers() if one.address == new.address]
        known = self.knows(new.address)
        # From this computer any number: behind a reverse proxy everybody has its address.
        if not local and len(mine) >= self.limits.of_address:
            yield mine[0]
        if not known:
            others = [one for one in self._strangers() if not self.knows(one.address)]
            if len(others) >= self.limits.connections - self.limits.reserve:
                yield others[0]
        if len(self) >= self.limits.connections and (one := self._least_missed()) is not None:
            yield one

    def _strangers(self) -> Iterator[Place]:
        return (one for one in self._open if not one.phone)

    def _least_missed(self) -> Place | None:
        """A stranger from an unknown address, or else any, or else one of who has the most."""
        strangers = list(self._strangers())
        unknown = (one for one in strangers if not self.knows(one.address))
        if (found := next(unknown, next(iter(strangers), None))) is not None:
            return found
        counted = Counter(one.phone for one in self._open)
        most = max(counted, key=counted.__getitem__, default="")
        return next((one for one in self._open if one.phone == most), None)
