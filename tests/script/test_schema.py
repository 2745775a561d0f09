"""Schemas for editors: as generated, accepting what voiceflow accepts, refusing a wrong key."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from voiceflow.script import examples, schema
from voiceflow.script.lookup import Library

KINDS = {"exercises": "exercise", "sessions": "session", "paces": "pace"}


class EditorLoader(yaml.SafeLoader):
    """YAML as an editor reads it (1.2): only true and false are flags, no clock times, no dates."""


EditorLoader.yaml_implicit_resolvers = {
    first: [
        (tag, form)
        for tag, form in resolvers
        if tag.rpartition(":")[2] in ("null", "bool", "merge")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    if first in "~nNtTfF<" or not first
}
EditorLoader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"[-+]?[0-9]+$"), list("-+0123456789")
)
EditorLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)$"),
    list("-+.0123456789"),
)


def as_json(value: Any) -> Any:
    """`value` as JSON has it: keys are text."""
    if isinstance(value, dict):
        return {str(key): as_json(one) for key, one in value.items()}
    return [as_json(one) for one in value] if isinstance(value, list) else value


def loaded(text: str) -> Any:
    return as_json(yaml.load(text, Loader=EditorLoader))


def errors(kind: str, text: str) -> list[str]:
    validator = jsonschema.Draft202012Validator(schema.schema(kind))
    return [error.message for error in validator.iter_errors(loaded(text))]


@pytest.mark.parametrize("kind", schema.KINDS)
def test_what_is_shipped_is_what_is_generated(kind: str) -> None:
    shipped = schema.path(kind).read_text(encoding="utf-8")
    assert shipped == schema.text(kind), "run: python -m voiceflow.script.schema"
    jsonschema.Draft202012Validator.check_schema(json.loads(shipped))


def test_every_key_is_described() -> None:
    for kind in schema.KINDS:
        properties = schema.schema(kind)["properties"]
        described = {key for key, drawn in properties.items() if drawn.get("description")}
        assert set(properties) - described <= {"exercises", "sections"}


@pytest.mark.parametrize("folder", KINDS)
def test_every_bundled_script_is_right_by_its_schema(library: Library, folder: str) -> None:
    paths = list(library.files(folder))
    assert paths
    wrong = {
        path.name: found
        for path in paths
        if (found := errors(KINDS[folder], path.read_text(encoding="utf-8")))
    }
    assert not wrong


@pytest.mark.parametrize("kind", ["session", "exercise", "pace"])
def test_the_examples_to_begin_with_are_right(library: Library, kind: str) -> None:
    text = examples.create(kind, "my-own", library).read_text(encoding="utf-8")
    assert errors(kind, text) == []
    assert text.startswith("# yaml-language-server: $schema=file:")
    address = text.splitlines()[0].partition("=")[2]
    assert address == schema.path(kind).as_uri()


def test_the_examples_load(library: Library) -> None:
    from voiceflow.plan.phrases import phrase_warnings, read_phrases
    from voiceflow.script.load import load_exercise, load_session, read_pace

    made = {kind: examples.create(kind, "my-own", library) for kind in
            ("session", "exercise", "pace", "phrases")}  # fmt: skip
    assert load_session("my-own", library).title == "My Own"
    assert load_exercise(made["exercise"], library).name == "My Own"
    assert dict(read_pace(made["pace"]).values)["tempo"] == 0.95
    assert "end" in read_phrases(made["phrases"])
    assert phrase_warnings(made["phrases"]) == []


RIGHT = {
    "exercise": (
        "name: A\nposition: seated\nsetup: Sit.\nreps: 4\nswitch_time: 12s\nneeds: mat\n"
        "rep:\n  - inhale 4: In. | In.\n  - exhale 4.5\n  - hold 2s:\n"
        "levels: {2: {hold: 4}}\nequipment: {ball: {reps: 3}}\n"
    ),
    "session": (
        "title: A\nlevel: 2\nexercises:\n  - bridge\n  - squat: {reps: 4, level: 2, with: [ball]}\n"
        "  - hip-hinge:\n  - {name: B, position: seated, setup: Sit., work: 40s, level: 3}\n"
    ),
    "pace": "tempo: 0.9\nair: 0.3\nrest: 1:30\ntones: bowl\n",
    "settings": "name: Ana\nwith: [ball]\nknown: bridge, squat\ntempo: 0.9\n",
}
WRONG = {
    "exercise": (
        "naem: A", "reps: 0", "reps: 2.5", "reps: many", "sides: both", "rep: []", "rep: in",
        "rep: [sing 4: x]", "levels: {4: {reps: 2}}", "levels: {2: {resp: 2}}", "tempo: 9",
        "hold: four metres long", "equipment: {bal: {}}", "tips: {a: b}", "level: 2",
    ),
    "session": (
        "titel: A", "exercises: []", "exercises: [[bridge]]", "exercises: [bridge: {resp: 4}]",
        "exercises: [{name: B, resp: 4}]", "exercises: [bridge: {}, squat: 4]", "level: 4",
        "sections: [Work]", "sections: {Work: {rounds: 2}}", "sections: {Work: {turns: 2}}",
        "pronounce: [a]",
    ),
    "pace": ("tmepo: 1", "tempo: 0", "speech: 20", "detail: chatty", "tips: maybe"),
    "settings": ("title: A", "with: [ladder]", "level: 9"),
}  # fmt: skip


@pytest.mark.parametrize("kind", RIGHT)
def test_what_is_right_is_accepted(kind: str) -> None:
    assert errors(kind, RIGHT[kind]) == []


@pytest.mark.parametrize(("kind", "line"), [(k, line) for k in WRONG for line in WRONG[k]])
def test_a_wrong_key_or_value_is_refused(kind: str, line: str) -> None:
    values = {**loaded(RIGHT[kind]), **loaded(line)}
    validator = jsonschema.Draft202012Validator(schema.schema(kind))
    assert list(validator.iter_errors(values))


def test_sections_in_each_form_are_accepted() -> None:
    for sections in (
        "sections: {Work: [bridge], Rest: {rounds: 2, time: 5 min, exercises: [squat]}}",
        "sections: [Work: [bridge], Rest: {time: 300, exercises: [squat: {reps: 2}]}]",
    ):
        assert errors("session", "title: A\n" + sections) == []


def test_reading_and_schema_agree_on_the_keys(put: Callable[..., Path], library: Library) -> None:
    """Each key of a schema is one that the reader knows: it is never told to be unknown."""
    from voiceflow.core.errors import ScriptError
    from voiceflow.script.load import read_settings

    properties = schema.schema("settings")["properties"]
    text = "".join(f"{key}: [[]]\n" for key in properties)
    with pytest.raises(ScriptError) as caught:
        read_settings(put("settings.yaml", text))
    assert not [one for one in caught.value.problems if "unknown key" in one.message]
