"""What a program asks for, checked as the command line's words are: it can hand over anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from voiceflow.core.errors import InputError
from voiceflow.score.options import Options
from voiceflow.script.models import EQUIPMENT, LEVELS
from voiceflow.script.overrides import pacing_values

_TEXTS: Final = ("pace", "voice", "phrases", "tones", "name", "bed")
_LISTS: Final = ("only", "skip", "focus")


def checked(options: Options) -> Options:
    """`options` with every value as the pipeline takes it.

    Raises
    ------
    InputError
        With all that is wrong with them.
    """
    if not isinstance(options, Options):
        raise InputError(f"options are given as voiceflow.Options, not as {_kind(options)}")
    wrong = [*_faults(options)]
    pacing: dict[str, Any] = {}
    try:
        pacing = pacing_values(f"{key}={_written(value)}" for key, value in options.pacing)
    except InputError as error:
        wrong += [line.replace("--set", "pacing", 1) for line in error.message.splitlines()]
    except (TypeError, ValueError):
        wrong.append("pacing: pairs of a name and a value are needed")
    if wrong:
        raise InputError("\n".join(wrong))
    lists: dict[str, Any] = {name: tuple(getattr(options, name)) for name in _LISTS}
    return replace(options, pacing=tuple(pacing.items()), **lists)


def _faults(options: Options) -> Iterator[str]:
    for name in _TEXTS:
        if not isinstance(value := getattr(options, name), str | None):
            yield f"{name}: a text is needed, not {_kind(value)}"
    things = () if options.equipment is None else options.equipment
    for name, value in (
        *((name, getattr(options, name)) for name in _LISTS),
        ("equipment", things),
    ):
        if not _is_list(value):
            what = "things" if name == "equipment" else "names"
            yield f"{name}: several {what} are needed: ({value!r},)"
    for thing in things if _is_list(things) else ():
        if thing not in EQUIPMENT:
            yield f"equipment: {thing!r} is none of {', '.join(EQUIPMENT)}"
    if options.level is not None and not _is_number(options.level, lambda one: one in LEVELS):
        yield f"level: {options.level!r} is none of {', '.join(map(str, LEVELS))}"
    if options.minutes_ms is not None and not _is_number(options.minutes_ms, lambda one: one > 0):
        yield f"minutes_ms: {options.minutes_ms!r} is no number of milliseconds"
    if options.shuffle is not None and not _is_number(options.shuffle, lambda one: True):
        yield f"shuffle: {options.shuffle!r} is no whole number"


def _is_list(value: object) -> bool:
    return (
        isinstance(value, Iterable)
        and not isinstance(value, str | bytes)
        and all(isinstance(one, str) for one in value)
    )


def _is_number(value: object, fits: Callable[[int], bool]) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and fits(value)


def _written(value: object) -> str:
    """A value in the words of a script."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _kind(value: object) -> str:
    return f"{type(value).__name__} ({value!r})"
