"""Where a server's finished MP3 files are in the cache, for `voiceflow cache` to count and clear.

A cache comes in, paths go out; nothing else of the server is loaded. A running server notices that
a file is gone, and makes it again when it is asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from voiceflow.core.cache import Cache

STORE: Final = "serve-1"  # in the cache's folder
MP3_FOLDER: Final = "spool"


def store_of(cache: Cache) -> Path:
    """The folder for what a server can make again."""
    return (cache.root or Cache.default_root()) / STORE


def recordings(cache: Cache) -> tuple[Path, ...]:
    """The finished MP3 files of a server, without those still being made."""
    try:
        return tuple(sorted((store_of(cache) / MP3_FOLDER).glob("*.mp3")))
    except OSError:
        return ()
