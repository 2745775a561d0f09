"""What lies where a file should be: a pipe, a folder, a link to itself or to nowhere, a device."""

from __future__ import annotations

import os
from pathlib import Path


def odd(path: Path, what: str) -> Path:
    """Something at `path` that is no ordinary file; `what` may be the path of what it leads to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    match what:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "loop":
            path.symlink_to(path)
        case "dangling":
            path.symlink_to(path.with_name("nowhere"))
        case device:
            path.symlink_to(device)
    return path
