"""The pacing of a session: how fast it is, how much is said, how long the pauses are.

Layers in, one `Pacing` out, and for each value the layer it comes from. Later layers win:

    default < pace < settings.yaml < --pace < session < exercise < command line

A layer holds only the values that it sets; the others stay as the layers before left them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

Detail = Literal["full", "brief", "tones"]
Count = Literal["down", "up", "none", "last3"]


@dataclass(frozen=True, slots=True)
class Pacing:
    """Every pacing value. Times are seconds as a person writes them: no grid yet.

    Attributes
    ----------
    tempo : float, 0.25 to 4
        Written seconds are divided by it: 0.9 is slower than written.
    speech : int, 80 to 300
        Words per minute. 120 to 150 suits guidance.
    teach : int >= 0
        Repetitions said in full, before the brief ones.
    transition : float
        Factor for the time that a change of position takes.
    breath_in, breath_out : float or None
        A person's own breath: inhales and exhales are scaled so that the average one is this long.
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
    """The pacing values that one source sets; `name` is the source, such as a file."""

    name: str
    values: tuple[tuple[str, Any], ...]


def layer(name: str, values: Mapping[str, Any]) -> Layer:
    """A layer with the pacing values among `values`; other keys and None are left out."""
    # None is how an option says that nothing was asked for.
    return Layer(name, tuple((key, values[key]) for key in KEYS if values.get(key) is not None))


def resolve(layers: Iterable[Layer], base: Pacing = DEFAULTS) -> Pacing:
    """The pacing that results from `layers`; a later one replaces an earlier one."""
    said: dict[str, Any] = {}
    for one in layers:
        said.update(one.values)
    return replace(base, **said) if said else base


def origins(layers: Iterable[Layer]) -> dict[str, str]:
    """The name of the layer that each pacing value comes from."""
    told = dict.fromkeys(KEYS, "default")
    for one in layers:
        told.update((key, one.name) for key, _ in one.values)
    return told


# Other names for values on the command line.
ALIASES = {"breath.inhale": "breath_in", "breath.exhale": "breath_out", "switch": "switch_time"}
PER_MINUTE = "breath.per_minute"
# The share of one breath that is the inhale: six a minute are 5 s in and 5 s out.
IN_SHARE = 0.5
