"""Error responses: an HTTP status, what is wrong, and what to do about it.

Exceptions of voiceflow come in; a `Refusal`, with paths of this computer removed, goes out.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from voiceflow.core.errors import (
    InputError,
    OutputError,
    Problem,
    ScriptError,
    UnknownNameError,
    VoiceflowError,
    fewest,
)
from voiceflow.core.opening import why
from voiceflow.script.lookup import Library

Fault = dict[str, Any]


class Refusal(Exception):
    """Ends a request with an error response.

    Parameters
    ----------
    status : int
        The HTTP status.
    error : str
        One word for programs: ``busy``, ``input``, ``unknown`` …
    message : str
        A sentence for people.
    faults : iterable of dict
        Each problem: message, hint, severity, and its place (a field, or file and line).
    """

    def __init__(
        self,
        status: int,
        error: str,
        message: str,
        *,
        hint: str = "",
        faults: Iterable[Fault] = (),
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.error, self.message, self.hint = status, error, message, hint
        self.faults = list(faults) or [fault(message, hint)]
        self.retry_after = retry_after
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(retry_after)

    def to_dict(self) -> dict[str, Any]:
        """The response body, as plain values for JSON."""
        body: dict[str, Any] = {
            "error": self.error,
            "message": self.message,
            "hint": self.hint,
            "errors": self.faults,
        }
        if self.retry_after is not None:
            body["retry_after"] = self.retry_after
        return body


def fault(message: str, hint: str = "", *, field: str = "", severity: str = "error") -> Fault:
    """One problem; `field` names the part of the request that it is about."""
    place = {"field": field} if field else {}
    return {"message": message, "hint": hint, "severity": severity, **place}


def placed(problem: Problem, library: Library) -> Fault:
    """A problem in a script; its file is named relative to the library."""
    mark = problem.mark
    told = fault(problem.message, problem.hint, severity=problem.severity)
    return {"file": within(mark.file, library), "line": mark.line, "column": mark.column, **told}


def within(file: str, library: Library) -> str:
    """`file` relative to the library; only its name if it is elsewhere."""
    path = Path(file)
    for root in (library.user, library.bundled, library.sounds.parent):
        # A library may be reached through a link, and an error name its real path.
        for one in (root, root.resolve()):
            if path.is_relative_to(one):
                return path.relative_to(one).as_posix()
    return path.name


def refused(error: VoiceflowError, library: Library) -> Refusal:
    """An exception of voiceflow as an error response."""
    if isinstance(error, ScriptError):
        faults = [placed(problem, library) for problem in fewest(error.problems)]
        return Refusal(422, "script", "the script has errors", faults=faults)
    message, hint = _without_paths(error.message, library), _without_paths(error.hint, library)
    if isinstance(error, UnknownNameError | InputError):
        return Refusal(422, "input", message, hint=hint)
    if isinstance(error, OutputError):
        return Refusal(507, "storage", message, hint=hint)
    return Refusal(500, "failed", message, hint=hint)


def refused_by_system(error: OSError) -> Refusal:
    """What the system refuses anywhere, a file that cannot be read: for a while, as a rule."""
    hint = "try again in a moment"
    if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
        return Refusal(503, "busy", f"the computer is busy: {why(error)}", hint=hint, retry_after=5)
    # Without the file's name, which is a path of this computer.
    message = f"a file on the computer cannot be used: {why(error)}"
    return Refusal(500, "failed", message, hint=hint)


def _without_paths(text: str, library: Library) -> str:
    for root in (library.user, library.bundled, library.sounds):
        # Either may stand in a message, as in `within`.
        for one in {str(root), str(root.resolve())}:
            for separator in "/\\":  # Windows
                text = text.replace(one + separator, "")
            text = text.replace(one, "the library")
    return text


def unknown(what: str, name: str, hint: str = "") -> Refusal:
    """A 404: there is no `what` called `name`."""
    return Refusal(404, "unknown", f"there is no {what} {name[:80]!r}".rstrip(), hint=hint)
