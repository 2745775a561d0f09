"""Unchanged, at once: what an earlier render came to, kept under all that decides it.

A render of the same session with the same options, scripts, sounds, code and packages is the same
to the byte. So its pieces are remembered by their keys, and the next render joins them without
reading a script. If anything at all has changed, or a piece has left the cache, nothing is
remembered and everything is decided anew.
"""

from __future__ import annotations

import json
import math
import re
import sys
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from voiceflow import __version__
from voiceflow.core.cache import Cache
from voiceflow.core.errors import InputError
from voiceflow.score.options import Context, Options
from voiceflow.script.dependencies import Look
from voiceflow.script.lookup import Library, session_path
from voiceflow.stitch.made_by import made_by

KIND = "memo"
_MOST_MS = 24 * 3_600_000
_KEY = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Remembered:
    """A render as its parts.

    Attributes
    ----------
    chapters : tuple of (str, int)
        Title and start in milliseconds.
    head : str
        Key of the tag.
    pieces : tuple of (int, str)
        Start in milliseconds and key of each piece.
    """

    length_ms: int
    chapters: tuple[tuple[str, int], ...]
    loudness: float
    peak: float
    channels: int
    head: str
    pieces: tuple[tuple[int, str], ...]
    length_changes: tuple[str, ...] = ()

    def pack(self) -> bytes:
        # Slots stand in the order of the fields, so values need no names.
        return json.dumps([getattr(self, name) for name in self.__slots__]).encode()

    @staticmethod
    def unpack(value: bytes) -> Remembered | None:
        """What `pack` made into bytes; None where they are something else."""
        try:
            told = dict(zip(Remembered.__slots__, json.loads(value), strict=True))
            # JSON has no tuples: they come back as lists.
            pairs = {name: tuple(map(tuple, told[name])) for name in ("chapters", "pieces")}
            found = Remembered(**{**told, **pairs, "length_changes": tuple(told["length_changes"])})
            return found if found.sound() else None
        # A deep list of lists ends in a RecursionError.
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None

    def sound(self) -> bool:
        """Whether every value is of its kind and within reason: a recording would be made of it."""
        return (
            _is(int, self.length_ms)
            and 0 < self.length_ms <= _MOST_MS
            and self.channels in (1, 2)
            and all(_is(float, one) and not math.isnan(one) for one in (self.loudness, self.peak))
            and all(_is(str, title) and _is(int, at) for title, at in self.chapters)
            and all(_is(int, at) and 0 <= at <= self.length_ms for at, _ in self.pieces)
            and all(_KEY.fullmatch(key) for key in (self.head, *(key for _, key in self.pieces)))
            and all(_is(str, one) for one in self.length_changes)
        )


def _is(kind: type, value: object) -> bool:
    # Exactly: True is an int to Python.
    return type(value) is kind


class Keys:
    """The keys of renders, with every script, module and package looked at once.

    Parameters
    ----------
    library : Library
        As it is when something of it is first asked for.
    cache : Cache
        Knows the content of our own code, see `voiceflow.stitch.made_by`.
    """

    def __init__(self, library: Library, cache: Cache) -> None:
        self._cache = cache
        self._library, self._look = library, Look(library, {})
        self._stamps: dict[tuple[str, tuple[str, ...]], str] = {}
        self._made_by = ""

    def of(self, reference: str | Path, options: Options) -> str | None:
        """The key of a render; None if there is no such session.

        It holds what is asked for, and the content of every script that the session depends on,
        see `voiceflow.script.dependencies`. Code counts by content, packages by version, samples
        by size and time.
        """
        try:
            session = session_path(str(reference), self._library)
        except InputError:
            # Not told here: whoever decides it anew has the better message.
            return None
        asked = tuple(one for one in (options.pace, options.tones) if one)
        known = (str(session), asked)
        if known not in self._stamps:
            self._stamps[known] = self._look.stamp(session, asked)
        seen = blake2b(digest_size=20)
        asked_for = (__version__, sys.version, str(session), options, self._stamps[known])
        seen.update(repr(asked_for).encode())
        self._made_by = self._made_by or made_by(self._cache)
        seen.update(self._made_by.encode())
        return seen.hexdigest()


def memo_key(reference: str | Path, options: Options, context: Context) -> str | None:
    """The key of one render, see `Keys`."""
    return Keys(context.library, context.cache).of(reference, options)


def remember(cache: Cache, key: str | None, remembered: Remembered) -> None:
    """Keep what a render came to."""
    if key is not None:
        cache.put(KIND, key, remembered.pack())


def recall(cache: Cache, key: str | None) -> Remembered | None:
    """What the render under `key` came to; None where it is not known."""
    value = cache.get(KIND, key) if key is not None else None
    return None if value is None else Remembered.unpack(value)
