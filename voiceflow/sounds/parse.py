"""Reads a tone set: YAML nodes in, a recipe out, with all problems collected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from voiceflow.core.units import snap_up
from voiceflow.script.fields import (
    Field,
    Problems,
    Schema,
    Words,
    complain,
    fields_schema,
    read_fields,
)
from voiceflow.script.yaml import Node
from voiceflow.sounds.kinds import LEVEL, Measure, seconds, share
from voiceflow.sounds.recipe import BREATHS, SIGNALS, Layer, Notes, Sample, Sound, Tone
from voiceflow.sounds.sources import TABLES, read_layer

MAX_LAYERS = 4
# The shortest, 24 ms, is one step of the grid.
_LENGTH = Field(
    "length", Measure(seconds, 0.024, 30, "a time such as 1.2 s"), "Length of the signal."
)
_TONE = (Field("level", LEVEL, "Loudness in LUFS."), _LENGTH)


@dataclass(frozen=True, slots=True)
class ToneSetScript:
    """A tone set as written, before `like` is applied. A tone that is None is removed."""

    about: str = ""
    like: str = ""
    like_node: Node | None = None
    lean: float | None = None
    tones: Mapping[str, Tone | None] = field(default_factory=dict)


def read_script(node: Node, folder: Path, problems: Problems) -> ToneSetScript:
    """The tone set in `node`; `folder` is the folder of its recordings."""
    values = read_fields(node, _set_fields(folder), problems, "a tone set")
    tones = {name: values[name][0] for name in (*BREATHS, *SIGNALS) if name in values}
    like = values.get("like", "")
    return ToneSetScript(values.get("about", ""), like, node.get("like"), values.get("lean"), tones)


def schema() -> Schema:
    """The JSON Schema of a tone set."""
    # Any folder will do: no recording is looked at for a schema.
    return fields_schema(_set_fields(Path()))


def _set_fields(folder: Path) -> tuple[Field, ...]:
    breaths = (
        Field(one, _ToneKind(folder, signal=False), f"The tone of the {one}.") for one in BREATHS
    )
    signals = (
        Field(one, _ToneKind(folder, signal=True), f"The signal `{one}`.") for one in SIGNALS
    )
    return (
        Field("about", Words(), "How the set sounds, in one line.", required=True),
        Field(
            "like",
            Words(slug=True),
            "The set from which to take the tones that are not written here.",
        ),
        Field(
            "lean",
            Measure(share, 0, 1, "a share such as 40 %"),
            "How far a side's tones lean to its ear.",
        ),
        *breaths,
        *signals,
    )


@dataclass(frozen=True, slots=True)
class _ToneKind:
    """A tone: one sound, several `layers`, or `none`. Its value is a tuple of one Tone or None."""

    folder: Path
    signal: bool

    def read(self, node: Node, problems: Problems) -> tuple[Tone | None] | None:
        if node.kind == "scalar" and node.text == "none":
            # In a tuple, because None by itself says that the tone could not be read.
            return (None,)
        before = len(problems)
        if node.kind != "map":
            hint = "write `sound:` with its values, or `none`"
            complain(problems, node, f"expected a tone, found {node.described}", hint)
            return None
        tone = self._tone(node, problems)
        return (tone,) if len(problems) == before else None

    def _tone(self, node: Node, problems: Problems) -> Tone:
        keys = {"level", "length"}
        # These two keys are the tone's own; all others belong to its sound, which has its table.
        head = Node(node.mark, "map", pairs=tuple(p for p in node.pairs if p[0].text in keys))
        fields, what = (_TONE, "a signal") if self.signal else (_TONE[:1], "a breath tone")
        values = read_fields(head, fields, problems, what)
        layers = self._layers(node, node.without(*keys), problems)
        found = tuple(layer for layer in layers if layer is not None)
        length_ms = (
            self._length_ms(node, values.get("length"), found, problems) if self.signal else 0
        )
        return Tone(found, values.get("level", -26.0 if self.signal else -32.0), length_ms)

    def _layers(self, node: Node, rest: Node, problems: Problems) -> list[Layer | None]:
        layers = rest.get("layers")
        if layers is None:
            return [read_layer(rest, self.folder, problems)]
        for key, _ in rest.without("layers").pairs:
            complain(
                problems,
                key,
                f"`{key.text}` is not allowed beside `layers`",
                "move it into a layer",
            )
        if layers.kind != "list" or not 1 <= len(layers.items) <= MAX_LAYERS:
            complain(problems, layers, f"`layers` must be a list of 1 to {MAX_LAYERS} sounds")
            return []
        return [read_layer(item, self.folder, problems) for item in layers.items]

    def _length_ms(
        self, node: Node, length: float | None, layers: tuple[Layer, ...], problems: Problems
    ) -> int:
        """The length of a signal on the grid; without `length:`, that of its recording."""
        samples = [one.sound.length_ms for one in layers if isinstance(one.sound, Sample)]
        if length is None and not samples:
            # Layers or a length that could not be read are a problem already.
            if layers and node.get("length") is None:
                complain(problems, node, "a signal needs `length:`", "write `length: 1.2 s`")
            return 0
        # Rounded first, or a float a hair above a grid time would go up by a whole step.
        length_ms = snap_up(max(samples) if length is None else round(length * 1000, 3))
        for layer in layers:
            last = _last_note(layer.sound)
            if last * 1000 >= length_ms:
                hint = f"its last note would start at {last:.2f} s"
                complain(problems, node, "the signal ends before its last note", hint)
        return length_ms

    def schema(self) -> Schema:
        return {"anyOf": [{"const": "none"}, {"type": "object", "properties": _tone_schema()}]}


def _tone_schema() -> Schema:
    fields = {one.name: one for table in (_TONE, *TABLES.values()) for one in table}
    known = {name: {"description": one.about, **one.kind.schema()} for name, one in fields.items()}
    known["sound"] = {"enum": list(TABLES)}
    return {**known, "layers": {"type": "array", "items": {"type": "object", "properties": known}}}


def _last_note(sound: Sound) -> float:
    return sound.every * (len(sound.pitches) - 1) if isinstance(sound, Notes) else 0.0
