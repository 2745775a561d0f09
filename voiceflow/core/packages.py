"""Which version of a package is installed, by the name of its folder alone.

Importing `importlib.metadata` takes longer than everything else a warm render does to know its
voice, hence it is the last resort.
"""

from __future__ import annotations

import functools
import os
import re
from importlib.util import find_spec
from pathlib import Path


def version_of(module: str, package: str) -> str | None:
    """The version of `package`, which provides the top-level `module`; None if it is not there."""
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent.parent
    return _versions(str(folder)).get(_plain(package)) or _recorded(package)


@functools.cache
def _versions(folder: str) -> dict[str, str]:
    """Versions by package of all ``NAME-VERSION.dist-info`` in `folder`."""
    names = (name for name in os.listdir(folder) if name.endswith(".dist-info"))  # noqa: PTH208
    found = (name.removesuffix(".dist-info").rpartition("-") for name in names)
    return {_plain(name): version for name, _, version in found}


def _recorded(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).casefold()
