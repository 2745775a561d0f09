"""One-time pairing codes, as shown in the QR code: each is good once and for a limited time.

`new` gives out a code; `use` takes what a phone sends and says whether it was right.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from voiceflow.server.auth.phones import hashed

LASTS_S = 15 * 60
_MOST = 4


@dataclass(frozen=True, slots=True)
class _Code:
    digest: str
    until: float


class Pairing:
    """The open codes: the terminal shows one, and a paired phone may ask for more.

    Parameters
    ----------
    lasts_s : float > 0
        How long a code is valid.
    """

    def __init__(
        self, lasts_s: float = LASTS_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.lasts_s, self._clock = lasts_s, clock
        self._open: list[_Code] = []
        self._lock = threading.Lock()

    def new(self) -> str:
        """A new code. If too many are open, the oldest is closed."""
        # 144 bits: out of reach of guesses, and short enough for a small QR code.
        code = secrets.token_urlsafe(18)
        with self._lock:
            now = self._clock()
            left = [one for one in self._open if one.until > now]
            self._open = [*left[-(_MOST - 1) :], _Code(hashed(code), now + self.lasts_s)]
        return code

    def use(self, code: str) -> bool:
        """Whether `code` is open; it is closed by this call. Only hashes are compared."""
        given = hashed(code)
        # Found and closed under one lock: of several phones with one code, one gets in.
        with self._lock:
            now, found = self._clock(), None
            # No early end: the time must not tell which code matched.
            for one in self._open:
                if hmac.compare_digest(one.digest, given) and one.until > now:
                    found = one
            if found is not None:
                self._open.remove(found)
        return found is not None
