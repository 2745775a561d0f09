"""JSON Schemas for editors, made from the tables of fields.

`python -m voiceflow.script.schema` writes the files that are shipped.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from voiceflow.script import models
from voiceflow.script.fields import Field, Schema, fields_schema
from voiceflow.script.load import GROUP, ITEM
from voiceflow.script.lookup import content

KINDS = ("exercise", "session", "pace", "settings")
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def path(kind: str) -> Path:
    """The shipped schema file for a kind of script."""
    return content() / "scripts" / "schemas" / f"{kind}.schema.json"


def schema(kind: str) -> Schema:
    """The JSON Schema (draft 2020-12) for a kind of script, one of `KINDS`."""
    built = {"exercise": _exercise, "session": _session, "pace": _pace, "settings": _settings}[
        kind
    ]()
    return {"$schema": _DRAFT, "title": f"voiceflow {kind}", **built}


def text(kind: str) -> str:
    """The schema as text, as it is shipped."""
    return json.dumps(schema(kind), indent=1, ensure_ascii=False) + "\n"


def _loose(fields: tuple[Field, ...]) -> Schema:
    """The schema of `fields` with none required: changes may leave out anything."""
    drawn = fields_schema(fields)
    drawn.pop("required", None)
    return drawn


def _exercise() -> Schema:
    return {**fields_schema(models.EXERCISE), "$defs": {"changes": _loose(models.CHANGES)}}


def _session() -> Schema:
    head = fields_schema(models.SESSION_HEAD)
    item: Schema = {
        "anyOf": [
            {"type": "string"},
            {"allOf": [{"$ref": "#/$defs/exercise"}], "required": ["name"]},
            # `- bridge: {reps: 6}`; but `- name: X`, one key as well, is an exercise written there.
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "not": {"required": ["name"]},
                "additionalProperties": {"anyOf": [{"$ref": "#/$defs/item"}, {"type": "null"}]},
            },
        ]
    }
    items: dict[str, Any] = {"type": "array", "items": item, "minItems": 1}
    group = fields_schema(GROUP)
    group["properties"]["exercises"] = items
    group["required"] = ["exercises"]
    section = {"type": "object", "additionalProperties": {"anyOf": [items, group]}}
    head["properties"]["exercises"] = items
    head["properties"]["sections"] = {"anyOf": [section, {"type": "array", "items": section}]}
    # The last two of ITEM are `level` and `with`, which an exercise's own file cannot have.
    exercise = fields_schema((*models.EXERCISE, *ITEM[-2:]))
    head["$defs"] = {"exercise": exercise, "item": _loose(ITEM), "changes": _loose(models.CHANGES)}
    return head


def _pace() -> Schema:
    return fields_schema(models.PACE)


def _settings() -> Schema:
    return fields_schema(models.SETTINGS)


def write_all(folder: Path) -> None:
    """Write the schema of every kind into `folder`. Run it whenever a table changes."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        (folder / f"{kind}.schema.json").write_text(text(kind), encoding="utf-8")


if __name__ == "__main__":
    write_all(content() / "scripts" / "schemas")
