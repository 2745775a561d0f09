"""The sounds of a layer: partials, noise, strike, pluck and sample.

In: a layer's node. Out: a `Layer` of the recipe. Each sound has a table of fields, and a function
that builds it and checks the fields together. Keys and defaults are listed only here.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from voiceflow.core.errors import SoundError, did_you_mean
from voiceflow.script.fields import Field, Flag, Problems, Several, Words, complain, read_fields
from voiceflow.script.yaml import Node
from voiceflow.sounds.kinds import (
    GAIN,
    PITCH,
    Band,
    ExtentKind,
    Measure,
    Moving,
    number,
    pitch,
    seconds,
    share,
)
from voiceflow.sounds.recipe import (
    HIGHEST,
    Course,
    Extent,
    Layer,
    Noise,
    Notes,
    Partials,
    Sample,
    Sound,
)

_RATIOS = Several(Measure(number, 0.25, 64, "a multiple such as 2.76"), most=16)
_WEIGHTS = Several(Measure(number, 0, 1, "a weight from 0 to 1"), most=16)
_BEAT = Field(
    "beat",
    Measure(pitch, 0, 20, "a rate such as 0.7 Hz"),
    "How fast the partials beat against their twins.",
)
_RING = Field("ring", Measure(seconds, 0.01, 12, "a time such as 2 s"), "How long a note rings.")
_PITCHES = Field("notes", Several(PITCH, most=32), "The notes, in order.", required=True)
_EVERY = Field(
    "every", Measure(seconds, 0.02, 30, "a time"), "Time between notes; each is played once."
)
_FILL = Field(
    "fill",
    Measure(seconds, 0.2, 30, "a time"),
    "Time between notes, which are spread to the end of the tone.",
)
_SHAPE = (
    Field(
        "sound",
        Words(slug=True),
        "The sound: partials, noise, strike, pluck or sample.",
        required=True,
    ),
    Field("gain", GAIN, "Gain relative to the other layers."),
    Field("attack", ExtentKind(), "Time to fade in."),
    Field("release", ExtentKind(), "Time to fade out."),
    Field("swell", Moving(GAIN), "Gain at the start -> at the end."),
    Field("pulse", Measure(pitch, 0.05, 20, "a rate such as 0.5 Hz"), "Rate of a slow tremolo."),
    Field("depth", Measure(share, 0, 1, "a share such as 40 %"), "Depth of the tremolo."),
)
_STRUCK = (
    *_SHAPE,
    _PITCHES,
    _EVERY,
    _FILL,
    _RING,
    _BEAT,
    Field("ratios", _RATIOS, "The partials, as multiples of the note."),
    Field("weights", _WEIGHTS, "How strong each partial is."),
    Field(
        "onset",
        Measure(seconds, 0.001, 2, "a time such as 8 ms"),
        "Time in which a note reaches its full loudness.",
    ),
)
_PLUCKED = (
    *_SHAPE,
    _PITCHES,
    _EVERY,
    _FILL,
    _RING,
    Field(
        "bright",
        Measure(number, 0.05, 1, "a number from 0.05 to 1"),
        "How bright the sound is: 1 like a nail, 0.3 like a thumb.",
    ),
)
TABLES: Mapping[str, tuple[Field, ...]] = {
    "partials": (
        *_SHAPE,
        Field("pitch", Moving(PITCH), "Pitch of the lowest partial.", required=True),
        Field("ratios", _RATIOS, "The partials, as multiples of the pitch."),
        Field("weights", _WEIGHTS, "How strong each partial is."),
        Field(
            "bright",
            Moving(Measure(number, 0.05, 2, "a number")),
            "How bright the sound is: below 1 it is darker.",
        ),
        _BEAT,
    ),
    "noise": (*_SHAPE, Field("band", Band(), "Lowest and highest frequency.", required=True)),
    "strike": _STRUCK,
    "pluck": _PLUCKED,
    "sample": (
        *_SHAPE,
        Field("file", Words(), "A recording in the folder of this file.", required=True),
        Field("loop", Flag(), "Whether the recording repeats."),
    ),
}
_SMOOTH = (Extent(0.15, share=True), Extent(0.3, share=True))
# A note has an onset of its own, so its layer does not fade in.
_NOTES = (Extent(0.0), Extent(0.25))
_FADES = {"partials": _SMOOTH, "noise": _SMOOTH, "strike": _NOTES, "pluck": _NOTES}


def read_layer(node: Node, folder: Path, problems: Problems) -> Layer | None:
    """One layer; None after adding a problem, if it cannot be read."""
    kind = node.get("sound")
    name = kind.text if kind is not None and kind.kind == "scalar" else ""
    if name not in TABLES:
        place = node if kind is None else kind
        message = "the layer has no `sound:`" if kind is None else f"unknown sound {name!r}"
        complain(problems, place, message, did_you_mean(name, TABLES))
        return None
    before = len(problems)
    values = read_fields(node, TABLES[name], problems, f"the sound `{name}`")
    if len(problems) > before:
        return None
    sound = _MAKERS[name](values, node, folder, problems)
    if sound is None:
        return None
    # A recording brings its own beginning and end: short fades only keep it from clicking.
    attack, release = _FADES.get(name, (Extent(0.01), Extent(0.05)))
    return Layer(
        sound,
        gain=values.get("gain", 0.0),
        attack=values.get("attack", attack),
        release=values.get("release", release),
        swell=values.get("swell", Course(0.0, 0.0)),
        pulse=values.get("pulse", 0.0),
        # A pulse without a depth is meant to be heard.
        depth=values.get("depth", 0.5 if "pulse" in values else 0.0),
    )


def _partials(values: Mapping[str, Any], node: Node, _: Path, problems: Problems) -> Sound | None:
    pitch = values["pitch"]
    spectrum = _spectrum(values, node, problems, (1.0,), max(pitch.start, pitch.end))
    if spectrum is None:
        return None
    bright = values.get("bright", Course(1.0, 1.0))
    return Partials(pitch, *spectrum, bright, values.get("beat", 0.0))


def _noise(values: Mapping[str, Any], *_: object) -> Sound:
    low, high = values["band"]
    return Noise(low, high)


def _strike(values: Mapping[str, Any], node: Node, _: Path, problems: Problems) -> Sound | None:
    if not _timed(values, node, problems):
        return None
    # The modes of a free bar, such as a chime.
    spectrum = _spectrum(values, node, problems, (1.0, 2.76, 5.4), max(values["notes"]))
    if spectrum is None:
        return None
    onset = values.get("onset", 0.008)
    return _notes(values, 2.0, onset, *spectrum, values.get("beat", 0.0))


def _pluck(values: Mapping[str, Any], node: Node, _: Path, problems: Problems) -> Sound | None:
    if not _timed(values, node, problems):
        return None
    # An ideal string pulled at a fifth of its length, darkened by a softer or harder finger
    # (Fletcher & Rossing, The Physics of Musical Instruments, 2nd ed., section 2.7).
    bright = values.get("bright", 0.6)
    ratios = tuple(float(k) for k in range(1, 13))
    weights = tuple(
        round(abs(math.sin(math.pi * k / 5)) * bright ** (k - 1) / k, 9) for k in ratios
    )
    return _notes(values, 1.6, 0.006, ratios, weights, 0.0)


def _notes(
    values: Mapping[str, Any],
    ring: float,
    onset: float,
    ratios: tuple[float, ...],
    weights: tuple[float, ...],
    beat: float,
) -> Notes:
    every, fill = values.get("every", 0.0), values.get("fill", 0.0)
    rings = values.get("ring", ring)
    return Notes(values["notes"], every, fill, rings, onset, ratios, weights, beat)


def _timed(values: Mapping[str, Any], node: Node, problems: Problems) -> bool:
    """Whether the notes have their times; a single note needs none."""
    if "every" in values and "fill" in values:
        complain(problems, node, "`every` and `fill` cannot be used together")
        return False
    if len(values["notes"]) > 1 and not {"every", "fill"} & set(values):
        hint = "`every: 0.3 s` plays each note once; `fill: 0.7 s` plays to the end of the tone"
        complain(problems, node, "several notes need `every` or `fill`", hint)
        return False
    return bool(values["notes"]) or bool(complain(problems, node, "`notes:` is empty"))


def _spectrum(
    values: Mapping[str, Any],
    node: Node,
    problems: Problems,
    usual: tuple[float, ...],
    highest: float,
) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """The ratios and weights; even at the `highest` pitch, one partial must be audible."""
    ratios = values.get("ratios") or usual
    weights = values.get("weights") or tuple(round(1 / (1 + k), 9) for k in range(len(ratios)))
    place = node.get("weights") or node
    if len(weights) != len(ratios):
        message = f"{len(ratios)} ratios, but {len(weights)} weights"
        complain(problems, place, message, "write one weight for each ratio")
        return None
    if not any(w and r * highest < HIGHEST for r, w in zip(ratios, weights, strict=True)):
        hint = f"one partial needs a weight above 0 and a pitch below {HIGHEST:g} Hz"
        complain(problems, place, "no partial would be audible", hint)
        return None
    return ratios, weights


def _sample(
    values: Mapping[str, Any], node: Node, folder: Path, problems: Problems
) -> Sound | None:
    from voiceflow.sounds.sample import inspect

    path = folder / os.path.expanduser(values["file"])  # noqa: PTH111  `~nobody` must not raise
    try:
        digest, length_ms = inspect(path)
    except SoundError as error:
        complain(problems, node.get("file") or node, error.message, error.hint)
        return None
    return Sample(path, digest, length_ms, values.get("loop", False))


_Maker = Callable[[Mapping[str, Any], Node, Path, Problems], Sound | None]
_MAKERS: Mapping[str, _Maker] = {
    "partials": _partials,
    "noise": _noise,
    "strike": _strike,
    "pluck": _pluck,
    "sample": _sample,
}
