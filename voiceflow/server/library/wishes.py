"""Reads the options of a request: what a phone may choose for a session.

JSON values come in; `Options` for the pipeline and the same as plain values go out, or a `Refusal`
that names every problem. Names (voices, paces …) are looked up among those on offer, never used as
paths.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from voiceflow.core.errors import Mark, UnknownNameError, did_you_mean
from voiceflow.core.units import parse_seconds
from voiceflow.score.options import Options
from voiceflow.script.fields import Kind, Number, Problems, Words
from voiceflow.script.models import EQUIPMENT, PACING
from voiceflow.script.yaml import Node
from voiceflow.server.http.refusals import Fault, Refusal, fault

LONGEST_TEXT: Final = 200
LONGEST_NAME: Final = 60
MINUTES: Final = (5.0, 6 * 3600.0)

_PACING: Final = {field.name: field for field in PACING if field.name != "tones"}
_OWN: Final[Mapping[str, Kind]] = {"level": Number(1, 3, whole=True), "name": Words()}
_NAMED: Final = ("pace", "voice", "phrases", "tones", "bed")
KEYS: Final = ("minutes", "level", "equipment", "name", *_NAMED, *_PACING)

Given = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Offered:
    """The names on offer, for each option that takes a name."""

    pace: Sequence[str] = ()
    voice: Sequence[str] = ()
    phrases: Sequence[str] = ()
    tones: Sequence[str] = ()
    bed: Sequence[str] = ()


def read_options(given: object, names: Offered) -> tuple[Options, Given]:
    """The options of a request: for the pipeline, and as plain values with the same meaning.

    Parameters
    ----------
    given : object
        From JSON: a mapping with keys of `KEYS`. A value of None counts as not given.

    Raises
    ------
    Refusal
        422, with every problem.
    """
    if given is None:
        given = {}
    if not isinstance(given, Mapping):
        raise Refusal(422, "input", "`options` must be an object", hint='{"tempo": 0.9}')
    faults: list[Fault] = []
    said: Given = {}
    for key, value in given.items():
        if key not in KEYS:
            hint = did_you_mean(key[:60], KEYS)
            told = f"`{printable(key)}` is not an option"
            faults.append(fault(told, hint, field=f"options.{printable(key)}"))
        elif value is not None and (read := _read(key, value, names, faults)) is not None:
            said[key] = read
        if len(faults) > 20:
            break
    if faults:
        raise Refusal(422, "input", "some options are not valid", faults=faults)
    said = {key: said[key] for key in KEYS if key in said}
    return _options(said), said


def _options(said: Given) -> Options:
    rest: dict[str, Any] = {key: said[key] for key in ("level", "name", *_NAMED) if key in said}
    if "minutes" in said:
        rest["minutes_ms"] = round(parse_seconds(str(said["minutes"]), bare=60.0) * 1000)
    if "equipment" in said:
        rest["equipment"] = tuple(said["equipment"])
    pacing = tuple((key, said[key]) for key in _PACING if key in said)
    return Options(pacing=pacing, **rest)


def _read(key: str, value: Any, names: Offered, faults: list[Fault]) -> Any:
    """One value, or None with the problem added to `faults`."""
    where = f"options.{key}"
    if key == "equipment":
        return _equipment(value, where, faults)
    text = _text(value)
    if text is None or len(text) > LONGEST_TEXT:
        wrong = "is too long" if text else "must be text or a number"
        faults.append(fault(f"`{key}` {wrong}", field=where))
        return None
    if key == "minutes":
        return _minutes(text, where, faults)
    if key in _NAMED:
        if text in getattr(names, key):
            return text
        error = UnknownNameError(key, printable(text), getattr(names, key))
        faults.append(fault(error.message, error.hint, field=where))
        return None
    return _field(key, text, where, faults)


def _field(key: str, text: str, where: str, faults: list[Fault]) -> Any:
    """A value, read and checked as in a script."""
    if key == "name" and len(text) > LONGEST_NAME:
        faults.append(fault(f"a name may have at most {LONGEST_NAME} characters", field=where))
        return None
    if key == "name" and (not text.isprintable() or any("\ud800" <= c <= "\udfff" for c in text)):
        faults.append(
            fault("the name has a character that is not allowed", "delete it", field=where)
        )
        return None
    kind = _OWN[key] if key in _OWN else _PACING[key].kind
    if key == "name" and not text.strip():
        return None
    problems: Problems = []
    value = kind.read(Node(Mark("options"), "scalar", text), problems)
    faults.extend(fault(one.message, one.hint, field=where) for one in problems)
    return None if problems else value


def _minutes(text: str, where: str, faults: list[Fault]) -> str | None:
    least, most = MINUTES
    try:
        seconds = parse_seconds(text, bare=60.0)
    except ValueError:
        faults.append(fault(f"{printable(text)!r} is not a time", "20, or 12:30", field=where))
        return None
    if not least <= seconds <= most:
        hint = "from 5 seconds to 6 hours"
        faults.append(fault(f"{printable(text)} is out of range", hint, field=where))
        return None
    return text.strip()


def _equipment(value: Any, where: str, faults: list[Fault]) -> list[str] | None:
    things = [value] if isinstance(value, str) else value
    if not isinstance(things, list) or len(things) > len(EQUIPMENT):
        faults.append(fault("`equipment` must be a list", ", ".join(EQUIPMENT), field=where))
        return None
    for thing in things:
        if thing not in EQUIPMENT:
            told = printable(str(thing))
            error = UnknownNameError("equipment", told, EQUIPMENT)
            faults.append(fault(error.message, error.hint, field=where))
            return None
    return list(dict.fromkeys(things))


def _text(value: Any) -> str | None:
    """A JSON value as text, as it would be written in a script; None if it cannot be."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**12 else "9" * 13
    if isinstance(value, float):
        if not math.isfinite(value) or abs(value) >= 10**12:
            return "9" * 13
        return f"{value:.9f}".rstrip("0").rstrip(".")
    return value if isinstance(value, str) else None


def printable(text: str) -> str:
    """Text from a request, safe to repeat in a message: short, one line, printable."""
    kept = "".join(char if char.isprintable() else " " for char in text[:60])
    return kept + ("…" if len(text) > 60 else "")


def canonical(given: Given) -> str:
    """Options as one text, equal for equal options."""
    return json.dumps(given, sort_keys=True, ensure_ascii=True)
