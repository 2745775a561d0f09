"""The paired phones: their tokens are compared here, and kept as hashes in the user's library.

A token (256 random bits) comes in; the phone that holds it, or None, goes out. Each phone's feed
has a token of its own, derived from the phone's: it can be shown again and again, though neither
token is ever on disk. Revoking a feed counts its generation up; revoking a phone ends both.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

from voiceflow.core.errors import OutputError, VoiceflowError
from voiceflow.core.files import locked, write_atomic
from voiceflow.core.opening import open_file, why, why_unwritten

MOST_PHONES = 50
_DAY_S = 86_400
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Phone:
    """One paired phone. `token` and `feed` are hashes, `feed` of the feed's present token."""

    id: str
    name: str
    token: str
    created: int
    seen: int
    feed: str = ""
    generation: int = 0


class Phones:
    """The file of paired phones. Several servers and `--forget` may use it at once.

    Parameters
    ----------
    path : Path
        Written atomically, readable by its owner only. If it is missing or damaged, nobody is
        paired.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path, self._clock = path, clock
        self._lock = threading.RLock()
        self._stamp: tuple[int, int, int] | None = None
        self._phones: tuple[Phone, ...] = ()

    def all(self) -> tuple[Phone, ...]:
        """Every paired phone. The file is read again whenever it has changed.

        Raises
        ------
        VoiceflowError
            It cannot be read just now. That is not the same as that nobody is paired: a moment
            without descriptors must lock nobody out, and let nobody in who was revoked in it.
        """
        with self._lock:
            try:
                stamp = self._stat()
                if stamp != self._stamp:
                    self._phones, self._stamp = self._read(), stamp
            except OSError as error:
                message = f"the list of paired phones, {self.path}, cannot be read: {why(error)}"
                raise VoiceflowError(message, hint="try again in a moment") from None
            return self._phones

    def pair(self, name: str) -> tuple[Phone, str]:
        """Pair a new phone; its token is returned here and cannot be had again.

        Raises
        ------
        OutputError
            Too many phones are paired, or the file cannot be written.
        """
        token = secrets.token_urlsafe(32)
        now = int(self._clock())
        feed = hashed(_feed_token(token, 0))
        phone = Phone(secrets.token_hex(6), name, hashed(token), now, now, feed)
        with self._changing() as phones:
            if len(phones) >= MOST_PHONES:
                hint = "forget one on the settings page, or all with --forget"
                raise OutputError(f"{MOST_PHONES} phones are paired already", hint=hint)
            phones.append(phone)
        return phone, token

    def find(self, token: str) -> Phone | None:
        """The phone that holds `token`, or None."""
        return self._compare(token, lambda phone: phone.token)

    def find_feed(self, token: str) -> Phone | None:
        """The phone whose feed has `token`, or None."""
        return self._compare(token, lambda phone: phone.feed)

    def _compare(self, token: str, of: Callable[[Phone], str]) -> Phone | None:
        given, found = hashed(token), None
        for phone in self.all():  # all of them: the time must not tell which one matched
            # As bytes: of text it takes ASCII alone, and the file may hold any.
            if hmac.compare_digest(of(phone).encode(), given.encode()):
                found = phone
        return found

    def is_new_day(self, phone: Phone) -> bool:
        """Whether `touch` is due. Once a day is exact enough and spares the disk."""
        # `abs`, as a clock may have been set back.
        return abs(self._clock() - phone.seen) >= _DAY_S

    def touch(self, phone: Phone) -> None:
        """Record that a phone was seen now."""
        now = int(self._clock())
        # A list that cannot be written must not keep a paired phone out.
        with suppress(OutputError), self._changing() as phones:
            phones[:] = [replace(one, seen=now) if one.id == phone.id else one for one in phones]

    def feed_token(self, token: str, phone: Phone) -> str:
        """The feed token of the phone that holds `token`; "" if it was revoked."""
        made = _feed_token(token, phone.generation)
        return made if hmac.compare_digest(hashed(made), phone.feed) else ""

    def renew_feed(self, token: str, phone: Phone) -> str:
        """Make a new feed token; the old one stops working."""
        made = _feed_token(token, phone.generation + 1)
        self._put(replace(phone, generation=phone.generation + 1, feed=hashed(made)))
        return made

    def revoke_feed(self, phone: Phone) -> None:
        """Turn off this phone's feed until a new token is made."""
        # No hash is empty, so no token fits any more.
        self._put(replace(phone, generation=phone.generation + 1, feed=""))

    def _put(self, phone: Phone) -> None:
        with self._changing() as phones:
            phones[:] = [phone if one.id == phone.id else one for one in phones]

    def revoke(self, phone_id: str) -> bool:
        """Forget one phone. Returns whether it was paired."""
        with self._changing() as phones:
            left = [one for one in phones if one.id != phone_id]
            there = len(left) < len(phones)
            phones[:] = left
        return there

    def forget(self) -> int:
        """Forget all phones. Returns how many there were."""
        with self._changing() as phones:
            count = len(phones)
            phones.clear()
        return count

    @contextmanager
    def _changing(self) -> Iterator[list[Phone]]:
        """The phones on disk, to be changed by the caller and then written back atomically."""
        try:
            with self._lock, locked(self.path):
                # From the disk, not from memory: another server or `--forget` may have changed it.
                # What cannot be read is not written over: it would be lost.
                phones = list(self._read())
                before = tuple(phones)
                yield phones
                if tuple(phones) != before:
                    told = {"version": _VERSION, "phones": [asdict(one) for one in phones]}
                    write_atomic(self.path, json.dumps(told, indent=1).encode(), mode=0o600)
                # Read again at the next look, whatever its time and size say.
                self._stamp = None
        except OSError as error:
            message = f"the list of paired phones, {self.path}, cannot be saved: "
            raise OutputError(message + why_unwritten(error)) from None

    def _stat(self) -> tuple[int, int, int]:
        try:
            found = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return (0, 0, 0)
        # Each write makes a new file: its inode tells apart two of the same moment and size.
        return (found.st_mtime_ns, found.st_size, found.st_ino)

    def _read(self) -> tuple[Phone, ...]:
        """The phones in the file. Raises OSError where it is there and cannot be read."""
        try:
            with open_file(self.path) as file:
                told = json.loads(file.read())
            return tuple(Phone(**_checked(one)) for one in told["phones"][:MOST_PHONES])
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return ()


def _checked(one: dict[str, Any]) -> dict[str, Any]:
    kinds = {"created": int, "seen": int, "generation": int}
    for key, value in one.items():
        if not isinstance(value, kinds.get(key, str)):
            raise TypeError(key)
    # SHA-256 in hex: a hash that was emptied or cut in the file must open nothing.
    if len(one["token"]) != 64:
        raise ValueError("token")
    return one


def hashed(token: str) -> str:
    """The hash of a token, as it is stored. 256 random bits need no salt and no slow hash."""
    return sha256(b"voiceflow token " + token.encode("utf-8", "surrogatepass")).hexdigest()


def _feed_token(token: str, generation: int) -> str:
    made = hmac.new(token.encode(), f"feed {generation}".encode(), "sha256").digest()
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(made).decode().rstrip("=")


def fingerprint(data: bytes) -> str:
    """A short hash that names some bytes."""
    return blake2b(data, digest_size=16).hexdigest()
