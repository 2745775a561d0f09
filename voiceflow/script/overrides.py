"""Reads pacing values given as `KEY=VALUE`, with the same keys and checks as in scripts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from voiceflow.core.errors import InputError, Mark, did_you_mean
from voiceflow.script.fields import Problems
from voiceflow.script.models import PACING
from voiceflow.script.pacing import ALIASES, IN_SHARE, PER_MINUTE
from voiceflow.script.yaml import Node

_FIELDS = {field.name: field for field in PACING}
BREATHS_PER_MINUTE = (2.0, 30.0)


def pacing_values(given: Iterable[str], label: str = "--set") -> dict[str, Any]:
    """The pacing values in texts such as ``tempo=0.85``; the last one for a key wins.

    Beside the keys of a pace: ``breath.inhale`` and ``breath.exhale`` in seconds, and
    ``breath.per_minute``, which sets both to the same length.

    Parameters
    ----------
    label : str
        What the values are called where they were given, for messages.

    Raises
    ------
    InputError
        A key is unknown or a value is wrong; the message lists all of them.
    """
    values: dict[str, Any] = {}
    wrong: list[str] = []  # each without the label
    for text in given:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not value or not key:
            wrong.append(f"{text}: write KEY=VALUE")
        elif key == PER_MINUTE:
            values.update(_per_minute(value, wrong))
        else:
            # On a command line words are joined by hyphens: `count-in` is `count_in`.
            name = ALIASES.get(key, key.replace("-", "_"))
            values.update(_value(key, name, value, wrong))
    if wrong:
        raise InputError("\n".join(f"{label} {one}" for one in wrong))
    return values


def _value(key: str, name: str, value: str, wrong: list[str]) -> dict[str, Any]:
    if name not in _FIELDS:
        hint = did_you_mean(key, (*_FIELDS, *ALIASES, PER_MINUTE))
        wrong.append(f"{key}: unknown pacing key ({hint})")
        return {}
    problems: Problems = []
    read = _FIELDS[name].kind.read(Node(Mark("pacing"), "scalar", value), problems)
    for problem in problems:
        hint = f" ({problem.hint})" if problem.hint else ""
        wrong.append(f"{key}={value}: {problem.message}{hint}")
    return {} if problems else {name: read}


def _per_minute(value: str, wrong: list[str]) -> dict[str, float]:
    least, most = BREATHS_PER_MINUTE
    try:
        breaths = float(value)
    except ValueError:
        # Out of the range, so that what is no number gets the same message.
        breaths = 0.0
    # `not … <=` refuses NaN, too, which `float` reads.
    if not least <= breaths <= most:
        wrong.append(f"{PER_MINUTE}={value}: expected a number from {least:g} to {most:g}")
        return {}
    seconds = 60 / breaths
    return {"breath_in": seconds * IN_SHARE, "breath_out": seconds * (1 - IN_SHARE)}
