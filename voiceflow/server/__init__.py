"""`voiceflow serve`: sessions for the phones of a home, from one process.

`main` takes an address and a library folder, and serves until Ctrl-C or SIGTERM. Importing this
package loads nothing heavy; Starlette and uvicorn (the extra ``serve``) are loaded only by `main`.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from voiceflow.core.cache import Cache
from voiceflow.core.errors import InputError
from voiceflow.core.places import expanded
from voiceflow.core.units import counted
from voiceflow.script.lookup import Library, default_library
from voiceflow.server.process import (
    ending_on_terminate,
    few_heaps,
    private_files,
    short_turns,
)

HOST = "127.0.0.1"
PORT = 8765


def main(
    host: str = HOST,
    port: int = PORT,
    library: str | Path | None = None,
    open_browser: bool = False,
    forget: bool = False,
    *,
    names: Iterable[str] = (),
    certificate: str | Path | None = None,
    key: str | Path | None = None,
    jobs: int = 0,
    warm: bool = True,
    verbose: int = 0,
) -> None:
    """Serve until Ctrl-C or SIGTERM; or forget all paired phones and return.

    Parameters
    ----------
    host : str
        ``127.0.0.1`` for this computer alone, ``0.0.0.0`` for the home network.
    port : int
        0 for any free port.
    library : path or None
        The folder of the user's own scripts; None for the usual one.
    open_browser : bool
        Pair the browser of this computer, and open it.
    forget : bool
        Revoke all phones and feeds, including those of a running server.
    names : iterable of str
        Host names the server answers to besides this computer's own; with ``https://`` in front
        where a reverse proxy speaks https.
    certificate, key : path or None
        PEM files for https. A phone's browser stores sessions only from an https address.
    jobs : int
        Worker processes for one render; 0 for one per core.
    warm : bool
        Speak the words of all sessions in advance, while the server is idle.
    verbose : int >= 0
        What the log tells: 0 warnings, 1 each request, 2 all there is.

    Raises
    ------
    VoiceflowError
        The server cannot start.
    """
    where = library_at(library)
    try:
        from voiceflow.server.http import request_log
        from voiceflow.server.http.listener import run
        from voiceflow.server.studio import ServerFolders, Studio
    except ImportError as error:
        hint = "pip install segno starlette uvicorn (the extra `serve`)"
        raise InputError(f"`serve` needs {error.name}, which is not installed", hint=hint) from None
    cache = Cache(Cache.default_root())
    # Before there is a studio, which starts its threads at once.
    if forget:
        from voiceflow.server.auth.phones import Phones

        count = Phones(ServerFolders.of(where, cache).state / "phones.json").forget()
        print(f"{counted(count, 'phone')} forgotten. Each must be paired again.")
        return
    # By an interrupt is the way it is meant to end.
    with (
        suppress(KeyboardInterrupt),
        request_log.written(verbose),
        ending_on_terminate(),
        private_files(),
        short_turns(),
        few_heaps(),
    ):
        studio = Studio(where, cache, jobs=jobs)
        try:
            run(
                studio,
                host,
                port,
                names=names,
                open_browser=open_browser,
                warm=warm,
                certificate=Path(certificate) if certificate else None,
                key=Path(key) if key else None,
            )
        finally:
            studio.close()
            cache.trim()


def library_at(folder: str | Path | None) -> Library:
    """The library with the user's scripts in `folder`. Raises InputError if it is not a folder."""
    usual = default_library()
    if folder is None:
        return usual
    path = expanded(str(folder))
    if not path.is_dir():
        hint = "name a folder that holds sessions/ and exercises/"
        raise InputError(f"there is no folder {str(folder)!r}", hint=hint)
    return replace(usual, user=path.resolve())
