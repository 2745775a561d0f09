"""Pacing: how fast, how much is said, how long the air between; layered, with origins.

    defaults < user's settings < pace < session < exercise < command line

A layer holds only what it says; what it does not say stays with the layer before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

Detail = Literal["full", "brief", "tones"]
Count = Literal["down", "up", "none", "last3"]


@dataclass(frozen=True, slots=True)
class Pacing:
    """Every value that sets the pace. Times are seconds as a person says them.

    Attributes
    ----------
    tempo : float, 0.25 to 4
        Written seconds are divided by it: 0.9 is slower than written.
    speech : int, 80 to 300
        Words per minute. 120 to 150 suits guidance.
    teach : int >= 0
        Repetitions said in full before they go brief.
    transition : float
        Factor on the time that a change of position takes.
    breath_in, breath_out : float or None
        A person's own breath: inhales and exhales are scaled so that a usual phase lasts so long.
    """

    tempo: float = 1.0
    speech: int = 140
    detail: Detail = "full"
    teach: int = 2
    transition: float = 1.0
    rest: float = 8.0
    count_in: int = 3
    air: float = 0.25
    switch_time: float = 8.0
    settle: float = 2.0
    tones: str = "bowl"
    count: Count = "down"
    tips: bool = True
    halfway: bool = True
    last: bool = True
    more: bool = True
    say_sets: bool = True
    remaining: bool = True
    breath_in: float | None = None
    breath_out: float | None = None


DEFAULTS = Pacing()
KEYS = tuple(field.name for field in fields(Pacing))


@dataclass(frozen=True, slots=True)
class Layer:
    """What one place says of the pacing: `name` tells where (a file, an option)."""

    name: str
    values: tuple[tuple[str, Any], ...]


def layer(name: str, values: Mapping[str, Any]) -> Layer:
    """A layer of the pacing values among `values`; the rest, and None, are left out."""
    return Layer(name, tuple((key, values[key]) for key in KEYS if values.get(key) is not None))


def resolve(layers: Iterable[Layer], base: Pacing = DEFAULTS) -> Pacing:
    """The pacing that `layers` give, a later one over an earlier."""
    said: dict[str, Any] = {}
    for one in layers:
        said.update(one.values)
    return replace(base, **said) if said else base


def origins(layers: Iterable[Layer]) -> dict[str, str]:
    """For each pacing value, the name of the layer it comes from."""
    told = dict.fromkeys(KEYS, "default")
    for one in layers:
        told.update((key, one.name) for key, _ in one.values)
    return told


# What a person calls a value, beside its own name.
ALIASES = {"breath.inhale": "breath_in", "breath.exhale": "breath_out", "switch": "switch_time"}
PER_MINUTE = "breath.per_minute"
# Of one breath, the share that is breathed in: 5 s in and 5 s out at six breaths a minute.
IN_SHARE = 0.5
