"""Styles, scripts and icons of the pages, served from one folder by Starlette.

A request's path comes in, the file goes out: with its ETag, or as 304 where the browser has it.
Starlette finds the file and lets no path leave the folder; this module only adds headers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from voiceflow.server.http.refusals import Refusal, unknown

# Starlette asks the system for a file's type. Windows may call a script plain text, and because of
# `nosniff` a browser would then not run it.
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
# Opened as a page of its own, a picture may style itself and do nothing else.
PICTURE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


class StaticAssets(StaticFiles):
    """The files of a folder.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file. Raises Refusal: 404, or 405 for a method that does not read."""
        try:
            answer = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code == 405:
                raise Refusal(405, "method", "this method is not supported") from None
            raise unknown("file", path) from None
        ending = Path(path).suffix
        answer.headers["Cache-Control"] = "no-cache"  # cached, but checked each time
        if ending == ".svg":
            answer.headers["Content-Security-Policy"] = PICTURE_POLICY
        if answer.status_code != 304 and ending in _TYPES:
            answer.headers["Content-Type"] = _TYPES[ending]
        return answer
