"""Reads the options of a request: what a phone may choose for a session.

JSON values come in; `Options` for the pipeline and the same as plain values go out, or a `Refusal`
that names every problem. Names (voices, paces …) are looked up among those on offer, never used as
paths.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from voiceflow.core.errors import UnknownNameError, did_you_mean
from voiceflow.score.option_table import PACING_OPTIONS, as_node, options_of, read_values
from voiceflow.score.options import Options
from voiceflow.server.http.refusals import Fault, Refusal, fault

LONGEST_TEXT: Final = 200
LONGEST_NAME: Final = 60
_MOST_FAULTS: Final = 20

_NAMED: Final = ("pace", "voice", "phrases", "tones", "bed")
KEYS: Final = (
    *("minutes", "level", "equipment", "name"),
    *_NAMED,
    *(option.name for option in PACING_OPTIONS),
)

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
    wanted, faults = _wanted(given)
    values, problems = read_values(wanted)
    if "equipment" in values:
        # Once each: what is asked for twice makes no other render.
        values["equipment"] = tuple(dict.fromkeys(values["equipment"]))
    faults += [fault(one.message, one.hint, field=f"options.{one.name}") for one in problems]
    for key in _NAMED:
        if key in values and values[key] not in getattr(names, key):
            error = UnknownNameError(key, printable(values[key]), getattr(names, key))
            faults.append(fault(error.message, error.hint, field=f"options.{key}"))
    if faults:
        told = "some options are not valid"
        raise Refusal(422, "input", told, faults=faults[: _MOST_FAULTS + 1])
    return options_of(values), _plain(values, wanted)


def _wanted(given: Mapping[str, Any]) -> tuple[Given, list[Fault]]:
    """The values that the table can read, and what is wrong with the others."""
    wanted: Given = {}
    faults: list[Fault] = []
    for key, value in given.items():
        if key not in KEYS:
            hint = did_you_mean(key[:60], KEYS)
            told = f"`{printable(key)}` is not an option"
            faults.append(fault(told, hint, field=f"options.{printable(key)}"))
        elif isinstance(value, str) and (wrong := _unfit(key, value)):
            faults.append(fault(*wrong, field=f"options.{key}"))
        elif not isinstance(value, str) or value.strip():
            wanted[key] = value.strip() if isinstance(value, str) else value
        # Cut here, so that a flood of wrong keys is not worked through to its end.
        if len(faults) > _MOST_FAULTS:
            break
    return wanted, faults


def _unfit(key: str, text: str) -> tuple[str, str] | None:
    """Why the table is not even shown a text from outside: message and hint."""
    if len(text) > LONGEST_TEXT:
        return f"`{key}` is too long", f"at most {LONGEST_TEXT} characters"
    if key == "name" and len(text) > LONGEST_NAME:
        return f"a name may have at most {LONGEST_NAME} characters", ""
    # Half a surrogate pair counts as not printable, too: no file could hold it.
    if key == "name" and not text.isprintable():
        return "the name has a character that is not allowed", "delete it"
    return None


def _plain(values: Mapping[str, Any], wanted: Mapping[str, Any]) -> Given:
    """The same as JSON, in a fixed order: equal requests are one render, and one kept session."""
    said = dict(values)
    if "minutes" in said and (written := as_node(wanted["minutes"])):
        said["minutes"] = written.text
    if "equipment" in said:
        said["equipment"] = list(said["equipment"])
    return {key: said[key] for key in KEYS if key in said}


def printable(text: str) -> str:
    """Text from a request, safe to repeat in a message: short, one line, printable."""
    kept = "".join(char if char.isprintable() else " " for char in text[:60])
    return kept + ("…" if len(text) > 60 else "")


def canonical(given: Given) -> str:
    """Options as one text, equal for equal options."""
    return json.dumps(given, sort_keys=True, ensure_ascii=True)
