"""A session as the pages show it, out of the cache again: believed only in the form it was kept in.

Bytes and the entry of an unread session come in; an entry or None goes out. What is damaged, of
another program, or put there by someone is read as missing: it is made anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

Entry = dict[str, Any]
Is = Callable[[object], bool]


def _text(value: object) -> bool:
    return isinstance(value, str)


def _number(value: object) -> bool:
    # Not True, which is an int to Python; and none of the numbers that JSON does not have.
    return type(value) in (int, float) and abs(value) < 1e12  # type: ignore[arg-type]


def _whole(value: object) -> bool:
    return type(value) is int and 0 <= value < 1e12


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _each(form: Mapping[str, Is]) -> Is:
    return lambda value: isinstance(value, list) and all(_has(form, one) for one in value)


def _has(form: Mapping[str, Is], value: object, *, some: bool = False) -> bool:
    """Whether `value` has the keys of `form` (or `some` of them), each with what it should hold."""
    return (
        isinstance(value, dict)
        and (value.keys() <= form.keys() if some else value.keys() == form.keys())
        and all(form[key](one) for key, one in value.items())
    )


_EXERCISE: Final = dict.fromkeys(("slug", "name", "title", "position", "section"), _text)
_FAULT: Final = {
    **dict.fromkeys(("message", "hint", "severity", "file", "field"), _text),
    "line": _whole, "column": _whole,
}  # fmt: skip
_DEFAULTS: Final = {
    **dict.fromkeys(("pace", "detail", "voice", "tones", "bed", "phrases", "name"), _text),
    **dict.fromkeys(("breath_in", "breath_out"), lambda value: value is None or _number(value)),
    "tempo": _number,
    "level": _whole, "length_ms": _whole, "equipment": _texts,
}  # fmt: skip
_ALWAYS: Final = {
    **dict.fromkeys(("slug", "title", "about", "language"), _text),
    **dict.fromkeys(("positions", "equipment", "needs"), _texts),
    "own": lambda value: type(value) is bool, "kept": lambda value: value is False,
}  # fmt: skip
_RIGHT: Final[Mapping[str, Is]] = {
    **_ALWAYS, "minutes": _whole, "length_ms": _whole, "exercises": _each(_EXERCISE),
    "errors": lambda value: value == [], "defaults": lambda value: _has(_DEFAULTS, value),
}  # fmt: skip
# One with errors could not be decided, and has neither length nor exercises.
_WRONG: Final[Mapping[str, Is]] = {
    **_ALWAYS, "minutes": lambda value: value is None, "length_ms": lambda value: value is None,
    "exercises": lambda value: value == [], "defaults": lambda value: value == {},
    "errors": lambda value: isinstance(value, list) and bool(value)
    and all(_has(_FAULT, one, some=True) and "message" in one for one in value),
}  # fmt: skip


def packed(entry: Entry) -> bytes:
    """An entry as the cache keeps it."""
    return json.dumps(entry).encode()


def unpacked(data: bytes, blank: Entry) -> Entry | None:
    """What `packed` made into bytes; None where they are something else.

    Parameters
    ----------
    blank : dict
        The entry of the same session before it is read: name and owner must be the same.
    """
    try:
        entry = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not (_has(_RIGHT, entry) or _has(_WRONG, entry)):
        return None
    found: Entry = entry
    return found if all(found[key] == blank[key] for key in ("slug", "own")) else None
