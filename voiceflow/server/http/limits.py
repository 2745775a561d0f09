"""How many connections and open files there may be, from what the system allows a process.

The number of descriptors comes in; how many go to connections and to the files of those who listen
goes out. Nothing here is a guess about load: who comes when all is taken displaces somebody
(`connection_places.py`), and descriptors never run out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_MOST_CONNECTIONS: Final = 512
_MOST_STREAMS: Final = 256
_FEWEST: Final = 8
# Windows has no such limit for sockets.
_UNLIMITED: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """How much there may be at the same time.

    Attributes
    ----------
    connections : int > 0
        Open connections, of phones and of strangers.
    reserve : int > 0
        How many of them are only for addresses from which a paired phone was seen lately.
    of_address : int > 0
        How many a stranger may have from one address.
    streams : int > 0
        Sessions being sent. Each holds a file open, beside its connection.
    """

    connections: int
    reserve: int
    of_address: int
    streams: int


def limits_for(descriptors: int) -> Limits:
    """The limits of a process that may open so many files and sockets.

    Half of them are for connections, a quarter for what is sent through these, and a quarter for
    all else: scripts, the cache, the pipes to the workers.
    """
    connections = max(_FEWEST, min(_MOST_CONNECTIONS, descriptors // 2))
    streams = max(_FEWEST, min(_MOST_STREAMS, descriptors // 4))
    return Limits(connections, connections // 4, connections // 4, streams)


def here() -> Limits:
    """The limits of this process."""
    return limits_for(descriptors())


def descriptors() -> int:
    """How many files and sockets this process may have open."""
    try:
        import resource
    except ImportError:  # Windows
        return _UNLIMITED
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _UNLIMITED if soft == resource.RLIM_INFINITY else min(soft, _UNLIMITED)
