"""What makes a recording besides scripts and options: our own code, and the packages it stands on.

Code counts by its content, packages by their versions: to install the same once more changes
nothing. The content is read once and kept in the cache, for as long as no module's time changes.
"""

# Paths are plain strings here: making a Path costs more than looking at a file.
# ruff: noqa: PTH116, PTH118, PTH208

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final

from voiceflow.core.cache import Cache

KIND: Final = "code"
_VERSIONS: Final = (".dist-info", ".egg-info")
_DIGEST: Final = re.compile(rb"[0-9a-f]{40}")
# Folders in which no code makes a recording.
_BESIDE: Final = frozenset(("__pycache__", "_content", "server", "roster"))


def made_by(cache: Cache) -> str:
    """Changes with the code and with the version of any package."""
    return f"{_code(cache)} {' '.join(_packages())}"


def _packages() -> Iterator[str]:
    """The folders of all packages hold a folder NAME-VERSION.dist-info for each."""
    for folder in sys.path:
        if folder.endswith("-packages"):
            with suppress(OSError):
                yield from sorted(one for one in os.listdir(folder) if one.endswith(_VERSIONS))


def _code(cache: Cache) -> str:
    root = str(Path(__file__).parents[1])
    paths = [*_modules(root)]
    key = Cache.key(*map(_stamp, paths))
    kept = cache.get(KIND, key)
    if kept is not None and _DIGEST.fullmatch(kept):
        return kept.decode()
    # An edit from here on is kept under the stamps of before it, which no module ever has again.
    digest = blake2b(digest_size=20)
    for path in paths:
        text = _content(path)
        digest.update(b"%s %d\n" % (os.fsencode(path.removeprefix(root)), len(text)) + text)
    cache.put(KIND, key, digest.hexdigest().encode())
    return digest.hexdigest()


def _modules(root: str) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        # In place: `os.walk` goes down only into the folders that are left, in this order.
        folders[:] = sorted(f for f in folders if f not in _BESIDE)
        yield from (os.path.join(folder, name) for name in sorted(files) if name.endswith(".py"))


def _stamp(path: str) -> str:
    try:
        stat = os.stat(path)
    except OSError:
        return f"{path} is not there"
    # With the time of change: an edit can keep the size and set the other time back, but not this.
    return f"{path} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
