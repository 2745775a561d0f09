"""Limits failed attempts, per address and for all addresses together.

Failures come in with their address; out comes how long that address has to wait. Memory is bounded,
however many addresses fail.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

_MOST_ADDRESSES = 1024


class AttemptLimiter:
    """Counts failed attempts in leaky buckets: one for each address and one for all.

    Parameters
    ----------
    each, whole : int > 0
        How many failures fill the bucket of one address, and of all together.
    per_s : float > 0
        Seconds until a full bucket is empty again.
    """

    def __init__(
        self,
        each: int = 10,
        whole: int = 100,
        per_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._each, self._whole, self._per_s, self._clock = each, whole, per_s, clock
        self._filled: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._all = (0.0, clock())
        self._lock = threading.Lock()

    def wait_s(self, address: str) -> int:
        """Whole seconds until `address` may try again; 0 if it may now."""
        with self._lock:
            now = self._clock()
            mine = self._level(self._filled.get(network(address)), self._each, now)
            whole = self._level(self._all, self._whole, now)
        # Counted with the failure that may come next: it has to fit into both buckets.
        over = max((mine + 1 - self._each) / self._each, (whole + 1 - self._whole) / self._whole)
        # Rounded up: who waits as long as told may then try.
        return 0 if over <= 0 else max(1, int(over * self._per_s + 0.999))

    def failed(self, address: str) -> None:
        """Count one failure."""
        key = network(address)
        with self._lock:
            now = self._clock()
            # Taken out and put back at the end, so that the oldest failure is forgotten first.
            mine = self._level(self._filled.pop(key, None), self._each, now)
            # Never above full: a flood of failures does not make the wait any longer.
            self._filled[key] = (min(mine + 1, self._each), now)
            whole = self._level(self._all, self._whole, now)
            self._all = (min(whole + 1, self._whole), now)
            while len(self._filled) > _MOST_ADDRESSES:
                self._filled.popitem(last=False)

    def _level(self, bucket: tuple[float, float] | None, size: int, now: float) -> float:
        if bucket is None:
            return 0.0
        level, then = bucket
        return max(0.0, level - (now - then) * size / self._per_s)


def network(address: str) -> str:
    """The key that counts as one address; for IPv6 the /64, which one host controls."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        # All IPv4 addresses mapped into IPv6 share one /64, and would count as one.
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
