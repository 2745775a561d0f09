"""Who has a connection, and who has to go when there is no place for one more.

Addresses come in as they connect; a `Place` goes out, and another one is cut if all are taken. A
connection that has shown a phone's token is never cut for a stranger's. Strangers displace each
other, the longest there first, so that whoever comes now is heard: a stranger who holds on to
hundreds of connections shuts out nobody but himself.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
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
        self._places.let_in(self, phone)

    def leave(self) -> None:
        """The connection has ended."""
        self._places.leave(self)


# In the order they came: the first one has been there longest.
_Ordered = OrderedDict[Place, None]


class Places:
    """All open connections, those being set up among them. Used by one thread.

    A crowd that comes all at once costs little for each: nothing here looks through all of them.

    Parameters
    ----------
    limits : Limits
    clock : callable
        Seconds, from any start.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits, self._clock = limits, clock
        self._phones = _Ordered()
        # Strangers, from where no phone was seen lately, from where one was; and by address.
        self._unknown, self._known = _Ordered(), _Ordered()
        self._at: dict[str, _Ordered] = {}
        self._seen: OrderedDict[str, float] = OrderedDict()
        self.displaced = 0

    def __len__(self) -> int:
        return len(self._phones) + self.strangers

    @property
    def strangers(self) -> int:
        """How many connections have not shown a phone's token."""
        return len(self._unknown) + len(self._known)

    def enter(self, address: str, cut: Callable[[], object]) -> Place:
        """A place for a new connection. Whoever has to go for it is cut."""
        place = Place(self, network(address), cut)
        self._make_room(place.address, local=is_local(address))
        group = self._known if self.knows(place.address) else self._unknown
        group[place] = self._at.setdefault(place.address, _Ordered())[place] = None
        return place

    def let_in(self, place: Place, phone: str) -> None:
        """`place` is that of a phone, and at its address there are phones."""
        # One that was cut a moment ago gets no place again by its last request.
        if place in self._unknown or place in self._known:
            self.leave(place)
            self._phones[place] = None
        place.phone = phone
        self._see(place.address)

    def leave(self, place: Place) -> None:
        """`place` is free; it may have been so already."""
        for group in (self._phones, self._unknown, self._known):
            group.pop(place, None)
        here = self._at.get(place.address)
        if here is not None:
            here.pop(place, None)
            if not here:
                del self._at[place.address]

    def knows(self, address: str) -> bool:
        """Whether a paired phone was seen at this address lately."""
        then = self._seen.get(address)
        return then is not None and self._clock() - then < SEEN_LATELY_S

    def give_way(self) -> None:
        """Cut one connection: there is no descriptor left for anything."""
        if (one := self._least_missed()) is not None:
            self._displace(one)

    def _see(self, address: str) -> None:
        self._seen.pop(address, None)
        self._seen[address] = self._clock()
        while len(self._seen) > _MOST_ADDRESSES:
            self._seen.popitem(last=False)
        for one in self._at.get(address, ()):
            if one in self._unknown:
                del self._unknown[one]
                self._known[one] = None

    def _displace(self, place: Place) -> None:
        # Its place is free at once; the socket itself is closed a little later.
        self.leave(place)
        self.displaced += 1
        place.cut()

    def _make_room(self, address: str, *, local: bool) -> None:
        mine, most = self._at.get(address, _Ordered()), self.limits.connections
        # From this computer any number: behind a reverse proxy everybody has its address.
        if not local and len(mine) >= self.limits.of_address:
            self._displace(next(iter(mine)))
        if not self.knows(address) and len(self._unknown) >= most - self.limits.reserve:
            self._displace(next(iter(self._unknown)))
        if len(self) >= most:
            self.give_way()

    def _least_missed(self) -> Place | None:
        """A stranger from an unknown address, or else any, or else one of who has the most."""
        for group in (self._unknown, self._known):
            if group:
                return next(iter(group))
        counted = Counter(one.phone for one in self._phones)
        most = max(counted, key=counted.__getitem__, default="")
        return next((one for one in self._phones if one.phone == most), None)
