"""The recordings that a server has made for its phones, as seen by who clears the cache.

Nothing of the server is loaded for it. A server that is running sees that a recording is gone, and
makes it again from its pieces when it is asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from voiceflow.core.cache import Cache

STORE: Final = "serve-1"  # in the cache's folder
MP3_FOLDER: Final = "spool"


def store_of(cache: Cache) -> Path:
    """Where a server keeps what it can make again."""
    return (cache.root or Cache.default_root()) / STORE


def recordings(cache: Cache) -> tuple[Path, ...]:
    """The finished recordings of a server; one that is being made is not among them."""
    try:
        return tuple(sorted((store_of(cache) / MP3_FOLDER).glob("*.mp3")))
    except OSError:
        return ()
