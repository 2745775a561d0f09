"""Where the files go: a folder of this machine, or any address that fsspec knows.

An address has `://` in it: ``s3://clinic/sessions``, ``sftp://…``, ``file:///mnt/nas``. There, a
file is written aside and then moved to its name, so that nobody finds half of one.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

from voiceflow.core.errors import InputError, OutputError
from voiceflow.core.files import is_abandoned, is_draft, write_atomic
from voiceflow.core.opening import open_file
from voiceflow.roster.naming import MANIFEST
from voiceflow.stitch.sync import folder

_CHUNK: Final = 1 << 20


def is_address(text: str) -> bool:
    """Whether `text` is an address for fsspec, and not a path.

    Raises
    ------
    InputError
        It is neither, or what is written there is gone at the end.
    """
    kind, mark, rest = text.partition("://")
    if not text.strip():
        raise InputError("the folder has no name")
    if not mark:
        # One letter is a drive of Windows.
        if found := re.match(r"([a-z][a-z0-9+.-]+):/", text):
            raise InputError(f"{text}: is it an address?", hint=f"write {found[1]}://…")
        return False
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*", kind) or not rest.strip("/"):
        raise InputError(f"{text}: this is no address", hint="write it as s3://name/folder")
    if kind == "memory":
        raise InputError(f"{text}: what is written there is gone when the command ends")
    return True


def linked(root: Path, file: str) -> Path | None:
    """The first part of a path below `root` that is a link; None where none is."""
    path = root
    for part in file.split("/"):
        path = path / part
        if path.is_symlink():
            return path
    return None


def opened(address: str) -> tuple[Any, str]:
    """The file system of an address, and its path there.

    Raises
    ------
    InputError
        There is no such kind of address, or its package is not installed.
    """
    try:
        import fsspec
    except ImportError:
        hint = "pip install 'voiceflow[cluster]'"
        raise InputError(f"{address}: addresses need the extra `cluster`", hint=hint) from None
    try:
        files, path = fsspec.core.url_to_fs(address)
    except ImportError:
        kind = address.partition("://")[0]
        packages = {"s3": "s3fs", "gs": "gcsfs", "sftp": "paramiko", "az": "adlfs", "abfs": "adlfs"}
        package = packages.get(kind, f"the package of fsspec for {kind}")
        hint = f"pip install {package}, here and on the workers"
        raise InputError(f"{address}: {kind}:// needs {package}", hint=hint) from None
    except ValueError:
        kind = address.partition("://")[0]
        raise InputError(f"{address}: there is no kind of address {kind}://") from None
    except Exception as error:
        raise InputError(f"{address} cannot be opened: {type(error).__name__}") from error
    return files, str(path)


class Folder:
    """A folder of this machine. Raises OutputError where it cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def begin(self) -> Path:
        """Make the folder, without the drafts of runs that were killed; the manifest's place."""
        folder(self.path)
        if (self.path / MANIFEST).is_symlink():
            raise OutputError(f"{self.path / MANIFEST} is a link", hint="delete it, or move it")
        now = time.time()
        for path in self.path.rglob(".voiceflow-*"):
            with suppress(OSError):
                if is_draft(path.name) and is_abandoned(path.name, path.stat().st_mtime, now):
                    path.unlink()
        return self.path / MANIFEST

    def manifest(self) -> bytes:
        """The manifest that is there; nothing where there is none."""
        try:
            with open_file(self.path / MANIFEST) as file:
                return file.read()
        except (OSError, ValueError):
            return b""

    def end(self, manifest: Path) -> None:
        """Nothing: the manifest is in its place."""

    def size(self, file: str) -> int | None:
        """Bytes of a file; None where it is not there."""
        try:
            return None if linked(self.path, file) else (self.path / file).stat().st_size
        except (OSError, ValueError):
            return None

    def digest(self, file: str) -> tuple[str, int] | None:
        """SHA-256 of a file, in hex, and its size; None where it cannot be read."""
        try:
            return None if linked(self.path, file) else digest(self.path / file)
        except (OSError, ValueError):
            return None


def digest(path: Path) -> tuple[str, int]:
    """SHA-256 of a file, in hex, and its size. Raises OSError."""
    with open_file(path) as file:
        return _digest(file)


def _digest(file: BinaryIO) -> tuple[str, int]:
    seen, size = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK):
        seen.update(chunk)
        size += len(chunk)
    return seen.hexdigest(), size


class Address:
    """A folder at an address. Its manifest is written on this machine, and sent.

    Parameters
    ----------
    kept : Path or None
        Where the manifest lies while it grows: a run that is stopped is gone on with from there.

    Raises
    ------
    InputError
        There is no such kind of address.
    OutputError
        From every method that writes: it cannot be done.
    """

    def __init__(self, address: str, kept: Path | None = None) -> None:
        self.address, self._kept = address.rstrip("/"), kept
        self._files, self._root = opened(self.address)

    def __str__(self) -> str:
        return self.address

    def begin(self) -> Path:
        """Make the folder ready; the place of its manifest on this machine."""
        kept = self._kept or Path(tempfile.gettempdir())
        path = kept / f"{hashlib.sha256(self.address.encode()).hexdigest()[:24]}.jsonl"
        folder(kept)
        begun = path.read_bytes() if path.is_file() else b""
        there = self._read(MANIFEST) or b""
        # What this machine began and did not end is newer than what was sent last.
        write_atomic(path, b"\n".join(one for one in (there, begun) if one))
        return path

    def manifest(self) -> bytes:
        """The manifest that is there; nothing where there is none."""
        return self._read(MANIFEST) or b""

    def end(self, manifest: Path) -> None:
        """Send the manifest of a run that has come to its end."""
        self.send(manifest, MANIFEST)
        manifest.unlink(missing_ok=True)

    def _read(self, file: str) -> bytes | None:
        try:
            return bytes(self._files.cat_file(f"{self._root}/{file}"))
        except Exception:  # each kind of store has errors of its own
            return None

    def size(self, file: str) -> int | None:
        """Bytes of a file; None where it is not there."""
        try:
            return int(self._files.size(f"{self._root}/{file}"))
        except Exception:  # each kind of store has errors of its own
            return None

    def digest(self, file: str) -> tuple[str, int] | None:
        """SHA-256 of a file, in hex, and its size; None where it cannot be read."""
        try:
            with self._files.open(f"{self._root}/{file}", "rb") as there:
                return _digest(there)
        except Exception:
            return None

    def send(self, path: Path, file: str) -> None:
        """Copy the file at `path` here: whole, or not at all."""
        target = f"{self._root}/{file}"
        aside = f"{target}.{os.urandom(4).hex()}.part"
        try:
            parent = target.rpartition("/")[0]
            self._files.makedirs(parent, exist_ok=True)
            self._files.put_file(str(path), aside)
            self._files.mv(aside, target)
        except Exception as error:
            with suppress(Exception):
                self._files.rm_file(aside)
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise OutputError(f"{self.address}/{file} cannot be written: {reason}") from error
